"""`LazyLevel`: a stored array that is read when it is sliced, for dask and for files."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.abc.store import Store
from zarr.storage import LocalStore

from ngffseg.chunks import BoxReader, Cache, ForeignReader, Listing, stored_labels
from ngffseg.dask_arrays import lazy_array
from ngffseg.labels.nodes.find import find_arrays
from ngffseg.labels.read.sliced_array import SlicedArray
from ngffseg.labels.read.snapshot import Origin, Snapshot, snapshot_of
from ngffseg.labels.read.stamps import stamps_of
from ngffseg.store import is_own_store, store_can_list, store_errors
from ngffseg.workers import OnClient, client_of

if TYPE_CHECKING:
    import dask.array as da


class LazyLevel(SlicedArray):
    """One stored array that is read when it is sliced: the one way by which voxels leave a store.

    Parameters
    ----------
    array
        The array.
    snapshot
        What it was when it was opened.
    cache
        Keeps chunks that were fetched.
    """

    def __init__(self, array: zarr.Array[Any], snapshot: Snapshot, cache: Cache) -> None:
        self.array, self.snapshot, self.cache = array, snapshot, cache
        self.shape, self.ndim, self.chunks = array.shape, array.ndim, array.chunks
        # In the byte order of this machine, whatever is stored.
        self.dtype = array.dtype.newbyteorder("=")

    @cached_property
    def _reader(self) -> BoxReader | ForeignReader:
        """What reads boxes: chunks where their form is known, else zarr."""
        name = f"{self.snapshot.origin.url}/{self.array.path}".rstrip("/")
        stored = stored_labels(self.array, name=name, listing="none")
        if stored is None:
            return ForeignReader(self.array, name)
        # Files of the local disk are kept by the system already.
        return BoxReader(stored, None if isinstance(self.array.store, LocalStore) else self.cache)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_reader"}

    def read_box(self, box: tuple[slice, ...]) -> npt.NDArray[Any]:
        """Values of a box whose slices have start and stop inside the shape.

        Raises
        ------
        ChunkError
            If a chunk cannot be decoded.
        StaleError
            If the array was written again or removed since it was opened.
        """
        with store_errors(self.snapshot.origin.url):
            return self.snapshot.read(self._reader, box).astype(self.dtype, copy=False)

    def dask(self) -> da.Array:
        """The level as a dask array."""
        return lazy_array(self, self.chunks)


def array_in(url: str, group: zarr.Group, name: str) -> LazyLevel | None:
    """An array of a group, read when it is sliced; None if there is none.

    Parameters
    ----------
    url
        Address of the store, for errors to tell.
    """
    path, zarr_format = f"{group.path}/{name}".strip("/"), group.metadata.zarr_format
    stamps = stamps_of(group.store, path, zarr_format)
    (array,) = find_arrays(group.store, [path], zarr_format)
    return None if array is None else LazyLevel(array, snapshot_of(Origin(url), array, stamps), Cache())


def checked(array: Any) -> Any:
    """An array of zarr that others have opened, or a dask array of parts on a cluster, read when it is sliced.

    Other arrays are given as they are.
    """
    if not isinstance(array, zarr.Array):
        return array if client_of(array) is None else OnClient(array)
    return LazyLevel(array, Snapshot(Origin(str(array.store)), array), Cache())


def stored_array(labels: Any) -> zarr.Array[Any] | None:
    """The array of zarr that labels are read from; None where there is none."""
    if isinstance(labels, LazyLevel):
        return labels.array
    return labels if isinstance(labels, zarr.Array) else None


def source_labels(labels: Any) -> Any:
    """Labels to be read: the chunks of a stored array where its form is known, else what is sliced."""
    array = stored_array(labels)
    if array is None:
        return labels
    return stored_labels(array, listing=listing_of(array.store)) or checked(labels)


def listing_of(store: Store) -> Listing:
    """How far the listing of a store is believed."""
    if not store_can_list(store):
        return "none"
    return "believed" if is_own_store(store) else "probed"


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
