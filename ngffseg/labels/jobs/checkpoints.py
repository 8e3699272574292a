"""`CheckpointLog`: which blocks of a pyramid are done, in this run or in one that died."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ngffseg.errors import StoreError
from ngffseg.labels.jobs.checkpoint_files import AT_ONCE, Checkpoint, CheckpointFolder
from ngffseg.pyramid import Block, BlockStatistics, LabelStatistics, PyramidPlan

# Seconds between two checkpoints, and how many times longer than a checkpoint took: no work waits for checkpoints.
PAUSE, RATIO = 1.0, 10


class CheckpointLog:
    """The checkpoints of one pyramid.

    Blocks of this process are written down a few at a time, about once a second: a short job leaves no checkpoint at
    all. Workers elsewhere write one after each block.
    """

    def __init__(self, checkpoints: CheckpointFolder, plan: PyramidPlan) -> None:
        self.checkpoints = checkpoints
        self.done = [np.zeros(plan.grid(stage), bool) for stage in range(len(plan.passes))]
        self.written = False
        self._waiting: list[tuple[Block, BlockStatistics | None]] = []
        self._elsewhere: list[Block] = []
        self._next = time.monotonic() + PAUSE

    @property
    def keep(self) -> Callable[[Block, BlockStatistics | None], None]:
        """Writes the checkpoint of one block, from the process that has done it."""
        return self.checkpoints.keep

    def load(self, statistics: LabelStatistics | None) -> None:
        """Learn what was done before; take into the statistics what was counted."""
        for checkpoint in self.checkpoints.read():
            self._take(checkpoint, statistics)

    def _take(self, checkpoint: Checkpoint, statistics: LabelStatistics | None) -> None:
        if any(not self._is_block(block) or self.is_done(block) for block in checkpoint.blocks):
            return  # of two runs that were at it at once
        rows = self.checkpoints.rows(checkpoint)
        if rows is None or (statistics is not None and not all(map(statistics.takes, rows))):
            return
        self.written = True
        for block in checkpoint.blocks:
            self.done[block.stage][block.index] = True
        for part in rows if statistics is not None else ():
            statistics.add(part)  # type: ignore[union-attr]

    def _is_block(self, block: Block) -> bool:
        if not 0 <= block.stage < len(self.done):
            return False
        grid = self.done[block.stage].shape
        return len(block.index) == len(grid) and all(
            0 <= i < n for i, n in zip(block.index, grid, strict=True)
        )

    def is_done(self, block: Block) -> bool:
        """Return True if a block was done before."""
        return bool(self.done[block.stage][block.index])

    def blocks(self, stage: int) -> npt.NDArray[np.intp]:
        """Indices of the blocks of a pass that are done, shape (n, ndim)."""
        return np.argwhere(self.done[stage])

    def kept(self, block: Block) -> None:
        """Take note of a block that another process has marked."""
        self.written = True
        self._elsewhere.append(block)

    def note(self, block: Block, counted: BlockStatistics | None) -> None:
        """Take note of a block that this process has done; it is marked when the time has come."""
        self._waiting.append((block, counted))
        if time.monotonic() >= self._next:
            self.save()

    def save(self) -> None:
        """Write a checkpoint of all blocks that this process has done."""
        if not self._waiting:
            return
        start = time.monotonic()
        counted = [count for _, count in self._waiting if count is not None]
        self.checkpoints.write([block for block, _ in self._waiting], counted)
        self._waiting, self.written = [], True
        now = time.monotonic()
        self._next = now + max(PAUSE, RATIO * (now - start))

    def gather(self, statistics: LabelStatistics) -> None:
        """Hand the statistics what was counted elsewhere in this run."""
        blocks, self._elsewhere = self._elsewhere, []
        for start in range(0, len(blocks), AT_ONCE):
            keys = [self.checkpoints.key_of(block) for block in blocks[start : start + AT_ONCE]]
            found = list(self.checkpoints.read(keys))
            if len(found) != len(keys):
                raise StoreError(
                    f"{self.checkpoints.where}: checkpoints of blocks that were done are gone: run again"
                )
            for checkpoint in found:
                for rows in self.checkpoints.rows(checkpoint) or ():
                    statistics.add(rows)
