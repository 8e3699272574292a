"""`ByteStore`: what our stores of zarr have in common; each gives bytes by keys."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable

from zarr.abc.buffer import Buffer, BufferPrototype
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest

from ngffseg.errors import UsageError
from ngffseg.store.requests import all_of


class ByteStore(Store):
    """A store of zarr that is read by `fetch`."""

    @abstractmethod
    async def fetch(self, key: str, part: ByteRequest | None = None) -> bytes | None:
        """Bytes of an object or of a part of it; None if there is none."""

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Bytes of an object, or of a part of it, as a buffer of zarr.

        Raises
        ------
        UsageError
            If the part is asked for in a way that zarr does not know.
        """
        _check_part(byte_range)
        if _is_void(byte_range):
            # Servers refuse to give no bytes; whether there is an object is told all the same.
            data = b"" if await self.exists(key) else None
        else:
            data = await self.fetch(key, byte_range)
        return None if data is None else prototype.buffer.from_bytes(data)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Parts of objects, at the same time."""
        return await all_of(self.get(key, prototype, part) for key, part in key_ranges)

    async def list(self) -> AsyncIterator[str]:
        """Keys of all objects."""
        async for key in self.list_prefix(""):
            yield key


def _check_part(part: object) -> None:
    if part is not None and not isinstance(part, RangeByteRequest | OffsetByteRequest | SuffixByteRequest):
        raise UsageError(
            f"Unexpected byte_range, got {part!r}: use RangeByteRequest, OffsetByteRequest or SuffixByteRequest of zarr"
        )


def _is_void(part: ByteRequest | None) -> bool:
    """Return True for a part of no bytes, whatever the object holds."""
    return part == SuffixByteRequest(0) or (isinstance(part, RangeByteRequest) and part.end <= part.start)
