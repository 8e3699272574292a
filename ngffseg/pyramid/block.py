"""One block: the tiles of all levels of a pass under one write unit, filled depth first.

Law of this file: a tile (chunk) of a level is held in one buffer per level and thread; it is
written and reduced into the tile above before the next one is read.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ngffseg.grid import Box, Index, Labels
from ngffseg.pyramid.compilation import as_input
from ngffseg.pyramid.kernels import is_background
from ngffseg.pyramid.morton import in_morton_order
from ngffseg.pyramid.occupancy import Objects, wanted_tiles
from ngffseg.pyramid.plan import Block, Level, PyramidPlan
from ngffseg.pyramid.reduction import downsample_into
from ngffseg.pyramid.source import LabelSource, checked
from ngffseg.pyramid.target import Target, UnitWriter


class Abort(Exception):  # noqa: N818
    """Another block has failed, so this one stops early; never leaves `build_pyramid`."""


class Buffers(threading.local):
    """Flat buffers of a thread, by what they are for; they are used again by its next block."""

    def __init__(self) -> None:
        self.known: dict[Any, Labels] = {}

    def get(self, key: Any, size: int, dtype: np.dtype[Any]) -> Labels:
        """A flat buffer of at least this size."""
        found = self.known.get(key)
        if found is None or found.size < size:
            found = self.known[key] = np.empty(size, dtype)
        return found


class BlockRun:
    """The work on one block."""

    def __init__(
        self,
        plan: PyramidPlan,
        block: Block,
        source: LabelSource,
        targets: Sequence[Target],
        objects: Objects | None,
        look: Callable[[Labels, Box], None] | None,
    ) -> None:
        self.plan, self.block, self.source, self.look = plan, block, source, look
        self.pass_ = plan.passes[block.stage]
        self.levels = [plan.levels[n] for n in self.pass_.targets]
        base = self.pass_.source or 0
        self.windows = [plan.window(base, n) for n in self.pass_.targets]
        self.wanted = self._wanted(objects)
        self.writers = [
            UnitWriter(targets[number], level, wanted)
            for number, level, wanted in zip(self.pass_.targets, self.levels, self.wanted, strict=True)
        ]
        self.tiles: list[Labels | None] = [None] * len(self.levels)
        self.boxes: list[Box] = [()] * len(self.levels)

    def _wanted(self, objects: Objects | None) -> Sequence[set[Index] | None]:
        """Tiles of each level that may hold labels; None where nobody knows."""
        if objects is None:
            return [None] * len(self.levels)
        unit, top = self.source.unit, self.levels[-1]
        low = [i * u // c for i, u, c in zip(self.block.index, top.unit, top.chunks, strict=True)]
        high = [a + u // c for a, u, c in zip(low, top.unit, top.chunks, strict=True)]
        found = []
        for level, window in zip(self.levels, self.windows, strict=True):
            tiles = wanted_tiles(objects, unit, window, level.chunks, tile_grid(level))
            # An object of the source may reach into the next block.
            down = [w * c for w, c in zip(window, level.chunks, strict=True)]
            spans = [w * c for w, c in zip(self.windows[-1], top.chunks, strict=True)]
            found.append(
                {
                    t
                    for t in tiles
                    if all(
                        a * s <= i * d < b * s
                        for i, d, a, b, s in zip(t, down, low, high, spans, strict=True)
                    )
                }
            )
        return found

    def run(self, stop: threading.Event, buffers: Buffers) -> None:
        """Fill all tiles of the block; all its objects are written then."""
        self.stop, self.buffers = stop, buffers
        top = self.levels[-1]
        ranges = [
            range(i * u // c, min((i + 1) * u // c, -(-n // c)))
            for i, u, c, n in zip(self.block.index, top.unit, top.chunks, top.shape, strict=True)
        ]
        wanted = self.wanted[-1]
        for index in in_morton_order(itertools.product(*ranges) if wanted is None else wanted):
            self._fill(len(self.levels) - 1, index)
        for writer in self.writers:
            writer.settle()

    def _fill(self, depth: int, index: Index) -> None:
        """Fill one tile, write it and reduce it into what lies above."""
        if self.stop.is_set():
            raise Abort
        box = tile_box(self.levels[depth], index)
        encoded = None
        if depth == 0 and self.pass_.source is None:
            labels = self._read(box)
            encoded = self.source.encoded_for(self.writers[0].target)
        else:
            self.tiles[depth], self.boxes[depth] = None, box
            if depth:
                for child in self._children(depth, box):
                    self._fill(depth - 1, child)
            else:
                self._reduce_source(box)
            labels = self.tiles[depth]
        if labels is not None and is_background(as_input(labels.reshape(-1))):
            labels = None
        self.writers[depth].put(index, labels, encoded)
        if labels is not None:
            self._feed(depth, labels, box)

    def _children(self, depth: int, box: Box) -> Iterator[Index]:
        """Tiles of the level below that lie under a box."""
        below, factors = self.levels[depth - 1], self.levels[depth].factors
        ranges = [
            range(b.start * f // c, -(-min(b.stop * f, n) // c))
            for b, f, c, n in zip(box, factors, below.chunks, below.shape, strict=True)
        ]
        wanted = self.wanted[depth - 1]
        children = itertools.product(*ranges)
        return children if wanted is None else (c for c in children if c in wanted)

    def _reduce_source(self, box: Box) -> None:
        """Reduce what lies under a tile of the lowest level in the source of the pass."""
        below = self.plan.levels[self.pass_.source or 0]
        whole = self.windows[0] if self.plan.reduction.cascade else self.windows[-1]
        for piece in pieces(below, box, self.windows[0], whole):
            labels = self._read(piece)
            if labels is not None:
                self._feed(-1, labels, piece)

    def _read(self, box: Box) -> Labels | None:
        labels = read_tile(self.source, box, self.buffers, self.plan.dtype)
        if labels is not None and self.look is not None:
            self.look(labels, box)
        return labels

    def _feed(self, depth: int, labels: Labels, box: Box) -> None:
        """Reduce a tile into the tiles above it that are made from it."""
        if self.plan.reduction.cascade:
            fed = range(depth + 1, min(depth + 2, len(self.levels)))
        else:
            is_source = depth == (0 if self.pass_.source is None else -1)
            fed = range(depth + 1, len(self.levels) if is_source else depth + 1)
        for above in fed:
            around, level = self.boxes[above], self.levels[above]
            out = self.tiles[above]
            if out is None:
                size = [b.stop - b.start for b in around]
                flat = self.buffers.get((self.block.stage, above), math.prod(level.chunks), self.plan.dtype)
                out = self.tiles[above] = flat[: math.prod(size)].reshape(size)
                out.fill(0)
            here = self.pass_.targets[depth] if depth >= 0 else (self.pass_.source or 0)
            factors = self.plan.window(here, self.pass_.targets[above])
            start = [b.start for b in around]
            at = [b.start // f - s for b, f, s in zip(box, factors, start, strict=True)]
            downsample_into(out, labels, factors, self.plan.reduction, at=at, start=start)


def read_tile(source: LabelSource, box: Box, buffers: Buffers, dtype: np.dtype[Any]) -> Labels | None:
    """Labels of a box of a source, perhaps in the buffer of this thread; None: background."""
    return checked(source.read(box, buffers.get("source", math.prod(source.chunks), dtype)), box)


def tile_grid(level: Level) -> Index:
    """Number of tiles per axis of a level."""
    return tuple(-(-n // c) for n, c in zip(level.shape, level.chunks, strict=True))


def tile_box(level: Level, index: Sequence[int]) -> Box:
    """Voxels of one tile of a level."""
    return tuple(
        slice(i * c, min((i + 1) * c, n)) for i, c, n in zip(index, level.chunks, level.shape, strict=True)
    )


def pieces(below: Level, box: Box, factors: Sequence[int], whole: Sequence[int]) -> Iterator[Box]:
    """Boxes of a finer level that together lie under a box, each of whole windows.

    They are the chunks of the finer level where these hold whole windows (``whole``), else a few
    chunks less what is left over: then chunks at the rim of a piece are read again.
    """
    starts = [b.start * f for b, f in zip(box, factors, strict=True)]
    stops = [min(b.stop * f, n) for b, f, n in zip(box, factors, below.shape, strict=True)]
    steps = [
        c if c % w == 0 else max(4 * c // w, 1) * w if c < n else -(-n // w) * w
        for n, c, w in zip(below.shape, below.chunks, whole, strict=True)
    ]
    # Pieces follow the grid of the chunks, not the box: both begin at whole windows.
    ranges = [range(a // s, -(-b // s)) for a, b, s in zip(starts, stops, steps, strict=True)]
    for index in itertools.product(*ranges):
        yield tuple(
            slice(max(a, i * s), min(b, (i + 1) * s))
            for i, a, b, s in zip(index, starts, stops, steps, strict=True)
        )
