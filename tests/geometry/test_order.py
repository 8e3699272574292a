"""Orders of axes: each voxel keeps its place, the canonical order, and grids that are one up to an order."""

import itertools

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngffseg import Geometry
from ngffseg.geometry import Order, canonical_order, identity_order, match, reordered
from tests.examples import examples

SHAPE = (3, 4, 5)
ORDERS = [
    Order(axes, flipped)
    for axes in itertools.permutations(range(3))
    for flipped in itertools.product((False, True), repeat=3)
]


def turned(degrees, axis=2):
    """A rotation around an axis of the patient."""
    a, b = [n for n in range(3) if n != axis]
    angle, affine = np.radians(degrees), np.eye(4)
    affine[a, a] = affine[b, b] = np.cos(angle)
    affine[a, b], affine[b, a] = -np.sin(angle), np.sin(angle)
    return affine


def grid(affine=None, shape=SHAPE, **more):
    found = np.diag([0.7, 0.9, 2.5, 1.0]) if affine is None else affine
    found[:3, 3] = -100.1, 20.3, 1 / 3
    return Geometry(shape, found, frame="patient", **more)


def place(geometry, index):
    """Where a voxel lies, index in array order."""
    return geometry.affine @ [*index[::-1], 1]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_each_voxel_keeps_its_place_and_value(order):
    source = np.arange(60).reshape(SHAPE)
    geometry = reordered(grid(), order)
    moved = order.apply(source)
    assert moved.base is not None
    assert moved.shape == geometry.shape == order.shape(SHAPE)
    places = {int(source[index]): place(grid(), index) for index in np.ndindex(SHAPE)}
    for index in np.ndindex(geometry.shape):
        np.testing.assert_allclose(place(geometry, index), places[int(moved[index])], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(order.inverse.apply(moved), source)
    np.testing.assert_array_equal(order.apply(da.from_array(source, chunks=2)).compute(), moved)
    box = (slice(1, 3), slice(0, 2), slice(2, 5))
    np.testing.assert_array_equal(
        np.sort(moved[order.box(box, SHAPE)], axis=None), np.sort(source[box], axis=None)
    )


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_the_canonical_order_undoes_any_other(order):
    found = canonical_order(reordered(grid(), order))
    assert found == order.inverse
    assert canonical_order(reordered(reordered(grid(), order), found)).is_identity


@pytest.mark.parametrize(
    ("degrees", "moves"), [(44.9, False), (45.0, False), (45.01, False), (45.1, True), (46, True)]
)
def test_rounding_does_not_decide_at_45_degrees(degrees, moves):
    assert canonical_order(grid(turned(degrees))).is_identity != moves


def test_what_never_moves():
    flipped = np.diag([-1.0, -1.0, -1.0, 1.0])
    assert canonical_order(Geometry(SHAPE, flipped)).is_identity
    assert canonical_order(Geometry((4, 5), flipped, frame="patient")).is_identity
    wide = Geometry((2, 6, *SHAPE), flipped, frame="patient")
    assert canonical_order(wide) == Order((0, 1, 2, 3, 4), (False, False, True, True, True))


@examples(100)
@given(
    st.sampled_from(ORDERS),
    st.tuples(*[st.integers(-9, 9)] * 3),
    st.floats(0, 360),
    st.sampled_from(["millimeter", "micrometer"]),
)
def test_a_grid_is_found_on_another_one(order, offset, degrees, unit):
    other = grid(turned(degrees) @ np.diag([0.7, 0.9, 2.5, 1.0]))
    affine = other.affine.copy()
    affine[:3, 3] = (other.affine @ [*offset[::-1], 1])[:3]
    affine[:3] *= 1000 if unit == "micrometer" else 1
    cut = Geometry((2, 3, 4), affine, units=(unit,) * 3, frame="patient")
    found = match(reordered(cut, order), other)
    assert found.is_exact
    assert found.order == order.inverse
    assert found.offset == offset


@pytest.mark.parametrize("moved", [0.4, 0.001, 0.00011])
def test_a_grid_beside_another_one(moved):
    affine = grid().affine.copy()
    affine[0, 3] += 0.7 * moved
    found = match(Geometry(SHAPE, affine, frame="patient"), grid())
    assert not found.is_exact
    assert found.error == pytest.approx(moved, rel=1e-6)
    assert match(grid(turned(30)), grid()).error > 0.1


def test_planes():
    flat = Geometry((4, 5), np.eye(4))
    assert match(flat, flat).is_exact
    other = np.eye(4)
    other[2, 3] = 3
    assert not match(flat, Geometry((4, 5), other)).is_exact
    assert match(flat, flat).order == identity_order(2)
