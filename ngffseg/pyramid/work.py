"""`BlockWork`: what is done with each block of a plan, wherever that is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from ngffseg.pyramid.block import BlockRun, Buffers
from ngffseg.pyramid.counting import CountRun
from ngffseg.pyramid.handed import HandedLabels
from ngffseg.pyramid.label_statistics import BlockStatistics, LabelStatistics
from ngffseg.pyramid.occupancy import Objects
from ngffseg.pyramid.plan import Block, PyramidPlan
from ngffseg.pyramid.source import LabelSource
from ngffseg.pyramid.target import Target

# A block, and the objects of its source that are there where they are known.
BlockTask = tuple[Block, Objects | None]


class BlockWork:
    """Does any block of a pass; called with the block, in any thread.

    Parameters
    ----------
    plan
        The plan.
    source, targets
        What the pass reads, and all levels.
    statistics
        Where labels are counted; None where there is nothing new to count.
    keep
        Called with each block that is written, and with what was counted in it, before the call
        returns: it then returns None instead. Where the work travels it must be given.
    """

    def __init__(
        self,
        plan: PyramidPlan,
        source: LabelSource,
        targets: Sequence[Target],
        statistics: LabelStatistics | None,
        keep: Callable[[Block, BlockStatistics | None], None] | None = None,
    ) -> None:
        self.plan, self.source, self.targets = plan, source, targets
        self.statistics, self.keep = statistics, keep
        self._stop, self._buffers = threading.Event(), Buffers()

    def __call__(self, task: BlockTask, *handed: Any) -> BlockStatistics | None:
        """Do a block, perhaps with labels that were computed for it: all of it is written when this returns."""
        block, objects = task
        source = self.source
        if handed:
            assert isinstance(source, HandedLabels)
            source = source.of(block, *handed)
        count = self.statistics.begin() if self.statistics is not None else None
        run: BlockRun | CountRun
        if self.plan.passes[block.stage].targets:
            run = BlockRun(self.plan, block, source, self.targets, objects, count)
        else:
            run = CountRun(self.plan, block, source, objects, count)
        run.run(self._stop, self._buffers)
        if self.keep is None:
            return count
        self.keep(block, count)
        if count is not None:
            count.close()
        return None

    def name(self, task: BlockTask) -> str:
        """Which block of which levels it is."""
        block = task[0]
        number = self.plan.passes[block.stage].top
        top, window = self.plan.levels[number], self.plan.window(0, number)
        box = ", ".join(
            f"{i * u * w}:{min((i + 1) * u * w, n)}"
            for i, u, w, n in zip(block.index, top.unit, window, self.plan.levels[0].shape, strict=True)
        )
        return f"block {'/'.join(map(str, block.index))} of level {top.path} (voxels [{box}] of level 0)"

    def stop(self) -> None:
        """Have blocks that are being done in this process end soon."""
        self._stop.set()

    def __getstate__(self) -> dict[str, Any]:
        """All but what belongs to this process; what is counted elsewhere is counted anew."""
        kept = {k: v for k, v in self.__dict__.items() if k not in ("_stop", "_buffers", "statistics")}
        return kept | {"counts": self.statistics is not None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        counts = state.pop("counts")
        self.__dict__.update(state)
        self.statistics = LabelStatistics(self.plan) if counts else None
        self._stop, self._buffers = threading.Event(), Buffers()
