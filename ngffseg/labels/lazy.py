"""`LazyLevel`: one level as an array that is read when it is sliced, for dask."""

from __future__ import annotations

import operator
import uuid
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import zarr

from ngffseg.chunks import Cache
from ngffseg.labels.levels import level_reader
from ngffseg.store import store_errors


class LazyLevel:
    """One level as an array that is read when it is sliced."""

    def __init__(self, url: str, array: zarr.Array[Any], cache: Cache) -> None:
        self.url, self.array, self.cache = url, array, cache
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        self._token = uuid.uuid4().hex

    def __dask_tokenize__(self) -> str:
        """What is stored may have changed when it is opened again."""
        return self._token

    @cached_property
    def _reader(self) -> Any:
        return level_reader(self.array, self.cache)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_reader"}

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        box, rest = bounding_box(index, self.shape)
        return np.asarray(self.read(box)[rest])

    def read(self, box: tuple[slice, ...]) -> npt.NDArray[Any]:
        """Labels of a box whose slices have start and stop inside the shape."""
        with store_errors(self.url):
            if self._reader is self.array:
                return np.asarray(self.array[box])
            return np.asarray(self._reader.read(box))

    def dask(self) -> da.Array:
        """The level as a dask array."""
        blank = np.empty((0,) * self.ndim, self.dtype)
        lazy: da.Array = da.from_array(self, chunks=self.array.chunks, meta=blank)  # type: ignore[no-untyped-call]
        return lazy


def bounding_box(index: Any, shape: Sequence[int]) -> tuple[tuple[slice, ...], tuple[Any, ...]]:
    """The box that holds what an index of numpy picks, and the index of that within the box.

    Dask hands on what slices of its arrays pick: integers, slices with steps, lists.
    """
    parts = index if isinstance(index, tuple) else (index,)
    # Arrays of indices do not compare to one truth value.
    at = next((n for n, part in enumerate(parts) if part is Ellipsis), None)
    if at is not None:
        parts = (*parts[:at], *(slice(None),) * (len(shape) - len(parts) + 1), *parts[at + 1 :])
    parts = (*parts, *(slice(None),) * (len(shape) - len(parts)))
    found = [_bounds(part, size) for part, size in zip(parts, shape, strict=True)]
    return tuple(box for box, _ in found), tuple(rest for _, rest in found)


def _bounds(part: Any, size: int) -> tuple[slice, Any]:
    """The range along one axis that holds what a part of an index picks, and the part within it."""
    if isinstance(part, slice):
        picked = range(*part.indices(size))
        if not picked:
            return slice(0, 0), slice(None)
        low, high = min(picked[0], picked[-1]), max(picked[0], picked[-1])
        # Both ends of the range are picked, so that steps from either end hit the rest.
        return slice(low, high + 1), slice(None, None, picked.step)
    places = np.asarray(part)
    if places.ndim == 0:
        place = operator.index(part) % size if -size <= operator.index(part) < size else size
        if place == size:
            raise IndexError(f"index {part} is out of bounds for an axis of {size}")
        return slice(place, place + 1), 0
    places = np.flatnonzero(places) if places.dtype == bool else np.where(places < 0, places + size, places)
    if not places.size:
        return slice(0, 0), places.astype(np.intp)
    low = int(places.min())
    return slice(low, int(places.max()) + 1), places - low
