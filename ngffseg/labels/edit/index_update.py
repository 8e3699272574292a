"""The segment index of a label image of which a box has changed, written anew from the old one.

It is never counted on from an index that is not true: what the changed chunks held before the update is
compared with what the index says of them. If another program has changed them since, what they added to the
index is not known, so all of level 0 is counted again.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import zarr

from ngffseg import ngff
from ngffseg.chunks import BoxReader, StoredLabels
from ngffseg.errors import MetadataError
from ngffseg.grid import Numbers, chunk_boxes, chunk_grid, touched_chunks
from ngffseg.labels.edit.recount import Recount
from ngffseg.labels.edit.write_ahead_log import WriteAheadLog
from ngffseg.labels.index.level_count import counted_level0
from ngffseg.labels.index.stored_index import StoredIndex, replaced, restricted
from ngffseg.labels.index.write import (
    object_sizes,
    write_counted,
    write_counts,
    write_digests,
    write_sizes,
)
from ngffseg.labels.nodes.group_document import put_group
from ngffseg.labels.nodes.paths import INDEX, INDEX_PARTS
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.members import child_names
from ngffseg.pyramid import Counts, PyramidPlan, chunk_digests, merged
from ngffseg.store import inside, remove

# Stored bytes of objects, before and after a change of them.
Sizes = Mapping[tuple[int, ...], tuple[int, int]]


class ChunkChange:
    """What an update has changed in level 0, as the index tells of it.

    Parameters
    ----------
    stored
        Level 0, changed already.
    log
        The update.
    sizes
        Stored bytes of the objects under its box, before and after.
    """

    def __init__(self, stored: StoredLabels, log: WriteAheadLog, sizes: Sizes) -> None:
        ndim = len(stored.shape)
        self.stored, self.revision = stored, log.revision
        self.grid = chunk_grid(stored.shape, stored.chunks)
        ranges = touched_chunks(log.box, stored.chunks)
        self.chunks = _flat(itertools.product(*ranges), self.grid)
        self.before, self.after = merged(log.before, ndim), merged(log.after, ndim)
        units = chunk_grid(stored.shape, stored.unit)
        self.objects = _flat(sizes, units)
        pairs = np.array(list(sizes.values()), np.uint64).reshape(-1, 2)
        order = np.argsort(self.objects)
        self.objects = self.objects[order]
        self.sizes_before, self.sizes_after = (_sizes(self.objects, pairs[order, n]) for n in range(2))

    def agrees_with(self, index: StoredIndex, generation: int) -> bool:
        """Return True if the index says of the changed chunks what was in them before the update."""
        layout = index.layout
        if layout.generation is not None and (layout.generation, layout.revision) != (
            generation,
            self.revision - 1,
        ):
            return False
        if layout.sizes is not None and not np.array_equal(
            restricted(index.pairs(layout.sizes), self.objects), self.sizes_before
        ):
            return False
        if layout.digests is not None:
            known = restricted(index.pairs(layout.digests), self.chunks)
            return np.array_equal(known, _digests(self.before))
        # An index of ngffseg 0.1: its lists tell at least which labels are in a chunk.
        listed = np.repeat(self.before.labels, self.before.chunk_counts.astype(np.int64))
        return np.array_equal(index.membership(self.chunks), np.stack([listed, self.before.chunks], axis=1))


def update_index(
    image: LabelImage,
    group: zarr.Group,
    plan: PyramidPlan,
    change: ChunkChange,
    log: WriteAheadLog,
    version: ngff.Version,
) -> None:
    """Write the index in a group anew under names of its own, then have the group name them."""
    path, prefix = f"{INDEX}/{image.name}", f"{log.id}-"
    url, old = inside(image.url, path), _readable(image.url, group)
    if old is not None and old.layout.table.startswith(prefix):
        return  # this update has come so far before
    if old is not None and change.agrees_with(old, image.generation):
        layout = _counted_on(url, prefix, plan, old, change, version)
    else:
        stored = change.stored
        sizes = object_sizes(image.url, image._arrays[0].path, stored)
        with counted_level0(plan, stored) as statistics:
            layout = write_counted(url, prefix, plan.levels[0], statistics, sizes, version)
    layout = layout.counted_at(image.generation, log.revision)
    put_group(image.url, path, version, ngff.encode_index(layout))
    # Of a broken index only names are known; its arrays are perhaps broken too, and zarr would open each.
    gone = old.layout.arrays if old is not None else filter(_is_part, child_names(group.store, [path])[0])
    for name in set(gone) - set(layout.arrays):
        remove(image.url, f"{path}/{name}")


def _is_part(name: str) -> bool:
    """Return True for the name of an array of an index, with a prefix or without one."""
    return name.rpartition("-")[2] in INDEX_PARTS


def _readable(url: str, group: zarr.Group) -> StoredIndex | None:
    """The index in a group; None if it is broken, so that it is counted again."""
    try:
        index = StoredIndex(url, group)
        index.check()
    except MetadataError:
        return None
    return index


def _counted_on(
    url: str, prefix: str, plan: PyramidPlan, old: StoredIndex, change: ChunkChange, version: ngff.Version
) -> ngff.IndexLayout:
    """Write the index from the old one, less what the chunks held before, plus what they hold now."""
    recount = Recount(change.before, change.after, change.grid, _Extent(change.stored, change.grid))
    counts = recount.counts(old.pages(), old.page_index())
    layout = write_counts(url, prefix, plan.levels[0], counts, version)
    if old.layout.digests is not None:
        pairs = replaced(old.pairs(old.layout.digests), change.chunks, _digests(change.after))
        layout = write_digests(url, prefix, layout, pairs, version)
    if old.layout.sizes is not None:
        pairs = replaced(old.pairs(old.layout.sizes), change.objects, change.sizes_after)
        layout = write_sizes(url, prefix, layout, pairs, version)
    return layout


def _digests(counts: Counts) -> Numbers:
    """The digest of each chunk that holds any of some labels."""
    assert counts.digests is not None
    return chunk_digests(np.stack([counts.chunks, counts.digests], axis=1))


def _sizes(objects: Numbers, sizes: Numbers) -> Numbers:
    """Sizes of those objects that are there."""
    pairs = np.stack([objects, sizes], axis=1)
    return pairs[sizes > 0]


def _flat(indices: Any, grid: Sequence[int]) -> Numbers:
    """Flat numbers of indices in a grid."""
    table = np.array(list(indices), np.int64).reshape(-1, len(grid))
    numbers = np.ravel_multi_index(tuple(table.T), tuple(grid))
    return np.asarray(numbers, np.uint64)


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
            (box,) = chunk_boxes(self.stored.shape, self.stored.chunks, region)
            there = self.reader.read(box) == np.array(label, self.stored.dtype)
            others = tuple(n for n in range(there.ndim) if n != axis)
            found += (np.flatnonzero(there.any(axis=others)) + box[axis].start).tolist()
        return min(found), max(found)
