"""The block engine: fills the levels of a plan, block by block, in threads through dask."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dask
from dask.base import compute
from dask.delayed import delayed
from dask.system import CPU_COUNT

from ngffseg.pyramid.block import BlockRun, Buffers
from ngffseg.pyramid.census import Census
from ngffseg.pyramid.inputs import as_source
from ngffseg.pyramid.occupancy import Objects, occupied_blocks
from ngffseg.pyramid.plan import Block, PyramidPlan
from ngffseg.pyramid.source import is_source
from ngffseg.pyramid.target import ArrayTarget, Target

# So many tasks are handed to dask at once: a plan may have millions.
BATCH = 4096


def build_pyramid(
    plan: PyramidPlan,
    labels: Any,
    levels: Sequence[Any],
    *,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    census: Census | None = None,
) -> None:
    """Write all levels of a plan.

    Parameters
    ----------
    plan
        What to write.
    labels
        Level 0: a numpy, dask or zarr array, or a `Source`; shape and dtype as in the plan. If
        the plan begins above level 0, ``labels`` is what is stored there.
    levels
        One per level of the plan: a `Target`, or an array that takes boxes.
    workers
        Number of threads; by default that of the cores.
    progress
        Called after each block with the number of blocks, from any thread.
    census
        Where the labels of level 0 are counted on the way.

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
        as_source(labels, plan) if sweep.source in (None, 0) and not stage else targets[sweep.source or 0]
        for stage, sweep in enumerate(plan.passes)
    ]
    stop, buffers = threading.Event(), Buffers()

    def run(block: Block, objects: Objects | None) -> None:
        """Do one block, in a thread of the pool."""
        source = sources[block.stage]
        # Later passes that read level 0 again have nothing new to count.
        count = census.begin() if census is not None and block.stage == 0 else None
        BlockRun(plan, block, source, targets, objects, count).run(stop, buffers)
        if census is not None and count is not None:
            census.end(count)
        if progress is not None:
            progress(1)

    with _settled(targets), thread_pool(workers, stop.set):
        for stage, source in enumerate(sources):
            done = 0
            for batch in _batches(occupied_blocks(plan, stage, source.occupied(), source.unit)):
                # Dask runs independent tasks in the order of their keys.
                jobs = (
                    delayed(run)(*job, dask_key_name=f"block-{number:04}") for number, job in enumerate(batch)
                )
                compute(*jobs)  # type: ignore[no-untyped-call]
                done += len(batch)
            for target in targets:
                target.flush()  # what the next pass reads must be there
            if progress is not None:
                progress(plan.blocks_in(stage) - done)  # those that have nothing under them


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


def _batches(blocks: Iterator[tuple[Block, Objects | None]]) -> Iterator[list[tuple[Block, Objects | None]]]:
    while batch := list(itertools.islice(blocks, BATCH)):
        yield batch


@contextlib.contextmanager
def thread_pool(workers: int | None, stop: Callable[[], None] | None = None) -> Iterator[None]:
    """Have dask compute in threads that have all ended when the block is left.

    Nobody may clean up while threads still write: on any exception ``stop`` is called, what has
    not begun is dropped, and what has is waited for.
    """
    threads = workers or CPU_COUNT
    barrier = threading.Barrier(threads)
    with ThreadPoolExecutor(threads) as pool:
        try:
            # All threads start now: one that starts while an interrupt arrives is never waited for.
            list(pool.map(lambda _: barrier.wait(), range(threads)))
            with dask.config.set(scheduler="threads", pool=pool, num_workers=threads):
                yield
        except BaseException:
            barrier.abort()
            if stop is not None:
                stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
