"""Source grids: what orders one after another make of them, and how far plain readers are off."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngffseg import Geometry
from ngffseg.geometry import (
    Order,
    SourceGrid,
    anatomical_code,
    identity_order,
    in_order,
    misplacement,
    reordered,
)
from tests.examples import examples
from tests.geometry.test_order import ORDERS, SHAPE, grid, turned

GRID = grid(turned(30) @ np.diag([0.7, 0.9, 2.5, 1.0]))


@examples(100)
@given(st.lists(st.sampled_from(ORDERS), min_size=1, max_size=5))
def test_orders_one_after_another_are_one_and_numbers_are_worked_out_once(orders):
    array, held, source, whole = np.arange(60).reshape(SHAPE), GRID, None, identity_order(3)
    moved = array
    for order in orders:
        moved, whole = order.apply(moved), whole.then(order)
        held, source = in_order(held, source, order)
    np.testing.assert_array_equal(whole.apply(array), moved)
    assert held.shape == moved.shape
    if whole.is_identity:
        # Back again, the origin is that of the source, to the last bit.
        assert (held, source) == (GRID, None)
    else:
        assert source == SourceGrid(GRID, whole)
        assert held == reordered(GRID, whole)
        assert source.leads_to(held)


def test_a_source_grid_leads_to_its_own_grid_alone():
    order = Order((1, 0, 2), (True, False, True))
    source, held = SourceGrid(GRID, order), reordered(GRID, order)
    assert source.leads_to(held)
    for other in (Order((1, 0, 2), (True, False, False)), identity_order(3)):
        assert not SourceGrid(GRID, other).leads_to(held)
    affine = held.affine.copy()
    affine[:3, 3] += 1e-5
    assert source.leads_to(replace(held, affine=affine))
    affine[:3, 3] += 1e-3
    assert not source.leads_to(replace(held, affine=affine))
    assert not source.leads_to(replace(held, shape=(4, 3, 6)))


@pytest.mark.parametrize("size", [3, 2**63 + 5, 10**400], ids=["small", "large", "huge"])
@pytest.mark.parametrize("step", [1e-150, 1.0, 1e150])
@pytest.mark.parametrize("origin", [0, -1.7e308])
def test_numbers_that_nothing_can_be_made_of_lead_nowhere(size, step, origin):
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = origin
    odd = Geometry((size, 4, 5), affine, frame="patient")
    other = Geometry((size, 4, 5), np.eye(4), frame="patient")
    for order in (Order((0, 1, 2), (True, True, False)), identity_order(3)):
        for one, two in ((odd, other), (other, odd), (odd, odd)):
            assert SourceGrid(one, order).leads_to(two) in (True, False)


@pytest.mark.parametrize(("signs", "code"), [((1, 1, 1), "LPS"), ((-1, -1, 1), "RAS"), ((1, 1, -1), "LPI")])
def test_letters(signs, code):
    straight = Geometry(SHAPE, np.diag([*signs, 1.0]), frame="patient")
    assert anatomical_code(straight) == code
    assert anatomical_code(reordered(straight, Order((2, 1, 0), (False,) * 3))) == code[::-1]
    assert anatomical_code(replace(straight, frame=None)) == ""


def test_how_far_plain_readers_are_off():
    straight = grid()
    assert misplacement(straight) == 0
    # Float32 directions of a file are no rotation that anybody would see.
    noise = straight.affine.copy()
    noise[:3, :3] += 1e-8
    assert misplacement(replace(straight, affine=noise)) == 0
    oblique = GRID
    away = misplacement(oblique)
    centre = [(n - 1) / 2 for n in SHAPE[::-1]]
    steps = np.linalg.norm(oblique.affine[:3, :3], axis=0)
    directions = oblique.affine[:3, :3] / steps
    told = directions.T @ oblique.affine[:3, 3] + steps * centre
    assert away == pytest.approx(np.linalg.norm((oblique.affine @ [*centre, 1])[:3] - told), rel=1e-12)
    assert away > 1
    micrometres = replace(
        oblique, affine=np.diag([1000, 1000, 1000, 1]) @ oblique.affine, units=("micrometer",) * 3
    )
    assert misplacement(micrometres) == pytest.approx(away, rel=1e-12)
    assert misplacement(replace(oblique, frame=None)) == 0
    assert misplacement(Geometry((4, 5), turned(30), frame="patient")) == 0
