"""The segment index of a label image on disk: sorted arrays that can be read in pieces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from ngffseg import ngff
from ngffseg.labels.group_document import put_group
from ngffseg.labels.image import LabelImage
from ngffseg.labels.job import Job
from ngffseg.labels.nodes import find_group
from ngffseg.labels.numbers import NumberWriter
from ngffseg.labels.places import INDEX, INDEX_PARTS
from ngffseg.pyramid import Counts, Level
from ngffseg.store import inside, open_store

ROWS_PER_CHUNK = 4096
CHUNKS_PER_CHUNK = 65536


def write_index(job: Job, name: str, level: Level, counts: Iterable[Counts], version: ngff.Version) -> None:
    """Write the index of one label image aside; it is published with the labels.

    Parameters
    ----------
    name
        Name of the label image.
    level
        Level 0, which was counted; its path as the metadata will name it.
    counts
        Its labels, in ranges in order.
    """
    path = job.index_path(name)
    job.indices[name] = write_counts(inside(job.url, path), job.level_prefix, level, counts, version)
    if job.aside:
        put_group(job.url, path, version, job.indices[name])


def write_counts(
    url: str, prefix: str, level: Level, counts: Iterable[Counts], version: ngff.Version
) -> dict[str, Any]:
    """Write the arrays of an index, whose names get a prefix; returns the attributes of its group.

    Parameters
    ----------
    url
        Address of the group.
    prefix
        Stands before the names of the arrays.
    level, counts
        As for `write_index`.
    """
    blank = ngff.IndexForm(
        level.path, level.shape, level.chunks, 0, ROWS_PER_CHUNK, *(f"{prefix}{part}" for part in INDEX_PARTS)
    )
    width = len(blank.columns)
    table = NumberWriter(url, blank.table, (width, ROWS_PER_CHUNK), version)
    lists = NumberWriter(url, blank.lists, (CHUNKS_PER_CHUNK,), version)
    fences = NumberWriter(url, blank.fences, (CHUNKS_PER_CHUNK,), version)
    rows = entries = 0
    for part in counts:
        if not len(part.labels):
            continue
        table.append(_columns(part, entries))
        lists.append(part.chunks)
        # A copy: a view would keep the whole part.
        fences.append(part.labels[-rows % ROWS_PER_CHUNK :: ROWS_PER_CHUNK].copy())
        rows += len(part.labels)
        entries += len(part.chunks)
    for array in (table, lists, fences):
        array.close()
    return ngff.encode_index(replace(blank, segments=rows))


def _columns(part: Counts, entries: int) -> npt.NDArray[np.uint64]:
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
