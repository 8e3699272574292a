"""The census: exactly what a plain count says, whatever the chunks, blocks, threads and sources."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.pyramid import LabelStatistics, build_pyramid, counts, parts, plan_pyramid
from ngffseg.workers import ThreadExecutor
from tests.examples import examples
from tests.pyramid.strategies import labels_and_factors


def plain(labels, chunks):
    """Label -> voxels, first and last index, sums of indices, chunks that hold it; in Python integers."""
    found = {}
    grid = [-(-n // c) for n, c in zip(labels.shape, chunks, strict=True)]
    for index in np.argwhere(labels).tolist():
        value = int(labels[tuple(index)])
        chunk = int(np.ravel_multi_index([i // c for i, c in zip(index, chunks, strict=True)], grid))
        count, low, high, sums, there = found.get(value, (0, index, index, [0] * len(index), set()))
        found[value] = (
            count + 1,
            [min(a, b) for a, b in zip(low, index, strict=True)],
            [max(a, b) for a, b in zip(high, index, strict=True)],
            [a + b for a, b in zip(sums, index, strict=True)],
            there | {chunk},
        )
    return found


def counted(plan, labels, **options):
    with LabelStatistics(plan) as statistics:
        levels = [np.zeros(level.shape, plan.dtype) for level in plan.levels]
        build_pyramid(
            plan,
            labels,
            levels,
            ThreadExecutor(options.pop("workers", None)),
            statistics=statistics,
            **options,
        )
        found, last = {}, -1
        for part in statistics.counts():
            assert all(getattr(part, name).dtype == np.uint64 for name in part.__slots__)
            stops = np.cumsum(part.chunk_counts).tolist()
            assert len(part.chunks) == (stops[-1] if stops else 0)
            for row, value in enumerate(part.labels.tolist()):
                assert value > last  # ranges come in order, and no label twice
                last = value
                there = part.chunks[stops[row] - int(part.chunk_counts[row]) : stops[row]].tolist()
                assert there == sorted(set(there))
                found[value] = (
                    int(part.voxels[row]),
                    part.low[row].tolist(),
                    part.high[row].tolist(),
                    part.sums[row].tolist(),
                    set(there),
                )
        return found


@examples(30)
@given(
    drawn=labels_and_factors(largest=12),
    chunk=st.integers(1, 7),
    levels=st.integers(1, 3),
    cascade=st.booleans(),
    lazy=st.booleans(),
    spill=st.booleans(),
    sample=st.integers(1, 3),
)
def test_counts_equal_a_plain_count(drawn, chunk, levels, cascade, lazy, spill, sample):
    labels, factors = drawn
    plan = plan_pyramid(
        labels.shape, labels.dtype, factors=factors, levels=levels, chunks=chunk, shards=None, cascade=cascade
    )
    source = da.from_array(labels, chunks=5) if lazy else labels
    with pytest.MonkeyPatch.context() as patch:
        if spill:
            patch.setattr(parts, "HELD_BYTES", 0)
            patch.setattr(parts, "ROWS_AT_ONCE", 2)
            patch.setattr(parts, "SAMPLE", sample)
        assert counted(plan, source) == plain(labels, plan.levels[0].chunks)


@pytest.mark.parametrize("shape", [(24, 24, 24), (23, 18, 31), (1, 1, 4097), (7, 11, 13 * 17)])
def test_a_tile_of_distinct_labels_makes_room_for_them(shape):
    """In no order; room for numbers of labels that are no powers of two once was looked through for ever."""
    size = int(np.prod(shape))
    labels = np.random.default_rng(0).permutation(np.arange(2**64 - size, 2**64 - 1, dtype=np.uint64))
    labels = np.append(labels, np.uint64(2**64 - 1)).reshape(shape)
    plan = plan_pyramid(labels.shape, labels.dtype, chunks=shape, levels=1)
    assert counted(plan, labels) == plain(labels, shape)
    scattered = np.random.default_rng(1).integers(1, 2**64 - 1, shape, dtype=np.uint64)
    assert counted(plan, scattered) == plain(scattered, shape)


def test_a_sum_that_does_not_fit_is_marked_and_stays_so():
    huge = np.array([[7, 0, 2**60, 0, 2**62, 2**63]], np.uint64)
    once = counts.merged(np.concatenate([huge, huge]), 1)
    assert once.sums.tolist() == [[2**64 - 1]]
    marked = np.array([[7, 5, 1, 3, 3, 2**64 - 1], [7, 4, 1, 9, 9, 9]], np.uint64)
    twice = counts.merged(np.concatenate([huge, marked]), 1)
    assert twice.sums.tolist() == [[2**64 - 1]]
    assert (twice.voxels.tolist(), twice.low.tolist(), twice.high.tolist()) == ([2**60 + 2], [[0]], [[2**62]])
    assert (twice.chunk_counts.tolist(), twice.chunks.tolist()) == ([3], [0, 4, 5])
