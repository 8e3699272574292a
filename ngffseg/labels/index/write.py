"""The segment index of a label image on disk: sorted arrays that can be read in pieces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import zarr

from ngffseg import ngff
from ngffseg.chunks import Keys, StoredLabels, keys_of
from ngffseg.grid import Numbers, chunk_grid
from ngffseg.labels.index.number_array import NumberWriter
from ngffseg.labels.nodes.find import find_group
from ngffseg.labels.nodes.paths import INDEX, INDEX_PARTS
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.lazy_level import LazyLevel, stored_array
from ngffseg.pyramid import Counts, LabelStatistics, Level
from ngffseg.store import can_list, list_objects, open_store

ROWS_PER_CHUNK = 4096
CHUNKS_PER_CHUNK = PAIRS_PER_CHUNK = 65536
DIGESTS, SIZES = INDEX_PARTS[3:]


def write_counted(
    url: str,
    prefix: str,
    level: Level,
    statistics: LabelStatistics,
    sizes: Numbers | None,
    version: ngff.Version,
) -> ngff.IndexLayout:
    """Write all arrays of an index of labels that were counted; returns what its group is to say.

    Parameters
    ----------
    url
        Address of the group.
    prefix
        Stands before the names of the arrays.
    level, statistics
        Level 0 as it is stored, complete.
    sizes
        See `object_sizes`.
    """
    layout = write_counts(url, prefix, level, statistics.counts(), version)
    layout = write_digests(url, prefix, layout, statistics.digests(), version)
    return layout if sizes is None else write_sizes(url, prefix, layout, [sizes], version)


def write_counts(
    url: str, prefix: str, level: Level, counts: Iterable[Counts], version: ngff.Version
) -> ngff.IndexLayout:
    """Write the arrays of an index that tell of segments; see `write_counted`.

    Parameters
    ----------
    counts
        The labels of level 0, in ranges in order.
    """
    table, lists, page_index, *_ = (f"{prefix}{part}" for part in INDEX_PARTS)
    blank = ngff.IndexLayout(
        level.path,
        level.shape,
        level.chunks,
        0,
        ROWS_PER_CHUNK,
        table=table,
        lists=lists,
        page_index=page_index,
    )
    width = len(blank.columns)
    rows = entries = 0
    with (
        NumberWriter(url, blank.table, (width, ROWS_PER_CHUNK), version) as written,
        NumberWriter(url, blank.lists, (CHUNKS_PER_CHUNK,), version) as listed,
        NumberWriter(url, blank.page_index, (CHUNKS_PER_CHUNK,), version) as first,
    ):
        for part in counts:
            if not len(part.labels):
                continue
            written.append(_columns(part, entries))
            listed.append(part.chunks)
            # A copy: a view would keep the whole part.
            first.append(part.labels[-rows % ROWS_PER_CHUNK :: ROWS_PER_CHUNK].copy())
            rows += len(part.labels)
            entries += len(part.chunks)
    # No part of it has been updated since; which generation it is of is known when it is published.
    return replace(blank, segments=rows, revision=0)


def write_digests(
    url: str, prefix: str, layout: ngff.IndexLayout, pairs: Iterable[Numbers], version: ngff.Version
) -> ngff.IndexLayout:
    """Write the digest of each chunk, of which there are parts of shape (n, 2) in order."""
    path = f"{prefix}{DIGESTS}"
    _write_pairs(url, path, pairs, version)
    return replace(layout, digests=path)


def write_sizes(
    url: str, prefix: str, layout: ngff.IndexLayout, pairs: Iterable[Numbers], version: ngff.Version
) -> ngff.IndexLayout:
    """Write the stored bytes of each object, of which there are parts of shape (n, 2) in order."""
    path = f"{prefix}{SIZES}"
    _write_pairs(url, path, pairs, version)
    return replace(layout, sizes=path)


def _write_pairs(url: str, path: str, pairs: Iterable[Numbers], version: ngff.Version) -> None:
    with NumberWriter(url, path, (2, PAIRS_PER_CHUNK), version) as writer:
        for part in pairs:
            writer.append(part.T)


def object_sizes(url: str, path: str, stored: StoredLabels | LazyLevel | zarr.Array[Any]) -> Numbers | None:
    """Flat index and stored bytes of each object of an array, shape (n, 2), in order; one listing.

    Parameters
    ----------
    url, path
        Address of the store, and path of the array in it.
    stored
        The array.

    Returns
    -------
    numpy.ndarray or None
        None where the store cannot list, or only zarr itself knows the keys.
    """
    keys: Keys | None
    if isinstance(stored, StoredLabels):
        keys, unit = stored.keys, stored.unit
    else:
        array = stored_array(stored)
        keys, unit = (keys_of(array), array.shards or array.chunks) if array is not None else (None, ())
    if keys is None or not can_list(url):
        return None
    grid = chunk_grid(stored.shape, unit)
    entries = list_objects(url, f"{path}/".lstrip("/"))
    sizes = {key.removeprefix(path).lstrip("/"): entry.size for key, entry in entries.items()}
    found = np.array(
        [
            (np.ravel_multi_index(index, grid), sizes[keys.key(index)])
            for index in keys.indices(sizes, len(grid))
            if all(i < n for i, n in zip(index, grid, strict=True))
        ],
        np.uint64,
    ).reshape(-1, 2)
    return found.take(np.argsort(found[:, 0]), axis=0)


def _columns(part: Counts, entries: int) -> Numbers:
    """Rows of the table for some labels; ``entries`` chunks are listed before theirs."""
    starts = np.cumsum(part.chunk_counts) - part.chunk_counts + np.uint64(entries)
    one = np.uint64(1)
    return np.concatenate(
        [
            [part.labels, part.voxels, starts, part.chunk_counts],
            part.low.T,
            part.high.T + one,
            part.sums.T,
        ]
    )


def index_group(image: LabelImage) -> zarr.Group | None:
    """The group of the segment index of a label image; None if it has none."""
    return find_group(open_store(image.url), f"{INDEX}/{image.name}") if image.name else None
