"""Objects of an array by a listing of its store, where the listing tells all.

A store of another program may list less than it holds: a TIFF that is opened as a store lists its metadata
and no chunk, virtual references may list nothing at all. What such a store does not list is not background.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import numpy.typing as npt

from ngffseg.chunks.objects import Objects
from ngffseg.chunks.storage_layout import Keys

Indices = npt.NDArray[np.int64]
# How far the listing of a store is believed: it has none, it is compared with what the store gives, or it
# is that of a store which this program has opened.
Listing = Literal["none", "probed", "believed"]
# Objects that are asked for although they are not listed: so many anywhere, and so many next to listed ones.
PROBES = 32
# Those that are asked for at the same time.
TOGETHER = 8


def listed_objects(objects: Objects, keys: Keys, grid: Sequence[int]) -> Indices | None:
    """Indices of all objects that are there, shape (n, ndim); None where a listing does not tell.

    Parameters
    ----------
    objects
        The objects of the array.
    keys
        Their keys.
    grid
        Number of objects along each axis.
    """
    if objects.proof is None:
        believed = objects.keys()
        return None if believed is None else _indices(believed, keys, grid)
    names = _names(objects)
    # The store has just given this document: a listing without it does not list what the store has.
    if objects.proof not in names:
        return None
    found = _indices(names, keys, grid)
    return None if _holds_more(objects, keys, grid, found) else found


def _indices(names: Iterable[str], keys: Keys, grid: Sequence[int]) -> Indices:
    return np.array(list(keys.indices(names, len(grid))), np.int64).reshape(-1, len(grid))


def _names(objects: Objects) -> list[str]:
    """Keys that a store of another program lists, none where it cannot."""
    try:
        return list(objects.keys() or ())
    except Exception:
        # Such stores fail in ways of their own. Nothing is lost: each object is asked for then.
        return []


def _holds_more(objects: Objects, keys: Keys, grid: Sequence[int], listed: Indices) -> bool:
    """Return True if a store gives any of some objects that it does not list.

    Each is asked for as it is read: a store that lists less than it holds may be wrong about sizes or parts, too.
    """
    wanted = np.stack(np.unravel_index(_probes(grid, listed), tuple(grid)), 1).tolist()
    with ThreadPoolExecutor(TOGETHER) as pool:
        for start in range(0, len(wanted), TOGETHER):
            batch = (keys.key(tuple(index)) for index in wanted[start : start + TOGETHER])
            if any(data is not None for data in pool.map(objects.get, batch)):
                return True
    return False


def _probes(grid: Sequence[int], listed: Indices) -> Indices:
    """Flat indices of some objects that are not listed: the first, the middle, the last, and others."""
    rng = np.random.default_rng(0)
    listed = listed[(listed < grid).all(axis=1)]
    flat = np.unique(np.ravel_multi_index(tuple(listed.T), tuple(grid)))
    left = math.prod(grid) - len(flat)
    if not left:
        return np.empty(0, np.int64)
    ranks = np.concatenate([[0, left // 2, left - 1], rng.choice(left, min(left, PROBES), replace=False)])
    # Before an index that is listed, so many are not: the number of one that is not tells its place.
    anywhere = ranks + np.searchsorted(flat - np.arange(len(flat)), ranks, side="right")
    # Labels lie together, so a listing that ends too early ends next to what it holds.
    some = listed[rng.choice(len(listed), min(len(listed), PROBES), replace=False)]
    steps = np.concatenate([np.eye(len(grid), dtype=np.int64), -np.eye(len(grid), dtype=np.int64)])
    beside = (some[:, None] + steps).reshape(-1, len(grid))
    beside = beside[((beside >= 0) & (beside < grid)).all(axis=1)]
    next_to = np.setdiff1d(np.ravel_multi_index(tuple(beside.T), tuple(grid)), flat)
    return np.unique(np.concatenate([anywhere, rng.permutation(next_to)[:PROBES]]))
