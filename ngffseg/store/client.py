"""`Client`: what a library has to offer that moves objects between here and a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, SuffixByteRequest

# Seconds: until a connection is made, and between two parts of an answer.
CONNECT_TIMEOUT = 3.5
READ_TIMEOUT = 15.0
# Requests at the same time.
CONCURRENCY = 32


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing tells of an object.

    Parameters
    ----------
    size
        Number of bytes.
    modified
        When it was written, in seconds by the clock of the server; None where it does not tell.
    tag
        Changes with what the object holds (an ETag); empty where there is none.
    """

    size: int
    modified: float | None
    tag: str


class Client(Protocol):
    """Objects by key below one address. Errors are those of the library; see `failed_request_of`.

    Each method is one request, or one per 1000 keys, and makes it once.
    """

    async def get(self, key: str, part: ByteRequest | None) -> bytes:
        """Bytes of an object, or of a part of it."""

    async def size(self, key: str) -> int:
        """Number of bytes of an object."""

    async def put(self, key: str, data: bytes, *, create: bool) -> None:
        """Write a whole object; with ``create`` fail if it is there (``If-None-Match: *``)."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; one that is not there is no error."""

    async def entries(self, prefix: str) -> dict[str, ObjectInfo]:
        """What is told of all objects whose keys begin with a prefix."""

    async def children(self, prefix: str) -> list[str]:
        """Names directly below a prefix that is empty or ends with a slash."""


def bounds_of(part: ByteRequest, size: int) -> tuple[int, int]:
    """Where a part begins and ends in an object of a size."""
    match part:
        case RangeByteRequest(start, end):
            return min(start, size), min(end, size)
        case OffsetByteRequest(offset):
            return min(offset, size), size
        case SuffixByteRequest(suffix):
            return max(0, size - suffix), size
    raise TypeError(part)


def folder_of(prefix: str) -> str:
    """Beginning of the keys of all objects below a folder; empty for the root."""
    name = prefix.strip("/")
    return f"{name}/" if name else ""
