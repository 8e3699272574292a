"""Changing a box of stored labels: whole objects are written, and only those whose labels change."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ngffseg.chunks.stored import StoredLabels
from ngffseg.dask_arrays import core_count
from ngffseg.grid import Box, Index, Labels, touched_chunks

# Makes the labels of a box.
Content = Callable[[Box], Labels]


def edit_box(stored: StoredLabels, box: Box, content: Content) -> dict[Index, tuple[int, int]]:
    """Change the labels of a box; returns the stored bytes of each object under it, before and after.

    An object that is not there has 0.

    Parameters
    ----------
    stored
        The array. Nobody else may write the objects that touch the box meanwhile.
    box
        Slices with start and stop inside the shape.
    content
        Called with each part of the box that lies in one chunk, in any thread.

    Raises
    ------
    ChunkError
        If a chunk that is there cannot be decoded.
    """
    units = touched_chunks(box, stored.unit)
    with ThreadPoolExecutor(core_count()) as pool:
        sizes = pool.map(
            lambda unit: (unit, _edit_object(stored, unit, box, content)), itertools.product(*units)
        )
        found = dict(sizes)
    stored.flush()
    return found


def _edit_object(stored: StoredLabels, unit: Index, box: Box, content: Content) -> tuple[int, int]:
    """Change the part of a box in one object; returns its stored bytes before and after."""
    data = stored.objects.get(stored.keys.key(unit))
    before = len(data) if data is not None else 0
    parts = _parts(stored, unit, data)
    changed = False
    per_unit = [u // c for u, c in zip(stored.unit, stored.chunks, strict=True)]
    ranges = [
        range(max(b.start // c, u * n), min(-(-b.stop // c), (u + 1) * n))
        for b, c, u, n in zip(box, stored.chunks, unit, per_unit, strict=True)
    ]
    buffer = np.empty(int(np.prod(stored.chunks)), stored.dtype)
    for index in itertools.product(*ranges):
        position = tuple(i % n for i, n in zip(index, per_unit, strict=True))
        whole = tuple(
            slice(i * c, min((i + 1) * c, n))
            for i, c, n in zip(index, stored.chunks, stored.shape, strict=True)
        )
        chunk = _chunk(stored, index, parts.get(position), whole, buffer)
        inside = tuple(
            slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(whole, box, strict=True)
        )
        part = chunk[
            tuple(slice(b.start - a.start, b.stop - a.start) for a, b in zip(whole, inside, strict=True))
        ]
        new = content(inside)
        if np.array_equal(part, new):
            continue
        changed, part[...] = True, new
        if chunk.any():
            parts[position] = stored.encode(chunk)
        else:
            parts.pop(position, None)
    if not changed:
        return before, before
    if not parts:
        stored.objects.remove(stored.keys.key(unit))  # all of it is background
        return before, 0
    new_data = stored.join(parts)
    stored.objects.put(stored.keys.key(unit), new_data)
    return before, len(new_data)


def _chunk(stored: StoredLabels, index: Index, data: Any, whole: Box, buffer: Labels) -> Labels:
    """A chunk as far as it lies in the array, to be written to."""
    size = [b.stop - b.start for b in whole]
    if data is None:
        return np.zeros(size, stored.dtype)
    return stored.decode(index, data, buffer)[tuple(map(slice, size))].copy()


def _parts(stored: StoredLabels, unit: Index, data: bytes | None) -> dict[Index, bytes]:
    """The encoded chunks of one object, by position in it; none where it is not there."""
    if data is None:
        return {}
    if stored.shard is None:
        return {(0,) * len(stored.shape): data}
    per_unit = stored.shard.chunks_per_shard
    first = tuple(u * n for u, n in zip(unit, per_unit, strict=True))
    table, view = stored.table(first, data), memoryview(data)
    found = {}
    for position in itertools.product(*map(range, per_unit)):
        part = stored.part(tuple(a + p for a, p in zip(first, position, strict=True)), table, view)
        if part is not None:
            found[position] = bytes(part)
    return found
