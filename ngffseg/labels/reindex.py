"""The segment index of a label image of which a box has changed, written anew from the old one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import zarr

from ngffseg import ngff
from ngffseg.chunks import BoxReader, StoredLabels
from ngffseg.labels.comparison import chunk_boxes
from ngffseg.labels.group_document import put_group
from ngffseg.labels.image import LabelImage
from ngffseg.labels.index import write_counts
from ngffseg.labels.journal import Journal
from ngffseg.labels.nodes import attributes_of, find_group
from ngffseg.labels.places import INDEX
from ngffseg.labels.recount import Recount
from ngffseg.pyramid import Counts, PyramidPlan, merged
from ngffseg.store import inside, open_store, remove


def update_index(
    image: LabelImage, plan: PyramidPlan, stored: StoredLabels, journal: Journal, version: ngff.Version
) -> None:
    """Write the index anew under names of its own, then have its group name them."""
    path = f"{INDEX}/{image.name}"
    group = find_group(open_store(image.url), path)
    if group is None:
        return
    form = ngff.decode_index(attributes_of(group))
    prefix = f"{journal.id}-"
    if form.table.startswith(prefix):
        return  # this update has come so far before
    ndim = len(stored.shape)
    grid = tuple(-(-n // c) for n, c in zip(stored.shape, stored.chunks, strict=True))
    recount = Recount(merged(journal.before, ndim), merged(journal.after, ndim), grid, _Extent(stored, grid))
    fences = np.asarray(_numbers(group, form.fences)[:]) if form.segments else np.empty(0, np.uint64)
    counts = recount.counts(_pages(group, form), fences)
    made = write_counts(inside(image.url, path), prefix, plan.levels[0], counts, version)
    put_group(image.url, path, version, made)
    for part in (form.table, form.lists, form.fences):
        remove(image.url, f"{path}/{part}")


def _pages(group: zarr.Group, form: ngff.IndexForm) -> Iterator[Counts]:
    """The labels of an index, a chunk of its table at a time."""
    ndim = len(form.shape)
    for start in range(0, form.segments, form.rows_per_chunk):
        table = np.asarray(_numbers(group, form.table)[:, start : start + form.rows_per_chunk])
        table = table[:, : form.segments - start]
        first, last = int(table[2, 0]), int(table[2, -1] + table[3, -1])
        low, stop, sums = (table[4 + n * ndim : 4 + (n + 1) * ndim].T for n in range(3))
        lists = np.asarray(_numbers(group, form.lists)[first:last])
        yield Counts(table[0], table[1], low, stop - np.uint64(1), sums, table[3], lists)


class _Extent:
    """Looks for a label in chunks of level 0."""

    def __init__(self, stored: StoredLabels, grid: Sequence[int]) -> None:
        self.reader, self.stored, self.grid = BoxReader(stored), stored, tuple(grid)

    def __call__(self, label: int, axis: int, chunks: list[int]) -> tuple[int, int]:
        """First and last index of a label along an axis, within chunks that hold it."""
        found = []
        for chunk in chunks:
            index = np.unravel_index(chunk, self.grid)
            corner = [int(i) * c for i, c in zip(index, self.stored.chunks, strict=True)]
            region = tuple(slice(a, a + 1) for a in corner)
            (box,) = chunk_boxes(self.stored, region)
            there = self.reader.read(box) == np.array(label, self.stored.dtype)
            others = tuple(n for n in range(there.ndim) if n != axis)
            found += (np.flatnonzero(there.any(axis=others)) + box[axis].start).tolist()
        return min(found), max(found)


def _numbers(group: zarr.Group, name: str) -> zarr.Array[Any]:
    array = group[name]
    assert isinstance(array, zarr.Array)
    return array
