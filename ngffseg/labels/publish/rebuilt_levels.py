"""Levels above level 0 that are new: where they lie, and how the metadata come to name them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import zarr

from ngffseg import ngff
from ngffseg.labels.jobs.job import Job
from ngffseg.labels.nodes.consolidated import refresh_consolidated
from ngffseg.labels.nodes.create import array_document, create_array
from ngffseg.labels.nodes.find import attributes_of, find_array, find_group
from ngffseg.labels.nodes.paths import INDEX, LABELS
from ngffseg.labels.nodes.transaction import Transaction, transaction
from ngffseg.labels.plan.image_levels import ImageLevels
from ngffseg.labels.plan.metadata import how_made, level_datasets, validated
from ngffseg.labels.publish.local import changed_groups, place_indices, published
from ngffseg.labels.read.image_group import is_placeholder
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.registry.references import further_paths, index_paths, level_paths, overlap
from ngffseg.pyramid import PyramidPlan
from ngffseg.store import locked, remove


def free_paths(job: Job, group: str, plan: PyramidPlan) -> list[str]:
    """Paths for the levels above level 0, which nothing names yet: their numbers where these are free."""
    found = []
    for level in plan.levels[1:]:
        path = f"{group}/{level.path}".strip("/")
        taken = find_array(job.store, path) is not None
        found.append(f"{group}/{job.ownership.prefix}{level.path}".strip("/") if taken else path)
    return found


def create_above(
    job: Job, paths: Sequence[str], plan: PyramidPlan, version: ngff.Version
) -> list[zarr.Array[Any]]:
    """Make the empty arrays of the levels above level 0."""
    return [
        create_array(job.url, path, level, plan, version)
        for path, level in zip(paths, plan.levels[1:], strict=True)
    ]


def documents_of(paths: Sequence[str], made: Sequence[zarr.Array[Any]]) -> dict[str, Any]:
    """Metadata of arrays by their paths in their group."""
    return {posixpath.basename(path): array_document(array) for path, array in zip(paths, made, strict=True)}


def publish_levels(
    job: Job,
    image: LabelImage,
    plan: PyramidPlan,
    made: dict[str, Any],
    version: ngff.Version,
    levels: ImageLevels | None,
) -> None:
    """Name the new levels in the metadata, as one object, then remove what was named before.

    ``levels`` is what the image that labels belong to says of its levels; None where it holds no data.
    """
    group, index = f"{LABELS}/{image.name}", f"{INDEX}/{image.name}"
    with locked(job.url):
        # Should we die on the way, the next run removes those that nothing names any more.
        job.note_paths([*job.written, *_named(job, group, index), *free_paths(job, "", plan)])
        old_index = find_group(job.store, index)
        before = set(index_paths(attributes_of(old_index))) if old_index is not None else set()
        layout = ngff.decode_index(job.indices[image.name])
        layout = layout.counted_at(image.generation, image.revision)
        job.indices[image.name] = ngff.encode_index(layout)
        with transaction(job.url, f"{job.folder}/before") as changes:
            place_indices(job, version, changes)
            old = _fit_placeholder(job, plan, version, changes)
            old += _name_levels(job, group, plan, made, version, changes, levels)
        job.written.clear()
        with published(job.url, image.name):
            for path in [*old, *(f"{index}/{name}" for name in before - set(layout.arrays))]:
                remove(job.url, path)
            refresh_consolidated(job.url, changed_groups(job), ngff.zarr_format(version))


def _named(job: Job, group: str, index: str) -> list[str]:
    """Paths of the levels above level 0, and of the arrays of an index, which are going to be replaced."""
    labels, numbers = find_group(job.store, group), find_group(job.store, index)
    known = attributes_of(labels) if labels is not None else {}
    levels = [path for path in level_paths(known)[1:] if path not in further_paths(known)]
    parts = index_paths(attributes_of(numbers)) if numbers is not None else ()
    return [f"{group}/{path}" for path in levels] + [f"{index}/{path}" for path in parts]


def _name_levels(
    job: Job,
    path: str,
    plan: PyramidPlan,
    made: dict[str, Any],
    version: ngff.Version,
    changes: Transaction,
    levels: ImageLevels | None = None,
) -> list[str]:
    """Have the multiscales of a group name new levels; returns the paths that nothing names any more.

    ``made`` holds the metadata of the arrays of the new levels by their paths.
    """
    group = find_group(job.store, path)
    assert group is not None
    attributes = attributes_of(group)
    _, metadata = ngff.unwrap(attributes)
    decoded = ngff.decode_multiscales(metadata, ndim=len(plan.levels[0].shape))
    first = decoded.datasets[0]
    if levels is not None and replace(levels.datasets[0], path=first.path) != first:
        levels = None  # the labels lie on another grid
    datasets = (first, *level_datasets(plan.levels, [first.path, *made], first, levels)[1:])
    renewed = replace(decoded, datasets=datasets)
    if path:
        renewed = replace(renewed, type=plan.reduction.method, metadata=how_made(plan))
    first, *further = metadata["multiscales"]
    ours, common = ngff.update_multiscales(first, renewed, version)
    own: dict[str, Any] = {}
    label = ngff.decode_label(attributes) if path else None
    if label is not None:
        level0 = decoded.datasets[0].path
        known = {level0: label.arrays[level0]} if level0 in label.arrays else {}
        digests = {"plan": job.record.plan, "source": job.record.source}
        own = ngff.encode_label(replace(label, arrays=known | made, made=digests))
    changed = ngff.wrap(version, {"multiscales": [ours]}, own)
    validated(ngff.merge_attributes(attributes, changed), path)
    # What we do not write is not ours to be validated.
    changes.put_group(path, version, ngff.wrap(version, {"multiscales": [ours | common, *further]}, own))
    kept = {*(dataset.path for dataset in datasets), *further_paths(attributes)}
    old = [p for p in level_paths(attributes) if not any(overlap(p, other) for other in kept)]
    return [f"{path}/{p}".strip("/") for p in old]


def _fit_placeholder(job: Job, plan: PyramidPlan, version: ngff.Version, changes: Transaction) -> list[str]:
    """Give an image that holds no data as many levels as its labels get; returns paths of the old ones."""
    root = find_group(job.store, "")
    if root is None or not is_placeholder(root):
        return []
    attributes = attributes_of(root)
    multiscales = ngff.decode_multiscales(ngff.unwrap(attributes)[1], ndim=len(plan.levels[0].shape))
    arrays = [find_array(job.store, dataset.path) for dataset in multiscales.datasets]
    if [array.shape for array in arrays if array is not None] == [level.shape for level in plan.levels]:
        return []
    paths, blank = free_paths(job, "", plan), replace(plan, dtype=np.dtype(np.uint8))
    made = [
        changes.create_array(path, level, blank, version)
        for path, level in zip(paths, plan.levels[1:], strict=True)
    ]
    return _name_levels(job, "", plan, documents_of(paths, made), version, changes)
