"""`ArrayIndex`: an index as numpy means it, taken apart by axes; nothing is read here.

ndindex 1.10, which does this too, refuses None and arrays of indices that slices part, once chunks are asked for.
"""

from __future__ import annotations

import contextlib
import itertools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class ArrayIndex:
    """What an index of numpy picks.

    Parameters
    ----------
    parts
        None, Ellipsis, slices, integers, and arrays of integers. In place of a mask stand the indices of its
        voxels along each of its axes: numpy defines them as the same.
    ranges
        Indices along each axis that a slice or an integer picks, by axis.
    points
        Indices along each of the other axes, by axis; one-dimensional, all of the same length.
    points_shape
        The shape that the arrays of integers broadcast to; None where there are none.
    """

    parts: tuple[Any, ...]
    ranges: dict[int, range]
    points: dict[int, Places]
    points_shape: tuple[int, ...] | None

    def is_box(self) -> bool:
        """Return True if the smallest box around what is picked holds nothing else."""
        return self.points_shape is None and all(abs(r.step) == 1 or len(r) < 2 for r in self.ranges.values())

    def arranged(self, picked: Values) -> Any:
        """The result, from what was picked along each axis; where there are points, they are the first axis."""
        if self.points_shape is None:
            return picked[tuple(_in_order(part) for part in self.parts)]
        # numpy itself tells where the axes of the points go: here they have size 0, those of slices size 2.
        small = np.empty((2,) * (len(self.ranges) + len(self.points)))
        sizes = small[tuple(_stand_in(part) for part in self.parts)].shape
        of_points, of_slices = iter(range(len(self.points_shape))), itertools.count(len(self.points_shape))
        order = [next(of_points if size == 0 else of_slices) for size in sizes if size != 1]
        whole = picked.reshape(self.points_shape + picked.shape[1:]).transpose(order)
        return np.expand_dims(whole, tuple(n for n, size in enumerate(sizes) if size == 1))


def parse_index(index: Any, shape: Sequence[int]) -> ArrayIndex:
    """An index of numpy, for an array of a shape.

    Raises
    ------
    IndexError
        If it does not fit the shape, or is no index.
    """
    given, left = _given(index, shape)
    has_arrays = any(isinstance(part, np.ndarray) for part in given)
    parts: list[Any] = []
    ranges: dict[int, range] = {}
    arrays: dict[int, Places] = {}
    # Truth values pick no axis: they make a new one of size 1 or 0.
    shapes = [(int(part),) for part in given if isinstance(part, np.ndarray) and not part.ndim]
    axis = 0
    for part in given:
        along = range(axis, axis + (left if part is Ellipsis else _axes_of(part)))
        axis = along.stop
        places = _places(part, along, shape)
        if isinstance(part, np.ndarray) or (has_arrays and isinstance(part, int)):
            arrays |= zip(along, map(np.asarray, places), strict=True)
        else:
            ranges |= zip(along, places, strict=True)
        parts += places if isinstance(part, np.ndarray) and part.ndim else [part]
    if not has_arrays:
        return ArrayIndex(tuple(parts), ranges, {}, None)
    try:
        common = np.broadcast_shapes(*shapes, *(array.shape for array in arrays.values()))
    except ValueError:
        sizes = ", ".join(map(str, [*shapes, *(array.shape for array in arrays.values())]))
        raise IndexError(f"arrays of indices have shapes {sizes}: give shapes that fit each other") from None
    points = {axis: np.broadcast_to(array, common).reshape(-1) for axis, array in arrays.items()}
    return ArrayIndex(tuple(parts), ranges, points, common)


def _given(index: Any, shape: Sequence[int]) -> tuple[list[Any], int]:
    """The parts of an index, with one Ellipsis if some axes are left for it, and the number of these."""
    given = [_plain(part) for part in (index if isinstance(index, tuple) else (index,))]
    left = len(shape) - sum(map(_axes_of, given))
    if left < 0:
        raise IndexError(
            f"the index is for {len(shape) - left} axes, the array has {len(shape)}: leave some out"
        )
    ellipses = sum(part is Ellipsis for part in given)
    if ellipses > 1:
        raise IndexError("the index holds '...' more than once: give it once")
    return (given if ellipses or not left else [*given, Ellipsis]), left


def _plain(part: Any) -> Any:
    """A part of an index as None, Ellipsis, a slice, an int, or an array of integers or truth values."""
    if part is None or part is Ellipsis or isinstance(part, slice):
        return part
    if not isinstance(part, bool | np.ndarray):
        with contextlib.suppress(TypeError):
            return operator.index(part)
    try:
        array = np.asarray(part)
    except ValueError:  # lists of different lengths
        array = np.empty((), object)
    if array.dtype.kind in "iu" and not array.ndim:
        return int(array)
    if not array.size and not isinstance(part, np.ndarray):
        return array.astype(np.intp)  # numpy takes an empty list for floats
    if array.dtype.kind not in "iub":
        raise IndexError(
            f"a {type(part).__name__} is no index: give integers, slices, ..., None, or arrays of integers or truth values"
        )
    return array


def _axes_of(part: Any) -> int:
    """The number of axes that a part of an index is for."""
    if isinstance(part, np.ndarray) and part.dtype == bool:
        return part.ndim
    return 0 if part is None or part is Ellipsis else 1


def _places(part: Any, axes: range, shape: Sequence[int]) -> list[Any]:
    """What a part of an index picks along each of its axes: a range, or an array of indices from 0."""
    sizes = [shape[axis] for axis in axes]
    if part is None or part is Ellipsis:
        return [range(size) for size in sizes]
    if isinstance(part, slice):
        try:
            return [range(*part.indices(sizes[0]))]
        except (TypeError, ValueError) as error:
            raise IndexError(f"{part} is no index: {error}") from None
    if isinstance(part, np.ndarray) and part.dtype == bool:
        if part.shape != tuple(sizes):
            raise IndexError(
                f"a mask of shape {part.shape} is for axes of shape {tuple(sizes)}: give one of that shape"
            )
        return list(np.nonzero(part)) if part.ndim else []
    (axis,), (size,) = axes, sizes
    ends = [part] if isinstance(part, int) else [int(part.min()), int(part.max())] if part.size else []
    for end in ends:
        if not -size <= end < size:
            raise IndexError(
                f"index {end} is out of bounds for axis {axis} of size {size}: give {-size} to {size - 1}"
            )
    if isinstance(part, int):
        return [range(part % size, part % size + 1)]
    places = part.astype(np.intp)
    return [np.where(places < 0, places + size, places)]


def _in_order(part: Any) -> Any:
    """A part of an index, for what was picked along its axis."""
    if isinstance(part, slice):
        return slice(None)
    return 0 if isinstance(part, int) else part


def _stand_in(part: Any) -> Any:
    """A part of an index that picks nothing from an axis of any size, and makes as many axes."""
    if not isinstance(part, np.ndarray):
        return _in_order(part)
    return np.empty((0,) * part.ndim, np.intp) if part.ndim else False
