"""Levels above a stored level 0: built where they are missing, rebuilt where they are there."""

from __future__ import annotations

import os
from importlib.metadata import version as package_version
from typing import Unpack

from ngffseg import ngff
from ngffseg.errors import JobError, MetadataError, NgffsegError, UsageError
from ngffseg.keywords import strict
from ngffseg.labels.address import split_address
from ngffseg.labels.filling import check_reach, fill_levels, with_level0
from ngffseg.labels.fingerprint import digest, source_digest, told_options
from ngffseg.labels.host import writable_version
from ngffseg.labels.image import LabelImage
from ngffseg.labels.image_levels import image_levels, levels_on
from ngffseg.labels.index import index_group
from ngffseg.labels.job import Job
from ngffseg.labels.journal import alone, set_aside_damaged
from ngffseg.labels.lazy import source_labels
from ngffseg.labels.levels import written_labels
from ngffseg.labels.naming import create_above, documents_of, free_paths, publish_levels
from ngffseg.labels.nodes import attributes_of, find_group
from ngffseg.labels.open import open_labels
from ngffseg.labels.options import LEVEL_KEYWORDS, WriteOptions, fitted_options
from ngffseg.labels.parent import Parent, is_placeholder, open_parent
from ngffseg.labels.places import LABELS
from ngffseg.labels.progress import BlockCounter, Progress
from ngffseg.labels.reading import reading_of
from ngffseg.labels.shield import shielded
from ngffseg.labels.staging import fitted_plan
from ngffseg.labels.update import finish_update
from ngffseg.ngff import JobRecord
from ngffseg.pyramid import PyramidPlan, plan_above
from ngffseg.store import can_list, check_writable, flushed, local_path, open_store, store_errors
from ngffseg.workers import open_crew


@strict(LEVEL_KEYWORDS)
def build_levels(
    url: str | os.PathLike[str],
    name: str | None = None,
    *,
    progress: Progress | None = None,
    **options: Unpack[WriteOptions],
) -> LabelImage:
    """Build the levels above level 0 of a stored label image, and its segment index.

    Level 0 is read once and not changed. Readers see the old levels until the new ones are
    complete.

    Parameters
    ----------
    url
        Address of the store, or ``STORE/labels/NAME``.
    name
        Which label image; needless where there is only one.
    progress
        Called after each block with the numbers of blocks done and in all.
    **options
        See `WriteOptions`; chunks and shards are those of level 0 by default. The number of
        levels is that of the image, which NGFF demands.

    Raises
    ------
    StoreNotFoundError, MetadataError
        If there are no such labels, or they are broken.
    UsageError
        If an option does not fit.
    ChunkError
        If a chunk of level 0 cannot be decoded; nothing is changed then.
    """
    image = open_labels(url, name)
    if not image.name:
        raise UsageError(f"{image.url} is a label image at the root: give a store that holds it under labels")
    address, _ = split_address(url, name)
    with store_errors(address):
        check_writable(address)
        # An update on the way would be read half, and lost with the levels that it makes.
        with alone(address, image.name):
            # All that a damaged one was going to change above level 0 is made anew here.
            set_aside_damaged(address, image.name, image.arrays[0])
            finish_update(address, image.name)
            _build(open_labels(address, image.name), progress, options)
    return open_labels(address, image.name)


def _build(image: LabelImage, progress: Progress | None, options: WriteOptions) -> None:
    """Build the levels of a label image that nobody else changes meanwhile."""
    address, store = image.url, open_store(image.url)
    parent = open_parent(store, address)
    version = _version(image, parent)
    plan = _plan(image, parent, version, options)
    resume = options.get("resume", False)
    record, has_index = _record(image, options), index_group(image) is not None
    if resume and _is_built(image, record):
        return
    with (
        open_crew(options.get("cluster"), options.get("workers")) as crew,
        Job(address, store, record, replacing=has_index, in_place=True, resume=resume) as job,
    ):
        count = len(plan.levels) - 1
        known = job.record.paths[:count] if job.resumed else free_paths(job, f"{LABELS}/{image.name}", plan)
        job.begin({image.name: plan}, [*known, *job.index_paths(image.name)])
        plan = fitted_plan(job.record, image.name, plan)
        check_reach(crew, job, [image.arrays[0]])
        with shielded():
            made = create_above(job, known, plan, version)
        source = source_labels(image.arrays[0])
        targets = [source, *(written_labels(array, job.scratch) for array in made)]
        blocks = BlockCounter(plan.block_count, progress)
        named = with_level0(plan, image.arrays[0].basename)
        fill_levels(job, reading_of(crew, plan, source), image.name, named, targets, blocks, version)
        if source_digest([image.arrays[0]]) != record.source:
            raise JobError(f"{address}: {image.name!r} has changed while it was read: run again")
        with shielded():
            flushed(address)
            # A placeholder follows its labels.
            follows = parent.root is None or is_placeholder(parent.root)
            told = None if follows else image_levels(parent, image.geometry.axes)
            levels = levels_on(told, image.geometry)
            publish_levels(job, image, plan, documents_of(known, made), version, levels)


def can_build(image: LabelImage) -> bool:
    """Return True if `build_levels` would begin: the store can be written, as far as this can be told."""
    if not image.name:
        return False
    try:
        with store_errors(image.url):
            check_writable(image.url)
            parent = open_parent(open_store(image.url), image.url)
            _plan(image, parent, _version(image, parent), {})
    except NgffsegError:
        return False
    path = local_path(image.url)
    return can_list(image.url) and (path is None or os.access(path, os.W_OK))


def _version(image: LabelImage, parent: Parent) -> ngff.Version:
    """The version in which the levels are written.

    Raises
    ------
    MetadataError
        If it is not written, or the levels have a transformation that is not understood.
    """
    group = find_group(open_store(image.url), f"{LABELS}/{image.name}")
    assert group is not None
    attributes, where = attributes_of(group), f"{image.url}/{group.path}"
    version = writable_version(where, attributes, group.metadata.zarr_format)
    unknown = ngff.decode_multiscales(ngff.unwrap(attributes)[1], ndim=image.arrays[0].ndim).unknown
    if unknown:
        raise MetadataError(f"{where} has a transformation of type {unknown!r}: its levels stay as they are")
    if parent.writable_version(image.url) != version:
        raise MetadataError(f"{where} is OME-Zarr {version}, its image is not: its levels stay as they are")
    return version


def _record(image: LabelImage, options: WriteOptions) -> JobRecord:
    """What the job is: its options, and the level 0 that it reads."""
    told = told_options(options)
    return JobRecord(
        name=image.name,
        software=package_version("ngffseg"),
        plan=digest(["levels", told]),
        source=source_digest([image.arrays[0]]),
        options=told,
    )


def _is_built(image: LabelImage, record: JobRecord) -> bool:
    """Whether the levels are there already, made from this level 0 in this way."""
    group = find_group(open_store(image.url), f"{LABELS}/{image.name}")
    label = ngff.decode_label(attributes_of(group)) if group is not None else None
    return label is not None and label.made == {"plan": record.plan, "source": record.source}


def _plan(image: LabelImage, parent: Parent, version: ngff.Version, options: WriteOptions) -> PyramidPlan:
    level0 = image.arrays[0]
    if level0.shape != image.geometry.shape:
        raise MetadataError(
            f"{image.url}: level 0 of {image.name!r} is {level0.shape}, not {image.geometry.shape}"
        )
    root = find_group(open_store(image.url), "")
    try:
        levels = image_levels(parent, image.geometry.axes)
    except UsageError as error:
        raise MetadataError(f"{image.url}, {image.name!r}: {error}") from error
    shapes = levels.shapes if levels is not None else ()
    if root is not None and is_placeholder(root):
        # An image without data follows its labels: those that they have, or as many as fit.
        asked = "levels" in options or "factors" in options
        shapes = () if asked or len(image.arrays) == 1 else tuple(array.shape for array in image.arrays)
    chosen = fitted_options(options, version, shapes, image.geometry)
    if version == "0.4":
        chosen.pop("shards", None)
    return plan_above(image.geometry, level0.dtype, level0.chunks, level0.shards, **chosen)
