"""Levels above level 0 that are new: where they lie, and how the metadata come to name them."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import zarr

from ngffseg import ngff
from ngffseg.labels.jobs.job import Job
from ngffseg.labels.nodes.consolidated import refresh_consolidated
from ngffseg.labels.nodes.create import array_document, create_array
from ngffseg.labels.nodes.find import find_array
from ngffseg.labels.nodes.paths import INDEX, LABELS, OWN
from ngffseg.labels.nodes.transaction import Transaction, transaction
from ngffseg.labels.plan.image_levels import ImageLevels
from ngffseg.labels.plan.metadata import how_made, level_datasets, validated
from ngffseg.labels.publish.steps import published, put_own_groups
from ngffseg.labels.read.group_snapshot import GroupSnapshot, take_snapshot
from ngffseg.labels.read.image_group import is_placeholder
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.registry.references import further_paths, index_paths, level_paths, overlap
from ngffseg.pyramid import PyramidPlan
from ngffseg.store import locked, remove


def free_paths(job: Job, group: str, plan: PyramidPlan, known: Collection[str]) -> list[str]:
    """Paths for the levels above level 0, which nothing names yet: their numbers where these are free.

    ``known`` are paths of arrays of which it is known that they are there.
    """
    found = []
    for level in plan.levels[1:]:
        path = f"{group}/{level.path}".strip("/")
        taken = path in known or find_array(job.store, path) is not None
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
    written: Mapping[str, Any],
    version: ngff.Version,
    levels: ImageLevels | None,
) -> None:
    """Name the new levels in the metadata, as one object, then remove what was named before.

    ``made`` holds the metadata of the arrays of the new levels, ``written`` what the group of the index is to say.
    ``levels`` is what the image that labels belong to says of its levels; None where it holds no data.
    """
    group, index = f"{LABELS}/{image.name}", f"{INDEX}/{image.name}"
    with locked(job.url):
        # Read again, under the lock of the store: other writers may have changed what stands beside.
        snapshot = take_snapshot(job.store, job.url, [group, index, OWN])
        before, indexed = snapshot.attributes(group), set(index_paths(snapshot.attributes(index)))
        # Should we die on the way, the next run removes those that nothing names any more.
        job.note_paths([*_named(before, group, index, indexed), *_blank_paths(job, plan, snapshot)])
        layout = ngff.decode_index(dict(written)).counted_at(image.generation, image.revision)
        with transaction(job.url, f"{job.staging.folder}/before") as changes:
            put_own_groups(version, snapshot, changes)
            changes.put_group(index, version, ngff.encode_index(layout))
            old = _fit_placeholder(job, plan, version, snapshot, changes)
            old += _name_levels(job, group, before, plan, made, version, changes, levels)
        job.hand_over()
        with published(job.url, image.name):
            for path in [*old, *(f"{index}/{name}" for name in indexed - set(layout.arrays))]:
                remove(job.url, path)
            refresh_consolidated(job.url, [group], ngff.zarr_format(version))


def _named(known: Mapping[str, Any], group: str, index: str, parts: Iterable[str]) -> list[str]:
    """Paths of the levels above level 0, and of the arrays of an index, which are going to be replaced."""
    levels = [path for path in level_paths(known)[1:] if path not in further_paths(known)]
    return [f"{group}/{path}" for path in levels] + [f"{index}/{path}" for path in parts]


def _name_levels(
    job: Job,
    path: str,
    attributes: Mapping[str, Any],
    plan: PyramidPlan,
    made: dict[str, Any],
    version: ngff.Version,
    changes: Transaction,
    levels: ImageLevels | None = None,
) -> list[str]:
    """Have the multiscales of a group name new levels; returns the paths that nothing names any more.

    ``attributes`` are those of the group as it is; ``made`` holds the metadata of the arrays of the new levels by their paths.
    """
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


def _blank_paths(job: Job, plan: PyramidPlan, snapshot: GroupSnapshot) -> list[str]:
    """Free paths for levels of an image that holds no data; those that it has are known to be there."""
    known = level_paths(snapshot.attributes("")) if snapshot.image_group is not None else ()
    return free_paths(job, "", plan, known)


def _fit_placeholder(
    job: Job, plan: PyramidPlan, version: ngff.Version, snapshot: GroupSnapshot, changes: Transaction
) -> list[str]:
    """Give an image that holds no data as many levels as its labels get; returns paths of the old ones."""
    root, image_group = snapshot.groups[""], snapshot.image_group
    if root is None or image_group is None or not is_placeholder(root):
        return []
    if list(image_group.shapes) == [level.shape for level in plan.levels]:
        return []
    paths, blank = _blank_paths(job, plan, snapshot), replace(plan, dtype=np.dtype(np.uint8))
    made = [
        changes.create_array(path, level, blank, version)
        for path, level in zip(paths, plan.levels[1:], strict=True)
    ]
    return _name_levels(job, "", snapshot.attributes(""), plan, documents_of(paths, made), version, changes)
