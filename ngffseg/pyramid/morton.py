"""The Morton curve: indices of a grid in an order in which neighbours come close to one another."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from ngffseg.grid import Index


def morton(grid: Sequence[int]) -> Iterator[Index]:
    """All indices of a grid along the curve, made one at a time."""
    return _walk((0,) * len(grid), 1 << (max(grid) - 1).bit_length(), grid)


def _walk(corner: Index, size: int, grid: Sequence[int]) -> Iterator[Index]:
    if any(c >= n for c, n in zip(corner, grid, strict=True)):
        return
    if size == 1:
        yield corner
        return
    half = size // 2
    for step in itertools.product((0, half), repeat=len(corner)):
        yield from _walk(tuple(c + s for c, s in zip(corner, step, strict=True)), half, grid)


def in_morton_order(indices: Iterable[Index]) -> list[Index]:
    """Some indices along the curve."""
    return sorted(indices, key=_key)


def _key(index: Index) -> int:
    key, bits = 0, max(index).bit_length()
    for bit in reversed(range(bits)):
        for i in index:
            key = key << 1 | (i >> bit & 1)
    return key
