"""Extents of segments in a .seg.nrrd file: six whole numbers, i j k from and to, both included.

Slicer crops each layer to the union of the extents of its segments, so one that is too small
loses voxels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

EMPTY = "0 -1 0 -1 0 -1"


def extents(labels: npt.NDArray[Any], values: list[int]) -> dict[int, tuple[int, ...]]:
    """Smallest extent of each of the label values that occurs in a layer (z, y, x)."""
    found: dict[int, tuple[int, ...]] = {}
    for value in values:
        inside = np.asarray(labels == value)
        bounds: list[int] = []
        for axis in reversed(range(labels.ndim)):
            others = tuple(a for a in range(labels.ndim) if a != axis)
            hits = np.flatnonzero(inside.any(axis=others))
            if not hits.size:
                break
            bounds += [int(hits[0]), int(hits[-1])]
        else:
            found[value] = tuple(bounds)
    return found


def extent_text(true: tuple[int, ...] | None, raw: str | None) -> str:
    """The extent that came in while it holds all voxels, else the smallest one."""
    if true is None:
        return raw or EMPTY
    if raw is not None and _holds(raw, true):
        return raw
    padded = (*true, 0, 0)[:6]
    return " ".join(str(n) for n in padded)


def _holds(raw: str, true: tuple[int, ...]) -> bool:
    try:
        given = [int(word) for word in raw.split()]
    except ValueError:
        return False
    if len(given) != 6:
        return False
    lows = all(g <= t for g, t in zip(given[::2], true[::2], strict=False))
    return lows and all(g >= t for g, t in zip(given[1::2], true[1::2], strict=False))
