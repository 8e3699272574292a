"""The block engine: fills the levels of a plan, block by block, by whoever is there to do it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, Protocol

from ngffseg.pyramid.inputs import as_source
from ngffseg.pyramid.label_statistics import BlockStatistics, LabelStatistics
from ngffseg.pyramid.occupancy import occupied_blocks
from ngffseg.pyramid.plan import Block, PyramidPlan
from ngffseg.pyramid.source import LabelSource, is_source
from ngffseg.pyramid.target import ArrayTarget, Target
from ngffseg.pyramid.work import BlockTask, BlockWork


class BlockExecutor(Protocol):
    """Threads, or processes elsewhere, that do blocks; `ngffseg.workers` has them."""

    @property
    def elsewhere(self) -> bool:
        """Return True if blocks are done in other processes."""

    def run(
        self, work: BlockWork, tasks: Iterable[BlockTask], /
    ) -> Generator[tuple[BlockTask, BlockStatistics | None], None, None]:
        """Do all blocks, and give each as it is done."""


class BlockLog(Protocol):
    """Keeps which blocks are done, so that nobody has to do them again."""

    @property
    def keep(self) -> Callable[[Block, BlockStatistics | None], None]:
        """Keeps one block, from the process that has done it."""

    def is_done(self, block: Block) -> bool:
        """Return True if a block was done before."""

    def note(self, block: Block, counted: BlockStatistics | None) -> None:
        """Take note of a block that this process has done."""

    def kept(self, block: Block) -> None:
        """Take note of a block that another process has done and kept."""

    def gather(self, statistics: LabelStatistics) -> None:
        """Hand the statistics what was counted elsewhere, in blocks that were done before."""


def build_pyramid(
    plan: PyramidPlan,
    labels: Any,
    levels: Sequence[Any],
    executor: BlockExecutor,
    *,
    first: BlockExecutor | None = None,
    progress: Callable[[int], None] | None = None,
    statistics: LabelStatistics | None = None,
    checkpoint_log: BlockLog | None = None,
) -> None:
    """Write all levels of a plan.

    Parameters
    ----------
    plan
        What to write.
    labels
        Level 0: a numpy, dask or zarr array, or a `LabelSource`; shape and dtype as in the plan. If
        the plan begins above level 0, ``labels`` is what is stored there.
    levels
        One per level of the plan: a `Target`, or an array that takes boxes.
    executor
        Who does it. What works elsewhere needs a checkpoint log, and labels and levels that travel.
    first
        Who does the first pass, where the labels cannot travel.
    progress
        Called after each block with the number of blocks.
    statistics
        Where the labels of level 0 are counted on the way.
    checkpoint log
        Knows which blocks are done already, and takes note of those that are.

    Raises
    ------
    LabelValueError
        If a label is negative.
    ChunkError
        If a chunk of the source is damaged.
    UsageError
        If the source gives other shapes than asked for.
    """
    targets: list[Target] = [
        array if _is_target(array) else ArrayTarget(array, level)
        for array, level in zip(levels, plan.levels, strict=True)
    ]
    sources = [
        as_source(labels, plan) if pass_.source in (None, 0) and not stage else targets[pass_.source or 0]
        for stage, pass_ in enumerate(plan.passes)
    ]
    with _settled(targets):
        for stage, source in enumerate(sources):
            # Later passes that read level 0 again have nothing new to count.
            counting = statistics if not stage else None
            doing = first if first is not None and not stage else executor
            keep = checkpoint_log.keep if checkpoint_log is not None and doing.elsewhere else None
            work, done = BlockWork(plan, source, targets, counting, keep), 0
            # Whatever happens here, none is being done any more afterwards.
            with closing(doing.run(work, _tasks(plan, stage, source, checkpoint_log))) as results:
                for (block, _), counted in results:
                    if counting is not None and counted is not None:
                        counting.end(counted)
                    if checkpoint_log is not None and keep is None:
                        checkpoint_log.note(block, counted)
                    elif checkpoint_log is not None:
                        checkpoint_log.kept(block)
                    done += 1
                    if progress is not None:
                        progress(1)
            if counting is not None and checkpoint_log is not None:
                checkpoint_log.gather(counting)
            for target in targets:
                target.flush()  # what the next pass reads must be there
            if progress is not None:
                # Those that have nothing under them, or were done before.
                progress(plan.blocks_in(stage) - done)


def _tasks(
    plan: PyramidPlan, stage: int, source: LabelSource, checkpoint_log: BlockLog | None
) -> Iterator[BlockTask]:
    """Blocks of a pass that are to be done, made one at a time: there may be millions."""
    for task in occupied_blocks(plan, stage, source.occupied(), source.unit):
        if checkpoint_log is None or not checkpoint_log.is_done(task[0]):
            yield task


@contextlib.contextmanager
def _settled(targets: Sequence[Target]) -> Iterator[None]:
    """Leave the block only when nothing is on its way any more: nobody may clean up before."""
    try:
        yield
    except BaseException:
        for target in targets:
            with contextlib.suppress(Exception):
                target.flush()
        raise


def _is_target(array: Any) -> bool:
    return is_source(array) and hasattr(array, "encode") and hasattr(array, "put")
