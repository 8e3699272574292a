"""`Geometry`, its levels and what OME-Zarr is told of it."""

from dataclasses import FrozenInstanceError, replace

import nibabel as nib
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ngffseg.errors import UsageError
from ngffseg.geometry import (
    Geometry,
    anatomical_orientation,
    downsampled,
    from_ngff,
    identity,
    ngff_origin,
    same_directions,
    scales,
)
from tests.geometry.strategies import affines

factors = st.tuples(*[st.integers(1, 5)] * 3)


@given(affines(shear=True), factors, st.tuples(*[st.integers(0, 5)] * 3))
def test_a_binned_voxel_lies_in_the_middle_of_its_window(affine, window, index):
    grid = Geometry((30, 30, 30), affine)
    coarse = downsampled(grid, window)
    inside = np.stack(
        np.meshgrid(*(np.arange(i * f, (i + 1) * f) for i, f in zip(index, window, strict=True))), -1
    )
    zyx = inside.reshape(-1, 3).mean(axis=0)
    want = affine @ [*zyx[::-1], 1]
    np.testing.assert_allclose(coarse.affine @ [*index[::-1], 1], want, rtol=1e-9, atol=1e-7)


@given(affines(), factors)
def test_a_picked_voxel_lies_where_it_was(affine, window):
    coarse = downsampled(Geometry((30, 30, 30), affine), window, binning=False)
    np.testing.assert_array_equal(coarse.affine[:3, 3], affine[:3, 3])


@given(affines(shear=True))
def test_twice_two_is_four(affine):
    grid = Geometry((31, 30, 29), affine)
    twice = downsampled(downsampled(grid, (2, 2, 2)), (2, 2, 2))
    once = downsampled(grid, (4, 4, 4))
    assert twice.shape == once.shape
    np.testing.assert_allclose(twice.affine, once.affine, rtol=1e-12, atol=1e-9)


@given(affines(), st.tuples(*[st.integers(0, 500)] * 3))
def test_scale_and_translation_say_where_voxels_are_along_the_axes(affine, index):
    grid = Geometry((501, 501, 501), affine)
    zyx = np.array(scales(grid)) * index + ngff_origin(grid)
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    np.testing.assert_allclose(directions @ zyx[::-1], (affine @ [*index[::-1], 1])[:3], rtol=1e-9, atol=1e-6)


@given(affines(shear=True))
def test_sheared_axes_too(affine):
    grid = Geometry((5, 5, 5), affine)
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    np.testing.assert_allclose(
        directions @ np.array(ngff_origin(grid))[::-1], affine[:3, 3], rtol=1e-6, atol=1e-5
    )


@given(affines())
def test_orientation_is_that_of_nibabel(affine):
    ras = np.diag([-1, -1, 1, 1]) @ affine
    cosines = np.abs(ras[:3, :3] / np.linalg.norm(ras[:3, :3], axis=0))
    tilts = np.sort(cosines, axis=0)
    assume((tilts[2] - tilts[1] > 0.1).all())  # near 45 degrees both answers are right
    found = anatomical_orientation(Geometry((4, 4, 4), affine))
    if len(set(np.argmax(cosines, axis=0))) < 3:
        assert (
            found == {}
        )  # two axes are closest to one of the patient: nibabel gives the other to one of them
        return
    letters = {"left": "L", "right": "R", "posterior": "P", "anterior": "A", "superior": "S", "inferior": "I"}
    ours = tuple(letters[found[axis].split("-to-")[1]] for axis in "xyz")
    assert ours == nib.aff2axcodes(ras)


def test_axes_of_time_and_channels():
    grid = Geometry((3, 2, 5, 6, 7), np.diag([1, 2, 3, 1]), time_step=2.5)
    assert grid.axes == ("t", "c", "z", "y", "x")
    assert grid.units == (None, None, "millimeter", "millimeter", "millimeter")
    assert scales(grid) == (2.5, 1, 3, 2, 1)
    assert ngff_origin(grid) == (0, 0, 0, 0, 0)
    assert downsampled(grid, (1, 1, 2, 2, 2)).shape == (3, 2, 3, 3, 4)


def test_what_ome_zarr_says_becomes_a_grid_again():
    grid = from_ngff((4, 5, 6), ("z", "y", "x"), ("micrometer",) * 3, (3, 2, 1), (0.3, 0.2, 0.1))
    assert scales(grid) == (3, 2, 1)
    assert ngff_origin(grid) == (0.3, 0.2, 0.1)
    assert grid.units == ("micrometer",) * 3


def test_directions_are_compared_without_spacing_and_place():
    first = Geometry((4, 4, 4), np.diag([1, 2, 3, 1]))
    moved = np.diag([5.0, 5, 5, 1])
    moved[:3, 3] = 7
    assert same_directions(first, Geometry((9, 9, 9), moved))
    assert not same_directions(first, Geometry((4, 4, 4), np.diag([-1, 2, 3, 1])))


def test_grids_are_values():
    first, second = (Geometry((4, 4), np.eye(4)) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    minus_zero = np.eye(4)
    minus_zero[0, 1] = -0.0
    assert Geometry((4, 4), minus_zero) == first
    nudged = np.eye(4)
    nudged[0, 0] = np.nextafter(1, 2)
    assert Geometry((4, 4), nudged) != first
    assert replace(first, frame_of_reference_uid="1.2") != first
    assert first != "grid"
    with pytest.raises(FrozenInstanceError):
        first.shape = (5, 5)
    with pytest.raises(ValueError, match="read-only"):
        first.affine[0, 0] = 2


def broken(**changes):
    affine = np.eye(4)
    for (row, column), value in changes.pop("cells", {}).items():
        affine[row, column] = value
    return {"shape": (4, 4, 4), "affine": affine, **changes}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (broken(shape=(4,)), "1 axes"),
        (broken(shape=(4,) * 6), "6 axes"),
        (broken(shape=(4, 0, 4)), "is empty"),
        (broken(axes=("y", "x")), "differ in number"),
        (broken(axes=("x", "y", "z")), "in that order"),
        (broken(axes=("z", "z", "x")), "in that order"),
        (broken(axes=("z", "y", "q")), "not a subset"),
        (broken(axes=("t", "c", "x")), "fewer than two space axes"),
        (broken(units=("millimeter",)), "differ in number"),
        (broken(affine=np.eye(3)), "4x4"),
        (broken(cells={(3, 0): 1}), "last row"),
        (broken(cells={(0, 0): np.nan}), "finite"),
        (broken(cells={(0, 0): 0}), "singular"),
        (broken(cells={(0, 0): 0, (2, 0): 1}), "singular"),
    ],
)
def test_parts_that_contradict_each_other(parts, message):
    with pytest.raises(UsageError, match=message):
        Geometry(**parts)


def test_identity_knows_no_unit():
    grid = identity((3, 4, 5))
    assert grid.units == (None, None, None)
    assert grid.affine.tolist() == np.eye(4).tolist()
