"""Any file system of fsspec, s3fs among them: the default."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import fsspec
from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, SuffixByteRequest

from ngffseg.store.client import CONCURRENCY, CONNECT_TIMEOUT, READ_TIMEOUT, ObjectInfo, bounds_of
from ngffseg.store.settings import NoCredentialsError, S3Settings, has_keys, s3_keys

if TYPE_CHECKING:
    from ngffseg.store.containment import Boundary

T = TypeVar("T")
# Words of s3fs, adlfs, local files, gcsfs and memory for the time of the last change.
MODIFIED = ("LastModified", "last_modified", "mtime", "updated", "created")


class FsspecClient:
    """Objects below one URL; see `ngffseg.store.client.Client`."""

    def __init__(self, url: str, settings: S3Settings | None, boundary: Boundary | None = None) -> None:
        self.boundary = boundary
        # Listings are not kept: other writers change them.
        options: dict[str, Any] = {"use_listings_cache": False}
        if settings is not None:
            options |= _s3_options(settings)
        self.quoted = url.startswith(("http://", "https://"))
        if self.quoted:
            options["encoded"] = True
        fs, path = fsspec.core.url_to_fs(url, **options)
        self.fs: Any = fs if fs.async_impl else AsyncFileSystemWrapper(fs, asynchronous=True)
        self.root = str(path).rstrip("/")
        if settings is not None:
            self.fs.retries = 1  # requests are made again by ngffseg.store.retry alone

    def _path(self, key: str) -> str:
        if self.boundary is not None and key:
            self.boundary.check(key)
        return f"{self.root}/{quote(key) if self.quoted else key}".rstrip("/")

    async def _run(self, call: Coroutine[Any, Any, T]) -> T:
        """Run a call in the loop of fsspec, to which the connections of the file system belong."""
        if self.fs.asynchronous:
            return await call  # a file system without connections, in threads
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call, self.fs.loop))

    async def get(self, key: str, part: ByteRequest | None) -> bytes:
        """Bytes of an object, or of a part of it."""
        if self.quoted and part is not None:
            return await self._run(self._get_part(self._path(key), part))
        return bytes(await self._run(self.fs._cat_file(self._path(key), **_range(part))))

    async def _get_part(self, url: str, part: ByteRequest) -> bytes:
        """Bytes of a part of an object of a web server, which may answer with all of it."""
        headers = self.fs.kwargs.get("headers", {}) | {"Range": _range_header(part)}
        session = await self.fs.set_session()
        async with session.get(self.fs.encode_url(url), **(self.fs.kwargs | {"headers": headers})) as answer:
            self.fs._raise_not_found_for_status(answer, url)
            data: bytes = await answer.read()
        # RFC 9110, 14.2: "A server MAY ignore the Range header field." The status tells; the number of bytes does not.
        return data if answer.status == 206 else data[slice(*bounds_of(part, len(data)))]

    async def size(self, key: str) -> int:
        """Number of bytes of an object."""
        return int((await self._run(self.fs._info(self._path(key))))["size"])

    async def put(self, key: str, data: bytes, *, create: bool) -> None:
        """Write a whole object."""
        path = self._path(key)
        if "file" in _protocols(self.fs):
            await self._run(self.fs._makedirs(path.rpartition("/")[0], exist_ok=True))
        mode = {"mode": "create"} if create else {}
        await self._run(self.fs._pipe_file(path, data, **mode))

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects, one request each."""
        calls = [self._run(self.fs._rm_file(self._path(key))) for key in keys]
        for answer in await asyncio.gather(*calls, return_exceptions=True):
            if isinstance(answer, BaseException) and not isinstance(answer, FileNotFoundError):
                raise answer

    async def entries(self, prefix: str) -> dict[str, ObjectInfo]:
        """What is told of all objects whose keys begin with a prefix."""
        folder = prefix.rpartition("/")[0]
        try:
            found = await self._run(self.fs._find(self._path(folder), detail=True))
        except FileNotFoundError:
            return {}
        entries = {str(path)[len(self.root) + 1 :]: _entry(properties) for path, properties in found.items()}
        return {key: entry for key, entry in entries.items() if key.startswith(prefix)}

    async def children(self, prefix: str) -> list[str]:
        """Names directly below a prefix."""
        folder = self._path(prefix.rstrip("/"))
        try:
            found = await self._run(self.fs._ls(folder, detail=False))
        except (FileNotFoundError, NotADirectoryError):
            return []
        # Of a file, file systems list the file.
        paths = (str(path).rstrip("/") for path in found)
        return [path.removeprefix(f"{folder}/") for path in paths if path.startswith(f"{folder}/")]


def _entry(properties: Mapping[str, Any]) -> ObjectInfo:
    """What a file system tells of a file, each in words of its own."""
    modified = next((properties[word] for word in MODIFIED if properties.get(word) is not None), None)
    seconds = modified.timestamp() if isinstance(modified, datetime) else modified
    tag = next((str(properties[word]) for word in ("ETag", "etag") if properties.get(word)), "")
    return ObjectInfo(
        int(properties["size"]), float(seconds) if isinstance(seconds, int | float) else None, tag
    )


def known_protocols() -> list[str]:
    """What may stand before ``://`` in an address."""
    protocols: list[str] = fsspec.available_protocols()
    return protocols


def _range(part: ByteRequest | None) -> dict[str, int]:
    match part:
        case RangeByteRequest(start, end):
            return {"start": start, "end": end}
        case OffsetByteRequest(offset):
            return {"start": offset}
        case SuffixByteRequest(suffix):
            return {"start": -suffix}
    return {}


def _range_header(part: ByteRequest) -> str:
    match part:
        case RangeByteRequest(start, end):
            return f"bytes={start}-{end - 1}"
        case OffsetByteRequest(offset):
            return f"bytes={offset}-"
        case SuffixByteRequest(suffix):
            return f"bytes=-{suffix}"
    raise TypeError(part)


def _protocols(fs: Any) -> tuple[str, ...]:
    protocol = getattr(fs, "sync_fs", fs).protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _s3_options(settings: S3Settings) -> dict[str, Any]:
    config: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": READ_TIMEOUT,
        "max_pool_connections": CONCURRENCY,
        "retries": {"total_max_attempts": 1},
    }
    if settings.endpoint is not None:
        # Names of buckets as parts of the host name need DNS, which few servers of one's own have.
        config["s3"] = {"addressing_style": "path"}
    keys = None if settings.anonymous else s3_keys()
    if keys is None and not settings.anonymous:
        raise NoCredentialsError("none in the environment")
    # Clients are kept and used again; those of other keys are others.
    named = {"profile": os.environ["AWS_PROFILE"]} if os.environ.get("AWS_PROFILE") else {}
    if keys is not None and has_keys():
        named = {"key": keys["access_key_id"], "secret": keys["secret_access_key"], "token": keys["token"]}
    return {
        **named,
        "anon": settings.anonymous,
        "endpoint_url": settings.endpoint,
        "client_kwargs": {"region_name": settings.region},
        "config_kwargs": config,
        # One stream per object: more would ask for the size of each first.
        "max_concurrency": 1,
    }
