"""What must hold before a box of stored labels is changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg import ngff
from ngffseg.errors import JobError, LabelValueError, UsageError
from ngffseg.grid import Box
from ngffseg.grid.exact_box import exact_box
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.read.group_snapshot import GroupSnapshot
from ngffseg.labels.read.hosts import writable_version
from ngffseg.labels.read.label_image import LabelImage

Slices = tuple[slice, ...]


def checked_labels(image: LabelImage, box: Box | None, labels: npt.ArrayLike) -> npt.NDArray[Any]:
    """The labels, if they are what the box takes.

    Raises
    ------
    UsageError, LabelValueError
        If they have another shape or dtype, or negative values. Their byte order does not matter.
    """
    array, dtype = np.asarray(labels), image._arrays[0].dtype.newbyteorder("=")
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    size = tuple(part.stop - part.start for part in exact_box(box, image._arrays[0].shape))
    if array.dtype != dtype:
        # A mask says where, but not which of the labels is there.
        how = (
            "say of which value, as np.where(mask, 1, 0)"
            if array.dtype == bool
            else "convert them exactly first"
        )
        raise LabelValueError(f"labels are {array.dtype}, {image.name!r} holds {dtype}: {how}")
    if array.shape != size:
        raise UsageError(f"labels have shape {array.shape}, the box {size}: give as many as it holds")
    if array.dtype.kind == "i" and array.size and array.min() < 0:
        raise LabelValueError(f"label {array.min()} is negative: relabel it to 0 or above")
    return array


def checked_version(snapshot: GroupSnapshot, now: LabelImage, image: LabelImage, box: Slices) -> ngff.Version:
    """The version in which labels are changed; what others have changed since they were opened is refused.

    Raises
    ------
    MetadataError
        If they, or their store, have a version that is not written.
    JobError
        If somebody has changed what would be overwritten.
    """
    path = f"{LABELS}/{now.name}"
    group, attributes = snapshot.groups[path], snapshot.attributes(path)
    if group is not None:
        writable_version(f"{now.url}/{group.path}", attributes, group.metadata.zarr_format)
    _check_fresh(image, now, box, ngff.decode_label(attributes))
    return snapshot.existing().writable_version(now.url)


def _check_fresh(
    image: LabelImage, now: LabelImage, box: Slices, document: ngff.LabelDocument | None
) -> None:
    """Refuse to overwrite what the caller has not seen."""
    where = f"{now.url}: {now.name!r}"
    if image.generation != now.generation or image._arrays[0].shape != now._arrays[0].shape:
        raise JobError(f"{where} was replaced since it was opened: open it again")
    updates = document.updates if document is not None else ()
    newer = {revision: other for revision, other in updates if revision > image.revision}
    if now.revision - image.revision > len(newer):
        raise JobError(f"{where} has changed very often since it was opened: open it again")
    for other in newer.values():
        if all(b.start < stop and start < b.stop for b, (start, stop) in zip(box, other, strict=True)):
            raise JobError(f"{where} has changed in box {list(other)} since it was opened: open it again")
