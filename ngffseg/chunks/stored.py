"""`StoredLabels`: an array of labels as it is stored, read and written chunk by chunk.

Law of this file: a chunk is decoded straight into the buffer of the caller, an object is fetched
once while its chunks are read one after another, and a missing chunk costs no decoding.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from ngffseg.chunks.codec import DAMAGED, damaged
from ngffseg.chunks.listing import listed_objects
from ngffseg.chunks.objects import Objects
from ngffseg.chunks.paste import paste
from ngffseg.chunks.shard import BEYOND, Place
from ngffseg.chunks.storage_layout import StorageLayout
from ngffseg.errors import ChunkError
from ngffseg.grid import Box, Index, Labels, chunk_grid, touched_chunks


class StoredLabels:
    """Chunks of a stored array of labels; made by `stored_labels`.

    Attributes
    ----------
    shape, chunks
        As in the array.
    dtype
        That of the array, in the byte order of this machine: a chunk is turned when it is decoded or encoded.
    unit
        Voxels per object: the shard, else the chunk.
    """

    def __init__(self, name: str, array: zarr.Array[Any], objects: Objects, layout: StorageLayout) -> None:
        self.name = name
        self.shape, self.dtype, self.chunks = array.shape, array.dtype.newbyteorder("="), array.chunks
        self.unit: tuple[int, ...] = array.shards or array.chunks
        self.objects, self.codec, self.shard, self.keys = objects, layout.codec, layout.shard, layout.keys
        self.local = threading.local()

    def read(self, box: Box, out: Labels) -> Labels | None:
        """Labels of a box, C-contiguous; None where all of it is background.

        ``out`` is a flat buffer of at least a chunk that the labels may lie in afterwards, so they
        last until it is used again.

        Raises
        ------
        ChunkError
            If a chunk cannot be decoded.
        """
        size = [b.stop - b.start for b in box]
        if all(
            b.start % c == 0 and n == min(c, s - b.start)
            for b, c, n, s in zip(box, self.chunks, size, self.shape, strict=True)
        ):
            chunk = self._decode(tuple(b.start // c for b, c in zip(box, self.chunks, strict=True)), out)
            if chunk is None or chunk.shape == tuple(size):
                return chunk
            return np.ascontiguousarray(chunk[tuple(slice(n) for n in size)])
        return self._gather(box, size)

    def _gather(self, box: Box, size: list[int]) -> Labels | None:
        """Labels of a box that is no single chunk."""
        labels: Labels | None = None
        scratch = np.empty(int(np.prod(self.chunks)), self.dtype)
        ranges = touched_chunks(box, self.chunks)
        for index in itertools.product(*ranges):
            chunk = self._decode(index, scratch)
            if chunk is None:
                continue
            if labels is None:
                labels = np.zeros(size, self.dtype)
            paste(labels, box, chunk, index)
        return labels

    def _decode(self, index: Index, buffer: Labels) -> Labels | None:
        """A whole chunk, its part beyond the edge of the array included."""
        self.local.encoded = None
        data = self._bytes(index)
        if data is None:
            return None
        chunk = self.decode(index, data, buffer)
        self.local.encoded = data
        return chunk

    def decode(self, index: Index, data: Any, buffer: Labels) -> Labels:
        """A whole chunk from its encoded bytes, in a flat buffer.

        Raises
        ------
        ChunkError
            If it cannot be decoded.
        """
        chunk = buffer[: math.prod(self.chunks)].reshape(self.chunks)
        try:
            self.codec.decode(data, chunk)
        except DAMAGED as error:
            raise self.damaged(index, error) from error
        return chunk

    def damaged(self, index: Index, reason: object) -> ChunkError:
        """The error of a chunk that cannot be decoded."""
        return damaged(self.name, index, reason)

    def encoded_for(self, target: object) -> Any:
        """Bytes of the chunk that this thread has read last, where the target would store the same.

        None where the target has other chunks or another codec.
        """
        if not isinstance(target, StoredLabels) or (target.codec, target.chunks) != (self.codec, self.chunks):
            return None
        return self.local.encoded if target.dtype == self.dtype else None

    def _bytes(self, index: Index) -> Any:
        """Encoded bytes of a chunk, None if it is missing."""
        if self.shard is None:
            return self.objects.get(self.keys.key(index))
        unit = self.shard.unit_of(index)
        if getattr(self.local, "unit", None) != unit:
            data = self.objects.get(self.keys.key(unit))
            self.local.table = None if data is None else self.table(index, data)
            self.local.data = None if data is None else memoryview(data)
            self.local.unit = unit
        return self.part(index, self.local.table, self.local.data)

    def table(self, index: Index, data: Any) -> npt.NDArray[np.uint64]:
        """The index of the shard that holds a chunk, from the bytes of the shard or of its index.

        Raises
        ------
        ChunkError
            If it is damaged.
        """
        assert self.shard is not None
        try:
            return self.shard.split(data)
        except DAMAGED as error:
            raise self.damaged(index, error) from error

    def part(self, index: Index, table: npt.NDArray[np.uint64] | None, data: Any) -> Any:
        """Encoded bytes of a chunk within those of its shard; None if it is missing.

        Raises
        ------
        ChunkError
            If it lies beyond the chunks of the shard.
        """
        if table is None or self.shard is None:
            return None
        end = len(data) - (0 if self.shard.index_first else self.shard.index_bytes)
        for _, start, stop in self.places(table, [index]):
            if stop > end:
                raise self.damaged(index, BEYOND)
            return data[start:stop]
        return None

    def places(self, table: npt.NDArray[np.uint64], indices: Iterable[Index]) -> list[Place]:
        """Where chunks lie in their shard, by its index; without those that are missing.

        Raises
        ------
        ChunkError
            If one can lie nowhere.
        """
        assert self.shard is not None
        found = []
        for index in indices:
            try:
                place = self.shard.place(table, index)
            except DAMAGED as error:
                raise self.damaged(index, error) from error
            if place is not None:
                found.append((index, *place))
        return found

    def encode(self, labels: Labels) -> bytes:
        """Bytes of one chunk; labels that the edge of the array cuts are padded with background."""
        if labels.shape != self.chunks:
            whole = np.zeros(self.chunks, self.dtype)
            whole[tuple(slice(n) for n in labels.shape)] = labels
            labels = whole
        return self.codec.encode(labels)

    def put(self, unit: Index, parts: Mapping[Index, bytes]) -> Future[Any] | None:
        """Write one object from its encoded chunks, by position in it; see `Objects.put`."""
        return self.objects.put(self.keys.key(unit), self.join(parts))

    def join(self, parts: Mapping[Index, bytes]) -> bytes:
        """Bytes of one object from its encoded chunks."""
        return self.shard.join(parts) if self.shard is not None else next(iter(parts.values()))

    def flush(self) -> None:
        """Wait until all objects that were put are written; raises what became of them."""
        self.objects.flush()

    def occupied(self) -> npt.NDArray[np.int64] | None:
        """Indices of the objects that are there, shape (n, ndim); None where nobody can tell."""
        grid = chunk_grid(self.shape, self.unit)
        return listed_objects(self.objects, self.keys, grid)

    def __getstate__(self) -> dict[str, Any]:
        """All but what a thread keeps for itself."""
        return {k: v for k, v in self.__dict__.items() if k != "local"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, local=threading.local())
