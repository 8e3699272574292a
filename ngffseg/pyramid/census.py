"""`Census`: which labels a volume holds, gathered while its pyramid is built.

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
import numpy.typing as npt

from ngffseg.pyramid.counts import Counts, Numbers, Parts, merged
from ngffseg.pyramid.plan import PyramidPlan
from ngffseg.pyramid.runs import COLUMNS, COUNT, HIGH, LOW, SUM, count_labels

Labels = npt.NDArray[Any]
Box = tuple[slice, ...]
# Rows of a block are merged when there are more: labels recur from tile to tile.
MANY_ROWS = 2**17
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
            self.stats = np.empty((size, COLUMNS), np.int64)
            self.slots = np.zeros(4 * size, np.int32)
        if row > self.row:
            self.row = row
            self.ends, self.entries = np.empty(row, np.int64), np.empty(row, np.int64)


class BlockCensus:
    """The labels of one block; called with each chunk of level 0 that the block reads."""

    def __init__(self, plan: PyramidPlan, room: Room) -> None:
        self.level, self.room = plan.levels[0], room
        self.ndim = len(self.level.shape)
        self.grid = tuple(-(-n // c) for n, c in zip(self.level.shape, self.level.chunks, strict=True))
        self.parts: list[Counts] = []
        self.rows = 0

    def __call__(self, labels: Labels, box: Box) -> None:
        """Count the labels of a box, chunk by chunk."""
        chunks = self.level.chunks
        ranges = [range(b.start // c, -(-b.stop // c)) for b, c in zip(box, chunks, strict=True)]
        for index in itertools.product(*ranges):
            low = [max(i * c, b.start) for i, c, b in zip(index, chunks, box, strict=True)]
            high = [min((i + 1) * c, b.stop) for i, c, b in zip(index, chunks, box, strict=True)]
            inside = tuple(slice(a - b.start, z - b.start) for a, z, b in zip(low, high, box, strict=True))
            self._chunk(labels[inside], low, int(np.ravel_multi_index(index, self.grid)))

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
        numbers = stats.astype(np.uint64)
        voxels = numbers[:, COUNT]
        first = 3 - min(3, self.ndim)  # an image of two axes has a first axis of one plane
        low, high, sums = (numbers[:, at + first : at + 3] for at in (LOW, HIGH, SUM))
        if index:
            lead = np.broadcast_to(np.array(index, np.uint64), (len(values), len(index)))
            low, high = np.hstack([lead, low]), np.hstack([lead, high])
            sums = np.hstack([lead * voxels[:, None], sums])
        shift = np.array(origin, np.uint64)
        pairs = np.empty((len(values), 2), np.uint64)
        pairs[:, 0], pairs[:, 1] = values, chunk
        part = Counts(values, voxels, low + shift, high + shift, sums + shift * voxels[:, None], pairs)
        self.parts.append(part)
        self.rows += len(values)
        if self.rows > MANY_ROWS:
            self.parts = [self.counts()]
            self.rows = 0

    def counts(self) -> Counts:
        """What was counted so far."""
        return merged(self.parts, self.ndim)


def _counted(volume: Labels, room: Room) -> tuple[Numbers, npt.NDArray[np.int64]]:
    """Distinct labels of a volume but 0, and their statistics in its own indices."""
    volume = np.ascontiguousarray(volume)
    size = max(room.size, FIRST_ROOM)
    while True:
        room.fit(size, volume.shape[2], volume.dtype)
        room.slots[:] = 0
        used = count_labels(volume, room.values, room.stats, room.slots, room.ends, room.entries)
        if used >= 0:
            return room.values[:used].astype(np.uint64), room.stats[:used]
        size = min(4 * room.size, volume.size)


class Census:
    """The labels of a whole volume, from those of its blocks."""

    def __init__(self, plan: PyramidPlan) -> None:
        self.plan, self.room, self.lock = plan, Room(), threading.Lock()
        self.parts = Parts(len(plan.levels[0].shape))

    def begin(self) -> BlockCensus:
        """A census of one block."""
        return BlockCensus(self.plan, self.room)

    def end(self, block: BlockCensus) -> None:
        """Keep what was counted in a block that is complete."""
        counts = block.counts()
        with self.lock:
            self.parts.add(counts)

    def counts(self) -> Iterator[Counts]:
        """All labels of the volume in order, so many at a time that memory stays bounded."""
        return self.parts.merged()

    def __enter__(self) -> Census:
        return self

    def __exit__(self, *_: object) -> None:
        self.parts.close()
