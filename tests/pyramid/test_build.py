"""All levels of a plan: equal to brute force, whatever the chunks, blocks, threads and sources."""

import threading

import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.errors import LabelValueError
from ngffseg.geometry import identity
from ngffseg.pyramid import Reduction, build_pyramid, downsample, passes, plan_pyramid
from ngffseg.pyramid.morton import in_morton_order, morton
from ngffseg.workers import ThreadExecutor
from tests.examples import examples
from tests.pyramid import brute
from tests.pyramid.strategies import labels_and_factors


class WholeObjects:
    """An array that refuses writes of anything but whole write units, and any unit twice."""

    def __init__(self, level, dtype):
        self.data = np.zeros(level.shape, dtype)
        self.shape, self.unit = level.shape, level.unit
        self.seen, self.lock = set(), threading.Lock()

    def __getitem__(self, box):
        return self.data[box]

    def __setitem__(self, box, value):
        for part, unit, n in zip(box, self.unit, self.shape, strict=True):
            assert part.start % unit == 0, f"{part} does not begin at a unit of {unit}"
            assert part.stop == min(part.start + unit, n), f"{part} is no whole unit of {unit}"
        key = tuple(part.start for part in box)
        with self.lock:
            assert key not in self.seen, f"unit at {key} written twice"
            self.seen.add(key)
        self.data[box] = value


def built(plan, labels, **options):
    levels = [WholeObjects(level, plan.dtype) for level in plan.levels]
    build_pyramid(plan, labels, levels, ThreadExecutor(options.pop("workers", None)), **options)
    return [level.data for level in levels]


def expected(plan, labels):
    levels = [labels]
    for number, level in enumerate(plan.levels[1:], start=1):
        below, factors = (
            (levels[-1], level.factors) if plan.reduction.cascade else (labels, plan.window(0, number))
        )
        if plan.reduction.method == "nearest":
            levels.append(brute.nearest(below, factors))
        else:
            levels.append(brute.mode(below, factors, plan.reduction.tie, plan.reduction.method == "sparse"))
    return levels


@examples(40)
@given(
    drawn=labels_and_factors(largest=20),
    levels=st.integers(1, 4),
    chunk=st.integers(1, 7),
    per_shard=st.integers(1, 3),
    method=st.sampled_from(["mode", "sparse", "nearest"]),
    tie=st.sampled_from(["balanced", "smallest"]),
    cascade=st.booleans(),
    lazy=st.sampled_from(["numpy", "dask", "zarr"]),
    many_passes=st.booleans(),
)
def test_every_level_equals_brute_force(
    drawn, levels, chunk, per_shard, method, tie, cascade, lazy, many_passes
):
    labels, factors = drawn
    limit = passes.SMALL_VOLUME
    passes.SMALL_VOLUME = 0 if many_passes else limit
    try:
        plan = plan_pyramid(
            identity(labels.shape), labels.dtype, method=method, tie=tie, cascade=cascade,
            factors=factors, levels=levels, chunks=chunk, shards=chunk * per_shard,
        )  # fmt: skip
    finally:
        passes.SMALL_VOLUME = limit
    source = {
        "numpy": lambda: labels,
        "dask": lambda: da.from_array(labels, chunks=3),
        "zarr": lambda: zarr.array(labels, chunks=(4,) * labels.ndim),
    }[lazy]()
    for level, (got, want) in enumerate(zip(built(plan, source), expected(plan, labels), strict=True)):
        np.testing.assert_array_equal(got, want, err_msg=f"level {level}")


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_threads_and_blocks_change_nothing(workers):
    labels = np.random.default_rng(0).integers(0, 5, (150, 130, 170)).astype(np.uint32)
    plan = plan_pyramid(identity(labels.shape), labels.dtype, chunks=16, shards=32, levels=4)
    want = labels
    for number, got in enumerate(built(plan, labels, workers=workers)):
        if number:
            want = downsample(want, (2, 2, 2))
        np.testing.assert_array_equal(got, want)


def test_the_source_is_read_once_by_a_cascade():
    labels = np.ones((64, 64, 64), np.uint8)
    read = np.zeros(labels.shape, np.uint8)

    class Counting:
        shape, dtype = labels.shape, labels.dtype

        def __getitem__(self, box):
            read[box] += 1
            return labels[box]

    plan = plan_pyramid(identity(labels.shape), np.uint8, chunks=8, shards=16, levels=4)
    built(plan, Counting())
    assert (read == 1).all()


def test_background_is_not_written():
    labels = np.zeros((64, 64, 64), np.uint16)
    labels[:4, :4, :4] = 3
    plan = plan_pyramid(identity(labels.shape), np.uint16, chunks=16, shards=None, levels=3)
    levels = [WholeObjects(level, np.uint16) for level in plan.levels]
    build_pyramid(plan, labels, levels, ThreadExecutor())
    assert [len(level.seen) for level in levels] == [1, 1, 1]


def test_a_negative_label_is_named_and_stops_the_build():
    labels = np.zeros((20, 20, 20), np.int32)
    labels[17, 3, 3] = -4
    plan = plan_pyramid(identity(labels.shape), np.int32, chunks=8, shards=None, levels=2)
    with pytest.raises(LabelValueError, match=r"label -4 in box \[16:20, 0:8, 0:8\] is negative"):
        built(plan, labels)


def test_after_a_failure_no_thread_writes_any_more():
    labels = np.ones((256, 256, 256), np.uint8)

    class Failing:
        shape, dtype = labels.shape, labels.dtype

        def __getitem__(self, box):
            if box[0].start == 128:
                raise OSError("disk is gone")
            return labels[box]

    plan = plan_pyramid(identity(labels.shape), np.uint8, chunks=32, shards=None, levels=1)
    levels = [WholeObjects(level, np.uint8) for level in plan.levels]
    with pytest.raises(OSError, match="disk is gone"):
        build_pyramid(plan, Failing(), levels, ThreadExecutor(4))
    written = len(levels[0].seen)
    assert written < 512
    assert threading.active_count() < 20
    assert len(levels[0].seen) == written


def test_progress_counts_each_block():
    labels = np.ones((40, 40, 40), np.uint8)
    plan = plan_pyramid(identity(labels.shape), np.uint8, chunks=8, shards=16, levels=3)
    calls = []
    built(plan, labels, progress=calls.append)
    assert sum(calls) == plan.block_count == len(list(plan.blocks))


def test_reduction_is_the_plans():
    plan = plan_pyramid(identity((4, 4)), np.uint8, method="sparse", tie="smallest", cascade=False)
    assert plan.reduction == Reduction("sparse", "smallest", cascade=False)


class Computed:
    """A lazy array that counts how often each of its chunks is computed."""

    def __init__(self, labels, chunk):
        self.seen, self.lock = {}, threading.Lock()
        whole = da.from_array(labels, chunks=chunk, name=False)
        self.lazy = whole.map_blocks(self.take, dtype=labels.dtype)

    def take(self, block, block_info=None):
        place = block_info[0]["chunk-location"]
        with self.lock:
            self.seen[place] = self.seen.get(place, 0) + 1
        return block


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("levels", [1, 2, 4])
@pytest.mark.parametrize("shards", [None, 64])
@pytest.mark.parametrize("chunk", [16, 48, 64, 128])
def test_chunks_of_a_lazy_array_are_computed_once(workers, levels, shards, chunk):
    """Also where they are larger than a block; blocks and pieces follow the same curve."""
    labels = np.random.default_rng(0).integers(0, 3, (128, 128, 256)).astype(np.uint8)
    source = Computed(labels, chunk)
    plan = plan_pyramid(labels.shape, labels.dtype, chunks=16, shards=shards, levels=levels)
    np.testing.assert_array_equal(built(plan, source.lazy, workers=workers)[0], labels)
    if chunk != 48:
        # Dask itself calls a function once, without a block, to learn what it gives.
        assert set(source.seen.values()) == {1}
    assert max(source.seen.values()) <= 8  # chunks that no tile aligns with


def test_blocks_follow_the_morton_curve():
    for grid in ((1,), (3, 5), (4, 4, 4), (1, 7, 2, 3)):
        indices = list(morton(grid))
        assert indices == in_morton_order(np.ndindex(*grid))
        assert sorted(indices) == list(np.ndindex(*grid))
