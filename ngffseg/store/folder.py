"""`FolderStore`: a store of zarr in a folder of the local disk, which nothing leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, Self

from zarr.abc.buffer import Buffer, BufferPrototype
from zarr.abc.store import ByteRequest
from zarr.storage import LocalStore

from ngffseg.store.containment import Boundary, checked_path, is_inside


class FolderStore(LocalStore):
    """Files below a folder. What no path within a store can name is not there.

    Parameters
    ----------
    root
        The folder.
    read_only
        Whether it is only read.
    follow
        Whether links that leave it are followed; never by those who write.
    """

    def __init__(self, root: Path | str, *, read_only: bool = False, follow: bool = False) -> None:
        super().__init__(root, read_only=read_only)
        self.boundary = Boundary(self.root, follow=follow and read_only)

    def with_read_only(self, read_only: bool = False) -> Self:
        """The same store, to be written or not."""
        return type(self)(self.root, read_only=read_only, follow=self.boundary.follow)

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Bytes of a file, or of a part of it."""
        if not is_inside(key):
            return None
        self.boundary.check(key)
        return await super().get(key, prototype, byte_range)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Parts of files."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def exists(self, key: str) -> bool:
        """Return True if there is a file."""
        if not is_inside(key):
            return False
        self.boundary.check(key)
        return await super().exists(key)

    async def _set(self, key: str, value: Buffer, exclusive: bool = False) -> None:
        self.boundary.check(checked_path(key))
        await super()._set(key, value, exclusive)

    async def delete(self, key: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        self.boundary.check(checked_path(key))
        await super().delete(key)

    async def delete_dir(self, prefix: str) -> None:
        """Remove a folder with all that is in it."""
        self.boundary.check(checked_path(prefix.rstrip("/")))
        await super().delete_dir(prefix)

    async def list(self) -> AsyncIterator[str]:
        """Keys of all files."""
        for key in self.boundary.files(""):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Keys of all files below a folder."""
        for key in self.boundary.files(prefix.rstrip("/")):
            yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Names directly below a folder."""
        folder = prefix.rstrip("/")
        if folder:
            self.boundary.check(checked_path(folder))
        async for name in super().list_dir(folder):
            yield name

    async def getsize(self, key: str) -> int:
        """Number of bytes of a file."""
        self.boundary.check(checked_path(key))
        if not (self.root / key).is_file():
            raise FileNotFoundError(key)
        return await super().getsize(key)

    def get_sync(self, key: str, **more: Any) -> Buffer | None:
        """Bytes of a file, as pipelines of zarr ask for them that use no event loop."""
        if not is_inside(key):
            return None
        self.boundary.check(key)
        return super().get_sync(key, **more)

    def set_sync(self, key: str, value: Buffer) -> None:
        """Write a file."""
        self.boundary.check(checked_path(key))
        super().set_sync(key, value)

    def delete_sync(self, key: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        self.boundary.check(checked_path(key))
        super().delete_sync(key)
