"""Which levels a rebuild makes above a stored level 0."""

from __future__ import annotations

import os

from ngffseg import ngff
from ngffseg.errors import MetadataError, NgffsegError, UsageError
from ngffseg.labels.nodes.find import attributes_of
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.plan.image_levels import image_levels
from ngffseg.labels.plan.options import WriteOptions, fitted_options
from ngffseg.labels.read.group_snapshot import GroupSnapshot, take_snapshot
from ngffseg.labels.read.hosts import writable_version
from ngffseg.labels.read.image_group import is_placeholder
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.pyramid import PyramidPlan, plan_above
from ngffseg.store import can_list, check_writable, local_path, open_store, store_errors


def can_build(image: LabelImage) -> bool:
    """Return True if `rebuild_levels` would begin: the store can be written, as far as this can be told."""
    if not image.name:
        return False
    try:
        with store_errors(image.url):
            check_writable(image.url)
            snapshot = take_snapshot(open_store(image.url), image.url, [f"{LABELS}/{image.name}"])
            plan_levels(image, snapshot, levels_version(image, snapshot), {})
    except NgffsegError:
        return False
    path = local_path(image.url)
    return can_list(image.url) and (path is None or os.access(path, os.W_OK))


def levels_version(image: LabelImage, snapshot: GroupSnapshot) -> ngff.Version:
    """The version in which the levels are written.

    Raises
    ------
    MetadataError
        If it is not written, or the levels have a transformation that is not understood.
    """
    group = snapshot.groups[f"{LABELS}/{image.name}"]
    assert group is not None
    attributes, where = attributes_of(group), f"{image.url}/{group.path}"
    version = writable_version(where, attributes, group.metadata.zarr_format)
    unknown = ngff.decode_multiscales(ngff.unwrap(attributes)[1], ndim=image._arrays[0].ndim).unknown
    if unknown:
        raise MetadataError(f"{where} has a transformation of type {unknown!r}: its levels stay as they are")
    if snapshot.existing().writable_version(image.url) != version:
        raise MetadataError(f"{where} is OME-Zarr {version}, its image is not: its levels stay as they are")
    return version


def plan_levels(
    image: LabelImage, snapshot: GroupSnapshot, version: ngff.Version, options: WriteOptions
) -> PyramidPlan:
    """Plan the levels above the stored level 0, as many as its image has.

    Raises
    ------
    MetadataError
        If what the store says of level 0 or of its image does not agree with the labels.
    UsageError
        If an option does not fit.
    """
    level0 = image._arrays[0]
    if level0.shape != image.geometry.shape:
        raise MetadataError(
            f"{image.url}: level 0 of {image.name!r} is {level0.shape}, not {image.geometry.shape}"
        )
    root = snapshot.groups[""]
    try:
        levels = image_levels(snapshot.image_group, image.geometry.axes)
    except UsageError as error:
        raise MetadataError(f"{image.url}, {image.name!r}: {error}") from error
    shapes = levels.shapes if levels is not None else ()
    if root is not None and is_placeholder(root):
        # An image without data follows its labels: those that they have, or as many as fit.
        asked = "levels" in options or "factors" in options
        shapes = () if asked or len(image._arrays) == 1 else tuple(array.shape for array in image._arrays)
    chosen = fitted_options(options, version, shapes, image.geometry)
    if version == "0.4":
        chosen.pop("shards", None)
    return plan_above(image.geometry, level0.dtype, level0.chunks, level0.shards, **chosen)
