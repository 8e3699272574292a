"""What an index of numpy picks from an array of which only boxes can be read.

Law of this file: a chunk that an index does not touch is not read, and no more is held than the result and a
few pieces of `PIECE` voxels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from ngffseg.dask_arrays import core_count
from ngffseg.grid import Box
from ngffseg.grid.array_index import ArrayIndex, Places, Values, parse_index

# Voxels of a piece that one thread reads, where an index does not pick one box.
PIECE = 2**22


class ReadsBoxes(Protocol):
    """An array of which boxes can be read."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: np.dtype[Any]

    def read_box(self, box: Box) -> Values:
        """Values of a box whose slices have start and stop inside the shape."""


def read_index(array: ReadsBoxes, index: Any) -> Any:
    """What an index of numpy picks.

    Parameters
    ----------
    array
        The array.
    index
        Integers, slices with any step, Ellipsis, None, arrays of integers and masks, as numpy takes them.

    Returns
    -------
    numpy.ndarray or numpy.generic
        New values; a single one where the index is an integer for each axis.

    Raises
    ------
    IndexError
        If the index does not fit the shape, or is none.
    """
    found = parse_index(index, array.shape)
    if not found.is_box():
        return found.arranged(_picked(array, found))
    box, steps = _box_of(found.ranges.values())
    return found.arranged(array.read_box(box)[steps])


def _box_of(picked: Iterable[range]) -> tuple[Box, Box]:
    """The box that holds what is picked along each axis, and the slices of that."""
    bounds = [_bounds(one) for one in picked]
    return tuple(box for box, _ in bounds), tuple(step for _, step in bounds)


def _bounds(picked: range) -> tuple[slice, slice]:
    """The range that holds what is picked along an axis, and the slice of that."""
    if not picked:
        return slice(0, 0), slice(None)
    low, high = min(picked[0], picked[-1]), max(picked[0], picked[-1])
    # Both ends of the range are picked, so that steps from either end hit the rest.
    return slice(low, high + 1), slice(None, None, picked.step)


def _picked(array: ReadsBoxes, found: ArrayIndex) -> Values:
    """What is picked along each axis, the points (if any) as the first axis, read in pieces by threads."""
    sizes = tuple(map(len, found.ranges.values()))
    points = () if found.points_shape is None else (math.prod(found.points_shape),)
    out = np.empty(points + sizes, array.dtype)
    # Without points the pieces are those of one.
    target = out if points else out[np.newaxis]

    def fill(piece: tuple[Places, tuple[slice, ...]]) -> None:
        numbers, parts = piece
        where: tuple[Any, ...] = (numbers, *parts)
        target[where] = _read_piece(array, found, numbers, parts)

    with ThreadPoolExecutor(core_count()) as threads:
        for _ in threads.map(fill, _pieces(found, array.chunks)):
            pass
    return out


def _pieces(found: ArrayIndex, chunks: Sequence[int]) -> Iterator[tuple[Places, tuple[slice, ...]]]:
    """Numbers of points, those of one chunk together, and slices of what is picked along the other axes."""
    room, runs = max(1, PIECE // math.prod(chunks)), []
    for axis, picked in reversed(found.ranges.items()):
        of_chunk = np.arange(picked.start, picked.stop, picked.step) // chunks[axis]
        runs.append(_runs(of_chunk, room))
        room = max(1, room // (int(np.ptp(of_chunk)) + 1 if picked else 1))
    for numbers in _together(found, chunks, room):
        for parts in itertools.product(*reversed(runs)):
            yield numbers, parts


def _runs(of_chunk: Places, most: int) -> list[slice]:
    """Slices of the indices along an axis, each in chunks that touch, and in no more than some."""
    apart = (np.abs(np.diff(of_chunk)) > 1) | (np.diff(of_chunk // most) != 0)
    cuts = [0, *(np.flatnonzero(apart) + 1).tolist(), len(of_chunk)]
    return [slice(start, stop) for start, stop in itertools.pairwise(cuts) if start < stop]


def _together(found: ArrayIndex, chunks: Sequence[int], most: int) -> list[Places]:
    """Numbers of the points that are read together: those of one chunk, along one axis of some that touch."""
    count = math.prod(found.points_shape or ())
    if not found.points or not count:
        return [np.arange(count)] if count else []
    of_chunk = [points // chunks[axis] for axis, points in found.points.items()]
    flat = np.ravel_multi_index(tuple(of_chunk), [int(each.max()) + 1 for each in of_chunk])
    order = np.argsort(flat, kind="stable")
    if len(of_chunk) == 1:
        return [order[run] for run in _runs(flat[order], most)]
    cuts = np.flatnonzero(np.diff(flat[order])) + 1
    return np.split(order, cuts)


def _read_piece(array: ReadsBoxes, found: ArrayIndex, numbers: Places, parts: Sequence[slice]) -> Values:
    """The values of a piece: one axis for its points, then the other axes."""
    bounds = {
        axis: _bounds(picked[part]) for (axis, picked), part in zip(found.ranges.items(), parts, strict=True)
    }
    points = {axis: places[numbers] for axis, places in found.points.items()}
    # Of points, all between the first and the last is read: they have a place in each of its chunks.
    bounds |= {axis: (slice(int(p.min()), int(p.max()) + 1), slice(None)) for axis, p in points.items()}
    ordered = [bounds[axis] for axis in range(len(bounds))]
    values = array.read_box(tuple(box for box, _ in ordered))[tuple(step for _, step in ordered)]
    values = np.moveaxis(values, tuple(points), tuple(range(len(points))))
    inside = tuple(places - bounds[axis][0].start for axis, places in points.items())
    return values[inside] if inside else values[np.newaxis]
