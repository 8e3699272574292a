"""`ArchiveStore`: a store in one zip file (RFC-9, ``.ozx``), read by ranges, here or on a server."""

from __future__ import annotations

import asyncio
import zipfile
import zlib
from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any, NoReturn

from zarr.abc.buffer import Buffer
from zarr.abc.store import ByteRequest, Store

from ngffseg.errors import StoreError, UsageError
from ngffseg.store.byte_store import ByteStore
from ngffseg.store.client import ObjectInfo, bounds_of, folder_of
from ngffseg.store.directory import Directory, File, header_size
from ngffseg.store.requests import PerLoop


class ArchiveStore(ByteStore):
    """A store in a zip file; it is only read.

    Parameters
    ----------
    file
        The file, here or on a server.
    inside
        Path of the root within the file.
    """

    supports_writes = False
    supports_deletes = False
    supports_listing = True

    def __init__(self, file: File, inside: str = "") -> None:
        super().__init__(read_only=True)
        self.file, self.inside = file, inside

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArchiveStore) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        return f"ArchiveStore({self.file.url!r})"

    __str__ = __repr__

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_directory", "_once")}

    def with_read_only(self, read_only: bool = False) -> Store:
        """The same store; it cannot be written."""
        return ArchiveStore(self.file, self.inside) if read_only else super().with_read_only(read_only)

    @property
    def _identity(self) -> tuple[str, str]:
        return self.file.url, self.inside

    @cached_property
    def _once(self) -> PerLoop[asyncio.Lock]:
        return PerLoop(asyncio.Lock)

    async def _entries(self) -> Directory:
        """The central directory, read once."""
        async with self._once():
            if not hasattr(self, "_directory"):
                self._directory = await self.file.directory()
        return self._directory

    def _key(self, key: str) -> str:
        return f"{self.inside}/{key}".strip("/")

    async def fetch(self, key: str, part: ByteRequest | None = None) -> bytes | None:
        """Bytes of an entry or of a part of it; None if there is none.

        Raises
        ------
        StoreError
            If the archive is damaged.
        """
        directory = await self._entries()
        entry = directory.entries.get(self._key(key))
        if entry is None:
            return None
        if part is not None and entry.compress_type == zipfile.ZIP_STORED:
            start, stop = bounds_of(part, entry.file_size)
            begin = await directory.begin(self.file, entry)
            return await self.file.read(begin + start, begin + stop)
        span = await self.file.read(entry.header_offset, directory.end(entry))
        data = _content(self.file.url, entry, span)
        return data if part is None else data[slice(*bounds_of(part, len(data)))]

    async def exists(self, key: str) -> bool:
        """Return True if there is an entry."""
        return self._key(key) in (await self._entries()).entries

    async def set(self, key: str, value: Buffer) -> None:  # noqa: ARG002
        """Refuse: an archive is only read."""
        self._refuse()

    async def delete(self, key: str) -> None:  # noqa: ARG002
        """Refuse: an archive is only read."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        # In words of zarr, as its other stores that are only read.
        raise UsageError(
            f"{self.file.url} is a single file: the store was opened in read-only mode and does not support writing"
        )

    async def getsize(self, key: str) -> int:
        """Number of bytes of an entry, as it is unpacked."""
        entry = (await self._entries()).entries.get(self._key(key))
        if entry is None:
            raise FileNotFoundError(key)
        return entry.file_size

    async def getsize_prefix(self, prefix: str) -> int:
        """Number of bytes of all entries below a folder, as they are unpacked."""
        entries = (await self._entries()).entries
        root = folder_of(self._key(prefix))
        return sum(entry.file_size for key, entry in entries.items() if key.startswith(root))

    async def entries(self, prefix: str) -> dict[str, ObjectInfo]:
        """What is told of all entries whose keys begin with a prefix, as they are unpacked."""
        entries = (await self._entries()).entries
        keys = [key async for key in self.list_prefix(prefix)]
        return {key: ObjectInfo(entries[self._key(key)].file_size, None, "") for key in keys}

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Keys of all entries that begin with a prefix."""
        root = folder_of(self.inside)
        for key in (await self._entries()).entries:
            if key.startswith(root + prefix):
                yield key.removeprefix(root)

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Names directly below a folder."""
        folder = folder_of(prefix)
        names = {key.removeprefix(folder).partition("/")[0]: None async for key in self.list_prefix(folder)}
        for name in names:
            yield name


def _content(url: str, entry: zipfile.ZipInfo, span: bytes) -> bytes:
    """The entry that lies at the start of some bytes; its checksum is checked."""
    start = header_size(url, span)
    data = span[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        data = zlib.decompress(data, -zlib.MAX_WBITS)
    elif entry.compress_type != zipfile.ZIP_STORED:
        raise StoreError(f"{url}: {entry.filename} is packed by method {entry.compress_type}: repack it")
    if len(data) != entry.file_size or zlib.crc32(data) != entry.CRC:
        raise StoreError(f"{url}: {entry.filename} is damaged: copy the file again")
    return data
