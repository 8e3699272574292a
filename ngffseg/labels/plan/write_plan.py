"""`WritePlan`: all that is decided about a write before the first byte is written."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import LabelExistsError, MetadataError, UsageError
from ngffseg.geometry import Geometry, check_beside
from ngffseg.labels.nodes.documents import read_documents
from ngffseg.labels.nodes.find import attributes_of
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.plan.image_levels import ImageLevels, image_sizes, levels_on
from ngffseg.labels.plan.joining import Joined
from ngffseg.labels.plan.metadata import LayerMetadata, layer_metadata, placeholder_metadata
from ngffseg.labels.plan.options import WriteOptions, fitted_options
from ngffseg.labels.read.group_snapshot import GroupSnapshot
from ngffseg.labels.read.hosts import check_host, writable_version
from ngffseg.labels.read.image_group import ImageGroup
from ngffseg.model import Segmentation, Volume
from ngffseg.pyramid import PyramidPlan, plan_pyramid
from ngffseg.store import check_free


@dataclass(frozen=True, slots=True)
class WritePlan:
    """All that is known before the first byte is written.

    Parameters
    ----------
    segmentation
        The labels as they are written: on the grid of their image.
    notes
        What people should know of how they came onto it.
    version, plans, layers, document
        What is written.
    placeholder
        Of an image that holds no data, where there is none.
    """

    segmentation: Segmentation
    notes: tuple[str, ...]
    version: ngff.Version
    plans: tuple[PyramidPlan, ...]
    layers: tuple[LayerMetadata, ...]
    document: ngff.Document
    placeholder: tuple[PyramidPlan, dict[str, Any]] | None


def plan_write(
    address: str,
    image_group: ImageGroup | None,
    image_levels: ImageLevels | None,
    labels: Joined,
    names: tuple[str, ...],
    image: Volume | None,
    options: WriteOptions,
) -> WritePlan:
    """Decide on versions, plans and metadata, and have the metadata validated.

    Raises
    ------
    UsageError, MetadataError
        If an option does not fit, or the metadata would break a rule.
    """
    segmentation = labels.segmentation
    version = _version(address, image_group, options.get("ngff"))
    plans = _plans(image_levels, segmentation, version, options)
    known = levels_on(image_levels, segmentation.geometry)
    layers = tuple(
        layer_metadata(
            name, names, plan, [s for s in segmentation.segments if s.layer == number], version, known
        )
        for number, (name, plan) in enumerate(zip(names, plans, strict=True))
    )
    document = ngff.Document(
        name=names[0],
        layers=names,
        segment_order=tuple(s.id for s in segmentation.segments),
        representation=segmentation.representation,
        geometry=segmentation.geometry,
        source=segmentation.source,
        extra=segmentation.extra,
        source_grid=segmentation.source_grid,
    )
    needs_image = (image_group is None or image_group.multiscales is None) and image is None
    blank = replace(plans[0], dtype=np.dtype(np.uint8))
    placeholder = (blank, placeholder_metadata(blank, version)) if needs_image else None
    return WritePlan(segmentation, labels.notes, version, plans, layers, document, placeholder)


def _version(address: str, image_group: ImageGroup | None, asked: ngff.Version | None) -> ngff.Version:
    if image_group is None:
        return asked or "0.5"
    if asked is not None and asked != image_group.version:
        raise UsageError(
            f"the store is OME-Zarr {image_group.version}, not {asked}: leave the version out or use a new store"
        )
    return image_group.writable_version(address)


def check_target(
    address: str,
    image_group: ImageGroup | None,
    names: tuple[str, ...],
    grid: Geometry,
    image: Volume | None,
) -> None:
    """Refuse what the store cannot take, before anything is written."""
    if image is not None:
        check_beside(grid.axes, dict(zip(image.geometry.axes, image.geometry.shape, strict=True)))
    if image_group is None:
        check_free(address)
        return
    check_host(address, attributes_of(image_group.root) if image_group.root is not None else {})
    if image_group.multiscales is not None and image_group.multiscales.unknown:
        raise MetadataError(
            f"{address}: its image has a transformation of type {image_group.multiscales.unknown!r}, so that it is not"
            " known where labels would lie: write them to a store of their own"
        )
    for document in image_group.documents:
        taken = set(document.layers[1:]) & set(names)
        if taken and document.name != names[0]:
            raise LabelExistsError(
                f"{address}: {min(taken)!r} is a layer of {document.name!r}: choose another name"
            )
    if image is not None and image_group.multiscales is not None:
        raise UsageError(f"{address} has an image already: leave the image out, or use a new store")
    if image_group.multiscales is not None:
        try:
            check_beside(grid.axes, image_sizes(image_group))
        except UsageError as error:
            raise UsageError(f"{address}: {error}") from error


def check_places(
    store: Store, address: str, plan: PyramidPlan, equal: Mapping[str, Any] | None = None
) -> None:
    """Refuse to put a placeholder where other arrays or groups lie, which nobody may replace.

    Where another writer may be making the same placeholder, arrays ``equal`` to its own, by path, do not
    count.

    Raises
    ------
    MetadataError
        If there are any: the store has lost the metadata of its image, or never had them.
    """
    check_free_paths(store, address, [level.path for level in plan.levels], equal)


def check_free_paths(
    store: Store, address: str, paths: Iterable[str], equal: Mapping[str, Any] | None = None
) -> None:
    """Refuse to put levels of an image where other nodes lie, but for ``equal`` ones.

    Raises
    ------
    MetadataError
        If there are any.
    """
    keys = [f"{path}/{file}" for path in paths for file in ("zarr.json", ".zarray", ".zgroup")]
    for key, found in zip(keys, read_documents(store, keys), strict=True):
        path = posixpath.dirname(key)
        if found is not None and found != (equal or {}).get(path):
            raise MetadataError(
                f"{address} holds {path!r}, but no multiscales that name it: repair the image first"
            )


def is_there(snapshot: GroupSnapshot, name: str) -> bool:
    """Return True if there is a label image of this name, registered or not.

    Raises
    ------
    MetadataError
        If there is a group of a version that is not written, which cannot be replaced.
    """
    group, image_group = snapshot.groups[f"{LABELS}/{name}"], snapshot.image_group
    if group is not None:
        writable_version(f"{snapshot.url}/{group.path}", attributes_of(group), group.metadata.zarr_format)
    if image_group is not None and name in image_group.names:
        return True
    return group is not None and "multiscales" in ngff.unwrap(attributes_of(group))[1]


def _plans(
    image: ImageLevels | None, segmentation: Segmentation, version: ngff.Version, options: WriteOptions
) -> tuple[PyramidPlan, ...]:
    """A plan per layer; layers differ in dtype at most."""
    grid = segmentation.geometry
    chosen = fitted_options(options, version, image.shapes if image is not None else (), grid)
    return tuple(plan_pyramid(grid, layer.dtype, **chosen) for layer in segmentation.layers)
