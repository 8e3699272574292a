"""`Request`: a write that somebody asks for, and how it is carried out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version as package_version

import numpy as np
from zarr.abc.store import Store

from ngffseg.chunks import StoredLabels
from ngffseg.labels.commit import commit
from ngffseg.labels.comparison import chunk_boxes, first_difference
from ngffseg.labels.creation import level_documents
from ngffseg.labels.draft import Draft, check_places
from ngffseg.labels.filling import check_reach, fill_levels, plan_for, with_level0
from ngffseg.labels.fingerprint import plan_digest, source_digest, told_options
from ngffseg.labels.job import Job
from ngffseg.labels.levels import source_labels
from ngffseg.labels.open import open_labels
from ngffseg.labels.options import WriteOptions
from ngffseg.labels.parent import Parent
from ngffseg.labels.progress import BlockCounter, Progress
from ngffseg.labels.publish import publish
from ngffseg.labels.shield import shielded
from ngffseg.labels.source_image import image_paths, write_image
from ngffseg.model import Segmentation, Volume
from ngffseg.ngff import JobRecord
from ngffseg.store import local_path
from ngffseg.workers import Crew, open_crew


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be written, and how.

    Parameters
    ----------
    address
        Address of the store.
    segmentation, image
        The labels, and the image that they belong to.
    options
        See `WriteOptions`.
    overwrite
        Whether a label image of this name may be replaced.
    fingerprint
        Changes with the files that the labels were read from.
    progress
        Called after each block.
    """

    address: str
    segmentation: Segmentation
    image: Volume | None
    options: WriteOptions
    overwrite: bool
    fingerprint: str | None
    progress: Progress | None


def is_done(request: Request, draft: Draft, parent: Parent | None) -> bool:
    """Whether what is asked for is there already, and equal."""
    name, made = draft.document.name, draft.document.made
    there = next((d for d in (parent.documents if parent else ()) if d.name == name), None)
    if there is None or made is None or there.made != made:
        return False
    if made["source"] is not None:
        return True
    for layer, labels in zip(there.layers, request.segmentation.layers, strict=True):
        stored = source_labels(open_labels(request.address, layer).arrays[0])
        if not isinstance(stored, StoredLabels):
            return bool(np.array_equal(np.asarray(labels), stored[...]))
        if first_difference(labels, stored, chunk_boxes(stored)) is not None:
            return False
    return True


def carry_out(
    request: Request, store: Store, parent: Parent | None, draft: Draft, *, replacing: bool
) -> None:
    """Write what is asked for, and publish it when all of it is there.

    Raises
    ------
    NgffsegError
        See `ngffseg.labels.write_labels`; nothing is published then.
    """
    address, options, remote = request.address, request.options, local_path(request.address) is None
    if draft.placeholder is not None and (remote or parent is not None):
        # On a disk, where there is nothing yet, another first writer may be at it; publishing looks again.
        equal = level_documents(draft.placeholder[0], draft.version) if remote else None
        check_places(store, address, draft.plans[0], equal)
    resume = options.get("resume", False)
    with (
        open_crew(options.get("cluster"), options.get("workers")) as crew,
        Job(address, store, _record(request, draft), replacing=replacing, resume=resume) as job,
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
    plans = [job.fitted(metadata.name, fitted[metadata.name]) for metadata in draft.layers]
    count = BlockCounter(sum(plan.block_count for plan in plans), request.progress)
    for metadata, plan, labels in zip(draft.layers, plans, layers, strict=True):
        with shielded():
            targets = job.create_levels(metadata.name, plan, draft.version)
        named = with_level0(plan, job.level_prefix + plan.levels[0].path)
        fill_levels(job, crew, metadata.name, named, labels, targets, count, draft.version)
        attributes = metadata.attributes(job.arrays[metadata.name], job.level_prefix)
        with shielded():
            job.describe(metadata.name, draft.version, attributes)


def _record(request: Request, draft: Draft) -> JobRecord:
    made = draft.document.made
    assert made is not None
    return JobRecord(
        name=draft.document.name,
        software=package_version("ngffseg"),
        plan=str(made["plan"]),
        source=made["source"],
        options=told_options(request.options),
    )


def with_made(request: Request, draft: Draft) -> Draft:
    """The draft, whose document tells what it is made from, so that a later run knows it again."""
    source = request.fingerprint or source_digest(request.segmentation.layers)
    made = {"plan": plan_digest(draft, request.options, request.image), "source": source}
    return replace(draft, document=replace(draft.document, made=made))
