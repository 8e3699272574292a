"""Listings of stores of other programs: believed where they tell all that can be found out, else not."""

import itertools
import math

import numpy as np
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.storage import MemoryStore

from ngffseg.chunks import stored_labels
from ngffseg.chunks.listing import PROBES, listed_objects
from ngffseg.chunks.storage_layout import Keys

KEYS = Keys("c/", "/")


class Told:
    """Objects of which some are listed, and what is asked for."""

    proof = "zarr.json"

    def __init__(self, there, listed):
        self.there, self.listed, self.asked = set(map(KEYS.key, there)), listed, []

    def keys(self):
        return iter(["zarr.json", *map(KEYS.key, self.listed)])

    def get(self, key):
        self.asked.append(key)
        return b"chunk" if key in self.there else None


@st.composite
def holdings(draw):
    """A grid, the objects that are there, and those of them that are listed, in any order."""
    grid = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    cells = list(itertools.product(*map(range, grid)))
    there = draw(st.lists(st.sampled_from(cells), unique=True))
    return grid, there, draw(st.permutations(there)), draw(st.integers(0, len(there)))


@settings(max_examples=200, deadline=None)
@given(drawn=holdings())
def test_what_is_believed_is_what_is_there(drawn):
    grid, there, listed, left_out = drawn
    objects = Told(there, listed[left_out:])
    found = listed_objects(objects, KEYS, grid)
    if not left_out:
        assert sorted(map(tuple, found.tolist())) == sorted(there)
    elif math.prod(grid) - len(listed) + left_out <= PROBES:
        assert found is None  # all that is not listed is asked for
    elif found is not None:
        # So few are missing, and apart from those that are listed, that no probe has met them.
        assert not set(map(KEYS.key, listed[:left_out])) & set(objects.asked)
    assert len(objects.asked) == len(set(objects.asked)) <= 2 * PROBES + 3
    assert not set(objects.asked) & set(map(KEYS.key, listed[left_out:]))


def test_a_large_listing_that_ends_too_early():
    box = list(itertools.product(range(30), range(20), range(20)))  # in a grid of 10^15
    assert listed_objects(Told(box, box[:7777]), KEYS, (10**5,) * 3) is None
    honest = Told(box, box)
    assert len(listed_objects(honest, KEYS, (10**5,) * 3)) == len(box)
    assert PROBES < len(honest.asked) <= 2 * PROBES + 3


def test_objects_beyond_the_grid_are_no_reason_to_doubt():
    listed = [(0, 0), (1, 1), (7, 0)]  # of an array that was smaller when it was written
    assert listed_objects(Told(listed, listed), KEYS, (2, 2)).tolist() == [[0, 0], [1, 1], [7, 0]]


def test_an_honest_store_is_asked_for_what_it_lists():
    asked = []

    class Counting(MemoryStore):
        async def get(self, key, prototype, byte_range=None):
            asked.append(key)
            return await super().get(key, prototype, byte_range)

    array = zarr.create_array(Counting(), shape=(4096,) * 3, chunks=(16,) * 3, dtype="uint8")
    array[160:176, :16, 32:64] = 1
    asked.clear()
    occupied = stored_labels(array).occupied()
    np.testing.assert_array_equal(occupied[np.lexsort(occupied.T[::-1])], [[10, 0, 2], [10, 0, 3]])
    assert len(asked) <= 2 * PROBES + 3
    asked.clear()
    assert len(stored_labels(array, listing="believed").occupied()) == 2
    assert asked == []
    assert stored_labels(array, listing="none").occupied() is None
