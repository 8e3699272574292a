"""`Client`: what a library has to offer that moves objects between here and a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from zarr.abc.store import ByteRequest, RangeByteRequest, SuffixByteRequest

# Seconds: until a connection is made, and between two parts of an answer.
CONNECT_TIMEOUT = 3.5
READ_TIMEOUT = 15.0
# Requests at the same time.
CONCURRENCY = 32


@dataclass(frozen=True, slots=True)
class Entry:
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
    """Objects by key below one address. Errors are those of the library; see `fault_of`.

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

    async def entries(self, prefix: str) -> dict[str, Entry]:
        """What is told of all objects whose keys begin with a prefix."""

    async def children(self, prefix: str) -> list[str]:
        """Names directly below a prefix that is empty or ends with a slash."""


def part_of(data: bytes, part: ByteRequest | None) -> bytes:
    """The part that was asked for, from servers that answer with the whole object all the same."""
    if isinstance(part, RangeByteRequest) and len(data) > part.end - part.start:
        return data[part.start : part.end]
    if isinstance(part, SuffixByteRequest) and len(data) > part.suffix:
        return data[-part.suffix :]
    return data
