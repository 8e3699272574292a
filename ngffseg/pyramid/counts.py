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

from ngffseg.pyramid.compilation import compiled

Numbers = npt.NDArray[np.uint64]
LABEL, CHUNK, VOXELS, PLACES = 0, 1, 2, 3
LARGEST: Any = np.uint64(2**64 - 1)


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
    """

    labels: Numbers
    voxels: Numbers
    low: Numbers
    high: Numbers
    sums: Numbers
    chunk_counts: Numbers
    chunks: Numbers


def merged(rows: Numbers, ndim: int) -> Counts:
    """The counts of all rows together, shape (n, `row_width`), in any order."""
    table = np.empty(rows.shape, np.uint64)
    chunks = np.empty(len(rows), np.uint64)
    count, entries = _merge(rows, np.argsort(rows[:, LABEL]), ndim, table, chunks)
    table, places = table[:count], table[:count, PLACES:]
    return Counts(
        table[:, LABEL],
        table[:, VOXELS],
        places[:, :ndim],
        places[:, ndim : 2 * ndim],
        places[:, 2 * ndim :],
        table[:, CHUNK],
        chunks[:entries],
    )


def are_rows(rows: npt.NDArray[Any], shape: Sequence[int], chunks: Sequence[int]) -> bool:
    """Return True if what was stored can be rows of a volume: those who merge them do not look again."""
    if rows.dtype != np.uint64 or rows.ndim != 2 or rows.shape[1] != row_width(len(shape)):
        return False
    count = math.prod(-(-size // chunk) for size, chunk in zip(shape, chunks, strict=True))
    return not len(rows) or int(rows[:, CHUNK].max()) < count


@compiled
def _merge(rows, order, ndim, table, chunks):  # type: ignore[no-untyped-def]
    """One row per label into ``table``, its number of chunks in place of the chunk, and the chunks.

    Returns the numbers of labels and of chunks.
    """
    high, sums = PLACES + ndim, PLACES + 2 * ndim
    labels = entries = done = 0
    while done < len(order):
        into = table[labels]
        into[:] = rows[order[done]]
        first = done
        done += 1
        while done < len(order) and rows[order[done], LABEL] == into[LABEL]:
            row = rows[order[done]]
            into[VOXELS] += row[VOXELS]
            for axis in range(ndim):
                into[PLACES + axis] = min(into[PLACES + axis], row[PLACES + axis])
                into[high + axis] = max(into[high + axis], row[high + axis])
                before = into[sums + axis]
                total = before + row[sums + axis]
                # A sum that wrapped around is less than its parts; once lost, it stays so.
                lost = total < before or before == LARGEST or row[sums + axis] == LARGEST
                into[sums + axis] = LARGEST if lost else total
            done += 1
        begun = entries
        entries = _distinct(rows, order[first:done], chunks, begun)
        into[CHUNK] = entries - begun
        labels += 1
    return labels, entries


@compiled
def _distinct(rows, order, chunks, begun):  # type: ignore[no-untyped-def]
    """Sorted chunks of some rows into ``chunks`` from ``begun``, each once; returns the end."""
    there = chunks[begun : begun + len(order)]
    ordered = True
    for k in range(len(order)):
        there[k] = rows[order[k], CHUNK]
        ordered = ordered and (k == 0 or there[k - 1] < there[k])
    if ordered:
        return begun + len(order)
    there.sort()
    kept = 1
    for k in range(1, len(there)):
        if there[k] != there[kept - 1]:
            there[kept] = there[k]
            kept += 1
    return begun + kept
