"""Rates of the machine at hand: the engine is run on made labels, and the model fitted to its times."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import numpy as np
import numpy.typing as npt
import zarr
from zarr.storage import LocalStore

from ngffseg.geometry import identity
from ngffseg.grid import Labels
from ngffseg.keywords import strict
from ngffseg.labels.nodes.create import create_array
from ngffseg.labels.read.levels import written_labels
from ngffseg.pyramid import (
    PYRAMID_KEYWORDS,
    LabelStatistics,
    Method,
    PyramidPlan,
    Rates,
    Tie,
    build_pyramid,
    plan_above,
    plan_pyramid,
)
from ngffseg.workers import ThreadExecutor

EDGE = 256
CELL = 60
RUNS = 3
# Chunks and shards of the runs: they differ in how many chunks and objects there are per voxel.
LAYOUTS = ((64, None), (32, None), (64, 256), (32, 128))
# The smallest job of all, which prints its peak memory in kilobytes. Linux hands the peak of
# getrusage on from the process that started it, but not that of /proc.
SMALLEST = """
import pathlib, resource, sys
import ngffseg.cli.main, numpy
from ngffseg import write_labels
write_labels(sys.argv[1], numpy.ones((8, 8, 8), numpy.uint8), name="a")
status = pathlib.Path("/proc/self/status")
if status.exists():
    print(status.read_text().partition("VmHWM:")[2].split()[0])
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak // 1024 if sys.platform == "darwin" else peak)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the engine: how much of what it did, and its seconds."""

    work: tuple[float, float, float, float]
    seconds: float


class RateOptions(TypedDict, total=False):
    """Those of `PyramidOptions` that rates depend on."""

    method: Method
    tie: Tie
    cascade: bool
    codec: str | None


@strict({key: PYRAMID_KEYWORDS[key] for key in RateOptions.__annotations__})
def calibrate(dtype: npt.DTypeLike, workers: int, **options: Unpack[RateOptions]) -> Rates:
    """Measure the rates of this machine in some seconds, in the folder for temporary files.

    Parameters
    ----------
    dtype
        Of the labels.
    workers
        Number of threads whose scaling is measured.
    **options
        See `RateOptions`.
    """
    chosen: Any = options
    labels = made_labels(dtype)
    with tempfile.TemporaryDirectory(prefix="ngffseg-") as folder:
        runs, sizes = [], []
        for number, (chunks, shards) in enumerate(LAYOUTS):
            plan = plan_pyramid(labels.shape, dtype, chunks=chunks, shards=shards, **chosen)
            sizes = _stored(f"{folder}/{number}", plan, labels)
            # Chunks of the same compression would be copied as they are.
            other = "zstd-2" if str(plan.compression) == "zstd-1" else "zstd-1"
            first = plan_pyramid(labels.shape, dtype, chunks=chunks, shards=shards, levels=1, codec=other)
            _stored(f"{folder}/{number}-other", first, labels)
            runs += _runs(f"{folder}/{number}", plan, chosen)
        # Two levels of small chunks are many blocks, for all threads.
        wide = plan_pyramid(labels.shape, dtype, levels=2, chunks=64, shards=None, **chosen)
        one, all_ = (
            min(_timed(f"{folder}/{n}-{k}", wide, labels, 0, n) for k in range(RUNS)) for n in (1, workers)
        )
        start, memory = _smallest(f"{folder}/smallest")
    read, write, chunk, each = _fitted(runs)
    return Rates(
        start=start,
        read=read,
        write=write,
        chunk=chunk,
        object=each,
        scaling=min(1.0, one / all_ / workers),
        packed=sizes[0],
        growth=max(1.0, sizes[1] / sizes[0]),
        memory=memory,
    )


def made_labels(dtype: npt.DTypeLike) -> Labels:
    """Cells with curved walls, about as many and as smooth as in real segmentations; (256, 256, 256)."""
    axis = np.arange(EDGE, dtype=np.float32)
    z, y, x = axis[:, None, None], axis[:, None], axis
    bent = (
        (z + 9 * np.sin(y / 13) + 5 * np.sin(x / 7)) // CELL,
        (y + 9 * np.sin(x / 11) + 5 * np.sin(z / 9)) // CELL,
        (x + 9 * np.sin(z / 12) + 5 * np.sin(y / 8)) // CELL,
    )
    cells = np.zeros((EDGE,) * 3, np.int64)
    for number in bent:
        cells = cells * 10 + number.astype(np.int64) + 1
    values = np.random.default_rng(0).integers(1, np.iinfo(dtype).max, cells.max() + 1, dtype=dtype)
    found: Labels = values[np.maximum(cells, 0)]
    return found


def _stored(path: str, plan: PyramidPlan, labels: Labels) -> list[float]:
    """Write all levels of a plan; returns the bytes per voxel of each level."""
    _timed(path, plan, labels, 0, 1)
    arrays = (zarr.open_array(LocalStore(path), path=level.path, mode="r") for level in plan.levels)
    return [array.nbytes_stored() / array.size for array in arrays]


def _runs(path: str, plan: PyramidPlan, chosen: Any) -> list[Run]:
    """Build the levels above a stored level 0, then copy all of them; each the fastest of some."""
    base = plan.levels[0]
    above = plan_above(identity(base.shape), plan.dtype, base.chunks, base.shards, **chosen)
    runs = []
    for stored, job, first in ((path, above, 1), (f"{path}-other", plan, 0)):
        source = written_labels(zarr.open_array(LocalStore(stored), path="0", mode="r"))
        times = [_timed(f"{stored}-{k}", job, source, first, 1) for k in range(RUNS)]
        read = [job.levels[pass_.source or 0] for pass_ in job.passes]
        made = job.levels[first:]
        work = (
            sum(float(np.prod(level.shape)) for level in read),
            sum(float(np.prod(level.shape)) for level in made),
            float(sum(np.prod(level.shape) / np.prod(level.chunks) for level in (*read, *made))),
            float(sum(np.prod(level.shape) / np.prod(level.unit) for level in (*read, *made))),
        )
        runs.append(Run(work, min(times)))
    return runs


def _timed(path: str, plan: PyramidPlan, source: Any, first: int, workers: int) -> float:
    """Seconds that the levels of a plan from the first one on take."""
    arrays = [create_array(path, level.path, level, plan, "0.5") for level in plan.levels[first:]]
    targets = [written_labels(array) for array in arrays]
    started = time.perf_counter()
    with LabelStatistics(plan) as statistics:
        build_pyramid(
            plan, source, [source] * first + targets, ThreadExecutor(workers), statistics=statistics
        )
    return time.perf_counter() - started


def _smallest(path: str) -> tuple[float, float]:
    """Seconds and memory of a process that does next to nothing."""
    words = [sys.executable, "-c", SMALLEST, path]
    started = time.perf_counter()
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=True)
    return time.perf_counter() - started, 1024 * float(done.stdout)


def _fitted(runs: list[Run]) -> tuple[float, float, float, float]:
    """Cost of each kind of work: least squares of the relative errors, none below 0.

    A kind that comes out negative costs too little to be seen beside the others: it is left out.
    """
    work = np.array([np.array(run.work) / run.seconds for run in runs])
    kinds = list(range(work.shape[1]))
    while True:
        costs = np.linalg.lstsq(work[:, kinds], np.ones(len(runs)), rcond=None)[0]
        if (costs >= 0).all():
            break
        kinds.remove(kinds[int(np.argmin(costs))])
    found = dict(zip(kinds, costs.tolist(), strict=True))
    read, write, chunk, each = (found.get(kind, 0.0) for kind in range(4))
    return read, write, chunk, each
