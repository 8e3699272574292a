"""The objects of one array: bytes by key, from a folder or from any other store of zarr."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

from zarr.abc.store import ByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.buffer import default_buffer_prototype
from zarr.buffer.cpu import Buffer
from zarr.storage import LocalStore

from ngffseg.chunks.folder import FolderObjects, Part, Suffix
from ngffseg.chunks.upload_queue import UploadQueue
from ngffseg.zarr_internals import sync


class Objects(Protocol):
    """Bytes by key, below one array."""

    # Key of an object that a listing must name to be believed; None where it always is.
    proof: str | None

    def get(self, key: str) -> bytes | None:
        """Bytes of an object, None if there is none."""

    def get_many(self, wanted: Sequence[tuple[str, Part]]) -> list[bytes | None]:
        """Objects or parts of them, at the same time where that is faster."""

    def put(self, key: str, data: bytes) -> Future[Any] | None:
        """Write an object; it may be on its way until `flush`, or until what is returned is done."""

    def remove(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""

    def flush(self) -> None:
        """Wait until all that was put is written; raises what became of it."""

    def keys(self) -> Iterator[str] | None:
        """Keys of all objects in any order, None where the store cannot list."""


class StoreObjects:
    """Objects of any store of zarr."""

    def __init__(self, store: Store, path: str, *, listing: bool, proof: str | None) -> None:
        self.store, self.path, self.listing, self.proof = store, path, listing, proof
        self._uploads = UploadQueue()

    def _key(self, key: str) -> str:
        return f"{self.path}/{key}" if self.path else key

    def get(self, key: str) -> bytes | None:
        """Bytes of an object, None if there is none."""
        buffer = sync(self.store.get(self._key(key), default_buffer_prototype()))
        return None if buffer is None else buffer.to_bytes()

    def get_many(self, wanted: Sequence[tuple[str, Part]]) -> list[bytes | None]:
        """Objects or parts of them, at the same time."""
        requests = [(self._key(key), _byte_request(part)) for key, part in wanted]
        buffers = sync(self.store.get_partial_values(default_buffer_prototype(), requests))
        return [None if buffer is None else buffer.to_bytes() for buffer in buffers]

    def put(self, key: str, data: bytes) -> Future[Any]:
        """Send an object on its way; raises what became of an earlier one."""
        return self._uploads.run(self._put, key, data)

    def _put(self, key: str, data: bytes) -> None:
        sync(self.store.set(self._key(key), Buffer.from_bytes(data)))

    def remove(self, key: str) -> None:
        """Remove an object."""
        sync(self.store.delete(self._key(key)))

    def flush(self) -> None:
        """Wait until all objects are written; raises what became of them."""
        self._uploads.flush()

    def keys(self) -> Iterator[str] | None:
        """Keys of all objects below the array."""
        if not (self.listing and self.store.supports_listing):
            return None
        prefix = self._key("")
        return (key.removeprefix(prefix) for key in sync(_listed(self.store, prefix)))


def _byte_request(part: Part) -> ByteRequest | None:
    if part is None:
        return None
    return SuffixByteRequest(part.size) if isinstance(part, Suffix) else RangeByteRequest(*part)


async def _listed(store: Store, prefix: str) -> list[str]:
    return [key async for key in store.list_prefix(prefix)]


def objects_of(
    store: Any, path: str, *, listing: bool, proof: str | None = None, aside: Path | None = None
) -> Objects:
    """The objects of the array at a path of a store; see `Objects` for ``proof``, `FolderObjects` for ``aside``."""
    # Stores that others have opened follow links as they do.
    boundary = getattr(store, "boundary", None)
    # One that others made from LocalStore may give other bytes than those of its files, so it is asked itself.
    if type(store) is LocalStore or (isinstance(store, LocalStore) and boundary is not None):
        return FolderObjects(Path(store.root), path, aside, boundary)
    return StoreObjects(store, path, listing=listing, proof=proof)
