"""Grids of 2 to 5 axes: only space axes have a place, and all of them do."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.errors import FormatError, UsageError
from ngffseg.geometry import (
    Geometry,
    anatomical_orientation,
    downsampled,
    from_ngff,
    from_nifti,
    from_nrrd,
    identity,
    ngff_origin,
    scales,
    to_nifti,
    to_nrrd,
)
from tests.examples import examples
from tests.geometry.strategies import affines

AXES = [("y", "x"), ("z", "y", "x"), ("t", "z", "y", "x"), ("c", "z", "y", "x"), ("t", "c", "z", "y", "x")]
COLUMN = {"x": 0, "y": 1, "z": 2}


@st.composite
def grids(draw, shear=False):
    """A grid of some axes, an index in it, and a window that leaves other axes than space alone."""
    axes = draw(st.sampled_from(AXES))
    shape = tuple(draw(st.integers(1, 40)) for _ in axes)
    index = tuple(draw(st.integers(0, n - 1)) for n in shape)
    window = tuple(draw(st.integers(1, 5)) if a in COLUMN else 1 for a in axes)
    return Geometry(shape, draw(affines(shear=shear)), axes, time_step=draw(st.floats(0.1, 9))), index, window


def place(geometry, index):
    """LPS position of a voxel: the definition, in Python floats."""
    found = [float(v) for v in geometry.affine[:3, 3]]
    for axis, n in zip(geometry.axes, index, strict=True):
        if axis in COLUMN:
            found = [f + float(geometry.affine[r, COLUMN[axis]]) * n for r, f in enumerate(found)]
    return np.array(found)


@examples(50)
@given(grids(shear=True))
def test_a_binned_voxel_is_the_mean_of_its_window(drawn):
    grid, index, window = drawn
    coarse = downsampled(grid, window)
    assert coarse.shape == tuple(-(-n // f) for n, f in zip(grid.shape, window, strict=True))
    target = tuple(n // f for n, f in zip(index, window, strict=True))
    # The window of an edge voxel keeps its full size, so it may reach beyond the image.
    members = [np.add(np.multiply(target, window), inside) for inside in np.ndindex(*window)]
    mean = np.mean([place(grid, member) for member in members], axis=0)
    np.testing.assert_allclose(place(coarse, target), mean, rtol=0, atol=1e-8)


@examples(50)
@given(grids(shear=True))
def test_a_picked_voxel_is_the_first_of_its_window(drawn):
    grid, index, window = drawn
    target = tuple(n // f for n, f in zip(index, window, strict=True))
    first = np.multiply(target, window)
    coarse = downsampled(grid, window, binning=False)
    np.testing.assert_allclose(place(coarse, target), place(grid, first), rtol=0, atol=1e-8)


@given(grids(shear=True))
def test_other_axes_keep_what_they_are(drawn):
    grid, _, window = drawn
    coarse = downsampled(grid, window)
    assert (coarse.axes, coarse.units, coarse.time_step) == (grid.axes, grid.units, grid.time_step)
    for axis, scale, shift in zip(grid.axes, scales(coarse), ngff_origin(coarse), strict=True):
        if axis not in COLUMN:
            assert (scale, shift) == (grid.time_step if axis == "t" else 1, 0)


@given(grids())
def test_scale_and_translation_are_the_place_along_the_axes(drawn):
    grid, index, _ = drawn
    directions = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    along = directions.T @ place(grid, index)
    said = np.multiply(scales(grid), index) + ngff_origin(grid)
    for n, axis in enumerate(grid.axes):
        if axis in COLUMN:
            assert said[n] == pytest.approx(along[COLUMN[axis]], rel=0, abs=1e-9)


@given(grids())
def test_levels_of_ome_zarr_shift_by_half_a_window(drawn):
    grid, _, window = drawn
    shifts = np.subtract(ngff_origin(downsampled(grid, window)), ngff_origin(grid))
    want = [s * (f - 1) / 2 if a in COLUMN else 0
            for a, s, f in zip(grid.axes, scales(grid), window, strict=True)]  # fmt: skip
    np.testing.assert_allclose(shifts, want, rtol=0, atol=1e-8)


def test_zeros_keep_their_sign_in_every_place():
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    for cells in ([(0, 1), (0, 3), (1, 0), (2, 1)], [(0, 2), (1, 2), (1, 3), (2, 3)]):
        signed = affine.copy()
        for cell in cells:
            signed[cell] = -0.0
        assert to_nifti(from_nifti(signed)).tobytes() == signed.tobytes()
        for space in ("LPS", "RAS", "LAS"):
            assert from_nrrd(space, *to_nrrd(signed, space)).tobytes() == signed.tobytes()


def test_las_turns_only_posterior():
    affine = from_nrrd("left-anterior-superior", np.diag([2.0, 3.0, 4.0]), (5, 6, 7))
    np.testing.assert_array_equal(affine, [[2, 0, 0, 5], [0, -3, 0, -6], [0, 0, 4, 7], [0, 0, 0, 1]])


def test_a_space_that_cannot_be_written():
    with pytest.raises(FormatError, match="left-posterior-inferior"):
        to_nrrd(np.eye(4), "left-posterior-inferior")


def test_orientation_of_two_axes():
    grid = Geometry((4, 4), np.diag([-1.0, 1.0, 1.0, 1.0]))
    assert anatomical_orientation(grid) == {"y": "anterior-to-posterior", "x": "left-to-right"}


def test_axes_that_share_a_patient_axis_have_no_orientation():
    affine = np.eye(4)
    affine[:3, 1] = (1, 0.5, 0)  # y, as x, runs mainly to the left
    assert anatomical_orientation(Geometry((4, 4, 4), affine)) == {}


def test_ome_zarr_time_is_kept_as_a_step():
    grid = from_ngff((2, 3, 4), ("t", "y", "x"), ("second", None, None), (0.5, 3, 2), (0, 7, 8))
    assert (grid.time_step, grid.units) == (0.5, ("second", None, None))
    assert (scales(grid), ngff_origin(grid)) == ((0.5, 3, 2), (0, 7, 8))


@pytest.mark.parametrize("shape", [(2.0, 3), ("2", 3), (None, 3)])
def test_shapes_are_exact(shape):
    with pytest.raises(UsageError, match="must be integers"):
        Geometry(shape, np.eye(4))
    assert [type(n) for n in Geometry((np.int64(2), 3), np.eye(4)).shape] == [int, int]


def test_equal_grids_have_one_hash():
    signed = np.eye(4)
    signed[0, 3] = -0.0
    assert len({Geometry((4, 4), signed), Geometry([4, 4], np.eye(4).tolist(), ["y", "x"])}) == 1
    assert (
        len({Geometry((4, 4), np.eye(4)), Geometry((4, 4), np.eye(4), time_step=2.0), identity((4, 4))}) == 3
    )


def test_the_caller_keeps_its_array():
    affine = np.eye(4)
    grid = Geometry((4, 4), affine)
    affine[0, 0] = 2
    assert grid.affine[0, 0] == 1


@given(grids(shear=True))
def test_grids_stay_frozen_on_the_way_to_a_worker(drawn):
    grid = drawn[0]
    for there in (pickle.loads(pickle.dumps(grid)), copy.deepcopy(grid)):
        assert there == grid
        assert there.affine.tobytes() == grid.affine.tobytes()
        with pytest.raises(ValueError, match="read-only"):
            there.affine[0, 0] = 2
