"""Where stores are: the only file that knows paths, URLs, credentials and the local disk.

An address is a path, or an fsspec URL such as ``s3://bucket/case.ome.zarr`` or ``memory://case``.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import fsspec
from zarr.abc.store import Store
from zarr.storage import FsspecStore, LocalStore

from ngffseg.errors import (
    NgffsegError,
    StoreError,
    StoreNotFoundError,
    StorePermissionError,
    UsageError,
)

if sys.platform != "win32":
    import fcntl

# renameat2(2): exchange two paths in one step, so that neither is ever missing.
RENAME_EXCHANGE = 2
AT_FDCWD = -100
# What a store that is being made may hold already.
OWN_FILES = ("zarr.json", ".zgroup", ".zattrs", ".zarray", ".zmetadata")
OWN_FOLDERS = ("labels", "ngffseg")


def local_path(url: str) -> Path | None:
    """The folder of a store on the local disk, None for any other address."""
    if url.startswith("file://"):
        return Path(url.removeprefix("file://"))
    return None if "://" in url else Path(url)


def normalized(address: str | os.PathLike[str]) -> str:
    """The address without a trailing slash, local paths absolute.

    Raises
    ------
    UsageError
        If it is empty, or a URL of a protocol that fsspec does not know.
    """
    text = os.fspath(address).strip()
    if not text:
        raise UsageError("the address of the store is empty: give a path or a URL")
    path = local_path(text)
    if path is not None:
        return str(path.expanduser().absolute())
    protocol = text.split("://", 1)[0]
    if protocol not in fsspec.available_protocols():
        raise UsageError(
            f"{text}: protocol {protocol!r} is not known: use a path, s3://, http(s):// or memory://"
        )
    return text.rstrip("/")


def open_store(url: str, *, read_only: bool = True) -> Store:
    """The zarr store at an address; a local folder is only made when something is written."""
    path = local_path(url)
    if path is not None:
        return LocalStore(path, read_only=read_only)
    return FsspecStore.from_url(url, storage_options=_storage_options(url), read_only=read_only)


def _storage_options(url: str) -> dict[str, Any]:
    """Options of the usual AWS environment that s3fs does not read by itself."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    return {"endpoint_url": endpoint} if url.startswith("s3://") and endpoint else {}


def can_list(url: str) -> bool:
    """Whether the store can say what it holds; plain HTTP cannot."""
    return not url.startswith(("http://", "https://"))


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


@contextlib.contextmanager
def store_errors(url: str) -> Iterator[None]:
    """Turn what disk and network raise into one clear line of the tree of errors."""
    try:
        yield
    except NgffsegError:
        raise
    except FileNotFoundError as error:
        raise StoreNotFoundError(f"{url}: not found ({_reason(error)}): check the address") from error
    except PermissionError as error:
        raise StorePermissionError(
            f"{url}: no permission ({_reason(error)}): check rights or credentials"
        ) from error
    except aiohttp.ClientError as error:
        raise StoreError(f"{url}: the server failed ({error}): check the address and run again") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(
                f"{url}: the disk is full: free space and run again; nothing was published"
            ) from error
        raise StoreError(f"{url}: {_reason(error)}: check the store and run again") from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).splitlines()[0]


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


def move(url: str, staged: str, path: str) -> None:
    """Move a folder of a local store to its place, in one step; its place must be free."""
    root = _local(url)
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / staged).rename(root / path)


def exchange(url: str, staged: str, path: str) -> None:
    """Swap two folders of a local store in one step, so that a reader finds one or the other.

    Raises
    ------
    StoreError
        If the file system cannot; see `can_exchange`.
    """
    root = _local(url)
    first, second = os.fsencode(root / staged), os.fsencode(root / path)
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform.startswith("linux") and hasattr(libc, "renameat2"):
        if libc.renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE) == 0:
            return
    elif hasattr(libc, "renamex_np") and libc.renamex_np(first, second, RENAME_EXCHANGE) == 0:
        return
    reason = os.strerror(ctypes.get_errno())
    raise StoreError(f"{root / path}: this file system cannot swap folders ({reason})")


def can_exchange(url: str, folder: str) -> bool:
    """Whether two folders of the store can be swapped; tried out in a folder of its own."""
    path = local_path(url)
    if path is None:
        return False
    for name in ("a", "b"):
        (path / folder / name).mkdir(parents=True)
    try:
        exchange(url, f"{folder}/a", f"{folder}/b")
    except StoreError:
        return False
    finally:
        remove(url, folder)
    return True


def remove(url: str, path: str) -> None:
    """Remove what is at a path of the store, and parents of it that are empty then."""
    root = local_path(url)
    if root is None:
        fs, base = fsspec.core.url_to_fs(url, **_storage_options(url))
        with contextlib.suppress(FileNotFoundError):
            fs.rm(f"{base}/{path}", recursive=True)
        return
    if (root / path).is_dir():
        shutil.rmtree(root / path, ignore_errors=True)
    else:
        (root / path).unlink(missing_ok=True)
    for parent in (root / path).parents:
        try:
            parent.rmdir()
        except OSError:
            return  # it holds something else, or is not there
        if parent == root:
            return


def _local(url: str) -> Path:
    path = local_path(url)
    if path is None:
        raise UsageError(f"{url} is not on the local disk")
    return path
