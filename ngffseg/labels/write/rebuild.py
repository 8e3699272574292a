"""Levels above a stored level 0: built where they are missing, rebuilt where they are there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import version as package_version
from typing import Any, Unpack

from ngffseg import ngff
from ngffseg.errors import JobError, UsageError
from ngffseg.keywords import strict
from ngffseg.labels.edit.update import finish_update
from ngffseg.labels.edit.write_ahead_log import set_aside_damaged, update_lock
from ngffseg.labels.jobs.interrupts import defer_interrupts
from ngffseg.labels.jobs.job import Job
from ngffseg.labels.jobs.progress import BlockCounter, Progress
from ngffseg.labels.jobs.staging import fitted_plan
from ngffseg.labels.nodes.paths import INDEX, LABELS
from ngffseg.labels.plan.fingerprint import digest, recorded_options, source_digest
from ngffseg.labels.plan.image_levels import image_levels, levels_on
from ngffseg.labels.plan.level_plan import levels_version, plan_levels
from ngffseg.labels.plan.options import LEVEL_KEYWORDS, WriteOptions
from ngffseg.labels.publish.rebuilt_levels import create_above, documents_of, free_paths, publish_levels
from ngffseg.labels.read.address import split_address
from ngffseg.labels.read.group_snapshot import GroupSnapshot, take_snapshot
from ngffseg.labels.read.image_group import is_placeholder
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.lazy_level import source_labels
from ngffseg.labels.read.levels import written_labels
from ngffseg.labels.read.open import labels_in, open_labels
from ngffseg.labels.write.fill import check_reach, fill_levels, with_level0
from ngffseg.labels.write.reading import reading_of
from ngffseg.ngff import JobRecord
from ngffseg.store import check_writable, flushed, open_store, store_errors
from ngffseg.workers import open_executor


@strict(LEVEL_KEYWORDS)
def rebuild_levels(
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
        with update_lock(address, image.name):
            # All that a damaged one was going to change above level 0 is made anew here.
            set_aside_damaged(address, image.name, image._arrays[0])
            finish_update(address, image.name)
            # Read again, now that nobody else updates them: somebody may have done so since they were opened.
            paths = [f"{folder}/{image.name}" for folder in (LABELS, INDEX)]
            snapshot = take_snapshot(open_store(address), address, paths)
            _build(labels_in(snapshot, image.name), snapshot, progress, options)
    return open_labels(address, image.name)


def _build(
    image: LabelImage, snapshot: GroupSnapshot, progress: Progress | None, options: WriteOptions
) -> None:
    """Build the levels of a label image that nobody else changes meanwhile."""
    address, store, image_group = image.url, snapshot.store, snapshot.image_group
    version = levels_version(image, snapshot)
    plan = plan_levels(image, snapshot, version, options)
    resume, record = options.get("resume", False), _record(image, options)
    has_index = snapshot.groups[f"{INDEX}/{image.name}"] is not None
    if resume and _is_built(snapshot.attributes(f"{LABELS}/{image.name}"), record):
        return
    with (
        open_executor(options.get("cluster"), options.get("workers")) as executor,
        Job(address, store, record, replacing=has_index, in_place=True, resume=resume) as job,
    ):
        count = len(plan.levels) - 1
        group = f"{LABELS}/{image.name}"
        known = (
            job.record.paths[:count] if job.resumed else free_paths(job, group, plan, image._arrays.opened)
        )
        job.begin({image.name: plan}, [*known, *job.staging.index_paths(image.name)])
        plan = fitted_plan(job.record, image.name, plan)
        check_reach(executor, job, [image._arrays[0]])
        with defer_interrupts():
            made = create_above(job, known, plan, version)
        source = source_labels(image._arrays[0])
        targets = [source, *(written_labels(array, job.staging.scratch) for array in made)]
        blocks = BlockCounter(plan.block_count, progress)
        named = with_level0(plan, image._arrays[0].basename)
        reading = reading_of(executor, plan, source)
        index = fill_levels(job, reading, image.name, named, targets, blocks, version)
        if source_digest([image._arrays[0]]) != record.source:
            raise JobError(f"{address}: {image.name!r} has changed while it was read: run again")
        with defer_interrupts():
            flushed(address)
            # A placeholder follows its labels.
            root = snapshot.groups[""]
            follows = root is None or is_placeholder(root)
            recorded = None if follows else image_levels(image_group, image.geometry.axes)
            levels = levels_on(recorded, image.geometry)
            publish_levels(job, image, plan, documents_of(known, made), index, version, levels)


def _record(image: LabelImage, options: WriteOptions) -> JobRecord:
    """What the job is: its options, and the level 0 that it reads."""
    recorded = recorded_options(options)
    return JobRecord(
        name=image.name,
        software=package_version("ngffseg"),
        plan=digest(["levels", recorded]),
        source=source_digest([image._arrays[0]]),
        options=recorded,
    )


def _is_built(attributes: Mapping[str, Any], record: JobRecord) -> bool:
    """Return True if the levels are there already, made from this level 0 in this way."""
    label = ngff.decode_label(attributes)
    return label is not None and label.made == {"plan": record.plan, "source": record.source}
