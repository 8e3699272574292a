"""Compiled kernel: how often, where and in which box each label of a tile occurs.

Labels are counted in runs along rows, not voxel by voxel, and a row that equals the one before it
is not looked at again: its runs count once more.
"""

from typing import Any

import numpy as np

from ngffseg.pyramid.kernels import compiled, inlined

# Columns of the statistics of a label: count, lowest and highest index and sum of indices per axis.
COUNT, LOW, HIGH, SUM, COLUMNS = 0, 1, 4, 7, 10
FAR = 2**62
HASH: Any = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing (Knuth, 6.4)


@inlined
def _same(row, other):  # type: ignore[no-untyped-def]
    """Whether two rows are equal; without a branch per voxel."""
    differs = row[0] ^ other[0]
    for x in range(1, row.shape[0]):
        differs |= row[x] ^ other[x]
    return differs == 0


@inlined
def _ends(row, ends):  # type: ignore[no-untyped-def]
    """Index behind each run of equal labels of a row; returns the number of runs."""
    runs = 0
    for x in range(row.shape[0] - 1):
        ends[runs] = x + 1
        runs += row[x] != row[x + 1]
    ends[runs] = row.shape[0]
    return runs + 1


@inlined
def _open(entry, value, values, stats):  # type: ignore[no-untyped-def]
    """Begin the entry of a label that was not seen before."""
    values[entry] = value
    for column in range(COLUMNS):
        stats[entry, column] = 0
    for column in range(LOW, HIGH):
        stats[entry, column] = FAR


@inlined
def _add(ends, entries, runs, stats, z, low, high):  # type: ignore[no-untyped-def]
    """Count the runs of a row for all rows from ``low`` to below ``high`` of plane z."""
    rows = high - low
    rows_sum = (low + high - 1) * rows // 2
    x = 0
    for run in range(runs):
        end = ends[run]
        if entries[run] >= 0:
            length = end - x
            entry = stats[entries[run]]
            entry[COUNT] += length * rows
            entry[LOW] = min(entry[LOW], z)
            entry[LOW + 1] = min(entry[LOW + 1], low)
            entry[LOW + 2] = min(entry[LOW + 2], x)
            entry[HIGH] = z  # planes come in order
            entry[HIGH + 1] = max(entry[HIGH + 1], high - 1)
            entry[HIGH + 2] = max(entry[HIGH + 2], end - 1)
            entry[SUM] += z * length * rows
            entry[SUM + 1] += rows_sum * length
            entry[SUM + 2] += (x + end - 1) * length // 2 * rows
        x = end


@compiled
def count_labels(labels, values, stats, slots, ends, entries):  # type: ignore[no-untyped-def]
    """Statistics of each label but 0 of a tile (z, y, x), in indices of the tile.

    Parameters
    ----------
    labels
        The tile.
    values, stats
        Filled with the labels that occur, and a row of statistics each.
    slots
        Table of a power of two, longer than ``values``; all 0.
    ends, entries
        Room for the runs of a row: as long as a row.

    Returns
    -------
    int
        Number of labels; -1 if ``values`` is too short for them.
    """
    used = 0
    mask = slots.shape[0] - 1
    nz, ny, _ = labels.shape
    for z in range(nz):
        runs = first = 0
        for y in range(ny):
            row = labels[z, y]
            if y > 0 and _same(row, labels[z, y - 1]):
                continue
            _add(ends, entries, runs, stats, z, first, y)
            first = y
            runs = _ends(row, ends)
            for run in range(runs):
                value = row[ends[run] - 1]
                entries[run] = -1
                if value == 0:
                    continue
                # Open addressing, written out here: as a function of its own it takes twice the time.
                slot = np.int64((np.uint64(value) * HASH) >> np.uint64(40)) & mask
                while slots[slot] and values[slots[slot] - 1] != value:
                    slot = (slot + 1) & mask
                if slots[slot] == 0:
                    if used == values.shape[0]:
                        return -1
                    _open(used, value, values, stats)
                    used += 1
                    slots[slot] = used
                entries[run] = slots[slot] - 1
        _add(ends, entries, runs, stats, z, first, ny)
    return used
