"""`StoredIndex`: the segment index of a label image as it is stored, read a part at a time; and its pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import zarr

from ngffseg import ngff
from ngffseg.errors import MetadataError
from ngffseg.grid import Numbers
from ngffseg.labels.nodes.find import attributes_of
from ngffseg.labels.read.lazy_level import LazyLevel, array_in
from ngffseg.pyramid import Counts

PAGE = 2**16


class StoredIndex:
    """An index, part by part.

    Parameters
    ----------
    url
        Address of its store, for errors to tell.
    group
        Its group.

    Raises
    ------
    MetadataError
        If it is broken, here or when a part of it is read.
    """

    def __init__(self, url: str, group: zarr.Group) -> None:
        self.url, self.group, self.layout = url, group, ngff.decode_index(attributes_of(group))
        self._arrays: dict[str, LazyLevel] = {}

    def array(self, path: str) -> LazyLevel:
        """One of its arrays, opened once."""
        if path not in self._arrays:
            array = array_in(self.url, self.group, path)
            if array is None:
                raise MetadataError(f"the segment index {self.group.path!r} has no array {path!r}")
            self.layout.check_array(path, array.shape)
            self._arrays[path] = array
        return self._arrays[path]

    def check(self) -> None:
        """Refuse an index of which an array is missing."""
        for path in self.layout.arrays:
            self.array(path)

    def page_index(self) -> Numbers:
        """First label of each page."""
        if not self.layout.segments:
            return np.empty(0, np.uint64)
        return np.asarray(self.array(self.layout.page_index)[:])

    def pages(self) -> Iterator[Counts]:
        """Its labels, a chunk of its table at a time."""
        layout, ndim = self.layout, len(self.layout.shape)
        for start in range(0, layout.segments, layout.rows_per_chunk):
            table = np.asarray(self.array(layout.table)[:, start : start + layout.rows_per_chunk])
            table = table[:, : layout.segments - start]
            first, last = int(table[2, 0]), int(table[2, -1] + table[3, -1])
            low, stop, sums = (table[4 + n * ndim : 4 + (n + 1) * ndim].T for n in range(3))
            lists = np.asarray(self.array(layout.lists)[first:last])
            yield Counts(table[0], table[1], low, stop - np.uint64(1), sums, table[3], lists)

    def pairs(self, path: str) -> Iterator[Numbers]:
        """The array of digests or of sizes, shape (n, 2) a part at a time, in order."""
        array = self.array(path)
        for start in range(0, array.shape[1], PAGE):
            yield np.asarray(array[:, start : start + PAGE]).T

    def membership(self, chunks: Numbers) -> Numbers:
        """Which labels it lists in some chunks: label and chunk, shape (n, 2), in order."""
        found = [np.empty((0, 2), np.uint64)]
        for page in self.pages():
            labels = np.repeat(page.labels, page.chunk_counts.astype(np.int64))
            inside = np.isin(page.chunks, chunks)
            found.append(np.stack([labels[inside], page.chunks[inside]], axis=1))
        return np.concatenate(found)


def restricted(pairs: Iterable[Numbers], keys: Numbers) -> Numbers:
    """Those pairs that have one of some keys."""
    return np.concatenate([np.empty((0, 2), np.uint64), *(part[np.isin(part[:, 0], keys)] for part in pairs)])


def replaced(pairs: Iterable[Numbers], keys: Numbers, new: Numbers) -> Iterator[Numbers]:
    """Pairs in order, in which those of some keys are replaced by new ones, which are in order too."""
    for part in pairs:
        if not len(part):
            continue
        here = new[: int(np.searchsorted(new[:, 0], part[-1, 0], side="right"))]
        new = new[len(here) :]
        joined = np.concatenate([part[~np.isin(part[:, 0], keys)], here])
        yield joined.take(np.argsort(joined[:, 0]), axis=0)
    yield new
