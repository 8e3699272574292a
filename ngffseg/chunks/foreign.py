"""`ForeignReader`: boxes of arrays whose form only zarr itself knows, with the checks that zarr leaves out.

Zarr takes an object of 0 bytes for one that is missing, and says of damage neither where it is nor what to
do.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import zarr
from zarr import AsyncArray
from zarr.abc.buffer import Buffer, BufferPrototype
from zarr.abc.store import ByteRequest, RangeByteRequest, Store
from zarr.storage import LocalStore, StorePath, WrapperStore

from ngffseg.chunks.box import Verify
from ngffseg.chunks.codec import DAMAGED, damaged
from ngffseg.errors import ChunkError, NgffsegError
from ngffseg.grid import Box, Labels, touched_chunks

# What zarr and its codecs raise on damaged bytes.
ODD = (*DAMAGED, TypeError, KeyError, IndexError, AttributeError, AssertionError, OverflowError)


class _Looked(WrapperStore[Store]):
    """A store that refuses objects of 0 bytes, and notes whether any were missing."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.missing = False

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Bytes of an object, or of a part of it."""
        if isinstance(self._store, LocalStore) and isinstance(byte_range, RangeByteRequest):
            # A damaged index may ask for more than any memory holds; servers send what there is.
            file = self._store.root / key
            size = file.stat().st_size if file.is_file() else 0
            byte_range = RangeByteRequest(min(byte_range.start, size), min(byte_range.end, size))
        found = await self._store.get(key, prototype, byte_range)
        if found is None:
            self.missing = True
        elif len(found) == 0:
            raise ValueError("0 bytes")
        return found


class ForeignReader:
    """Reads boxes of an array through zarr; see `BoxReader`."""

    def __init__(self, array: zarr.Array[Any], name: str) -> None:
        self.array, self.name = array, name

    def read(self, box: Box, verify: Verify | None = None) -> Labels:
        """Values of a box; see `BoxReader.read`.

        Raises
        ------
        ChunkError
            If a chunk cannot be decoded.
        """
        looked = _Looked(self.array.store)
        inner = self.array.async_array
        array = zarr.Array(
            AsyncArray(inner.metadata, StorePath(looked, self.array.path), config=inner.config)
        )
        try:
            found = self._read(array, box)
        except ChunkError:
            if verify is not None:
                verify()
            raise
        if looked.missing and verify is not None:
            verify()
        return found

    def _read(self, array: zarr.Array[Any], box: Box) -> Labels:
        try:
            return np.asarray(array[box])
        except NgffsegError:
            raise
        except ODD as error:
            _raise_of_disk(error)
        return self._by_chunks(array, box)

    def _by_chunks(self, array: zarr.Array[Any], box: Box) -> Labels:
        """The box, one chunk after another, so that the one that is damaged is known."""
        out = np.empty([b.stop - b.start for b in box], array.dtype)
        ranges = touched_chunks(box, array.chunks)
        for index in itertools.product(*ranges):
            part = tuple(
                slice(max(b.start, i * c), min(b.stop, (i + 1) * c))
                for b, i, c in zip(box, index, array.chunks, strict=True)
            )
            there = tuple(slice(p.start - b.start, p.stop - b.start) for p, b in zip(part, box, strict=True))
            try:
                out[there] = array[part]
            except ODD as error:
                _raise_of_disk(error)
                raise damaged(self.name, index, error) from error
        return out


def _raise_of_disk(error: Exception) -> None:
    """Raise an error again if the disk or the network failed, not the bytes."""
    if isinstance(error, NgffsegError) or (isinstance(error, OSError) and error.errno is not None):
        raise error
