"""Scale, translation and orientation of OME-Zarr: reading and writing are inverse."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from ngffseg import Geometry
from ngffseg.geometry import (
    Order,
    along_axes,
    anatomical_orientation,
    downsampled,
    from_ngff,
    ngff_origin,
    overlaps,
    reordered,
    scales,
)

ORDERS = [
    Order(axes, flipped)
    for axes in itertools.permutations(range(3))
    for flipped in itertools.product((False, True), repeat=3)
]
AXES = ("z", "y", "x")
WORDS = {"z": "inferior-to-superior", "y": "anterior-to-posterior", "x": "right-to-left"}


def scan(shape=(3, 4, 5)):
    affine = np.diag([0.7, 0.9, 2.5, 1.0])
    affine[:3, 3] = -100.1, 20.3, 1 / 3
    return Geometry(shape, affine, frame="patient")


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_reading_is_the_inverse_of_writing(order):
    """Rule 8: the translation of axis-aligned data is the LPS origin, to the last bit."""
    grid = reordered(scan(), order)
    origin = ngff_origin(grid)
    assert origin == tuple(grid.affine[[2, 1, 0], 3])
    told = anatomical_orientation(grid)
    back = from_ngff(grid.shape, AXES, grid.units, scales(grid), origin, [told[axis] for axis in AXES])
    assert back == grid


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_levels_lie_among_each_other_along_the_axes(order):
    """Rule 8: plus (s_n - s_0)/2 above; readers place levels by scale and translation."""
    grid = reordered(scan((8, 8, 8)), order)
    level = downsampled(grid, (1, 2, 4))
    shift = np.subtract(ngff_origin(level, grid), ngff_origin(grid))
    np.testing.assert_allclose(shift, np.subtract(scales(level), scales(grid)) / 2, rtol=0, atol=1e-12)
    picked = downsampled(grid, (2, 2, 2), binning=False)
    np.testing.assert_allclose(ngff_origin(picked, grid), ngff_origin(grid), rtol=0, atol=1e-12)


def test_the_translation_of_a_level_is_the_place_of_its_first_voxel():
    """In the canonical order, to the last bit, as 0.1 has written it."""
    level = downsampled(scan(), (2, 2, 2))
    assert ngff_origin(level, scan()) == tuple(level.affine[[2, 1, 0], 3]) == along_axes(level)


def test_what_rounds_in_files_lies_along_the_axes():
    """A tilt by less than a float32 holds turns nothing."""
    grid = reordered(scan(), ORDERS[7])
    tilted = grid.affine.copy()
    tilted[:3, :3] = tilted[:3, :3] @ np.array([[1, 1e-7, 0], [-1e-7, 1, 0], [0, 0, 1]])
    assert ngff_origin(replace(grid, affine=tilted)) == tuple(grid.affine[[2, 1, 0], 3])


@pytest.mark.parametrize("frame", ["patient", None])
def test_oblique_data_and_those_of_nobody_lie_along_their_axes(frame):
    """Rule 9."""
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    grid = replace(scan(), affine=turn @ scan().affine, frame=frame)
    assert ngff_origin(grid) == along_axes(grid)
    flipped = replace(reordered(scan(), ORDERS[7]), frame=None)
    assert ngff_origin(flipped) == along_axes(flipped)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"z": "inferior-to-superior"},
        {**WORDS, "x": "dorsal-to-ventral"},
        {**WORDS, "x": "anterior-to-posterior"},
        {**WORDS, "x": "posterior-to-anterior"},
        {**WORDS, "x": "Right-to-left"},
        {**WORDS, "x": None},
    ],
    ids=str,
)
def test_odd_orientations_tell_of_no_patient(told):
    found = from_ngff((3, 4, 5), AXES, [None] * 3, (2, 1, 1), (5, 6, 7), [told.get(axis) for axis in AXES])
    assert found.frame is None
    assert found.affine.tolist() == [[1, 0, 0, 7], [0, 1, 0, 6], [0, 0, 2, 5], [0, 0, 0, 1]]


def test_planes():
    """Two axes lie in the plane of theirs in the patient, or nobody knows where."""
    words = ["posterior-to-anterior", "right-to-left"]
    found = from_ngff((4, 5), ("y", "x"), [None] * 2, (2, 1), (6, 7), words)
    assert found.frame == "patient"
    assert found.affine.tolist() == [[1, 0, 0, 7], [0, -2, 0, 6], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert ngff_origin(found) == (6, 7)
    words = ["superior-to-inferior", "right-to-left"]
    assert from_ngff((4, 5), ("y", "x"), [None] * 2, (2, 1), (6, 7), words).frame is None


def test_time_and_channels_have_no_orientation():
    axes, words = ("t", "c", *AXES), [None, "anterior-to-posterior", *WORDS.values()]
    found = from_ngff((2, 2, 3, 4, 5), axes, [None] * 5, (3, 1, 2, 1, 1), (0, 0, 5, 6, 7), words)
    assert (found.frame, found.time_step) == ("patient", 3)


def test_boxes_that_lie_apart():
    grid = scan()
    for offset, size, there in (
        ((0, 0, 0), (3, 4, 5), True),
        ((2, 3, 4), (1, 1, 1), True),
        ((0, 0, 5), (3, 4, 5), False),  # side by side
        ((0, 0, -5), (3, 4, 5), False),
        ((0, 0, -4), (3, 4, 5), True),
        ((-3, 0, 0), (3, 4, 5), False),
        ((-50, -50, -50), (200, 200, 200), True),
    ):
        affine = grid.affine.copy()
        affine[:3, 3] += grid.affine[:3, :3] @ offset[::-1]
        other = replace(grid, affine=affine, shape=size)
        for order in ORDERS[::7]:
            assert overlaps(reordered(other, order), grid) is there
            assert overlaps(grid, reordered(other, order)) is there
    assert overlaps(replace(grid, affine=grid.affine @ np.diag([1e-3] * 3 + [1])), grid)
    microns = replace(grid, affine=np.diag([1e3] * 3 + [1]) @ grid.affine, units=("micrometer",) * 3)
    assert overlaps(microns, grid)
