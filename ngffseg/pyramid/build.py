"""The block engine: fills the levels of a plan, block by block, in threads through dask.

Law of this file: level 0 is read once per pass that needs it; what is written is written as
whole objects; memory is one write unit per level and thread.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import dask
import numpy as np
import numpy.typing as npt
from dask.base import compute, is_dask_collection
from dask.delayed import delayed
from dask.system import CPU_COUNT

from ngffseg.errors import LabelValueError
from ngffseg.pyramid.plan import Block, Level, PyramidPlan
from ngffseg.pyramid.reduction import downsample_into

Labels = npt.NDArray[Any]
Box = tuple[slice, ...]


class Readable(Protocol):
    """An array that can be read in boxes: numpy, zarr and dask arrays can."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    def __getitem__(self, box: Any, /) -> Any: ...


class Writable(Readable, Protocol):
    """An array that can be written in boxes."""

    def __setitem__(self, box: Any, value: Any, /) -> None: ...


class _Abort(Exception):  # noqa: N818
    """Another block has failed, so this one stops early; never leaves `build_pyramid`."""


def build_pyramid(
    plan: PyramidPlan,
    labels: Readable,
    levels: Sequence[Writable],
    *,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write all levels of a plan.

    Parameters
    ----------
    plan
        What to write.
    labels
        Level 0, in memory or lazy; shape and dtype as in the plan.
    levels
        One writable array per level of the plan.
    workers
        Number of threads; by default that of the cores.
    progress
        Called after each block with 1, from any thread.

    Raises
    ------
    LabelValueError
        If a label is negative.
    """
    engine = _Engine(plan, labels, levels)
    with thread_pool(workers, engine.stop.set):
        for stage in range(len(plan.passes)):
            tasks = [delayed(engine.run)(block, progress) for block in plan.blocks_of(stage)]
            compute(*tasks)  # type: ignore[no-untyped-call]


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


class _Engine:
    """What all blocks of one build share."""

    def __init__(self, plan: PyramidPlan, labels: Readable, levels: Sequence[Writable]) -> None:
        self.plan = plan
        self.labels = labels
        self.levels = levels
        self.stop = threading.Event()

    def run(self, block: Block, progress: Callable[[int], None] | None) -> None:
        """Fill one write unit of the top level of a pass, and all that lies below it."""
        targets = self.plan.passes[block.stage].targets
        top = self.plan.levels[targets[-1]]
        box = unit_box(top, block.index)
        self._fill(block.stage, len(targets) - 1, box)
        if progress is not None:
            progress(1)

    def _fill(self, stage: int, depth: int, box: Box) -> Labels:
        """Labels of a box of a level of the pass; written on the way."""
        if self.stop.is_set():
            raise _Abort
        sweep = self.plan.passes[stage]
        number = sweep.targets[depth]
        if depth == 0 and sweep.source is None:
            labels = self._read_source(box)
        else:
            labels = self._reduce(stage, depth, box)
        # All background: the fill value says it, no object is needed.
        if labels.any():
            self.levels[number][box] = labels
        return labels

    def _reduce(self, stage: int, depth: int, box: Box) -> Labels:
        """Labels of a box, from the level below it in the pass or from the source of the pass."""
        sweep = self.plan.passes[stage]
        number = sweep.targets[depth]
        below = sweep.targets[depth - 1] if depth else sweep.source
        assert below is not None
        factors = self.plan.window(below, number)
        out = np.empty(tuple(b.stop - b.start for b in box), self.plan.dtype)
        start = [b.start for b in box]
        for piece in pieces(self.plan.levels[below], box, factors):
            labels = self._fill(stage, depth - 1, piece) if depth else self._read_level(below, piece)
            at = [p.start // f - s for p, f, s in zip(piece, factors, start, strict=True)]
            downsample_into(out, labels, factors, self.plan.reduction, at=at, start=start)
        return out

    def _read_level(self, number: int, box: Box) -> Labels:
        if self.stop.is_set():
            raise _Abort
        return np.asarray(self.levels[number][box])

    def _read_source(self, box: Box) -> Labels:
        piece = self.labels[box]
        if is_dask_collection(piece):
            # This thread is the worker: no second pool under it.
            piece = piece.compute(scheduler="synchronous")
        labels = np.ascontiguousarray(piece, dtype=self.plan.dtype)
        if labels.dtype.kind == "i" and labels.size and labels.min() < 0:
            where = ", ".join(f"{b.start}:{b.stop}" for b in box)
            raise LabelValueError(
                f"label {labels.min()} in box [{where}] is negative: relabel it to 0 or above"
            )
        return labels


def unit_box(level: Level, index: Sequence[int]) -> Box:
    """Voxels of one write unit of a level."""
    return tuple(
        slice(i * u, min((i + 1) * u, n)) for i, u, n in zip(index, level.unit, level.shape, strict=True)
    )


def pieces(below: Level, box: Box, factors: Sequence[int]) -> Iterator[Box]:
    """Boxes of a finer level that together lie under a box, each of whole windows.

    Their size is the write unit of the finer level, rounded down to whole windows; an axis that
    one unit covers stays in one piece, so that the unit is written once.
    """
    starts = [b.start * f for b, f in zip(box, factors, strict=True)]
    stops = [min(b.stop * f, n) for b, f, n in zip(box, factors, below.shape, strict=True)]
    steps = [
        -(-n // f) * f if u >= n else max(u // f, 1) * f
        for n, u, f in zip(below.shape, below.unit, factors, strict=True)
    ]
    counts = [-(-(b - a) // s) for a, b, s in zip(starts, stops, steps, strict=True)]
    for index in np.ndindex(*counts):
        yield tuple(
            slice(a + i * s, min(a + (i + 1) * s, b))
            for i, a, b, s in zip(index, starts, stops, steps, strict=True)
        )
