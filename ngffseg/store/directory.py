"""What a zip file holds, and where: its central directory, read by ranges."""

from __future__ import annotations

import io
import zipfile
from bisect import bisect_right
from dataclasses import dataclass

from zarr.abc.store import RangeByteRequest

from ngffseg.errors import StoreError
from ngffseg.store.containment import is_inside
from ngffseg.store.remote import RemoteStore

# Local header: signature and sizes, then name and extra field. APPNOTE.TXT, 4.3.7.
HEADER_BYTES = 30
# Most central directories lie in the last bytes of the file: one request reads them.
TAIL_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class File:
    """A file that is read by ranges, here or on a server.

    Parameters
    ----------
    folder
        The store in whose root it lies.
    name
        Its name.
    """

    folder: RemoteStore
    name: str

    @property
    def url(self) -> str:
        """Address of the file."""
        return f"{self.folder.url}/{self.name}"

    async def read(self, start: int, stop: int) -> bytes:
        """Bytes between two positions.

        Raises
        ------
        StoreError
            If the file is shorter.
        """
        if start >= stop:
            return b""
        data = await self.folder.fetch(self.name, RangeByteRequest(start, stop))
        if data is None or len(data) != stop - start:
            raise StoreError(f"{self.url} ends too early: copy it again")
        return data

    async def directory(self) -> Directory:
        """What it holds.

        Raises
        ------
        StoreError
            If it is no zip file.
        """
        size = await self.folder.getsize(self.name)
        tail_start = max(0, size - TAIL_BYTES)
        while True:
            tail = await self.read(tail_start, size)
            try:
                with zipfile.ZipFile(_Tail(tail, tail_start)) as archive:
                    found = Directory(archive)
            except _BeforeTailError as before:
                # A directory of thousands of entries: all of it in one more request.
                tail_start = before.position
            except (zipfile.BadZipFile, ValueError, OSError) as error:
                raise StoreError(f"{self.url} is no zip file ({error}): copy it again") from error
            else:
                break
        odd = next((name for name in found.entries if not is_inside(name)), None)
        if odd is not None:
            raise StoreError(f"{self.url} holds {odd!a}, which is no path within a store: pack it anew")
        return found


class Directory:
    """What an archive holds, and where."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.entries = {info.filename: info for info in archive.infolist() if not info.is_dir()}
        self._starts = sorted({info.header_offset for info in archive.infolist()} | {archive.start_dir})
        self._begins: dict[str, int] = {}

    def end(self, entry: zipfile.ZipInfo) -> int:
        """Where the entry ends at the latest: at the next one."""
        return self._starts[bisect_right(self._starts, entry.header_offset)]

    async def begin(self, file: File, entry: zipfile.ZipInfo) -> int:
        """Where the bytes of an entry begin; its local header tells, and is read once."""
        if entry.filename not in self._begins:
            start = entry.header_offset
            header = await file.read(start, start + HEADER_BYTES)
            self._begins[entry.filename] = start + header_size(file.url, header)
        return self._begins[entry.filename]


class _BeforeTailError(Exception):
    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class _Tail(io.RawIOBase):
    """The end of a file as if it were the whole; reading before it tells where."""

    def __init__(self, data: bytes, start: int) -> None:
        self.data, self.start, self.position = data, start, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.position}.get(whence, self.start + len(self.data))
        if base + offset < 0:
            raise OSError("it is too short")
        self.position = base + offset
        return self.position

    def read(self, size: int | None = -1, /) -> bytes:
        if self.position < self.start:
            raise _BeforeTailError(self.position)
        first = self.position - self.start
        found = self.data[first:] if size is None or size < 0 else self.data[first : first + size]
        self.position += len(found)
        return found


def header_size(url: str, header: bytes) -> int:
    """Number of bytes of a local header.

    Raises
    ------
    StoreError
        If it is none.
    """
    if header[:4] != b"PK\x03\x04":
        raise StoreError(f"{url}: an entry is not where the directory says: copy the file again")
    return HEADER_BYTES + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
