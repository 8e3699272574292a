"""A write that is carried out: arrays and chunks aside, then all of it is published."""

from __future__ import annotations

from ngffseg.labels.commit import commit
from ngffseg.labels.creation import level_documents
from ngffseg.labels.draft import Draft, check_places
from ngffseg.labels.filling import check_reach, fill_levels, plan_for, with_level0
from ngffseg.labels.job import Job
from ngffseg.labels.progress import BlockCounter
from ngffseg.labels.publish import publish
from ngffseg.labels.request import Prepared, Request
from ngffseg.labels.shield import shielded
from ngffseg.labels.source_image import image_paths, write_image
from ngffseg.labels.staging import fitted_plan
from ngffseg.store import local_path
from ngffseg.workers import Crew, open_crew


def carry_out(prepared: Prepared) -> None:
    """Write what is asked for, and publish it when all of it is there.

    Raises
    ------
    NgffsegError
        See `ngffseg.labels.write_labels`; nothing is published then.
    """
    request, draft, store = prepared.request, prepared.draft, prepared.store
    address, options, remote = request.address, request.options, local_path(request.address) is None
    if draft.placeholder is not None and (remote or prepared.parent is not None):
        # On a disk, where there is nothing yet, another first writer may be at it; publishing looks again.
        equal = level_documents(draft.placeholder[0], draft.version) if remote else None
        check_places(store, address, draft.plans[0], equal)
    resume = options.get("resume", False)
    with (
        open_crew(options.get("cluster"), options.get("workers")) as crew,
        Job(address, store, prepared.record, replacing=prepared.exists, resume=resume) as job,
    ):
        _fill(request, draft, job, crew)
        if request.image is not None:
            write_image(job, request.image, draft.plans[0], draft.version)
        with shielded():
            finish = commit if remote else publish
            finish(job, draft.version, draft.document, draft.placeholder, overwrite=request.overwrite)


def _fill(request: Request, draft: Draft, job: Job, crew: Crew) -> None:
    """Write the levels of all layers."""
    layers = request.segmentation.layers
    fitted = {
        metadata.name: plan_for(crew, plan, labels)
        for metadata, plan, labels in zip(draft.layers, draft.plans, layers, strict=True)
    }
    job.reserve(draft.document.name, draft.plans[0], draft.version)
    in_place = [path for name, plan in fitted.items() for path in job.paths_of(name, plan)]
    if request.image is not None:
        in_place += image_paths(draft.plans[0])
    job.begin(fitted, () if job.aside else in_place)
    check_reach(crew, job, layers)
    plans = [fitted_plan(job.record, metadata.name, fitted[metadata.name]) for metadata in draft.layers]
    count = BlockCounter(sum(plan.block_count for plan in plans), request.progress)
    for metadata, plan, labels in zip(draft.layers, plans, layers, strict=True):
        with shielded():
            targets = job.create_levels(metadata.name, plan, draft.version)
        named = with_level0(plan, job.level_prefix + plan.levels[0].path)
        fill_levels(job, crew, metadata.name, named, labels, targets, count, draft.version)
        attributes = metadata.attributes(job.arrays[metadata.name], job.level_prefix)
        with shielded():
            job.describe(metadata.name, draft.version, attributes)
