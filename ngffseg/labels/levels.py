"""The levels of a stored image: its multiscales, and the array of each dataset when it is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import zarr
from zarr.abc.store import Store
from zarr.storage import LocalStore

from ngffseg import ngff
from ngffseg.chunks import BoxReader, Cache, Listing, StoredLabels, stored_labels
from ngffseg.errors import MetadataError
from ngffseg.labels.nodes import array_of, find_arrays
from ngffseg.store import is_own_store, store_can_list


class Levels(Sequence[zarr.Array[Any]]):
    """Arrays of levels, finest first; each is opened when it is asked for, and then kept.

    Parameters
    ----------
    store
        The store.
    group
        Path of the image group.
    paths
        Paths of the arrays in it.
    zarr_format
        2 or 3.
    known
        Metadata of arrays that need not be fetched, by path.
    """

    def __init__(
        self, store: Store, group: str, paths: Sequence[str], zarr_format: int, known: Mapping[str, Any]
    ) -> None:
        self.store, self.zarr_format = store, zarr_format
        self.paths = tuple(f"{group}/{path}".strip("/") for path in paths)
        self.known = {f"{group}/{path}".strip("/"): document for path, document in known.items()}
        self._opened: dict[str, zarr.Array[Any]] = {}

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, level: int) -> zarr.Array[Any]: ...

    @overload
    def __getitem__(self, level: slice) -> tuple[zarr.Array[Any], ...]: ...

    def __getitem__(self, level: int | slice) -> Any:
        wanted = self.paths[level]
        if isinstance(wanted, str):
            return self._open([wanted])[0]
        return self._open(wanted)

    def __iter__(self) -> Iterator[zarr.Array[Any]]:
        return iter(self._open(self.paths))  # all at the same time

    def _open(self, paths: Sequence[str]) -> tuple[zarr.Array[Any], ...]:
        for path in paths:
            if path not in self._opened and path in self.known:
                self._opened[path] = array_of(self.store, path, self.known[path])
        missing = [path for path in paths if path not in self._opened]
        for path, array in zip(missing, find_arrays(self.store, missing, self.zarr_format), strict=True):
            if array is None:
                raise MetadataError(
                    f"{self.store}: {path}: the level is missing or no array, so the store is broken"
                )
            self._opened[path] = array
        return tuple(self._opened[path] for path in paths)


def open_levels(
    store: Store,
    url: str,
    group: zarr.Group,
    known: Mapping[str, Any] | None = None,
) -> tuple[ngff.Multiscales, Levels]:
    """Multiscales and arrays of an image group; no chunk is read.

    Parameters
    ----------
    url
        Address of the store, for errors to tell.
    group
        The group, whose OME metadata hold multiscales.
    known
        Metadata of arrays that need not be fetched, by path in the group.

    Raises
    ------
    MetadataError
        If level 0 is missing, or the metadata cannot be understood.
    """
    _, metadata = ngff.unwrap(dict(group.attrs.asdict()))
    path = group.path
    paths = _paths(url, path, metadata)
    levels = Levels(store, path, paths, group.metadata.zarr_format, known or {})
    ndim = levels[0].ndim
    # Versions 0.1 and 0.2 know no axes, so their number tells which they are.
    multiscales = ngff.decode_multiscales(metadata, ndim=ndim)
    if len(multiscales.axes) != ndim:
        raise MetadataError(f"{url}/{path}: {len(multiscales.axes)} axes for an array of {ndim} dimensions")
    return multiscales, levels


def _paths(url: str, path: str, metadata: dict[str, Any]) -> list[str]:
    try:
        datasets = metadata["multiscales"][0]["datasets"]
        return [str(datasets[0]["path"]), *(str(dataset["path"]) for dataset in datasets[1:])]
    except (KeyError, IndexError, TypeError):
        raise MetadataError(f"{url}/{path}: multiscales does not name the path of level 0") from None


def check_integers(url: str, array: zarr.Array[Any]) -> None:
    """Refuse an array that cannot hold labels.

    NGFF: "The pixels of the label images MUST be integer data types".

    Raises
    ------
    MetadataError
        If it holds anything but integers.
    """
    if array.dtype.kind not in "iu":
        raise MetadataError(f"{url}/{array.path} holds {array.dtype}: labels are integers, so it is an image")


def level_reader(array: zarr.Array[Any], cache: Cache) -> Any:
    """What reads boxes of an array: its chunks where their form is known, else the array itself."""
    stored = stored_labels(array, listing="none")
    # Files of the local disk are kept by the system already.
    kept = None if isinstance(array.store, LocalStore) else cache
    return array if stored is None else BoxReader(stored, kept)


def written_labels(array: zarr.Array[Any], aside: Path | None = None) -> StoredLabels:
    """The chunks of an array that we have made, in a form that is known.

    ``aside`` is a folder in which files are written before they take their place in one step.
    """
    stored = stored_labels(array, listing=_listing(array.store), aside=aside)
    assert stored is not None, array.metadata
    return stored


def source_labels(labels: Any) -> Any:
    """Labels to be read: the chunks of a zarr array where its form is known, else as they are."""
    if not isinstance(labels, zarr.Array):
        return labels
    return stored_labels(labels, listing=_listing(labels.store)) or labels


def _listing(store: Store) -> Listing:
    """How far the listing of a store is believed."""
    if not store_can_list(store):
        return "none"
    return "believed" if is_own_store(store) else "probed"
