"""Levels above a stored level 0: built where they are missing, rebuilt where they are there."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import zarr

from ngffseg import ngff
from ngffseg.errors import MetadataError, UsageError
from ngffseg.labels.address import split_address
from ngffseg.labels.creation import array_document, create_array, put_group, refresh_consolidated
from ngffseg.labels.image import LabelImage
from ngffseg.labels.index import index_group, write_index
from ngffseg.labels.job import INDEX, Job
from ngffseg.labels.levels import source_labels, written_labels
from ngffseg.labels.metadata import how_made, judged, level_datasets
from ngffseg.labels.nodes import attributes_of, find_array, find_group
from ngffseg.labels.open import open_labels
from ngffseg.labels.options import WriteOptions, fitted_options
from ngffseg.labels.parent import LABELS, Parent, open_parent
from ngffseg.labels.progress import BlockCounter, Progress
from ngffseg.labels.publish import place_indices
from ngffseg.labels.shield import shielded
from ngffseg.pyramid import Census, PyramidPlan, build_pyramid, plan_above
from ngffseg.store import check_writable, locked, open_store, remove, store_errors


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
        has_index = index_group(image) is not None
        with Job(address, store, replacing=has_index, in_place=True) as job, Census(plan) as census:
            with shielded():
                paths, made = _create(job, f"{LABELS}/{image.name}", plan, version)
            arrays = [written_labels(array) for array in made]
            documents = {path: array_document(array) for path, array in zip(paths, made, strict=True)}
            source = source_labels(image.arrays[0])
            count = BlockCounter(plan.block_count, progress)
            workers = options.get("workers")
            build_pyramid(plan, source, [source, *arrays], workers=workers, progress=count, census=census)
            with shielded():
                level0 = replace(plan.levels[0], path=image.arrays[0].basename)
                write_index(job, image.name, level0, census.counts(), version)
                _publish(job, image, plan, documents, version)
    return open_labels(address, image.name)


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


def _create(
    job: Job, group: str, plan: PyramidPlan, version: ngff.Version
) -> tuple[list[str], list[zarr.Array[Any]]]:
    """Make the empty arrays of the levels above level 0; nothing names them yet.

    Their paths are the numbers of the levels where these are free.
    """
    paths, arrays = [], []
    for level in plan.levels[1:]:
        taken = find_array(job.store, f"{group}/{level.path}".strip("/")) is not None
        paths.append(f"{job.id}-{level.path}" if taken else level.path)
        full = f"{group}/{paths[-1]}".strip("/")
        job.written.append(full)
        arrays.append(create_array(job.url, full, level, plan, version))
    return paths, arrays


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
        rest |= ngff.encode_label(replace(label, arrays=known | made))
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
    paths, made = _create(job, "", replace(plan, dtype=np.dtype(np.uint8)), version)
    undo.callback(put_group, job.url, "", version, attributes)
    documents = {path: array_document(array) for path, array in zip(paths, made, strict=True)}
    return _name_levels(job, "", plan, documents, version)


def _is_placeholder(root: zarr.Group) -> bool:
    return bool(ngff.own_part(attributes_of(root)).get("placeholder"))
