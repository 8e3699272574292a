"""`Ledger`: which blocks of a pyramid are done, in this run or in one that died."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ngffseg.errors import StoreError
from ngffseg.labels.jobs.checkpoint_files import AT_ONCE, Mark, MarkFolder
from ngffseg.pyramid import Block, BlockCensus, Census, PyramidPlan

# Seconds between two marks, and how many times longer than a mark took: no work waits for marks.
PAUSE, RATIO = 1.0, 10


class Ledger:
    """The marks of one pyramid.

    Blocks of this process are marked a few at a time, about once a second: a short job leaves no mark at
    all. Workers elsewhere mark each block themselves.
    """

    def __init__(self, marks: MarkFolder, plan: PyramidPlan) -> None:
        self.marks = marks
        self.done = [np.zeros(plan.grid(stage), bool) for stage in range(len(plan.passes))]
        self.written = False
        self._waiting: list[tuple[Block, BlockCensus | None]] = []
        self._elsewhere: list[Block] = []
        self._next = time.monotonic() + PAUSE

    @property
    def keep(self) -> Callable[[Block, BlockCensus | None], None]:
        """Marks one block, from the process that has done it."""
        return self.marks.keep

    def load(self, census: Census | None) -> None:
        """Learn what was done before; the census learns what was counted."""
        for mark in self.marks.read():
            self._take(mark, census)

    def _take(self, mark: Mark, census: Census | None) -> None:
        if any(not self._is_block(block) or self.is_done(block) for block in mark.blocks):
            return  # of two runs that were at it at once
        rows = self.marks.rows(mark)
        if rows is None or (census is not None and not all(map(census.takes, rows))):
            return
        self.written = True
        for block in mark.blocks:
            self.done[block.stage][block.index] = True
        for part in rows if census is not None else ():
            census.add(part)  # type: ignore[union-attr]

    def _is_block(self, block: Block) -> bool:
        if not 0 <= block.stage < len(self.done):
            return False
        grid = self.done[block.stage].shape
        return len(block.index) == len(grid) and all(
            0 <= i < n for i, n in zip(block.index, grid, strict=True)
        )

    def is_done(self, block: Block) -> bool:
        """Whether a block was done before."""
        return bool(self.done[block.stage][block.index])

    def blocks(self, stage: int) -> npt.NDArray[np.intp]:
        """Indices of the blocks of a pass that are done, shape (n, ndim)."""
        return np.argwhere(self.done[stage])

    def kept(self, block: Block) -> None:
        """Take note of a block that another process has marked."""
        self.written = True
        self._elsewhere.append(block)

    def note(self, block: Block, counted: BlockCensus | None) -> None:
        """Take note of a block that this process has done; it is marked when the time has come."""
        self._waiting.append((block, counted))
        if time.monotonic() >= self._next:
            self.save()

    def save(self) -> None:
        """Mark all blocks that this process has done."""
        if not self._waiting:
            return
        start = time.monotonic()
        counted = [count for _, count in self._waiting if count is not None]
        self.marks.write([block for block, _ in self._waiting], counted)
        self._waiting, self.written = [], True
        now = time.monotonic()
        self._next = now + max(PAUSE, RATIO * (now - start))

    def gather(self, census: Census) -> None:
        """Hand the census what was counted elsewhere in this run."""
        blocks, self._elsewhere = self._elsewhere, []
        for start in range(0, len(blocks), AT_ONCE):
            keys = [self.marks.key_of(block) for block in blocks[start : start + AT_ONCE]]
            found = list(self.marks.read(keys))
            if len(found) != len(keys):
                raise StoreError(f"{self.marks.where}: marks of blocks that were done are gone: run again")
            for mark in found:
                for rows in self.marks.rows(mark) or ():
                    census.add(rows)
