"""The local disk: locks, and folders that take their place in one step."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ngffseg.errors import StoreError, UsageError
from ngffseg.store.address import local_folder, local_path
from ngffseg.store.containment import local_place
from ngffseg.store.objects import Where, make_folder, remove

if sys.platform != "win32":
    import fcntl

# renameat2(2): exchange two paths in one step, so that neither is ever missing.
RENAME_EXCHANGE = 2
AT_FDCWD = -100
# What a store that is being made may hold already.
OWN_FILES = ("zarr.json", ".zgroup", ".zattrs", ".zarray", ".zmetadata")
OWN_FOLDERS = ("labels", "ngffseg")


@contextlib.contextmanager
def locked(url: str) -> Iterator[None]:
    """Hold the store against other writers on this machine while something is published.

    The lock is on the folder itself, so that no file is left behind. Other kinds of store have
    no lock.
    """
    path = local_path(url)
    if path is None or sys.platform == "win32":
        yield
        return
    path.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def flushed(where: Where) -> None:
    """Return when all that was written to the store would survive a loss of power.

    Servers have it when they answer; of a local disk the whole file system is written out.
    """
    path = local_path(where) if isinstance(where, str) else None
    if path is None or not sys.platform.startswith("linux"):
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)


def check_free(url: str) -> None:
    """Refuse to make a store where something else lies on the local disk.

    Raises
    ------
    UsageError
        If there is a file, or a folder with anything but Zarr nodes.
    """
    path = local_path(url)
    if path is None or not path.exists():
        return
    if not path.is_dir():
        raise UsageError(f"{path} is a file: give the path of a store")
    with locked(url):  # another writer may be publishing its first nodes
        entries = list(path.iterdir())
    for entry in entries:
        node = entry.name in OWN_FILES or any((entry / name).exists() for name in OWN_FILES)
        if not node and entry.name not in OWN_FOLDERS:
            raise UsageError(f"{path} holds other files ({entry.name}): give the path of a new store")


def has_metadata(url: str) -> bool:
    """Return True if there is a node of Zarr at an address on the local disk; False for any other address."""
    path = local_path(url)
    return path is not None and any((path / name).is_file() for name in OWN_FILES)


def move(url: str, staged: str, path: str) -> None:
    """Move a folder of a local store to its place, in one step; its place must be free."""
    source, place = _local(url, staged), _local(url, path)
    place.parent.mkdir(parents=True, exist_ok=True)
    source.rename(place)


def exchange(url: str, staged: str, path: str) -> None:
    """Swap two folders of a local store in one step, so that a reader finds one or the other.

    Raises
    ------
    StoreError
        If the file system cannot; see `can_exchange`.
    """
    place = _local(url, path)
    first, second = os.fsencode(_local(url, staged)), os.fsencode(place)
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform.startswith("linux") and hasattr(libc, "renameat2"):
        if libc.renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE) == 0:
            return
    elif hasattr(libc, "renamex_np") and libc.renamex_np(first, second, RENAME_EXCHANGE) == 0:
        return
    reason = os.strerror(ctypes.get_errno())
    raise StoreError(f"{place}: this file system cannot swap folders ({reason})")


def can_exchange(url: str, folder: str) -> bool:
    """Return True if two folders of the store can be swapped; tried out in a folder of its own."""
    if local_path(url) is None:
        return False
    trial = f"{folder}/swap"
    for name in ("a", "b"):
        make_folder(url, f"{trial}/{name}")
    try:
        exchange(url, f"{trial}/a", f"{trial}/b")
    except StoreError:
        return False
    finally:
        remove(url, trial)
    return True


def folder_number(url: str, path: str) -> int | None:
    """Number in the file system of what is at a path of a local store; None if nothing is there.

    A folder keeps its number wherever in the store it is moved.
    """
    try:
        return _local(url, path).lstat().st_ino
    except (FileNotFoundError, NotADirectoryError):
        return None


def _local(url: str, path: str) -> Path:
    """Place of something that is moved as a whole, even if it should be a link."""
    local_folder(url)
    place = local_place(url, path)
    assert place is not None, url
    return place
