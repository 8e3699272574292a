"""Addresses of stores: a path, or a URL such as ``s3://bucket/case.ome.zarr``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ngffseg.errors import UsageError
from ngffseg.store.fsspec_client import known_protocols

# Single-file stores: zip archives (RFC-9: "SHOULD use the file extension .ozx").
ARCHIVE = re.compile(r"(?:^|/)[^/]+\.(?:ozx|zip)(?=/|$)", re.IGNORECASE)


def local_path(url: str) -> Path | None:
    """The folder of a store on the local disk, None for any other address."""
    if url.startswith("file://"):
        return Path(unquote(url.removeprefix("file://")))
    return None if "://" in url else Path(url)


def local_folder(url: str) -> Path:
    """The folder of a store, which must be on the local disk.

    Raises
    ------
    UsageError
        If it is not.
    """
    path = local_path(url)
    if path is None:
        raise UsageError(f"{url} is not on the local disk")
    return path


def normalized(address: str | os.PathLike[str]) -> str:
    """The address without a trailing slash, local paths absolute.

    Raises
    ------
    UsageError
        If it is empty, holds a password, or is a URL of a protocol that fsspec does not know.
    """
    text = os.fspath(address).strip()
    if not text:
        raise UsageError("the address of the store is empty: give a path or a URL")
    path = local_path(text)
    if path is not None:
        return str(path.expanduser().absolute())
    protocol, rest = text.split("://", 1)
    if protocol not in known_protocols():
        raise UsageError(
            f"{text}: protocol {protocol!r} is not known: use a path, s3://, http(s):// or memory://"
        )
    if "@" in rest.split("/", 1)[0]:
        # The address is printed, logged and handed on: it is no place for a secret.
        where = urlsplit(text).hostname
        raise UsageError(f"{protocol}://{where}: leave user and password out of the address")
    return text.rstrip("/")


def split_archive(url: str) -> tuple[str, str] | None:
    """Address of an archive, and the path inside it; None if the address names no archive.

    A folder whose name ends so is a folder.
    """
    start = url.find("://") + 3 if "://" in url else 0
    found = ARCHIVE.search(url, start)
    if found is None:
        return None
    archive, inside = url[: found.end()], url[found.end() :].strip("/")
    path = local_path(archive)
    return None if path is not None and path.is_dir() else (archive, inside)


def can_list(url: str) -> bool:
    """Return True if the store can say what it holds; plain HTTP cannot."""
    return not url.startswith(("http://", "https://")) or split_archive(url) is not None
