"""`Counts`: what is known of the labels of a volume, merged from what each chunk says of each.

A row tells of one label in one chunk: label, chunk, number of voxels, first and last index and sum
of indices per axis; all uint64.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.grid import Numbers
from ngffseg.pyramid.compilation import compiled, inlined

LABEL, CHUNK, VOXELS, PLACES = 0, 1, 2, 3
LARGEST: Any = np.uint64(2**64 - 1)
# Constants of splitmix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
STEP, FIRST, SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def row_width(ndim: int) -> int:
    """Number of columns of a row."""
    return PLACES + 3 * ndim


@dataclass(frozen=True, slots=True)
class Counts:
    """Labels of a volume or of a range of labels, sorted; all arrays uint64.

    Attributes
    ----------
    labels
        Distinct label values, shape (n,).
    voxels
        Number of voxels of each, shape (n,).
    low, high
        First and last index per axis, shape (n, ndim).
    sums
        Sums of the indices of the voxels per axis, shape (n, ndim); 2^64 - 1 where one does not
        fit (only a label of more than 10^14 voxels can get there).
    chunk_counts
        Number of chunks of level 0 that hold each, shape (n,).
    chunks
        Flat indices of these chunks, label after label, sorted within a label; shape (m,).
    digests
        What was counted of the label in each of these chunks, as one number; see `digest`. Shape (m,);
        None where it is not known.
    """

    labels: Numbers
    voxels: Numbers
    low: Numbers
    high: Numbers
    sums: Numbers
    chunk_counts: Numbers
    chunks: Numbers
    digests: Numbers | None = None


def merged(rows: Numbers, ndim: int) -> Counts:
    """The counts of all rows together, shape (n, `row_width`), in any order."""
    table = np.empty(rows.shape, np.uint64)
    chunks, digests = np.empty(len(rows), np.uint64), np.empty(len(rows), np.uint64)
    count, entries = _merge(rows, np.argsort(rows[:, LABEL]), ndim, table, chunks, digests)
    table, places = table[:count], table[:count, PLACES:]
    return Counts(
        table[:, LABEL],
        table[:, VOXELS],
        places[:, :ndim],
        places[:, ndim : 2 * ndim],
        places[:, 2 * ndim :],
        table[:, CHUNK],
        chunks[:entries],
        digests[:entries],
    )


def are_rows(rows: npt.NDArray[Any], shape: Sequence[int], chunks: Sequence[int]) -> bool:
    """Return True if what was stored can be rows of a volume: those who merge them do not look again."""
    if rows.dtype != np.uint64 or rows.ndim != 2 or rows.shape[1] != row_width(len(shape)):
        return False
    count = math.prod(-(-size // chunk) for size, chunk in zip(shape, chunks, strict=True))
    return not len(rows) or int(rows[:, CHUNK].max()) < count


def chunk_digests(pairs: Numbers) -> Numbers:
    """One digest per chunk from those of its labels: their sum modulo 2^64, so that no order matters.

    Parameters
    ----------
    pairs
        Chunk and digest, shape (n, 2), in any order.

    Returns
    -------
    numpy.ndarray
        The same, shape (m, 2), each chunk once and in order.
    """
    pairs = pairs.take(np.argsort(pairs[:, 0]), axis=0)
    starts = np.flatnonzero(np.diff(pairs[:, 0], prepend=~pairs[:1, 0]))
    sums = np.add.reduceat(pairs[:, 1], starts) if len(pairs) else pairs[:, 1]
    return np.stack([pairs[starts, 0], sums], axis=1)


@inlined
def digest(row):  # type: ignore[no-untyped-def]
    """What a row says of a label, as one number: its columns but the chunk, mixed by splitmix64."""
    mixed = np.uint64(0)
    for column in range(len(row)):
        if column != CHUNK:
            mixed = (mixed ^ row[column]) + STEP
            mixed = (mixed ^ (mixed >> np.uint64(30))) * FIRST
            mixed = (mixed ^ (mixed >> np.uint64(27))) * SECOND
            mixed = mixed ^ (mixed >> np.uint64(31))
    return mixed


@inlined
def _join(into, row, ndim):  # type: ignore[no-untyped-def]
    """Add what a row tells of a label to another row of it."""
    high, sums = PLACES + ndim, PLACES + 2 * ndim
    into[VOXELS] += row[VOXELS]
    for axis in range(ndim):
        into[PLACES + axis] = min(into[PLACES + axis], row[PLACES + axis])
        into[high + axis] = max(into[high + axis], row[high + axis])
        before = into[sums + axis]
        total = before + row[sums + axis]
        # A sum that wrapped around is less than its parts; once lost, it stays so.
        lost = total < before or before == LARGEST or row[sums + axis] == LARGEST
        into[sums + axis] = LARGEST if lost else total


@compiled
def _merge(rows, order, ndim, table, chunks, digests):  # type: ignore[no-untyped-def]
    """One row per label into ``table``, its number of chunks in place of the chunk; chunks and digests.

    Returns the numbers of labels and of chunks.
    """
    spare = np.empty(rows.shape[1], np.uint64)
    labels = entries = done = 0
    while done < len(order):
        into = table[labels]
        into[:] = rows[order[done]]
        first = done
        done += 1
        while done < len(order) and rows[order[done], LABEL] == into[LABEL]:
            _join(into, rows[order[done]], ndim)
            done += 1
        begun = entries
        entries = _by_chunk(rows, order[first:done], ndim, spare, chunks, digests, begun)
        into[CHUNK] = entries - begun
        labels += 1
    return labels, entries


@compiled
def _by_chunk(rows, order, ndim, spare, chunks, digests, entry):  # type: ignore[no-untyped-def]
    """Chunks of the rows of one label from ``entry``, sorted, each once with its digest; returns the end.

    A chunk has several rows where its parts were counted one by one.
    """
    keys = np.empty(len(order), np.uint64)
    ordered = True
    for k in range(len(order)):
        keys[k] = rows[order[k], CHUNK]
        ordered = ordered and (k == 0 or keys[k - 1] <= keys[k])
    if not ordered:
        order = order[np.argsort(keys)]
    k = 0
    while k < len(order):
        spare[:] = rows[order[k]]
        k += 1
        while k < len(order) and rows[order[k], CHUNK] == spare[CHUNK]:
            _join(spare, rows[order[k]], ndim)
            k += 1
        chunks[entry], digests[entry] = spare[CHUNK], digest(spare)
        entry += 1
    return entry
