"""Addresses of stores, and the credentials that they need: the only file that knows them.

An address is a path, or an fsspec URL such as ``s3://bucket/case.ome.zarr`` or ``memory://case``.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import fsspec
from zarr.abc.store import Store
from zarr.storage import FsspecStore, LocalStore

from ngffseg.errors import UsageError


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


def store_can_list(store: Store) -> bool:
    """Whether a store that is open, perhaps by others, can say what it holds."""
    protocol = getattr(getattr(store, "fs", None), "protocol", ())
    protocols = (protocol,) if isinstance(protocol, str) else protocol
    return store.supports_listing and not {"http", "https"} & set(protocols)


def remove_objects(url: str, path: str) -> None:
    """Remove all objects under a path of a store that is not on the local disk."""
    fs, base = fsspec.core.url_to_fs(url, **_storage_options(url))
    with contextlib.suppress(FileNotFoundError):
        fs.rm(f"{base}/{path}", recursive=True)
