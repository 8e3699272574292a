"""Compiled kernel: how often, where and in which box each label of a tile occurs.

Labels are counted in runs along rows, not voxel by voxel, and a row that equals the one before it
is not looked at again: its runs count once more. Indices are unsigned: they need no check for
negative ones.
"""

from typing import Any

import numpy as np

from ngffseg.pyramid.compilation import compiled, inlined

# Columns of the statistics of a label: count, lowest and highest index and sum of indices per axis.
COUNT, LOW, HIGH, SUM, COLUMNS = 0, 1, 4, 7, 10
U: Any = np.uint64
ZERO, ONE, TWO = U(0), U(1), U(2)
FAR = U(2**62)
HASH: Any = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing (Knuth, 6.4)
TOP: Any = U(40)  # the upper bits of a product are the well mixed ones


@inlined
def _same(row, other):  # type: ignore[no-untyped-def]
    """Return True if two rows are equal; without a branch per voxel."""
    differs = row[0] ^ other[0]
    for x in range(1, row.shape[0]):
        differs |= row[x] ^ other[x]
    return differs == 0


@inlined
def _ends(row, ends):  # type: ignore[no-untyped-def]
    """Index behind each run of equal labels of a row; returns the number of runs."""
    runs = ZERO
    last = row[0]
    for x in range(1, row.shape[0]):
        value = row[x]
        ends[runs] = x
        runs += U(value != last)
        last = value
    ends[runs] = row.shape[0]
    return runs + ONE


@inlined
def _add(ends, entries, runs, stats, z, low, high):  # type: ignore[no-untyped-def]
    """Count the runs of a row for all rows from ``low`` to below ``high`` of plane z."""
    rows = high - low
    rows_sum = (low + high - ONE) * rows // TWO
    x = ZERO
    for k in range(runs):
        run = U(k)
        end = ends[run]
        length = end - x
        entry = entries[run]
        stats[entry, 0] += length * rows
        stats[entry, 2] = min(stats[entry, 2], low)
        stats[entry, 3] = min(stats[entry, 3], x)
        stats[entry, 4] = z
        stats[entry, 5] = max(stats[entry, 5], high - ONE)
        stats[entry, 6] = max(stats[entry, 6], end - ONE)
        stats[entry, 7] += z * length * rows
        stats[entry, 8] += rows_sum * length
        stats[entry, 9] += (x + end - ONE) * length // TWO * rows
        x = end


@compiled
def count_labels(labels, values, stats, slots, ends, entries):  # type: ignore[no-untyped-def]
    """Statistics of each label of a tile (z, y, x), in indices of the tile; background is one too.

    Parameters
    ----------
    labels
        The tile.
    values, stats
        Filled with the labels that occur, and a row of statistics each (uint64).
    slots
        Table of a power of two, longer than ``values``; all 0.
    ends, entries
        Room for the runs of a row: as long as a row (uint64).

    Returns
    -------
    int
        Number of labels; -1 if ``values`` is too short for them.
    """
    used = ZERO
    size, mask = U(values.shape[0]), U(slots.shape[0] - 1)
    nz, ny, _ = labels.shape
    for z in range(nz):
        runs = first = ZERO
        for y in range(ny):
            row = labels[z, y]
            if y > 0 and _same(row, labels[z, y - 1]):
                continue
            _add(ends, entries, runs, stats, U(z), first, U(y))
            first = U(y)
            runs = _ends(row, ends)
            for k in range(runs):
                run = U(k)
                value = row[ends[run] - ONE]
                # Open addressing, written out here: as a function of its own it takes twice the time.
                slot = ((U(value) * HASH) >> TOP) & mask
                entry = U(slots[slot])
                while entry and values[entry - ONE] != value:
                    slot = (slot + ONE) & mask
                    entry = U(slots[slot])
                if entry == ZERO:
                    if used == size:
                        return -1
                    values[used] = value
                    stats[used, :] = ZERO
                    stats[used, LOW] = z  # planes come in order
                    stats[used, LOW + 1 : HIGH] = FAR
                    used += ONE
                    slots[slot] = entry = used
                entries[run] = entry - ONE
        _add(ends, entries, runs, stats, U(z), first, U(ny))
    return np.int64(used)
