"""Masks in as few layers as their overlaps need: the colouring of a graph."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence

# Masks of one group for which the fewest layers are searched for: all of it takes some seconds at most.
EXACT = 20


def fewest_layers(others: Sequence[set[int]]) -> list[int]:
    """The number of a layer for each mask, from 0, so that no two that overlap share one.

    There is no way with fewer layers if no group of masks that overlap, directly or through others, has more than 20
    of them. Larger groups are layered by DSATUR (Brélaz 1979), since to find the fewest is NP-hard: it finds them
    where two are enough, and may take more of them elsewhere.

    Parameters
    ----------
    others
        For each mask the numbers of those that overlap it.
    """
    layers = [0] * len(others)
    for group in _groups(others):
        found = _saturated(group, others)
        if len(group) <= EXACT:
            found = _fewest(group, others, found)
        # The first mask of a group is in layer 0, so that what overlaps nothing is there, too.
        names: dict[int, int] = {}
        for mask in sorted(group):
            layers[mask] = names.setdefault(found[mask], len(names))
    return layers


def _groups(others: Sequence[set[int]]) -> Iterator[list[int]]:
    """Masks that overlap, directly or through others."""
    seen: set[int] = set()
    for start in range(len(others)):
        if start not in seen:
            group = [start]
            seen.add(start)
            for mask in group:
                new = sorted(others[mask] - seen)
                seen.update(new)
                group += new
            yield group


def _saturated(group: Sequence[int], others: Sequence[set[int]]) -> dict[int, int]:
    """DSATUR: next is always the mask whose neighbours are in the most layers, of these the one that has the most."""
    layers: dict[int, int] = {}
    taken: dict[int, set[int]] = {mask: set() for mask in group}
    queue = [(0, -len(others[mask]), mask) for mask in group]
    heapq.heapify(queue)
    while queue:
        saturation, _, mask = heapq.heappop(queue)
        if mask in layers or -saturation != len(taken[mask]):
            continue  # it came again since then
        layer = layers[mask] = next(n for n in itertools.count() if n not in taken[mask])
        for other in others[mask]:
            if other not in layers and layer not in taken[other]:
                taken[other].add(layer)
                heapq.heappush(queue, (-len(taken[other]), -len(others[other]), other))
    return layers


def _fewest(group: Sequence[int], others: Sequence[set[int]], best: dict[int, int]) -> dict[int, int]:
    """The best of all ways, by branch and bound in the same order."""
    layers: dict[int, int] = {}

    def place(used: int) -> None:
        """Try all ways to place the other masks, as long as they could need fewer layers than the best."""
        nonlocal best
        if used > max(best.values()):
            return
        if len(layers) == len(group):
            best = dict(layers)
            return
        taken = {
            mask: {layers[other] for other in others[mask] if other in layers}
            for mask in group
            if mask not in layers
        }
        mask = max(taken, key=lambda each: (len(taken[each]), len(others[each])))
        for layer in range(used + 1):
            if layer not in taken[mask]:
                layers[mask] = layer
                place(max(used, layer + 1))
                del layers[mask]

    place(0)
    return best
