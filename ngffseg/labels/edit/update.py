"""`update_labels`: a box of stored labels is changed, and all that follows from it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from ngffseg import ngff
from ngffseg.chunks import BoxReader, StoredLabels, edit_box
from ngffseg.errors import UsageError
from ngffseg.grid import Box, chunk_boxes
from ngffseg.grid.exact_box import exact_box
from ngffseg.keywords import strict
from ngffseg.labels.edit.index_update import ChunkChange, update_index
from ngffseg.labels.edit.precondition import checked_labels, checked_version
from ngffseg.labels.edit.stored_plan import stored_plan
from ngffseg.labels.edit.write_ahead_log import (
    WriteAheadLog,
    end_log,
    find_log,
    read_log,
    update_folder,
    update_lock,
    write_log,
)
from ngffseg.labels.nodes.consolidated import refresh_consolidated
from ngffseg.labels.nodes.create import array_at, store_at
from ngffseg.labels.nodes.find import attributes_of, find_group
from ngffseg.labels.nodes.group_document import put_group
from ngffseg.labels.nodes.paths import INDEX, LABELS
from ngffseg.labels.read.group_snapshot import GroupSnapshot, take_snapshot
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.levels import written_labels
from ngffseg.labels.read.open import labels_in, open_labels
from ngffseg.pyramid import LabelStatistics, PyramidPlan, box_above, labels_of
from ngffseg.store import check_writable, local_path, locked, make_folder, open_store, store_errors

Slices = tuple[slice, ...]
# Updates that are remembered: who has read the labels before the oldest of them reads them again.
MOST_UPDATES = 256


@strict()
def update_labels(image: LabelImage, box: Box | None, labels: npt.ArrayLike) -> LabelImage:
    """Change a box of level 0 of stored labels, with the levels above it and the segment index.

    The result is what writing all of it anew would give. Only objects that cover the box are written. A
    reader finds the old or the new chunk, never a part of one. Updates of one label image wait for each
    other; one that dies is finished by the next.

    Parameters
    ----------
    image
        The label image, as it was opened; where segments overlap, one of its layers.
    box
        Per axis a slice or a pair (start, stop) of voxels of level 0; None for all of it.
    labels
        What it is to hold: an integer array of the shape of the box and the dtype of the image.

    Returns
    -------
    LabelImage
        The label image as it is now.

    Raises
    ------
    UsageError, LabelValueError
        If the box leaves the volume, or the labels have another shape or dtype.
    JobError
        If the labels of the box have changed since the image was opened, or all were replaced.
    MetadataError
        If nobody knows how the levels were made.
    """
    url, name = image.url, image.name
    where, new = exact_box(box, image._arrays[0].shape), checked_labels(image, box, labels)
    if not name:
        raise UsageError(f"{url} is a label image at the root: give a store that holds it under labels")
    with store_errors(url):
        check_writable(url)
        with update_lock(url, name):
            finish_update(url, name)
            # From here on nobody else updates these labels: what is read now holds until we are done.
            snapshot = _look(url, name)
            now = labels_in(snapshot, name)
            version = checked_version(snapshot, now, image, where)
            plan = stored_plan(now, snapshot.attributes(f"{LABELS}/{name}"))
            if new.size:
                before, after = _counted(plan, _targets(now)[0], where, new)
                log = WriteAheadLog(uuid.uuid4().hex[:12], where, now.revision + 1, new, before, after)
                write_log(url, name, log)
                _carry_out(_Update(now, plan, log, version, snapshot.groups[f"{INDEX}/{name}"]))
    image.clear_cache()
    return open_labels(url, name)


def finish_update(url: str, name: str) -> None:
    """Do what a write-ahead log says, if there is one; to do it twice is to do it once.

    Raises
    ------
    JobError
        If it is damaged.
    """
    data = find_log(url, name)
    if data is None:
        return
    snapshot = _look(url, name)
    image = labels_in(snapshot, name)
    log = read_log(url, name, data, image._arrays[0])
    version = snapshot.existing().writable_version(url)
    plan = stored_plan(image, snapshot.attributes(f"{LABELS}/{name}"))
    _carry_out(_Update(image, plan, log, version, snapshot.groups[f"{INDEX}/{name}"]))


def _look(url: str, name: str) -> GroupSnapshot:
    """What a store says of itself, as far as an update of these labels asks for it."""
    return take_snapshot(open_store(url), url, [f"{LABELS}/{name}", f"{INDEX}/{name}"])


@dataclass(frozen=True, slots=True)
class _Update:
    """An update, and all that was read of the labels under the lock."""

    image: LabelImage
    plan: PyramidPlan
    log: WriteAheadLog
    version: ngff.Version
    index: zarr.Group | None


def _carry_out(update: _Update) -> None:
    image, plan, log, version = update.image, update.plan, update.log, update.version
    url, name, targets = image.url, image.name, _targets(image)
    readers = [BoxReader(target) for target in targets]
    start = [part.start for part in log.box]

    def given(inside: Slices) -> npt.NDArray[Any]:
        """Labels of a part of the box."""
        return log.labels[tuple(slice(p.start - s, p.stop - s) for p, s in zip(inside, start, strict=True))]

    sizes = edit_box(targets[0], log.box, given)
    for number in range(1, len(targets)):

        def made(inside: Slices, number: int = number) -> npt.NDArray[Any]:
            """Labels of a part of a level."""
            return labels_of(plan, number, inside, lambda below, box: readers[below].read(box))

        edit_box(targets[number], box_above(plan, number, log.box), made)
    if update.index is not None:
        update_index(image, update.index, plan, ChunkChange(targets[0], log, sizes), log, version)
    _note(image, log, version)
    with locked(url):
        refresh_consolidated(url, [f"{LABELS}/{name}"], ngff.zarr_format(version))
    end_log(url, name)


def _targets(image: LabelImage) -> list[StoredLabels]:
    """The levels, to be written."""
    here = local_path(image.url) is not None
    scratch = make_folder(image.url, update_folder(image.name)) if here else None
    arrays = [array_at(store_at(image.url, array.path), array.metadata) for array in image._arrays]
    return [written_labels(array, scratch) for array in arrays]


def _counted(
    plan: PyramidPlan, stored: StoredLabels, box: Slices, new: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Rows of the statistics of all chunks that the box touches, before and after the update."""
    reader = BoxReader(stored)
    with LabelStatistics(plan) as statistics:
        before, after = statistics.begin(), statistics.begin()
        for whole in chunk_boxes(stored.shape, stored.chunks, box):
            chunk = reader.read(whole)
            before(chunk, whole)
            chunk = chunk.copy()
            inside = [
                slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(whole, box, strict=True)
            ]
            there = tuple(
                slice(i.start - a.start, i.stop - a.start) for i, a in zip(inside, whole, strict=True)
            )
            chunk[there] = new[
                tuple(slice(i.start - b.start, i.stop - b.start) for i, b in zip(inside, box, strict=True))
            ]
            after(chunk, whole)
        return statistics.rows_of(before), statistics.rows_of(after)


def _note(image: LabelImage, log: WriteAheadLog, version: ngff.Version) -> None:
    """Have the label image tell that it has changed, and where."""
    path = f"{LABELS}/{image.name}"
    with locked(image.url):
        # Read again, under the lock of the store: others may have changed what stands beside.
        group = find_group(open_store(image.url), path)
        attributes = attributes_of(group) if group is not None else {}
        label = ngff.decode_label(attributes)
        if label is not None and label.revision < log.revision:
            box = tuple((part.start, part.stop) for part in log.box)
            updates = (*label.updates, (log.revision, box))[-MOST_UPDATES:]
            document = ngff.encode_label(replace(label, revision=log.revision, updates=updates))
            put_group(image.url, path, version, document)
