"""The levels of a stored image: its multiscales, and the array of each dataset when it is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import zarr
from zarr.storage import LocalStore

from ngffseg import ngff
from ngffseg.chunks import Cache, StoredLabels, stored_labels
from ngffseg.errors import MetadataError
from ngffseg.geometry import Geometry, from_ngff
from ngffseg.labels.nodes.find import array_of, find_arrays
from ngffseg.labels.read.lazy_level import LazyLevel, listing_of
from ngffseg.labels.read.snapshot import Origin, Snapshot, snapshot_of
from ngffseg.labels.read.stamps import stamps_of


class Levels(Sequence[zarr.Array[Any]]):
    """Arrays of levels, finest first; each is opened when it is asked for, and then kept.

    Parameters
    ----------
    group
        The image group.
    paths
        Paths of the arrays in it.
    known
        Metadata of arrays that need not be fetched, by path.
    origin
        Where it was opened.
    """

    def __init__(
        self, group: zarr.Group, paths: Sequence[str], known: Mapping[str, Any], origin: Origin
    ) -> None:
        self.store, self.zarr_format, self.origin = group.store, group.metadata.zarr_format, origin
        self.paths = tuple(f"{group.path}/{path}".strip("/") for path in paths)
        self.known = {f"{group.path}/{path}".strip("/"): document for path, document in known.items()}
        self._opened: dict[str, zarr.Array[Any]] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._lazy: dict[str, LazyLevel] = {}
        self.cache = Cache()
        # What the multiscales tell of level 0, and the type of a transformation of all levels that is not understood.
        self.translation: tuple[float, ...] = ()
        self.unknown = ""
        # What is opened later must be of the image that was opened first, to which level 0 belongs.
        self._first = stamps_of(self.store, self.paths[0], self.zarr_format)

    @property
    def opened(self) -> frozenset[str]:
        """Paths of the arrays whose metadata were read already."""
        return frozenset(self._opened)

    def lazy(self, level: int) -> LazyLevel:
        """A level that is read when it is sliced."""
        array, path = self[level], self.paths[level]
        if path not in self._lazy:
            self._lazy[path] = LazyLevel(array, self._snapshots[path], self.cache)
        return self._lazy[path]

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
        stamps = {path: stamps_of(self.store, path, self.zarr_format) | self._first for path in paths}
        for path, array in zip(missing, find_arrays(self.store, missing, self.zarr_format), strict=True):
            if array is None:
                for snapshot in self._snapshots.values():
                    snapshot.check()
                raise MetadataError(
                    f"{self.store}: {path}: the level is missing or no array, so the store is broken"
                )
            self._opened[path] = array
        for path in paths:
            if path not in self._snapshots:
                self._snapshots[path] = snapshot_of(self.origin, self._opened[path], stamps[path])
        return tuple(self._opened[path] for path in paths)


def open_levels(
    url: str,
    group: zarr.Group,
    own: ngff.LabelDocument | None = None,
) -> tuple[ngff.Multiscales, Levels]:
    """Multiscales and arrays of an image group; no chunk is read.

    Parameters
    ----------
    url
        Address of the store, for errors to tell.
    group
        The group, whose OME metadata hold multiscales.
    own
        What a label image of ours says of itself.

    Raises
    ------
    MetadataError
        If level 0 is missing, or the metadata cannot be understood.
    """
    _, metadata = ngff.unwrap(dict(group.attrs.asdict()))
    path = group.path
    paths = _paths(url, path, metadata)
    # What lies here is looked at itself; elsewhere each look is a request.
    known = own.arrays if own is not None and not isinstance(group.store, LocalStore) else {}
    origin = Origin(url) if own is None else Origin(url, path, own.generation)
    levels = Levels(group, paths, known, origin)
    ndim = levels[0].ndim
    # Versions 0.1 and 0.2 know no axes, so their number tells which they are.
    multiscales = ngff.decode_multiscales(metadata, ndim=ndim)
    if len(multiscales.axes) != ndim:
        raise MetadataError(f"{url}/{path}: {len(multiscales.axes)} axes for an array of {ndim} dimensions")
    levels.translation, levels.unknown = multiscales.datasets[0].translation, multiscales.unknown
    return multiscales, levels


def grid_of(attributes: Mapping[str, Any], multiscales: ngff.Multiscales, shape: Sequence[int]) -> Geometry:
    """The grid of level 0 of an image: as exactly as its group tells it.

    What an image of ours says of itself is the authority, unless another array has taken its place.
    """
    known = ngff.image_geometry(attributes)
    return known if known is not None and known.shape == tuple(shape) else placed(multiscales, shape)


def placed(multiscales: ngff.Multiscales, shape: Sequence[int]) -> Geometry:
    """The grid of level 0, as far as scale, translation and orientation tell it."""
    level0 = multiscales.datasets[0]
    names = [axis.name for axis in multiscales.axes]
    units = [axis.unit for axis in multiscales.axes]
    orientations = [axis.orientation for axis in multiscales.axes]
    return from_ngff(shape, names, units, level0.scale, level0.translation, orientations)


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


def written_labels(array: zarr.Array[Any], aside: Path | None = None) -> StoredLabels:
    """The chunks of an array, to be written.

    ``aside`` is a folder in which files are written before they take their place in one step.

    Raises
    ------
    MetadataError
        If only zarr itself knows their form, as of those with filters or in Fortran order.
    """
    stored = stored_labels(array, listing=listing_of(array.store), aside=aside)
    if stored is None:
        raise MetadataError(
            f"{array.store_path}: its chunks have filters, codecs, an order or a fill value with which ngffseg does not"
            " write: write the labels anew by write_labels"
        )
    return stored
