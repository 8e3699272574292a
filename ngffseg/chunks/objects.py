"""The objects of one array: bytes by key, from a folder or from any other store of zarr."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from zarr.abc.store import ByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.buffer.cpu import Buffer
from zarr.core.sync import sync
from zarr.storage import LocalStore

from ngffseg.chunks.window import Window

MACHINE = socket.gethostname()


@dataclass(frozen=True, slots=True)
class Suffix:
    """The last bytes of an object."""

    size: int


# All of an object, the bytes from a start to a stop, or the last ones.
Part = tuple[int, int] | Suffix | None


class Objects(Protocol):
    """Bytes by key, below one array."""

    def get(self, key: str) -> bytes | None:
        """Bytes of an object, None if there is none."""

    def get_many(self, wanted: Sequence[tuple[str, Part]]) -> list[bytes | None]:
        """Objects or parts of them, at the same time where that is faster."""

    def put(self, key: str, data: bytes) -> Future[Any] | None:
        """Write an object; it may be on its way until `flush`, or until what is returned is done."""

    def remove(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""

    def flush(self) -> None:
        """Wait until all that was put is written; raises what became of it."""

    def keys(self) -> Iterator[str] | None:
        """Keys of all objects in any order, None where the store cannot list."""


class FolderObjects:
    """Files below a folder: without the event loop that zarr runs all I/O through.

    With ``aside``, a folder of the same file system, files are written there and take their place in
    one step, so that nobody ever sees a part of one.
    """

    def __init__(self, folder: Path, aside: Path | None = None) -> None:
        self.folder, self.aside = str(folder), str(aside) if aside is not None else None

    def get(self, key: str) -> bytes | None:
        """Bytes of a file, None if there is none."""
        try:
            descriptor = os.open(f"{self.folder}/{key}", os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            return None
        with open(descriptor, "rb", buffering=0) as file:
            return file.read()

    def get_many(self, wanted: Sequence[tuple[str, Part]]) -> list[bytes | None]:
        """Files or parts of them."""
        return [self.get(key) if part is None else self._part(key, part) for key, part in wanted]

    def _part(self, key: str, part: tuple[int, int] | Suffix) -> bytes | None:
        try:
            file = open(f"{self.folder}/{key}", "rb", buffering=0)
        except (FileNotFoundError, NotADirectoryError):
            return None
        with file:
            size = os.fstat(file.fileno()).st_size
            start, stop = (size - part.size, size) if isinstance(part, Suffix) else part
            file.seek(max(0, start))
            return file.read(stop - max(0, start))

    def put(self, key: str, data: bytes) -> None:
        """Write a file; folders are made as they are needed."""
        path = f"{self.folder}/{key}"
        if self.aside is None:
            _in_folder(path, partial(_write, path, data))
            return
        # Threads of all processes that write to the store may be at it.
        aside = f"{self.aside}/{MACHINE}-{os.getpid()}-{threading.get_ident()}"
        try:
            _write(aside, data)
            _in_folder(path, partial(os.replace, aside, path))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(aside)
            raise

    def remove(self, key: str) -> None:
        """Remove a file."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.folder}/{key}")

    def flush(self) -> None:
        """Files are written when `put` returns."""

    def keys(self) -> Iterator[str]:
        """Relative paths of all files."""
        yield from _files(self.folder, "")


def _write(path: str, data: bytes) -> None:
    with open(path, "wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]


def _in_folder(path: str, step: Callable[[], None]) -> None:
    """Do what needs the folder of a path, which is made if it is not there."""
    try:
        step()
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        step()


def _files(folder: str, prefix: str) -> Iterator[str]:
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(entry.path, f"{prefix}{entry.name}/")
            else:
                yield prefix + entry.name


class StoreObjects:
    """Objects of any store of zarr."""

    def __init__(self, store: Store, path: str, *, listing: bool) -> None:
        self.store, self.path, self.listing = store, path, listing
        self._window = Window()

    def _key(self, key: str) -> str:
        return f"{self.path}/{key}" if self.path else key

    def get(self, key: str) -> bytes | None:
        """Bytes of an object, None if there is none."""
        buffer = sync(self.store.get(self._key(key), default_buffer_prototype()))
        return None if buffer is None else buffer.to_bytes()

    def get_many(self, wanted: Sequence[tuple[str, Part]]) -> list[bytes | None]:
        """Objects or parts of them, at the same time."""
        requests = [(self._key(key), _byte_request(part)) for key, part in wanted]
        buffers = sync(self.store.get_partial_values(default_buffer_prototype(), requests))
        return [None if buffer is None else buffer.to_bytes() for buffer in buffers]

    def put(self, key: str, data: bytes) -> Future[Any]:
        """Send an object on its way; raises what became of an earlier one."""
        return self._window.run(self._put, key, data)

    def _put(self, key: str, data: bytes) -> None:
        sync(self.store.set(self._key(key), Buffer.from_bytes(data)))

    def remove(self, key: str) -> None:
        """Remove an object."""
        sync(self.store.delete(self._key(key)))

    def flush(self) -> None:
        """Wait until all objects are written; raises what became of them."""
        self._window.flush()

    def keys(self) -> Iterator[str] | None:
        """Keys of all objects below the array."""
        if not (self.listing and self.store.supports_listing):
            return None
        prefix = self._key("")
        return (key.removeprefix(prefix) for key in sync(_listed(self.store, prefix)))


def _byte_request(part: Part) -> ByteRequest | None:
    if part is None:
        return None
    return SuffixByteRequest(part.size) if isinstance(part, Suffix) else RangeByteRequest(*part)


async def _listed(store: Store, prefix: str) -> list[str]:
    return [key async for key in store.list_prefix(prefix)]


def objects_of(store: Any, path: str, *, listing: bool, aside: Path | None = None) -> Objects:
    """The objects of the array at a path of a store; see `FolderObjects` for ``aside``."""
    if isinstance(store, LocalStore):
        return FolderObjects(Path(store.root) / path, aside)
    return StoreObjects(store, path, listing=listing)
