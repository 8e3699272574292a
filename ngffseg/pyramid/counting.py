"""One block of a pass that writes nothing: the tiles of level 0 in one of its write units are counted."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable

from ngffseg.grid import Box, Index, Labels
from ngffseg.pyramid.block import Abort, Buffers, read_tile, tile_box, tile_grid
from ngffseg.pyramid.morton import in_morton_order
from ngffseg.pyramid.occupancy import Objects, wanted_tiles
from ngffseg.pyramid.plan import Block, PyramidPlan
from ngffseg.pyramid.source import LabelSource


class CountRun:
    """The work on one block; see `BlockRun`."""

    def __init__(
        self,
        plan: PyramidPlan,
        block: Block,
        source: LabelSource,
        objects: Objects | None,
        look: Callable[[Labels, Box], None] | None,
    ) -> None:
        self.plan, self.block, self.source, self.look = plan, block, source, look
        self.level = plan.levels[plan.passes[block.stage].top]
        self.objects = objects

    def run(self, stop: threading.Event, buffers: Buffers) -> None:
        """Read all tiles of the block that may hold labels."""
        for index in in_morton_order(self._tiles()):
            if stop.is_set():
                raise Abort
            box = tile_box(self.level, index)
            labels = read_tile(self.source, box, buffers, self.plan.dtype)
            if labels is not None and self.look is not None:
                self.look(labels, box)

    def _tiles(self) -> Iterable[Index]:
        level, grid = self.level, tile_grid(self.level)
        ranges = [
            range(i * u // c, min((i + 1) * u // c, n))
            for i, u, c, n in zip(self.block.index, level.unit, level.chunks, grid, strict=True)
        ]
        tiles = itertools.product(*ranges)
        if self.objects is None:
            return tiles
        whole = (1,) * len(grid)
        wanted = wanted_tiles(self.objects, self.source.unit, whole, level.chunks, grid)
        return (tile for tile in tiles if tile in wanted)
