"""S3 through obstore, the fast path: object_store of Rust without an event loop of Python."""

from __future__ import annotations

import atexit
import functools
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import obstore
from obstore.exceptions import GenericError
from obstore.store import S3Store
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, SuffixByteRequest

from ngffseg.store.client import CONCURRENCY, CONNECT_TIMEOUT, READ_TIMEOUT, ObjectInfo, bounds_of
from ngffseg.store.settings import NoCredentialsError, S3Settings, s3_keys

# Seconds at the end of the process. A thread of Rust that has just handed over an answer still returns through
# Python; where the interpreter is gone by then, it aborts the process (before Python 3.14), whose exit code
# is lost. Of commands that end with an answer at once, as with an error, one in twenty did on a busy machine.
RETURN = 0.1
atexit.register(time.sleep, RETURN)


class ObstoreClient:
    """Objects of one prefix of a bucket; see `ngffseg.store.client.Client`."""

    def __init__(self, url: str, settings: S3Settings) -> None:
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        self.store, self.prefix = _bucket(bucket, settings), prefix

    def _key(self, key: str) -> str:
        return f"{self.prefix}/{key}".strip("/")

    async def get(self, key: str, part: ByteRequest | None) -> bytes:
        """Bytes of an object, or of a part of it."""
        options: Any = {} if part is None else {"range": _range(part)}
        try:
            answer = await obstore.get_async(self.store, self._key(key), options=options)
        except GenericError as error:
            if part is None or "non-partial response" not in str(error):
                raise
            # RFC 9110, 14.2: "A server MAY ignore the Range header field."
            data = await self.get(key, None)
            return data[slice(*bounds_of(part, len(data)))]
        return bytes(await answer.bytes_async())

    async def size(self, key: str) -> int:
        """Number of bytes of an object."""
        return int((await obstore.head_async(self.store, self._key(key)))["size"])

    async def put(self, key: str, data: bytes, *, create: bool) -> None:
        """Write a whole object."""
        mode: Any = "create" if create else "overwrite"
        await obstore.put_async(self.store, self._key(key), data, mode=mode, use_multipart=False)

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects, up to 1000 per request."""
        if keys:
            await obstore.delete_async(self.store, [self._key(key) for key in keys])

    async def entries(self, prefix: str) -> dict[str, ObjectInfo]:
        """What is told of all objects whose keys begin with a prefix."""
        # object_store lists folders: what begins with the last part of the name is picked here.
        folder = self._key(prefix.rpartition("/")[0])
        start = len(self.prefix) + 1 if self.prefix else 0
        found: dict[str, ObjectInfo] = {}
        async for batch in obstore.list(self.store, folder or None, chunk_size=1000):
            keys = ((meta["path"][start:], meta) for meta in batch)
            found |= {key: _entry(meta) for key, meta in keys if key.startswith(prefix)}
        return found

    async def children(self, prefix: str) -> list[str]:
        """Names directly below a prefix."""
        answer = await obstore.list_with_delimiter_async(self.store, self._key(prefix) or None)
        paths = [*answer["common_prefixes"], *(meta["path"] for meta in answer["objects"])]
        return [path.rpartition("/")[2] for path in paths]


def _entry(meta: obstore.ObjectMeta) -> ObjectInfo:
    return ObjectInfo(meta["size"], meta["last_modified"].timestamp(), meta["e_tag"] or "")


def _range(part: ByteRequest) -> Any:
    match part:
        case RangeByteRequest(start, end):
            return (start, end)
        case OffsetByteRequest(offset):
            return {"offset": offset}
        case SuffixByteRequest(suffix):
            return {"suffix": suffix}
    raise TypeError(part)


def _bucket(bucket: str, settings: S3Settings) -> S3Store:
    """The client of a bucket: one per process, for its connections to be used again."""
    return _bucket_of(bucket, settings, repr(_without_time(s3_keys())) if not settings.anonymous else "")


@functools.lru_cache(maxsize=32)
def _bucket_of(bucket: str, settings: S3Settings, keys: str) -> S3Store:  # noqa: ARG001
    """The client of a bucket; ``keys`` keep clients of different keys apart."""
    options: dict[str, Any] = {"region": settings.region}
    if settings.endpoint is not None:
        options["endpoint"] = settings.endpoint
    if settings.anonymous:
        options["skip_signature"] = True
    elif s3_keys() is not None:
        options["credential_provider"] = s3_keys
    else:
        raise NoCredentialsError("none in the environment")
    return S3Store(
        bucket,
        # Requests are made again by ngffseg.store.retry alone.
        retry_config={"max_retries": 0},
        client_options={
            "allow_http": (settings.endpoint or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT),
            "read_timeout": timedelta(seconds=READ_TIMEOUT),
            # A large object over a slow line may take long, as long as something arrives.
            "timeout": timedelta(hours=1),
            "pool_max_idle_per_host": str(CONCURRENCY),
        },
        **options,
    )


def _without_time(keys: dict[str, Any] | None) -> tuple[Any, ...]:
    return () if keys is None else tuple(v for k, v in keys.items() if k != "expires_at")
