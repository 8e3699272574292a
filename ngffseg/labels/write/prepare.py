"""What is decided about a write before it is done: the store is looked at once, then all is planned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ngffseg.chunks import StoredLabels
from ngffseg.errors import Hint, LabelExistsError, UsageError
from ngffseg.geometry import on_axes, source_on_axes
from ngffseg.grid import chunk_boxes
from ngffseg.labels.arrays.reordered import canonical
from ngffseg.labels.jobs.recovery import recover
from ngffseg.labels.jobs.unchanged import first_difference
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.plan.fingerprint import options_digest, plan_digest, source_digest
from ngffseg.labels.plan.image_levels import ImageLevels, beside_image, image_levels
from ngffseg.labels.plan.joining import Joined, join_placeholder, joined
from ngffseg.labels.plan.write_plan import WritePlan, check_target, is_there, plan_write
from ngffseg.labels.read.address import check_name, layer_names
from ngffseg.labels.read.group_snapshot import GroupSnapshot, take_snapshot
from ngffseg.labels.read.image_group import ImageGroup, document_of, is_placeholder
from ngffseg.labels.read.lazy_level import source_labels
from ngffseg.labels.read.open import labels_in, open_labels
from ngffseg.labels.write.request import Prepared, Request
from ngffseg.store import check_writable, open_store, store_errors

OVERWRITE = Hint("overwrite")


def begin(address: str, name: str, *, resume: bool) -> GroupSnapshot:
    """Put right what runs that died have left of a segmentation, then read what the store says of itself.

    Raises
    ------
    NgffsegError
        If the store cannot be written, or is no OME-Zarr image.
    """
    with store_errors(address):
        check_writable(address)
        store = open_store(address)
        recover(store, address, check_name(name), resume=resume)
        return look(address, name)


def look(address: str, name: str) -> GroupSnapshot:
    """What a store says of itself, as far as a write of this segmentation asks for it."""
    return take_snapshot(open_store(address), address, [f"{LABELS}/{name}"])


def prepare(request: Request, snapshot: GroupSnapshot) -> Prepared:
    """Decide on all of a write, before anything is written; the store is as `begin` or `look` found it.

    Raises
    ------
    NgffsegError
        If the store cannot take it.
    """
    address, name, image_group = request.address, request.name, snapshot.image_group
    resume = request.options.get("resume", False)
    if request.options.get("order") == "canonical":
        ordered, image = canonical(request.segmentation, request.image)
        request = replace(request, segmentation=ordered, image=image)
    names = layer_names(check_name(name), len(request.segmentation.layers))
    labels = beside_image(request.segmentation, request.image, image_group)
    request = replace(request, segmentation=labels)
    exists = is_there(snapshot, name)
    if exists and not request.overwrite and not resume:
        raise LabelExistsError(
            f"{address} has a label image {name!r} already: choose another name, or {OVERWRITE}",
            hints=[OVERWRITE],
        )
    # The image may have been published by the run that is to be resumed.
    check_target(address, image_group, names, labels.geometry, None if resume else request.image)
    levels = image_levels(image_group, labels.geometry.axes)
    if exists and resume:
        # ngffseg 0.1 wrote labels on the grid on which they came.
        write_plan = _planned(request, image_group, levels, Joined(labels), names)
        if is_done(request, write_plan, snapshot):
            return Prepared(request, snapshot, write_plan, exists, done=True)
    write_plan = _planned(request, image_group, levels, _joined(request, image_group, levels), names)
    done = exists and resume and is_done(request, write_plan, snapshot)
    if exists and not request.overwrite and not done:
        raise LabelExistsError(
            f"{address} has a label image {name!r} already, made from other labels or with other options:"
            f" choose another name, or {OVERWRITE}",
            hints=[OVERWRITE],
        )
    return Prepared(request, snapshot, write_plan, exists, done)


def is_done(request: Request, write_plan: WritePlan, snapshot: GroupSnapshot) -> bool:
    """Return True if what is asked for is there already, and equal."""
    name, made = write_plan.document.name, write_plan.document.made
    there = document_of(snapshot.image_group, name)
    if there is None or made is None or there.made != made:
        return False
    if made["source"] is not None:
        return True
    for layer, labels in zip(there.layers, write_plan.segmentation.layers, strict=True):
        image = labels_in(snapshot, name) if layer == name else open_labels(request.address, layer)
        stored = source_labels(image._arrays[0])
        if not isinstance(stored, StoredLabels):
            return bool(np.array_equal(np.asarray(labels), stored[...]))
        if first_difference(labels, stored, chunk_boxes(stored.shape, stored.chunks)) is not None:
            return False
    return True


def _joined(request: Request, image_group: ImageGroup | None, levels: ImageLevels | None) -> Joined:
    """The labels on the grid of the image that they join, if there is one."""
    labels = request.segmentation
    if (
        levels is not None
        and image_group is not None
        and image_group.root is not None
        and is_placeholder(image_group.root)
    ):
        return Joined(join_placeholder(labels, levels.grid))
    if levels is not None:
        # Labels of a file were drawn on the file of the image; arrays on what is stored.
        image, source = levels.grid, levels.source_grid if labels.source is not None else None
    elif request.image is not None:
        axes = labels.geometry.axes
        image = on_axes(request.image.geometry, axes)
        source = source_on_axes(request.image.source_grid, axes)
    else:
        return Joined(labels)
    try:
        return joined(labels, image, request.options, source)
    except UsageError as error:
        raise UsageError(f"{request.address}, {request.name!r}: {error}") from error


def _planned(
    request: Request,
    image_group: ImageGroup | None,
    levels: ImageLevels | None,
    labels: Joined,
    names: tuple[str, ...],
) -> WritePlan:
    """The write plan, whose document tells what it is made from, so that a later run knows it again."""
    write_plan = plan_write(
        request.address, image_group, levels, labels, names, request.image, request.options
    )
    source = request.fingerprint or source_digest(request.segmentation.layers)
    made = {
        "plan": plan_digest(write_plan, request.segmentation, request.options, request.image),
        "source": source,
        "options": options_digest(request.options),
    }
    return replace(write_plan, document=replace(write_plan.document, made=made))
