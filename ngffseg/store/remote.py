"""`RemoteStore`: a zarr store over a server; the one place where requests are made and counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import cached_property, partial
from typing import Any, cast

from zarr.abc.buffer import Buffer
from zarr.abc.store import ByteRequest, RangeByteRequest, Store

from ngffseg.errors import UsageError
from ngffseg.store.byte_store import ByteStore
from ngffseg.store.client import Client, ObjectInfo, folder_of
from ngffseg.store.containment import is_inside
from ngffseg.store.failed_request import FailedRequest, Kind, failed_request_of
from ngffseg.store.failure import request_error
from ngffseg.store.meter import count_bytes, count_request
from ngffseg.store.requests import Requests

METADATA = ("zarr.json", ".zarray", ".zattrs", ".zgroup")
KEYS_PER_LIST = 1000


class RemoteStore(ByteStore):
    """Objects below an address that is not the local disk.

    Parameters
    ----------
    url
        Address of the store.
    client
        Makes the client, here and wherever the store travels to; no secret travels with it.
    server
        Name of the server, with its port.
    listing
        Whether the server can list, and be written; plain HTTP can not.
    """

    def __init__(
        self, url: str, client: Callable[[], Client], server: str, *, listing: bool, read_only: bool = False
    ) -> None:
        super().__init__(read_only=read_only or not listing)
        self.url, self.listing, self.server, self._make = url, listing, server, client
        # An object that was there: where servers hide what is missing, it tells whether keys still work.
        self._probe_key: str | None = None

    @property
    def supports_listing(self) -> bool:
        """Return True if the server can list."""
        return self.listing

    @property
    def supports_writes(self) -> bool:
        """Return True if the server takes objects."""
        return self.listing

    @property
    def supports_deletes(self) -> bool:
        """Return True if the server removes objects."""
        return self.listing

    @cached_property
    def _client(self) -> Client:
        try:
            return self._make()
        except Exception as error:
            raise request_error(self.url, "", failed_request_of(error)) from error

    @cached_property
    def _request(self) -> Requests:
        return Requests(self.url, self.server)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_client", "_request")}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemoteStore) and hash(other) == hash(self) and other.url == self.url

    def __hash__(self) -> int:
        return hash((self.url, self.read_only))

    def __repr__(self) -> str:
        return f"RemoteStore({self.url!r})"

    __str__ = __repr__

    def with_read_only(self, read_only: bool = False) -> Store:
        """The same store, to be written or not."""
        if not (read_only or self.supports_writes):
            return super().with_read_only(read_only)  # raises
        return RemoteStore(self.url, self._make, self.server, listing=self.listing, read_only=read_only)

    async def fetch(self, key: str, part: ByteRequest | None = None) -> bytes | None:
        """Bytes of an object or of a part of it; None if there is none.

        Raises
        ------
        StoreError
            If the server does not answer, or not with the object.
        """
        if not is_inside(key):
            return None
        expected: tuple[Kind, ...] = ("missing", "range")
        if self._probe_key not in (None, key):
            expected += ("denied",)
        found = await self._request("GET", key, partial(self._client.get, key, part), expected)
        if found == "missing":
            return None
        if found == "range":
            return b""  # the object ends before
        if found == "denied":
            await self._check_hidden(key)
            return None
        assert isinstance(found, bytes)
        count_bytes(read=len(found))
        if key.rpartition("/")[2] in METADATA:
            self._probe_key = key
        return found

    async def _check_hidden(self, key: str) -> None:
        """Raise an error unless an object to which we were denied access is only missing.

        S3 tells 403 of what is missing to those who may not list; so do hosts of plain files. It is
        missing if listing is denied too, and our keys still open what is there.
        """
        if self.listing:
            listed = await self._request(
                "LIST", key, partial(self._client.entries, key), ("denied", "missing")
            )
            if isinstance(listed, dict) and key in listed:
                raise request_error(self.url, key, FailedRequest("denied", "403 for an object that is there"))
        assert self._probe_key is not None
        await self._request("GET", key, partial(self._client.get, self._probe_key, None))

    async def create(self, key: str, data: bytes) -> bool:
        """Write an object that must not be there; whether it is there as it was to be.

        A reply may be lost after the object was written, so what is there is compared.
        """
        self._check_writable()
        done = await self._request("PUT", key, partial(self._client.put, key, data, create=True), ("exists",))
        if done == "exists":
            return await self.fetch(key) == data
        count_bytes(written=len(data))
        return True

    async def put(self, key: str, data: bytes) -> None:
        """Write a whole object."""
        self._check_writable()
        await self._request("PUT", key, partial(self._client.put, key, data, create=False))
        count_bytes(written=len(data))

    async def getsize(self, key: str) -> int:
        """Number of bytes of an object."""
        return cast("int", await self._request("HEAD", key, partial(self._client.size, key)))

    async def entries(self, prefix: str) -> dict[str, ObjectInfo]:
        """What is told of all objects whose keys begin with a prefix."""
        self._check_listing()
        found = await self._request("LIST", prefix, partial(self._client.entries, prefix), ("missing",))
        if isinstance(found, str):
            return {}
        count_request("LIST", max(0, len(found) - 1) // KEYS_PER_LIST)
        return found

    async def children(self, prefix: str) -> list[str]:
        """Names directly below a prefix that is empty or ends with a slash."""
        self._check_listing()
        found = await self._request("LIST", prefix, partial(self._client.children, prefix), ("missing",))
        return [] if isinstance(found, str) else found

    def _check_listing(self) -> None:
        if not self.listing:
            raise UsageError(f"{self.url} cannot list what it holds: name the objects, or copy the store")

    async def exists(self, key: str) -> bool:
        """Return True if there is an object."""
        return await self.fetch(key, RangeByteRequest(0, 1)) is not None

    async def set(self, key: str, value: Buffer) -> None:
        """Write a whole object."""
        await self.put(key, value.to_bytes())

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        """Write an object unless it is there."""
        await self.create(key, value.to_bytes())

    async def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        self._check_writable()
        await self._request("DELETE", key, partial(self._client.delete, [key]), ("missing",))

    async def delete_dir(self, prefix: str) -> None:
        """Remove all objects below a folder."""
        self._check_writable()
        found = list(await self.entries(folder_of(prefix)))
        # Metadata before any chunk: where they are there, a reader takes what is missing for background.
        nodes = [key for key in found if key.rpartition("/")[2] in METADATA]
        for keys in (nodes, sorted(set(found) - set(nodes))):
            for start in range(0, len(keys), KEYS_PER_LIST):
                part = keys[start : start + KEYS_PER_LIST]
                await self._request("DELETE", prefix, partial(self._client.delete, part), ("missing",))

    async def getsize_prefix(self, prefix: str) -> int:
        """Number of bytes of all objects below a folder, by one listing."""
        entries = await self.entries(folder_of(prefix))
        return sum(entry.size for entry in entries.values())

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Keys of all objects that begin with a prefix."""
        for key in await self.entries(prefix):
            yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Names directly below a folder."""
        for name in await self.children(folder_of(prefix)):
            yield name
