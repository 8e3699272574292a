"""Masks in as few layers as their overlaps need, against all ways to layer them."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.labels.arrays import layering
from ngffseg.labels.arrays.layering import EXACT, fewest_layers
from tests.examples import examples


def graph(count, pairs):
    others = [set() for _ in range(count)]
    for a, b in pairs:
        others[a].add(b)
        others[b].add(a)
    return others


def fewest(others):
    """The chromatic number, by trying all ways."""
    return next(
        number
        for number in range(1, len(others) + 1)
        if any(
            all(way[a] != way[b] for a, there in enumerate(others) for b in there)
            for way in itertools.product(range(number), repeat=len(others))
        )
    )


def check_layers(others, layers):
    assert all(layers[a] != layers[b] for a, there in enumerate(others) for b in there)
    assert set(layers) == set(range(max(layers) + 1))


@given(st.integers(1, 7), st.integers(0, 2**21 - 1))
@examples(60)
def test_small_graphs_get_the_fewest_layers(count, bits):
    pairs = [pair for n, pair in enumerate(itertools.combinations(range(count), 2)) if bits >> n & 1]
    others = graph(count, pairs)
    layers = fewest_layers(others)
    check_layers(others, layers)
    assert max(layers) + 1 == fewest(others)


@given(st.integers(21, 60), st.floats(0.05, 0.9), st.randoms(use_true_random=False))
@examples(10)
def test_large_groups_are_layered_as_well(count, share, rng):
    others = graph(count, [p for p in itertools.combinations(range(count), 2) if rng.random() < share])
    layers = fewest_layers(others)
    check_layers(others, layers)
    assert max(layers) <= max(map(len, others))


def cycle_of_cliques(length, size):
    """Cliques in a circle, each joined to the next one: greedy ways need too many layers."""
    masks = [(n, m) for n in range(length) for m in range(size)]
    near = [
        (a, b) for a, b in itertools.combinations(range(len(masks)), 2)
        if (masks[a][0] - masks[b][0]) % length in (0, 1, length - 1)
    ]  # fmt: skip
    return graph(len(masks), near)


@pytest.mark.parametrize(("length", "size", "number"), [(5, 3, 8), (7, 2, 5), (5, 2, 5)])
def test_groups_of_up_to_20_are_searched_through(length, size, number):
    """The chromatic number of an odd cycle of cliques is known: all sizes over half of the length."""
    others = cycle_of_cliques(length, size)
    assert len(others) <= EXACT
    layers = fewest_layers(others)
    check_layers(others, layers)
    assert max(layers) + 1 == number == -(-length * size // (length // 2))


def test_the_search_finds_what_the_first_guess_does_not():
    """Random groups of 20: without the search, some would need one layer more."""
    better = 0
    for seed in range(20):
        rng = random.Random(seed)
        others = graph(20, [p for p in itertools.combinations(range(20), 2) if rng.random() < 0.6])
        guess = layering._saturated(range(20), others)
        found = layering._fewest(range(20), others, guess)
        assert max(found.values()) <= max(guess.values())
        better += max(found.values()) < max(guess.values())
    assert better > 0


def test_groups_do_not_add_up():
    """A group of 3 that all overlap, a chain of 1,000 and masks alone: 3 layers; the first of each is in layer 0."""
    triangle = [(0, 1), (1, 2), (0, 2)]
    chain = [(n, n + 1) for n in range(3, 1002)]
    others = graph(1100, triangle + chain)
    layers = fewest_layers(others)
    check_layers(others, layers)
    assert layers[:3] == [0, 1, 2]
    assert layers[3:1003] == [0, 1] * 500
    assert set(layers[1003:]) == {0}
