"""Single objects of a store: made where there are none, replaced, read, listed, removed."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias, cast

from zarr.abc.store import Store

from ngffseg.errors import OutsideStoreError
from ngffseg.store.address import local_folder, local_path, split_archive
from ngffseg.store.archive import ArchiveStore
from ngffseg.store.client import ObjectInfo
from ngffseg.store.containment import (
    Boundary,
    checked_key,
    checked_path,
    inside,
    is_inside,
    links_followed,
    local_place,
)
from ngffseg.store.remote import RemoteStore
from ngffseg.store.requests import all_of
from ngffseg.store.url import open_store
from ngffseg.zarr_internals import sync

# An address; or a store that is open, which travels with its settings.
Where: TypeAlias = str | RemoteStore
# Objects that are not looked for below their own name.
METADATA = (".json", ".zarray", ".zattrs", ".zgroup")
NODE_FILES = ("zarr.json", ".zarray", ".zattrs", ".zgroup")
# Ends the names of files that are being written.
UNFINISHED = ".unfinished"


def create_object(url: str, key: str, data: bytes) -> bool:
    """Write an object that must not be there, in one step that only one of many writers can take.

    Parameters
    ----------
    url
        Address of a store that is not on the local disk.
    key, data
        The object.

    Returns
    -------
    bool
        Whether the object is there as it was to be: an equal one counts as made, since a reply may be
        lost after the object was written.
    """
    return sync(_remote(url).create(key, data))


def put_object(where: Where, key: str, data: bytes) -> None:
    """Write an object, or replace it, in one step: readers find all of it or what was there before."""
    root = _folder(where)
    if root is None:
        sync(_remote(where).put(key, data))
        return
    Boundary(root).check(checked_path(key))
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}{UNFINISHED}")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_objects(where: Where, keys: Sequence[str]) -> list[bytes | None]:
    """What some objects hold, fetched at the same time; None for those that are not there."""
    root = _folder(where)
    if root is not None:
        boundary = Boundary(root, follow=links_followed())
        return [_read(boundary, key) for key in keys]
    return sync(_fetch(_remote(where), keys))


async def _fetch(store: RemoteStore, keys: Sequence[str]) -> list[bytes | None]:
    return await all_of(store.fetch(key) for key in keys)


def _read(boundary: Boundary, key: str) -> bytes | None:
    if not is_inside(key):
        return None
    boundary.check(key)
    try:
        return Path(boundary.root, key).read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def list_objects(where: Where, prefix: str) -> dict[str, ObjectInfo]:
    """What is told of all objects of a store whose keys begin with a prefix, by their keys."""
    if isinstance(where, str) and split_archive(where) is not None:
        return sync(cast("ArchiveStore", open_store(where)).entries(prefix))
    root = _folder(where)
    if root is None:
        return sync(_remote(where).entries(prefix))
    found = {}
    boundary = Boundary(root, follow=links_followed())
    for key in boundary.files(checked_key(prefix).rpartition("/")[0]):
        if key.startswith(prefix) and not key.endswith(UNFINISHED):
            status = (root / key).stat()
            found[key] = ObjectInfo(status.st_size, status.st_mtime, str(status.st_mtime_ns))
    return found


def object_size(store: Store, key: str) -> int | None:
    """Number of bytes of an object of a store that is open; None if there is none."""
    try:
        return sync(store.getsize(key))
    except FileNotFoundError:
        return None


def remove(url: str, path: str) -> None:
    """Remove what is at a path of the store; of a local one, parents that are empty then, too.

    Raises
    ------
    OutsideStoreError
        If the path is none within the store, a link on the way leads out, or a link is there itself: those
        are never made by ngffseg.
    """
    root, place = local_path(url), local_place(url, path)
    if root is None or place is None:
        store = _remote(url)
        single = path.endswith(METADATA)
        sync(store.delete(path) if single else store.delete_dir(path))
        return
    if place.is_symlink():
        raise OutsideStoreError(f"{place} is a symbolic link, which ngffseg did not make: remove it yourself")
    if place.is_dir():
        _unname(place)
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)
    for parent in place.parents:
        try:
            parent.rmdir()
        except OSError:
            return  # it holds something else, or is not there
        if parent == root:
            return


def folder_names(url: str, path: str) -> set[str]:
    """Names of what is in a folder of a local store; empty where there is no such folder."""
    boundary = Boundary(local_folder(url), follow=links_followed())
    boundary.check(checked_path(path))
    try:
        return set(os.listdir(f"{boundary.root}/{path}"))  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return set()


def make_folder(url: str, path: str) -> Path:
    """Make a folder of a local store unless it is there."""
    folder = Path(inside(url, path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _unname(folder: Path) -> None:
    """Remove the metadata of a Zarr node and of those directly below it.

    They go before any chunk: where they are there, a reader takes what is missing for background.
    """
    for node in (folder, *(entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink())):
        for name in NODE_FILES:
            (node / name).unlink(missing_ok=True)


def place_of(url: str) -> Where:
    """Where a store is, so that it can be reached from other processes, which have other settings."""
    return url if local_path(url) is not None else _remote(url)


def _folder(where: Where) -> Path | None:
    return local_path(where) if isinstance(where, str) else None


def _remote(where: Where) -> RemoteStore:
    store = open_store(where, read_only=False) if isinstance(where, str) else where
    assert isinstance(store, RemoteStore), store
    return store
