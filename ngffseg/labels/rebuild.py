"""Levels above a stored level 0: built where they are missing, rebuilt where they are there."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version as package_version
from typing import Any, Unpack

import numpy as np
import zarr

from ngffseg import ngff
from ngffseg.errors import MetadataError, UsageError
from ngffseg.labels.address import split_address
from ngffseg.labels.creation import array_document, create_array, put_group, refresh_consolidated
from ngffseg.labels.filling import check_reach, fill_levels, with_level0
from ngffseg.labels.fingerprint import digest, source_digest, told_options
from ngffseg.labels.image import LabelImage
from ngffseg.labels.index import index_group
from ngffseg.labels.job import Job
from ngffseg.labels.levels import source_labels, written_labels
from ngffseg.labels.metadata import how_made, judged, level_datasets
from ngffseg.labels.nodes import attributes_of, find_array, find_group
from ngffseg.labels.open import open_labels
from ngffseg.labels.options import WriteOptions, fitted_options
from ngffseg.labels.parent import Parent, open_parent
from ngffseg.labels.places import INDEX, LABELS
from ngffseg.labels.progress import BlockCounter, Progress
from ngffseg.labels.publish import place_indices
from ngffseg.labels.shield import shielded
from ngffseg.labels.staging import fitted_plan
from ngffseg.ngff import JobRecord
from ngffseg.pyramid import PyramidPlan, plan_above
from ngffseg.store import check_writable, flushed, locked, open_store, remove, store_errors
from ngffseg.workers import open_crew


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
        store = open_store(address)
        parent = open_parent(store, address)
        version = parent.writable_version
        plan = _plan(image, parent, version, options)
        resume = options.get("resume", False)
        record, has_index = _record(image, options), index_group(image) is not None
        if resume and _is_built(image, record):
            return image
        with (
            open_crew(options.get("cluster"), options.get("workers")) as crew,
            Job(address, store, record, replacing=has_index, in_place=True, resume=resume) as job,
        ):
            paths = _paths(job, f"{LABELS}/{image.name}", plan)
            job.begin({image.name: plan}, [*paths, *job.index_paths(image.name)])
            paths = job.written[: len(paths)]
            plan = fitted_plan(job.record, image.name, plan)
            check_reach(crew, job, [image.arrays[0]])
            with shielded():
                made = _create(job, paths, plan, version)
            source = source_labels(image.arrays[0])
            targets = [source, *(written_labels(array, job.scratch) for array in made)]
            count = BlockCounter(plan.block_count, progress)
            named = with_level0(plan, image.arrays[0].basename)
            fill_levels(job, crew, image.name, named, source, targets, count, version)
            with shielded():
                flushed(address)
                _publish(job, image, plan, _documents(paths, made), version)
    return open_labels(address, image.name)


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
    shapes = parent.shapes
    if root is not None and _is_placeholder(root):
        # An image without data follows its labels: those that they have, or as many as fit.
        asked = "levels" in options or "factors" in options
        shapes = () if asked or len(image.arrays) == 1 else tuple(array.shape for array in image.arrays)
    chosen = fitted_options(options, version, shapes, image.geometry)
    if version == "0.4":
        chosen.pop("shards", None)
    return plan_above(image.geometry, level0.dtype, level0.chunks, level0.shards, **chosen)


def _paths(job: Job, group: str, plan: PyramidPlan) -> list[str]:
    """Paths for the levels above level 0, which nothing names yet: their numbers where these are free."""
    found = []
    for level in plan.levels[1:]:
        path = f"{group}/{level.path}".strip("/")
        taken = find_array(job.store, path) is not None
        found.append(f"{group}/{job.claim.prefix}{level.path}".strip("/") if taken else path)
    return found


def _create(
    job: Job, paths: Sequence[str], plan: PyramidPlan, version: ngff.Version
) -> list[zarr.Array[Any]]:
    """Make the empty arrays of the levels above level 0."""
    return [
        create_array(job.url, path, level, plan, version)
        for path, level in zip(paths, plan.levels[1:], strict=True)
    ]


def _documents(paths: Sequence[str], made: Sequence[zarr.Array[Any]]) -> dict[str, Any]:
    """Metadata of arrays by their paths in their group."""
    return {posixpath.basename(path): array_document(array) for path, array in zip(paths, made, strict=True)}


def _publish(
    job: Job, image: LabelImage, plan: PyramidPlan, made: dict[str, Any], version: ngff.Version
) -> None:
    """Name the new levels in the metadata, as one object, then remove what was named before."""
    index = f"{INDEX}/{image.name}"
    with locked(job.url), ExitStack() as undo:
        old_index = find_group(job.store, index)
        before = set(old_index.array_keys()) if old_index is not None else set()
        place_indices(job, version, undo)
        old = _fit_placeholder(job, plan, version, undo)
        old += _name_levels(job, f"{LABELS}/{image.name}", plan, made, version)
        undo.pop_all()
        job.written.clear()
        arrays = ngff.decode_index(job.indices[image.name])
        kept = {arrays.table, arrays.lists, arrays.fences}
        for path in [*old, *(f"{index}/{name}" for name in before - kept)]:
            remove(job.url, path)
        refresh_consolidated(job.url)


def _name_levels(
    job: Job, path: str, plan: PyramidPlan, made: dict[str, Any], version: ngff.Version
) -> list[str]:
    """Have the multiscales of a group name new levels; returns the paths that it named before.

    ``made`` holds the metadata of the arrays of the new levels by their paths.
    """
    group = find_group(job.store, path)
    assert group is not None
    attributes = attributes_of(group)
    _, metadata = ngff.unwrap(attributes)
    decoded = ngff.decode_multiscales(metadata, ndim=len(plan.levels[0].shape))
    datasets = (decoded.datasets[0], *level_datasets(plan.levels[1:], list(made)))
    method = decoded.type if path == "" else plan.reduction.method
    how = decoded.metadata if path == "" else how_made(plan)
    told = replace(decoded, datasets=datasets, type=method, metadata=how)
    encoded = ngff.encode_multiscales(told, version)
    # What stands there beside is kept; transformations of all levels are part of the new ones.
    first = {k: v for k, v in metadata["multiscales"][0].items() if k != "coordinateTransformations"}
    metadata = {**metadata, "multiscales": [{**first, **encoded}, *metadata["multiscales"][1:]]}
    rest = {k: v for k, v in attributes.items() if k != "ome"} if version == "0.5" else {}
    label = ngff.decode_label(attributes) if path else None
    if label is not None:
        level0 = decoded.datasets[0].path
        known = {level0: label.arrays[level0]} if level0 in label.arrays else {}
        digests = {"plan": job.record.plan, "source": job.record.source}
        rest |= ngff.encode_label(replace(label, arrays=known | made, made=digests))
    put_group(job.url, path, version, judged(ngff.wrap(version, metadata, rest), path))
    return [f"{path}/{d.path}".strip("/") for d in decoded.datasets[1:] if d.path not in made]


def _fit_placeholder(job: Job, plan: PyramidPlan, version: ngff.Version, undo: ExitStack) -> list[str]:
    """Give an image that holds no data as many levels as its labels get; returns paths of the old ones."""
    root = find_group(job.store, "")
    if root is None or not _is_placeholder(root):
        return []
    attributes = attributes_of(root)
    multiscales = ngff.decode_multiscales(ngff.unwrap(attributes)[1], ndim=len(plan.levels[0].shape))
    arrays = [find_array(job.store, dataset.path) for dataset in multiscales.datasets]
    if [array.shape for array in arrays if array is not None] == [level.shape for level in plan.levels]:
        return []
    paths = _paths(job, "", plan)
    for path in paths:
        undo.callback(remove, job.url, path)
    made = _create(job, paths, replace(plan, dtype=np.dtype(np.uint8)), version)
    undo.callback(put_group, job.url, "", version, attributes)
    return _name_levels(job, "", plan, _documents(paths, made), version)


def _is_placeholder(root: zarr.Group) -> bool:
    return bool(ngff.own_part(attributes_of(root)).get("placeholder"))
