"""The segment index of a label image on disk: sorted arrays that can be read in pieces."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import zarr

from ngffseg import ngff
from ngffseg.labels.creation import put_group
from ngffseg.labels.image import LabelImage
from ngffseg.labels.job import Job
from ngffseg.labels.nodes import find_group
from ngffseg.labels.numbers import NumberWriter
from ngffseg.labels.places import INDEX
from ngffseg.pyramid import Counts, Level
from ngffseg.store import open_store

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
    path, prefix = job.index_path(name), job.level_prefix
    blank = ngff.IndexForm(
        level.path,
        level.shape,
        level.chunks,
        0,
        ROWS_PER_CHUNK,
        f"{prefix}segments",
        f"{prefix}chunks",
        f"{prefix}fences",
    )
    width = len(blank.columns)

    def writer(part: str, chunks: tuple[int, ...]) -> NumberWriter:
        """Begin one array, and have it removed if the job fails."""
        job.written.append(f"{path}/{part}")
        return NumberWriter(job.url, f"{path}/{part}", chunks, version)

    table = writer(blank.table, (width, ROWS_PER_CHUNK))
    lists = writer(blank.lists, (CHUNKS_PER_CHUNK,))
    fences = writer(blank.fences, (CHUNKS_PER_CHUNK,))
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
    form = ngff.IndexForm(
        blank.level, blank.shape, blank.chunks, rows, ROWS_PER_CHUNK, blank.table, blank.lists, blank.fences
    )
    job.indices[name] = ngff.encode_index(form)
    if job.aside:
        put_group(job.url, path, version, job.indices[name])


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
