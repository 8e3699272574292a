"""`Parts`: rows of numbers by their first column. When they grow, they lie sorted in files until they are merged."""

from __future__ import annotations

import itertools
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ngffseg.grid import Numbers

# The column by which rows are sorted: the label of a row of the statistics.
KEY = 0
# Rows are merged in ranges of keys of about so many, or so many ranges: memory stays bounded.
ROWS_AT_ONCE, MOST_RANGES = 2**16, 2**12
HELD_BYTES = 2**23
SAMPLE = 256


@dataclass(frozen=True, slots=True)
class SortedRows:
    """Rows in the order of their keys; in a file unless ``rows`` holds them.

    ``sample`` is the key of every `SAMPLE`-th row.
    """

    sample: Numbers
    count: int
    file: Path | None
    rows: Numbers | None

    def range(self, low: np.uint64, high: np.uint64 | None, width: int) -> Numbers:
        """Rows of the keys from ``low`` to below ``high``."""
        first = max(0, int(np.searchsorted(self.sample, low)) - 1) * SAMPLE
        last = self.count
        if high is not None:
            last = min(last, int(np.searchsorted(self.sample, high)) * SAMPLE)
        rows = self.rows[first:last] if self.rows is not None else self._read(first, last, width)
        keys = rows[:, KEY]
        stop = len(rows) if high is None else int(np.searchsorted(keys, high))
        return rows[int(np.searchsorted(keys, low)) : stop]

    def all(self) -> Numbers:
        """All rows."""
        if self.rows is not None:
            return self.rows
        assert self.file is not None
        return np.fromfile(self.file, np.uint64).reshape(self.count, -1)

    def _read(self, first: int, last: int, width: int) -> Numbers:
        assert self.file is not None
        size = 8 * width
        numbers = np.fromfile(self.file, np.uint64, max(0, last - first) * width, offset=first * size)
        return numbers.reshape(-1, width)


class Parts:
    """Rows of so many columns, such as those of all blocks of a volume."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.held: list[Numbers] = []
        self.sorted: list[SortedRows] = []
        self.lock, self.numbers = threading.Lock(), itertools.count()
        self.folder: tempfile.TemporaryDirectory[str] | None = None

    def add(self, rows: list[Numbers], files: list[SortedRows]) -> None:
        """Take the rows of one block, those in files too."""
        with self.lock:
            self.sorted += files
            self.held += rows
            surplus = self.held if full(self.held) else []
            if surplus:
                self.held = []
        if surplus:
            part = self.spilled(surplus)
            with self.lock:
                self.sorted.append(part)

    def spilled(self, rows: list[Numbers]) -> SortedRows:
        """Write rows as one sorted file."""
        with self.lock:
            self.folder = self.folder or tempfile.TemporaryDirectory(prefix="ngffseg-")
            file = Path(self.folder.name) / str(next(self.numbers))
        part = _sorted(rows, self.width)
        assert part.rows is not None
        part.rows.tofile(file)
        return SortedRows(part.sample, part.count, file, None)

    def ranges(self) -> Iterator[Numbers]:
        """All rows in ranges of keys, those of a key together; the ranges are in order, the rows of one are not."""
        parts = [*self.sorted, _sorted(self.held, self.width)]
        borders = _borders(parts)
        for low, high in zip(borders, [*borders[1:], None], strict=True):
            yield np.concatenate([part.range(low, high, self.width) for part in parts])

    def close(self) -> None:
        """Remove the files."""
        if self.folder is not None:
            self.folder.cleanup()


def full(rows: list[Numbers]) -> bool:
    """Return True if so many rows belong into a file."""
    return sum(part.nbytes for part in rows) > HELD_BYTES


def _sorted(rows: list[Numbers], width: int) -> SortedRows:
    whole = np.concatenate([np.empty((0, width), np.uint64), *rows])
    whole = whole.take(np.argsort(whole[:, KEY]), axis=0)
    return SortedRows(whole[::SAMPLE, KEY].copy(), len(whole), None, whole)


def _borders(parts: list[SortedRows]) -> list[np.uint64]:
    """First keys of ranges of about as many rows, the first of all being 0."""
    rows = sum(part.count for part in parts)
    sample = np.sort(np.concatenate([part.sample for part in parts]))
    count = min(rows // ROWS_AT_ONCE, MOST_RANGES)
    inner = sample[np.arange(1, count + 1) * len(sample) // (count + 1)] if count else sample[:0]
    return [np.uint64(0), *np.unique(inner[inner > 0])]
