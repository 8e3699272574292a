"""`Estimate`: what a job of any size takes, from its plan and the rates of a machine.

The model is linear: every voxel that is read, every voxel and chunk that is packed, and every
object costs the same wherever it is. The rates are fitted to real runs of the engine
(`ngffseg.labels.calibrate`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ngffseg.pyramid.plan import PyramidPlan, unit_grid

# Amazon S3 Standard, us-east-1, list prices of 2026 in US dollars per request.
PUT_PRICE, GET_PRICE = 5e-6, 4e-7
KEYS_PER_LIST = 1000
# Objects that are metadata: per level and per label image; see `ngffseg.labels`.
DOCUMENTS_PER_LEVEL, DOCUMENTS = 2, 16
# What a thread holds of the statistics at most, before it writes it to a file.
STATISTICS_BYTES = 2**23
# What merging it into the index takes, whatever the number of segments.
MERGE_BYTES = 2**26


@dataclass(frozen=True, slots=True)
class Rates:
    """What a machine takes for labels of one dtype and codec.

    Attributes
    ----------
    start
        Seconds of the smallest job.
    read
        Seconds of one thread to decode, count and reduce a voxel.
    write
        Seconds of one thread to encode a voxel.
    chunk, object
        Seconds of one thread per chunk that is decoded or encoded, and per object on a local disk.
    scaling
        How much faster all threads together are than one, divided by their number.
    packed
        Bytes per voxel of level 0 as it is stored.
    growth
        How many times more bytes a voxel of the next level takes: surfaces weigh more there.
    memory
        Bytes of the smallest job.
    """

    start: float
    read: float
    write: float
    chunk: float
    object: float
    scaling: float
    packed: float
    growth: float
    memory: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job takes; bytes, seconds and US dollars.

    Attributes
    ----------
    blocks
        Units of work, of which each is one task.
    objects
        Objects that are written, metadata included; chunks of the index follow the number of segments.
    chunks
        Chunks that are written.
    raw_bytes
        All levels in memory.
    read_bytes, written_bytes
        As they are stored.
    memory, memory_per_thread
        At most: of a process without its threads, and of each of them.
    gets, puts, lists
        Requests, were it all in an object store.
    seconds
        From start to end.
    dollars
        Price of the requests.
    """

    blocks: int
    objects: int
    chunks: int
    raw_bytes: int
    read_bytes: float
    written_bytes: float
    memory: float
    memory_per_thread: float
    gets: int
    puts: int
    lists: int
    seconds: float
    dollars: float


def estimate(
    plan: PyramidPlan,
    rates: Rates,
    *,
    workers: int,
    in_place: bool = False,
    latency: float = 0.0,
    occupied: float = 1.0,
) -> Estimate:
    """What it takes to write the levels of a plan from stored labels of the same chunks.

    Parameters
    ----------
    plan
        What is written.
    rates
        See `Rates`.
    workers
        Number of threads, on any number of machines.
    in_place
        Whether the plan is one above a stored level 0, which is only read.
    latency
        Seconds that a request of the store takes.
    occupied
        Share of the objects that hold any label; empty ones are neither read nor written.
    """
    levels = plan.levels
    written = range(1 if in_place else 0, len(levels))
    # Each pass reads one level once; level 0 counts as a level of the source too.
    read = [pass_.source or 0 for pass_ in plan.passes]
    voxels = [math.prod(level.shape) * occupied for level in levels]
    grids = [[-(-n // c) for n, c in zip(level.shape, level.chunks, strict=True)] for level in levels]
    chunks = [math.ceil(math.prod(grid) * occupied) for grid in grids]
    objects = [math.ceil(math.prod(unit_grid(level)) * occupied) for level in levels]
    packed = [
        min(float(plan.dtype.itemsize), rates.packed * rates.growth**n) * v for n, v in enumerate(voxels)
    ]
    documents = DOCUMENTS + DOCUMENTS_PER_LEVEL * len(levels)
    gets, puts = sum(objects[n] for n in read), sum(objects[n] for n in written) + documents
    lists = sum(-(-objects[n] // KEYS_PER_LIST) for n in read)
    work = (
        rates.read * sum(voxels[n] for n in read)
        + rates.write * sum(voxels[n] for n in written)
        + rates.chunk * (sum(chunks[n] for n in read) + sum(chunks[n] for n in written))
        + rates.object * (gets + puts)
        + latency * (gets + puts + lists)
    )
    scaling = rates.scaling if workers > 1 else 1.0
    return Estimate(
        blocks=plan.block_count,
        objects=puts,
        chunks=sum(chunks[n] for n in written),
        raw_bytes=sum(math.prod(level.shape) for level in levels) * plan.dtype.itemsize,
        read_bytes=sum(packed[n] for n in read),
        written_bytes=sum(packed[n] for n in written),
        memory=rates.memory + MERGE_BYTES,
        memory_per_thread=_thread_memory(plan, rates),
        gets=gets,
        puts=puts,
        lists=lists,
        seconds=rates.start + work / (min(workers, max(1, plan.block_count)) * scaling),
        dollars=gets * GET_PRICE + (puts + lists) * PUT_PRICE,
    )


def _thread_memory(plan: PyramidPlan, rates: Rates) -> float:
    """A thread holds a tile of each level of a pass, and what it has packed of unfinished objects."""
    item, most = plan.dtype.itemsize, 0.0
    for pass_ in plan.passes:
        source = plan.levels[pass_.source or 0]
        held = math.prod(source.chunks) * item + math.prod(source.unit) * rates.packed + STATISTICS_BYTES
        for number in pass_.targets:
            level = plan.levels[number]
            # The tile, and the object twice: its parts and the whole.
            held += math.prod(level.chunks) * item
            held += 2 * math.prod(level.unit) * min(item, rates.packed * rates.growth**number)
        most = max(most, held)
    return most
