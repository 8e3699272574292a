"""`Snapshot`: an array as it was when it was opened; a read gives that, or an error says that it is gone.

A store knows no versions of arrays: a chunk that is missing may be background, or may have gone with an
array that was replaced. On object stores labels that are written again get new paths, and of the old ones the
metadata are removed before any chunk: where they are still there after a chunk was found missing, it is
background. On a local disk folders are exchanged: if the metadata are the same file before and after a read,
all of it came from one folder.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
import zarr
from zarr.abc.store import Store
from zarr.storage import LocalStore

from ngffseg import ngff
from ngffseg.chunks import BoxReader, ForeignReader
from ngffseg.errors import MetadataError, StaleError, StoreNotFoundError
from ngffseg.grid import Box
from ngffseg.labels.nodes.create import array_document
from ngffseg.labels.nodes.find import attributes_of, find_arrays, find_group
from ngffseg.labels.read.stamps import Stamp, stamp_of, times_of
from ngffseg.store import archive_of

Values = npt.NDArray[Any]
# Reads of what changes under way each time.
TRIES = 5


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an array was opened.

    Parameters
    ----------
    url
        Address of the store.
    group
        Path of the label image of ours that it belongs to; None for other arrays.
    generation
        How often that had been written.
    """

    url: str
    group: str | None = None
    generation: int = 0


class Snapshot:
    """An array in an archive on a server, which does not change under way."""

    def __init__(self, origin: Origin, array: zarr.Array[Any]) -> None:
        self.origin, self.array = origin, array

    def read(self, reader: BoxReader | ForeignReader, box: Box) -> Values:
        """Values of a box, all of them from one state of the array.

        Raises
        ------
        ChunkError
            If a chunk cannot be decoded.
        StaleError
            If the array was written again or removed since it was opened.
        """
        return reader.read(box)

    def stale(self, what: str) -> StaleError:
        """The error of an array that is not what was opened."""
        url, path = self.origin.url, self.array.path
        return StaleError(f"{url}: {path or 'the array'} was {what} since it was opened: open it again")

    def check(self) -> None:
        """Refuse an array that is not there, or has another form.

        Raises
        ------
        StaleError
            If it was removed or written again since it was opened.
        """
        store, path = self.array.store, self.array.path
        try:
            (now,) = find_arrays(store, [path], self.array.metadata.zarr_format)
        except MetadataError:
            raise self.stale("written again") from None
        except StoreNotFoundError:
            now = None
        if now is None:
            raise self.stale("removed")
        if _layout(now) != _layout(self.array):
            raise self.stale("written again")


class RemoteSnapshot(Snapshot):
    """An array of an object store or a server: its metadata are fetched again if a chunk is missing."""

    def __init__(self, origin: Origin, array: zarr.Array[Any]) -> None:
        super().__init__(origin, array)
        self._begin()

    def _begin(self) -> None:
        self._turn, self._checked = threading.Lock(), float("-inf")

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_turn", "_checked")}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def read(self, reader: BoxReader | ForeignReader, box: Box) -> Values:
        """Values of a box; see `Snapshot.read`."""
        return reader.read(box, self._verify)

    def _verify(self) -> None:
        """Refuse an array that is gone; threads that found a chunk missing meanwhile share one request."""
        asked = time.monotonic()
        with self._turn:
            if self._checked <= asked:
                started = time.monotonic()
                self.check()
                self._checked = started


class DiskSnapshot(Snapshot):
    """An array on the local disk: files that tell which one it is are looked at around each read.

    Parameters
    ----------
    stamps
        What these files were before the metadata of the array were read.
    """

    def __init__(self, origin: Origin, array: zarr.Array[Any], stamps: Mapping[Path, Stamp]) -> None:
        super().__init__(origin, array)
        self.stamps, self._opened_here = dict(stamps), True

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened_here": False}

    def read(self, reader: BoxReader | ForeignReader, box: Box) -> Values:
        """Values of a box; see `Snapshot.read`."""
        for _ in range(TRIES):
            before = self._settled()
            try:
                found = reader.read(box)
            except OSError:
                if self._now() == before:
                    raise
                continue
            if self._now() == before:
                return found
        raise self.stale("written again and again")

    def _now(self) -> dict[Path, Stamp]:
        return {file: stamp_of(file) for file in self.stamps}

    def _settled(self) -> dict[Path, Stamp]:
        """What the files are now; refuses those of another array than was opened."""
        now = self._now()
        if now != self.stamps:
            self.check()
            # Other machines number the same files in another way, and may have copies of their own.
            if self.origin.group is None and self._opened_here and times_of(now) != times_of(self.stamps):
                raise self.stale("written again")
            self.stamps = now
        return now

    def check(self) -> None:
        """Refuse an array that is gone; see `Snapshot.check`."""
        super().check()
        group = self.origin.group
        if group is not None and _generation(self.array.store, group) != self.origin.generation:
            raise self.stale("written again")


class ArchiveSnapshot(DiskSnapshot):
    """An array in an archive on the local disk, of which the places of the chunks were read."""

    def check(self) -> None:
        """Refuse another file: its chunks lie elsewhere."""
        raise self.stale("written again")


def snapshot_of(origin: Origin, array: zarr.Array[Any], stamps: Mapping[Path, Stamp]) -> Snapshot:
    """The snapshot of an array that was opened; see `stamps_of`."""
    if isinstance(array.store, LocalStore):
        return DiskSnapshot(origin, array, stamps)
    if stamps:
        return ArchiveSnapshot(origin, array, stamps)
    return RemoteSnapshot(origin, array) if archive_of(array.store) is None else Snapshot(origin, array)


def _layout(array: zarr.Array[Any]) -> dict[str, Any]:
    return ngff.array_layout(array_document(array))


def _generation(store: Store, path: str) -> int | None:
    """How often a label image of ours has been written; None where there is none."""
    group = find_group(store, path)
    own = ngff.decode_label(attributes_of(group)) if group is not None else None
    return None if own is None else own.generation
