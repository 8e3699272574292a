"""Files of one array on the local disk, without the event loop that zarr runs all I/O through."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

MACHINE = socket.gethostname()
# Not on Windows, where few may make links.
NO_LINK = getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True, slots=True)
class Suffix:
    """The last bytes of an object."""

    size: int


# All of an object, the bytes from a start to a stop, or the last ones.
Part = tuple[int, int] | Suffix | None


class Guard(Protocol):
    """Refuses what symbolic links lead to out of a store, by paths below its root."""

    def enter(self, folder: str) -> None:
        """Refuse a folder to which a link leads out; each is looked at once."""

    def check_link(self, path: str) -> None:
        """Refuse a path whose last part is a link that leads out."""

    def files(self, folder: str) -> Iterator[str]:
        """Paths of all files below a folder."""


class FolderObjects:
    """Files below a folder.

    With ``aside``, a folder of the same file system, files are written there and take their place in
    one step, so that nobody ever sees a part of one. With a ``guard`` links that it refuses are not followed.
    """

    proof: str | None = None

    def __init__(self, root: Path, path: str, aside: Path | None = None, guard: Guard | None = None) -> None:
        self.folder, self.aside = str(root / path), str(aside) if aside is not None else None
        self.prefix, self.guard = f"{path}/" if path else "", guard

    def _open(self, key: str) -> int | None:
        """Open a file for reading; None if there is none."""
        path = f"{self.folder}/{key}"
        try:
            if self.guard is None:
                return os.open(path, os.O_RDONLY)
            self.guard.enter((self.prefix + key).rpartition("/")[0])
            return os.open(path, os.O_RDONLY | NO_LINK)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno != errno.ELOOP or self.guard is None:
                raise
        self.guard.check_link(self.prefix + key)  # a link, which few files are
        return os.open(path, os.O_RDONLY)

    def get(self, key: str) -> bytes | None:
        """Bytes of a file, None if there is none."""
        descriptor = self._open(key)
        if descriptor is None:
            return None
        with open(descriptor, "rb", buffering=0) as file:
            return file.read()

    def get_many(self, wanted: Sequence[tuple[str, Part]]) -> list[bytes | None]:
        """Files or parts of them."""
        return [self.get(key) if part is None else self._part(key, part) for key, part in wanted]

    def _part(self, key: str, part: tuple[int, int] | Suffix) -> bytes | None:
        descriptor = self._open(key)
        if descriptor is None:
            return None
        with open(descriptor, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            start, stop = (size - part.size, size) if isinstance(part, Suffix) else part
            # A damaged index may ask for more than any memory holds.
            start, stop = max(0, start), min(stop, size)
            file.seek(start)
            return file.read(max(0, stop - start))

    def put(self, key: str, data: bytes) -> None:
        """Write a file; folders are made as they are needed. A link is replaced, not followed."""
        path = f"{self.folder}/{key}"
        self._enter(key)
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
        self._enter(key)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.folder}/{key}")

    def _enter(self, key: str) -> None:
        if self.guard is not None:
            self.guard.enter((self.prefix + key).rpartition("/")[0])

    def flush(self) -> None:
        """Files are written when `put` returns."""

    def keys(self) -> Iterator[str]:
        """Relative paths of all files."""
        if self.guard is None:
            return _files(self.folder, "")
        start = len(self.prefix)
        return (key[start:] for key in self.guard.files(self.prefix.rstrip("/")))


def _write(path: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NO_LINK
    with open(os.open(path, flags, 0o666), "wb", buffering=0) as file:
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
