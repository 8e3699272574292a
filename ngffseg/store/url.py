"""From an address to a store of zarr."""

from __future__ import annotations

import importlib
import importlib.util
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from zarr.abc.store import Store
from zarr.storage import LocalStore

from ngffseg.errors import StoreNotFoundError, UsageError
from ngffseg.store.address import can_list, local_path, split_archive
from ngffseg.store.archive import ArchiveStore
from ngffseg.store.client import Client
from ngffseg.store.containment import Boundary, links_followed
from ngffseg.store.directory import File
from ngffseg.store.folder import FolderStore
from ngffseg.store.fsspec_client import FsspecClient
from ngffseg.store.meter import running
from ngffseg.store.remote import RemoteStore
from ngffseg.store.settings import S3Settings, s3_settings

# Loaded only where obstore is installed and S3 is used.
FAST = "ngffseg.store.obstore_client"


def open_store(url: str, *, read_only: bool = True, contained: bool = False) -> Store:
    """The zarr store at an address; a local folder is only made when something is written.

    Parameters
    ----------
    url
        Address of the store.
    read_only
        Whether nothing is going to be written.
    contained
        Whether links that leave the store are refused even where they are followed; see `follow_links`.

    Raises
    ------
    UsageError
        If an archive is to be written.
    StoreNotFoundError
        If there is no such archive.
    """
    archive = split_archive(url)
    if archive is not None:
        return _open_archive(*archive, read_only=read_only)
    path = local_path(url)
    if path is None:
        return _remote(url, read_only=read_only)
    follow = links_followed() and not contained
    if running():
        return _remote(url, read_only=read_only, boundary=Boundary(path, follow=follow and read_only))
    return FolderStore(path, read_only=read_only, follow=follow)


def _remote(url: str, *, read_only: bool = True, boundary: Boundary | None = None) -> RemoteStore:
    settings = s3_settings() if url.startswith("s3://") else None
    server = f"{settings.endpoint if settings is not None else ''} {urlsplit(url).netloc}"
    return RemoteStore(
        url, partial(_client, url, settings, boundary), server, listing=can_list(url), read_only=read_only
    )


def _client(url: str, settings: S3Settings | None, boundary: Boundary | None) -> Client:
    if settings is not None and has_obstore():
        return cast("Client", importlib.import_module(FAST).ObstoreClient(url, settings))
    path = local_path(url)
    if path is None:
        return FsspecClient(url, settings)
    return FsspecClient(f"file://{path.absolute()}", None, boundary)


def check_writable(url: str) -> None:
    """Refuse to write to what is only read, before anything is done.

    Raises
    ------
    UsageError
        If the address is that of an archive, or of a plain web server.
    """
    archive, _ = split_archive(url) or ("", "")
    if archive:
        raise UsageError(
            f"{archive} is a single file, which is only read: write to a folder or a bucket, then export it"
            f" to {archive.rpartition('/')[2]}"
        )
    if not can_list(url):
        raise UsageError(f"{url} is on a plain web server, which is only read: write to a folder or a bucket")


def has_obstore() -> bool:
    """Return True if the fast path to S3 is installed."""
    return importlib.util.find_spec("obstore") is not None


def _open_archive(archive: str, inside: str, *, read_only: bool) -> ArchiveStore:
    if not read_only:
        check_writable(archive)
    path = local_path(archive)
    if path is not None and not path.is_file():
        raise StoreNotFoundError(f"{archive}: there is no such file: check the address")
    folder, _, name = archive.rpartition("/")
    return ArchiveStore(File(_remote(folder if path is None else str(path.parent)), name), inside)


def store_url(store: Store) -> str | None:
    """Address of a store that is open; None if it is none of ours."""
    if isinstance(store, LocalStore):
        return str(Path(store.root).absolute())
    return store.url if isinstance(store, RemoteStore) else None


def is_own_store(store: Store) -> bool:
    """Return True for a store of the kinds that `open_store` gives, whose listings tell all that is there."""
    return type(store) in (LocalStore, FolderStore, RemoteStore, ArchiveStore)


def archive_of(store: Store) -> str | None:
    """Address of the archive that an open store lies in; None if it lies in none."""
    return store.file.url if isinstance(store, ArchiveStore) else None


def store_can_list(store: Store) -> bool:
    """Return True if a store that is open, perhaps by others, can say what it holds."""
    protocol = getattr(getattr(store, "fs", None), "protocol", ())
    protocols = (protocol,) if isinstance(protocol, str) else protocol
    return store.supports_listing and not {"http", "https"} & set(protocols)
