"""The segment index after a change of some chunks: what is known of all labels, less what was, plus what is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ngffseg.grid import Numbers
from ngffseg.pyramid import Counts

LOST = 2**64 - 1
# First and last index of a label along an axis, within these chunks of level 0 (flat indices).
Extent = Callable[[int, int, list[int]], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of one label: as a row of `Counts`."""

    voxels: int
    low: tuple[int, ...]
    high: tuple[int, ...]
    sums: tuple[int, ...]
    chunks: tuple[int, ...]


class Recount:
    """A change of some chunks of level 0.

    Parameters
    ----------
    before, after
        Labels of all these chunks, before and after.
    grid
        Number of chunks per axis of level 0.
    extent
        Looks at chunks of level 0 as they are now.
    """

    def __init__(self, before: Counts, after: Counts, grid: tuple[int, ...], extent: Extent) -> None:
        self.before, self.after = _tallies(before), _tallies(after)
        self.grid, self.extent = grid, extent
        self.labels = np.array(sorted({*self.before, *self.after}), np.uint64)

    def counts(self, pages: Iterator[Counts], page_index: Numbers) -> Iterator[Counts]:
        """All labels after the change, from pages of those before it, which begin at the page index."""
        if not len(page_index):
            yield _counts(self.after, len(self.grid))
            return
        ends = [*page_index[1:].tolist(), 2**64]
        for number, (page, end) in enumerate(zip(pages, ends, strict=True)):
            start = 0 if not number else int(page_index[number])
            here = self.labels[(self.labels >= np.uint64(start)) & (self.labels <= np.uint64(end - 1))]
            yield self._page(page, here) if len(here) else page

    def _page(self, page: Counts, labels: Numbers) -> Counts:
        known = _tallies(page)
        for label in labels.tolist():
            changed = self._changed(label, known.pop(label, None))
            if changed is not None:
                known[label] = changed
        return _counts(known, len(self.grid))

    def _changed(self, label: int, old: Tally | None) -> Tally | None:
        """What is known of a label after the change; None where none of it is left."""
        gone, come = self.before.get(label), self.after.get(label)
        if old is None:
            return come
        voxels = old.voxels - (gone.voxels if gone else 0) + (come.voxels if come else 0)
        if voxels <= 0:
            return None
        chunks = sorted({*old.chunks} - {*(gone.chunks if gone else ())} | {*(come.chunks if come else ())})
        axes = range(len(self.grid))
        sums = tuple(self._sum(old, gone, come, axis) for axis in axes)
        bounds = [self._bounds(label, axis, old, come, chunks) for axis in axes]
        return Tally(voxels, tuple(b[0] for b in bounds), tuple(b[1] for b in bounds), sums, tuple(chunks))

    def _sum(self, old: Tally, gone: Tally | None, come: Tally | None, axis: int) -> int:
        if old.sums[axis] == LOST:
            return LOST
        return old.sums[axis] - (gone.sums[axis] if gone else 0) + (come.sums[axis] if come else 0)

    def _bounds(
        self, label: int, axis: int, old: Tally, come: Tally | None, chunks: list[int]
    ) -> tuple[int, int]:
        """First and last index along an axis: where it may have shrunk, its outermost chunks are looked at."""
        gone = self.before.get(label)
        low, high = old.low[axis], old.high[axis]
        shrunk_low = gone is not None and gone.low[axis] == low and (come is None or come.low[axis] > low)
        shrunk_high = (
            gone is not None and gone.high[axis] == high and (come is None or come.high[axis] < high)
        )
        if come is not None:
            low, high = min(low, come.low[axis]), max(high, come.high[axis])
        places = np.array(np.unravel_index(np.array(chunks, np.int64), self.grid))[axis]
        if shrunk_low:
            first = [c for c, p in zip(chunks, places.tolist(), strict=True) if p == places.min()]
            low = self.extent(label, axis, first)[0]
        if shrunk_high:
            last = [c for c, p in zip(chunks, places.tolist(), strict=True) if p == places.max()]
            high = self.extent(label, axis, last)[1]
        return low, high


def _tallies(counts: Counts) -> dict[int, Tally]:
    """The labels of some counts, one by one."""
    lists = np.split(counts.chunks, np.cumsum(counts.chunk_counts.astype(np.int64))[:-1])
    columns = (counts.labels, counts.voxels, counts.low, counts.high, counts.sums)
    rows = zip(*(column.tolist() for column in columns), lists, strict=False)
    return {
        label: Tally(voxels, tuple(low), tuple(high), tuple(sums), tuple(chunks.tolist()))
        for label, voxels, low, high, sums, chunks in rows
    }


def _counts(tallies: dict[int, Tally], ndim: int) -> Counts:
    """Labels one by one as counts, sorted."""
    ordered = [tallies[label] for label in sorted(tallies)]

    def table(rows: list[tuple[int, ...]]) -> Numbers:
        """Rows of numbers, of which there may be none."""
        return np.array(rows, np.uint64).reshape(-1, ndim)

    return Counts(
        np.array(sorted(tallies), np.uint64),
        np.array([t.voxels for t in ordered], np.uint64),
        table([t.low for t in ordered]),
        table([t.high for t in ordered]),
        table([t.sums for t in ordered]),
        np.array([len(t.chunks) for t in ordered], np.uint64),
        np.array([c for t in ordered for c in t.chunks], np.uint64),
    )
