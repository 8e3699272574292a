"""Publishing a job on an object store: it is registered in one step, then what readers open follows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ngffseg import ngff
from ngffseg.errors import LabelExistsError
from ngffseg.labels.jobs.job import Job
from ngffseg.labels.nodes.consolidated import refresh_consolidated
from ngffseg.labels.nodes.create import level_documents
from ngffseg.labels.plan.write_plan import check_places
from ngffseg.labels.publish.local import (
    changed_groups,
    check_levels,
    count_generation,
    look_again,
    published,
    replaced_paths,
)
from ngffseg.labels.read.image_group import ImageGroup, find_image_group
from ngffseg.labels.registry.object_store import (
    create_commit_record,
    entry_key,
    is_registered,
    newest_entries,
    publish_documents,
    update_registry,
)
from ngffseg.pyramid import PyramidPlan
from ngffseg.store import remove


def commit(
    job: Job,
    version: ngff.Version,
    document: ngff.Document,
    placeholder: tuple[PyramidPlan, dict[str, Any]] | None,
    *,
    overwrite: bool,
) -> None:
    """Register the label images of a job, whose arrays are all written.

    Raises
    ------
    LabelExistsError
        If another writer has registered the name meanwhile.
    UsageError, MetadataError
        If another writer has published an image meanwhile that the labels do not fit.
    StoreError
        If the labels are registered, but not all that readers open could be written.
    """
    job.check_held()
    # Read again, at the commit: other writers may have published since the write was planned.
    snapshot = look_again(job, document)
    image_group = snapshot.image_group
    check_levels(job, document, image_group)
    old = replaced_paths(job, document, snapshot)
    if old:  # should we die on the way, whoever comes next removes what nothing names any more
        job.note_paths([*job.written, *sorted(old)])
    image = None if job.image is None else ngff.Placeholder(job.image, {})
    if placeholder is not None and (image_group is None or image_group.multiscales is None):
        plan, attributes = placeholder
        image = ngff.Placeholder(attributes, level_documents(plan, version))
        check_places(job.store, job.url, plan, image.arrays)
    blank = ngff.CommitRecord(document, version, job.attributes, job.indices, image)
    ours = _ownership(job, blank, image_group, overwrite=overwrite)
    written, job.written = job.written, []  # from here on it belongs to the store
    with published(job.url, document.name):
        newest = publish_documents(job.store, job.url, ours)
        update_registry(job.store, job.url, newest)
        if newest == ours:
            _remove_old(job, ours.document, old)
        else:  # replaced already
            for path in written:
                remove(job.url, path)
        refresh_consolidated(job.url, changed_groups(job), ngff.zarr_format(version))


def _remove_old(job: Job, document: ngff.Document, old: set[str]) -> None:
    """Remove what the segmentation consisted of before it was replaced, and its registrations."""
    for path in old:
        remove(job.url, path)
    for generation in range(1, document.generation):
        remove(job.url, entry_key(document.name, generation))


def _ownership(
    job: Job, blank: ngff.CommitRecord, image_group: ImageGroup | None, *, overwrite: bool
) -> ngff.CommitRecord:
    """Create the registration; of several writers of one name one is first."""
    name = blank.document.name
    while True:
        known = {d.name: d.generation for d in image_group.documents} if image_group is not None else {}
        before = max(known.get(name, 0), newest_entries(job.url).get(name, 0))
        there = image_group is not None and name in image_group.names
        if not overwrite and (there or (before and is_registered(job.store, blank, before))):
            raise LabelExistsError(f"{job.url}: label image {name!r} was written by another job meanwhile")
        count_generation(job, blank.version, before + 1)
        ours = replace(blank, document=replace(blank.document, generation=before + 1))
        if create_commit_record(job.url, ours):
            return ours
        image_group = find_image_group(job.store, job.url)
