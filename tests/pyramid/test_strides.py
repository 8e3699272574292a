"""Views of any order, steps and dtype are the same values when they are brought close, and make the same pyramid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.geometry import identity
from ngffseg.pyramid import plan_pyramid
from ngffseg.pyramid.strides import gathered
from tests.examples import examples
from tests.pyramid.test_build import built, expected


@st.composite
def views(draw):
    """An array and a view of it: axes in any order, any of them counting down, in steps, or repeated."""
    ndim = draw(st.integers(1, 5))
    shape = draw(st.tuples(*[st.integers(1, 7)] * ndim))
    dtype = draw(st.sampled_from(["u1", "<u2", ">u4", "<i8"]))
    whole = np.arange(np.prod(shape), dtype=np.int64).reshape(shape).astype(dtype)
    steps = tuple(slice(None, None, draw(st.sampled_from([1, -1, 2, -2]))) for _ in shape)
    view = whole.transpose(draw(st.permutations(range(ndim))))[steps]
    if draw(st.booleans()):
        view = np.broadcast_to(view, (draw(st.integers(1, 9)), *view.shape))
        view = view.transpose(draw(st.permutations(range(view.ndim))))
    return view


@examples(300)
@given(views())
def test_what_is_brought_close_is_the_same(view):
    before = view.copy()
    found = gathered(view)
    assert found.dtype == view.dtype
    np.testing.assert_array_equal(found, before)
    np.testing.assert_array_equal(view, before)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (2, 1, 0)])
def test_a_pyramid_of_a_view_is_that_of_a_copy(axes):
    labels = np.random.default_rng(0).integers(0, 4, (30, 41, 52)).astype(np.uint16)
    view = labels.transpose(axes)[::-1, :, ::-1]
    assert not view.flags.c_contiguous
    plan = plan_pyramid(identity(view.shape), view.dtype, chunks=16, shards=None, levels=3)
    for level, wanted in zip(built(plan, view), expected(plan, view.copy()), strict=True):
        np.testing.assert_array_equal(level, wanted)
