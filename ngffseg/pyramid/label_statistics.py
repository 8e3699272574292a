"""`LabelStatistics`: which labels a volume holds, gathered while its pyramid is built.

For each label: number of voxels, box, sums of indices (for the centroid), and the chunks of level
0 that hold it. Everything is an exact integer. A block counts for itself; the counts of blocks are
merged afterwards, so that neither their order nor their number matters.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from ngffseg.grid import Box, Labels, Numbers, chunk_grid, touched_chunks
from ngffseg.pyramid.compilation import as_input
from ngffseg.pyramid.counts import (
    CHUNK,
    LABEL,
    PLACES,
    VOXELS,
    Counts,
    are_rows,
    chunk_digests,
    merged,
    row_width,
)
from ngffseg.pyramid.parts import Parts, SortedRows, full
from ngffseg.pyramid.plan import PyramidPlan
from ngffseg.pyramid.runs import COLUMNS, COUNT, HIGH, LOW, SUM, count_labels

FIRST_ROOM = 1024


class Room(threading.local):
    """Tables of a thread for the labels of one tile; they grow when a tile has more."""

    def __init__(self) -> None:
        self.size, self.row, self.dtype = 0, 0, np.dtype(np.uint8)

    def fit(self, size: int, row: int, dtype: np.dtype[Any]) -> None:
        """Make room for this many labels and rows of this length."""
        if size > self.size or dtype != self.dtype:
            self.size, self.dtype = size, dtype
            self.values = np.empty(size, dtype)
            self.stats = np.empty((size, COLUMNS), np.uint64)
            self.slots = np.zeros(8 * size, np.uint32)  # few collisions
        if row > self.row:
            self.row = row
            self.ends, self.entries = np.empty(row, np.uint64), np.empty(row, np.uint64)


class BlockStatistics:
    """The labels of one block; called with each chunk of level 0 that the block reads."""

    def __init__(self, plan: PyramidPlan, room: Room, parts: Parts) -> None:
        self.level, self.room = plan.levels[0], room
        self.ndim = len(self.level.shape)
        self.grid = chunk_grid(self.level.shape, self.level.chunks)
        self.parts = parts
        self.rows: list[Numbers] = []
        self.files: list[SortedRows] = []

    def __call__(self, labels: Labels, box: Box) -> None:
        """Count the labels of a box, chunk by chunk."""
        chunks = self.level.chunks
        ranges = touched_chunks(box, chunks)
        for index in itertools.product(*ranges):
            low = [max(i * c, b.start) for i, c, b in zip(index, chunks, box, strict=True)]
            high = [min((i + 1) * c, b.stop) for i, c, b in zip(index, chunks, box, strict=True)]
            inside = tuple(slice(a - b.start, z - b.start) for a, z, b in zip(low, high, box, strict=True))
            self._chunk(labels[inside], low, int(np.ravel_multi_index(index, self.grid)))

    def pieces(self) -> Iterator[Numbers]:
        """All rows, a part at a time, shape (n, `row_width`) each."""
        if self.rows:
            yield np.concatenate(self.rows)
        for part in self.files:
            yield part.all()

    def close(self) -> None:
        """Remove the files."""
        for part in self.files:
            if part.file is not None:
                part.file.unlink(missing_ok=True)

    def _chunk(self, labels: Labels, origin: list[int], chunk: int) -> None:
        """Count the labels of one chunk, or of the part of it that has been read."""
        space = min(3, self.ndim)
        lead = self.ndim - space
        for index in np.ndindex(*labels.shape[:lead]):
            volume = labels[index] if lead else labels
            self._volume(volume[np.newaxis] if space == 2 else volume, [*index], origin, chunk)

    def _volume(self, volume: Labels, index: list[int], origin: list[int], chunk: int) -> None:
        values, stats = _counted(volume, self.room)
        if not len(values):
            return
        first = 3 - min(3, self.ndim)  # an image of two axes has a first axis of one plane
        lead, ndim = len(index), self.ndim
        rows = np.empty((len(values), row_width(ndim)), np.uint64)
        rows[:, LABEL], rows[:, CHUNK], rows[:, VOXELS] = values, chunk, stats[:, COUNT]
        for axis, start in enumerate(origin):
            low, high, sums = (rows[:, PLACES + n * ndim + axis] for n in range(3))
            if axis < lead:
                low[:] = high[:] = index[axis] + start
                sums[:] = stats[:, COUNT] * np.uint64(index[axis] + start)
                continue
            at = first + axis - lead
            low[:] = stats[:, LOW + at] + np.uint64(start)
            high[:] = stats[:, HIGH + at] + np.uint64(start)
            sums[:] = stats[:, SUM + at] + stats[:, COUNT] * np.uint64(start)
        self.rows.append(rows)
        if full(self.rows):
            self.files.append(self.parts.spilled(self.rows))
            self.rows = []


def _counted(volume: Labels, room: Room) -> tuple[Labels, Numbers]:
    """Distinct labels of a volume but 0, and their statistics in its own indices."""
    volume = as_input(np.ascontiguousarray(volume))
    size = max(room.size, FIRST_ROOM)
    while True:
        room.fit(size, volume.shape[2], volume.dtype)
        room.slots[:] = 0
        used = count_labels(volume, room.values, room.stats, room.slots, room.ends, room.entries)
        if used >= 0:
            foreground = room.values[:used] != 0
            return room.values[:used][foreground], room.stats[:used][foreground]
        # The table of slots must be a power of two: its mask would leave out some of them otherwise.
        size = min(4 * room.size, 1 << (volume.size - 1).bit_length())


class LabelStatistics:
    """The labels of a whole volume, from those of its blocks."""

    def __init__(self, plan: PyramidPlan) -> None:
        self.plan, self.room = plan, Room()
        self.ndim = len(plan.levels[0].shape)
        self.parts, self.chunks = Parts(row_width(self.ndim)), Parts(2)

    def begin(self) -> BlockStatistics:
        """The statistics of one block."""
        return BlockStatistics(self.plan, self.room, self.parts)

    def end(self, block: BlockStatistics) -> None:
        """Keep what was counted in a block that is complete."""
        self.parts.add(block.rows, block.files)

    def rows_of(self, block: BlockStatistics) -> Numbers:
        """All rows of a block, shape (n, `row_width`)."""
        return np.concatenate([np.empty((0, self.parts.width), np.uint64), *block.pieces()])

    def takes(self, rows: Numbers) -> bool:
        """Return True if rows that were stored can be counted among those of this volume."""
        level = self.plan.levels[0]
        return are_rows(rows, level.shape, level.chunks)

    def add(self, rows: Numbers) -> None:
        """Take rows that were counted elsewhere."""
        self.parts.add([rows], [])

    def counts(self) -> Iterator[Counts]:
        """All labels of the volume in order, so many at a time that memory stays bounded."""
        self.chunks.close()
        self.chunks = Parts(2)
        for rows in self.parts.ranges():
            counts = merged(rows, self.ndim)
            assert counts.digests is not None
            self.add_digests(np.stack([counts.chunks, counts.digests], axis=1))
            yield counts

    def add_digests(self, pairs: Numbers) -> None:
        """Add digests of chunks to those that `digests` sums, shape (n, 2)."""
        self.chunks.add([chunk_digests(pairs)], [])

    def digests(self) -> Iterator[Numbers]:
        """Chunks that hold any label and the digest of each, shape (n, 2) a part at a time, in order.

        They are known when `counts` has come to its end.
        """
        for pairs in self.chunks.ranges():
            yield chunk_digests(pairs)

    def __enter__(self) -> LabelStatistics:
        return self

    def __exit__(self, *_: object) -> None:
        self.parts.close()
        self.chunks.close()
