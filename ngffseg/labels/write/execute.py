"""A write that is carried out: arrays and chunks aside, then all of it is published."""

from __future__ import annotations

from dataclasses import replace

from ngffseg.errors import JobError
from ngffseg.labels.edit.write_ahead_log import exclusive
from ngffseg.labels.jobs.interrupts import defer_interrupts
from ngffseg.labels.jobs.job import Job
from ngffseg.labels.jobs.progress import BlockCounter
from ngffseg.labels.jobs.staging import fitted_plan
from ngffseg.labels.jobs.written import Written
from ngffseg.labels.nodes.create import level_documents
from ngffseg.labels.plan.fingerprint import source_digest
from ngffseg.labels.plan.write_plan import WritePlan, check_free_paths, check_places, check_target
from ngffseg.labels.publish.publisher import publisher_of
from ngffseg.labels.read.image_group import ImageGroup, document_of
from ngffseg.labels.write.fill import check_reach, create_levels, fill_levels, with_level0
from ngffseg.labels.write.intensity_image import image_paths, write_image
from ngffseg.labels.write.prepare import is_done, look
from ngffseg.labels.write.reading import reading_of
from ngffseg.labels.write.request import Prepared, Request
from ngffseg.model import Volume
from ngffseg.workers import Executor, open_executor


def carry_out(prepared: Prepared) -> None:
    """Write what is asked for, and publish it when all of it is there.

    Raises
    ------
    NgffsegError
        See `ngffseg.labels.write_labels`; nothing is published then.
    """
    request, write_plan, store = prepared.request, prepared.write_plan, prepared.store
    address, options = request.address, request.options
    resume = options.get("resume", False)
    there, old = prepared.exists, document_of(prepared.snapshot.image_group, request.name)
    generation = old.generation if old is not None else 0
    with (
        open_executor(options.get("cluster"), options.get("workers")) as executor,
        Job(address, store, prepared.record, replacing=there, generation=generation, resume=resume) as job,
    ):
        # Another run of the job may have come to its end before its right to it was ours: read again.
        snapshot = look(address, request.name) if resume else prepared.snapshot
        if resume and is_done(request, write_plan, snapshot):
            return
        image = _missing_image(prepared, job, snapshot.image_group)
        written = _fill(prepared, job, executor, image)
        if image is not None:
            attributes = write_image(job, image, write_plan.plans[0], write_plan.version)
            written = replace(written, image=attributes)
        _check_source(request, write_plan)
        with defer_interrupts(), exclusive(address, written.labels if there else ()):
            publisher_of(job, write_plan, overwrite=request.overwrite).publish(written)


def _image_paths(prepared: Prepared, job: Job, image: Volume | None) -> list[str]:
    """What an image consists of that is written in place."""
    if image is None or job.staging.aside:
        return []
    return list(image_paths(prepared.write_plan.plans[0]))


def _check_source(request: Request, write_plan: WritePlan) -> None:
    """Refuse labels that have changed while they were read: what is missing would be background.

    Raises
    ------
    JobError
        If they have.
    """
    made = write_plan.document.made
    known = made["source"] if made is not None and request.fingerprint is None else None
    if known is not None and source_digest(request.segmentation.layers) != known:
        raise JobError(
            f"{request.address}: the labels of {request.name!r} have changed while they were read: nothing was"
            " published, run again"
        )


def _missing_image(prepared: Prepared, job: Job, image_group: ImageGroup | None) -> Volume | None:
    """The image, unless the run that is resumed has published it already.

    Raises
    ------
    UsageError
        If the store has another one.
    MetadataError
        If it holds arrays that no image names, where one is to be.
    """
    request, write_plan = prepared.request, prepared.write_plan
    has_image = image_group is not None and image_group.multiscales is not None
    if write_plan.placeholder is not None and not has_image:
        equal = level_documents(write_plan.placeholder[0], write_plan.version)
        check_places(prepared.store, request.address, write_plan.plans[0], equal)
    if request.image is None or (job.resumed and has_image):
        return None
    check_target(
        request.address,
        image_group,
        write_plan.document.layers,
        write_plan.segmentation.geometry,
        request.image,
    )
    if not job.staging.aside and not job.resumed:
        check_free_paths(prepared.store, request.address, image_paths(write_plan.plans[0]))
    return request.image


def _fill(prepared: Prepared, job: Job, executor: Executor, image: Volume | None) -> Written:
    """Write the levels of all layers, and their indices."""
    request, write_plan = prepared.request, prepared.write_plan
    sources = write_plan.segmentation.layers
    readings = [
        reading_of(executor, plan, labels) for plan, labels in zip(write_plan.plans, sources, strict=True)
    ]
    fitted = {
        metadata.name: reading.plan(plan)
        for metadata, plan, reading in zip(write_plan.layers, write_plan.plans, readings, strict=True)
    }
    job.reserve(write_plan.document.name, write_plan.plans[0], write_plan.version)
    staging = job.staging
    in_place = [path for name, plan in fitted.items() for path in staging.paths_of(name, plan)]
    job.begin(fitted, [*(() if staging.aside else in_place), *_image_paths(prepared, job, image)])
    check_reach(executor, job, sources)
    plans = [fitted_plan(job.record, metadata.name, fitted[metadata.name]) for metadata in write_plan.layers]
    count = BlockCounter(sum(plan.block_count for plan in plans), request.progress)
    labels, indices = {}, {}
    for metadata, plan, reading in zip(write_plan.layers, plans, readings, strict=True):
        name = metadata.name
        with defer_interrupts():
            arrays, targets = create_levels(staging, name, plan, write_plan.version)
        named = with_level0(plan, staging.level_prefix + plan.levels[0].path)
        indices[name] = fill_levels(job, reading, name, named, targets, count, write_plan.version)
        labels[name] = metadata.attributes(arrays, staging.level_prefix)
        with defer_interrupts():
            job.describe(staging.label_path(name), write_plan.version, labels[name])
    return Written(labels, indices)
