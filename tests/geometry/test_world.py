"""The world of viewers: voxels lie where LPS says, along the axes that they are closest to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.errors import UsageError
from ngffseg.geometry import (
    Geometry,
    array_affine,
    from_array_affine,
    identity,
    patient_rows,
    straight_affine,
)
from tests.geometry.strategies import VOLUMES, geometries


@given(geometries(VOLUMES), st.data())
def test_a_voxel_lies_where_lps_says(geometry, data):
    """Of three space axes the world is LPS, its axes in another order."""
    index = [data.draw(st.integers(0, n - 1)) for n in geometry.shape]
    world = array_affine(geometry) @ [*index, 1]
    ijk = [index[geometry.axes.index(axis)] for axis in "xyz"]
    lps = geometry.affine @ [*ijk, 1]
    rows = patient_rows(geometry)
    assert sorted(rows) == [0, 1, 2]
    np.testing.assert_allclose(
        [world[p] for p in geometry.spatial_axes], [lps[row] for row in rows], rtol=1e-12
    )
    for place, axis in enumerate(geometry.axes):
        if axis == "t":
            assert world[place] == index[place] * geometry.time_step
        if axis == "c":
            assert world[place] == index[place]


@given(geometries(VOLUMES))
def test_diagonals_are_as_large_as_they_can_be(geometry):
    """Each axis of the array goes to the axis of the patient that it is closest to, all to different ones."""
    places = list(geometry.spatial_axes)
    turn = np.abs(array_affine(geometry)[np.ix_(places, places)])
    cosines = turn / np.linalg.norm(turn, axis=0)
    import itertools

    best = max(
        sum(cosines[row, column] for column, row in enumerate(order))
        for order in itertools.permutations(range(3))
    )
    assert np.trace(cosines) >= best - 1e-6


@given(geometries())
def test_there_and_back(geometry):
    """A grid whose axes lie along z, y, x comes back; so does one without z, in its own plane."""
    form = geometry.shape, geometry.axes, geometry.units
    along = from_array_affine(geometry.shape, array_affine(geometry), geometry.axes, geometry.units)
    np.testing.assert_allclose(array_affine(along), array_affine(geometry), rtol=1e-12)
    back = from_array_affine(along.shape, array_affine(along), along.axes, along.units)
    np.testing.assert_allclose(back.affine, along.affine, rtol=1e-12)
    assert (along.shape, along.axes, along.units) == (back.shape, back.axes, back.units) == form


@given(geometries(VOLUMES))
def test_there_and_back_is_exact_in_three_axes(geometry):
    """No length is computed anew where all of the affine is there."""
    along = from_array_affine(geometry.shape, array_affine(geometry), geometry.axes, geometry.units)
    back = from_array_affine(along.shape, array_affine(along), along.axes, along.units)
    np.testing.assert_array_equal(array_affine(along), array_affine(geometry))
    np.testing.assert_array_equal(back.affine, along.affine)


def test_a_sagittal_scan_keeps_its_slices():
    """k runs to the left, i to the back, j to the feet: the diagonal is full, and nothing is singular."""
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, 2.5], [1.0, 0, 0], [0, -1.2, 0]]
    affine[:3, 3] = -50, 20, 300
    geometry = Geometry((40, 60, 80), affine)
    assert patient_rows(geometry) == (0, 2, 1)
    np.testing.assert_array_equal(
        array_affine(geometry), [[2.5, 0, 0, -50], [0, -1.2, 0, 300], [0, 0, 1, 20], [0, 0, 0, 1]]
    )


def test_without_a_turn_both_worlds_are_one():
    """Along the patient, straight is the patient."""
    affine = np.diag([1.0, 1.2, 2.5, 1.0])
    affine[:3, 3] = -50, 20, -300
    geometry = Geometry((2, 40, 60, 80), affine, ("t", "z", "y", "x"), time_step=0.5)
    np.testing.assert_array_equal(array_affine(geometry), straight_affine(geometry))


def test_an_affine_that_mixes_time_and_space_is_refused():
    """Nobody knows where such a layer lies."""
    matrix = np.eye(5)
    matrix[0, 2] = 1
    with pytest.raises(UsageError, match="mixes space with time"):
        from_array_affine((2, 3, 4, 5), matrix, ("t", "z", "y", "x"))
    assert from_array_affine((3, 4), np.eye(3)).axes == identity((3, 4)).axes
