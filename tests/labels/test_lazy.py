"""Levels as dask arrays: whatever is sliced is what numpy would give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices

from ngffseg import open_labels, write_labels
from ngffseg.labels.read.lazy_level import bounding_box
from tests.examples import examples

SHAPE = (23, 18, 31)
LABELS = np.random.default_rng(0).integers(0, 2**64 - 1, SHAPE, dtype=np.uint64)


@pytest.fixture(scope="module", params=[{"shards": None}, {"shards": 16}], ids=["chunks", "shards"])
def level(request, tmp_path_factory):
    store = tmp_path_factory.mktemp("lazy") / "a.zarr"
    return write_labels(store, LABELS, name="a", chunks=8, levels=1, **request.param).levels[0]


@examples(50)
@given(index=basic_indices(SHAPE, allow_newaxis=True, allow_ellipsis=True))
def test_slices_of_all_kinds(level, index):
    found = np.asarray(level[index].compute(scheduler="synchronous"))
    np.testing.assert_array_equal(found, LABELS[index])
    assert found.dtype == np.uint64


@examples(20)
@given(data=st.data(), axis=st.integers(0, 2))
def test_lists_and_masks(level, data, axis):
    places = data.draw(st.lists(st.integers(-SHAPE[axis], SHAPE[axis] - 1), max_size=9))
    index = (*(slice(None),) * axis, np.array(places, int))
    np.testing.assert_array_equal(level[index].compute(scheduler="synchronous"), LABELS[index])
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=SHAPE[axis], max_size=SHAPE[axis])))
    index = (*(slice(None),) * axis, mask)
    np.testing.assert_array_equal(level[index].compute(scheduler="synchronous"), LABELS[index])


@examples(100)
@given(index=basic_indices(SHAPE, allow_newaxis=False, allow_ellipsis=True))
def test_the_box_is_the_smallest(index):
    box, rest = bounding_box(index, SHAPE)
    np.testing.assert_array_equal(LABELS[box][rest], LABELS[index])
    picked = np.zeros(SHAPE, bool)
    picked[index] = True
    for axis, part in enumerate(box):
        others = tuple(a for a in range(3) if a != axis)
        places = np.flatnonzero(picked.any(axis=others))
        if places.size:
            assert (part.start, part.stop) == (places[0], places[-1] + 1)


def test_sums_and_slices_after_slices(level, tmp_path):
    assert level[3:20][2:9, ::3][1].sum().compute() == LABELS[3:20][2:9, ::3][1].sum()
    np.testing.assert_array_equal(level.rechunk((23, 5, 7))[::-1, 4].compute(), LABELS[::-1, 4])
    with pytest.raises(IndexError):
        _ = open_labels(write_labels(tmp_path / "b.zarr", LABELS, name="b").url).levels[0][23].compute()
    with pytest.raises(IndexError, match="out of bounds"):
        bounding_box((23,), SHAPE)
