"""Reading what a store holds: images, labels, levels, sizes; what is broken hides nothing else."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import zarr
from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.keywords import strict
from ngffseg.labels.nodes.documents import find_documents
from ngffseg.labels.nodes.find import attributes_of, find_group, find_groups
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.read.address import split_address
from ngffseg.labels.read.image_group import open_image_group, version_of
from ngffseg.labels.read.inventory import ImageSummary, LabelsSummary, LevelSummary, SourceLink, StoreTree
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.levels import open_levels
from ngffseg.labels.read.listing import PROBLEMS, ListedLabels, listed_in
from ngffseg.labels.read.members import find_collection
from ngffseg.labels.read.open import open_labels
from ngffseg.store import can_list, open_store, store_errors


@strict()
def store_tree(url: str | os.PathLike[str], name: str | None = None) -> StoreTree:
    """Read the metadata of a store: all label images of it, or the named one.

    Parameters
    ----------
    url
        Address of the store, of its labels group (``STORE/labels``), or ``STORE/labels/NAME``.
    name
        Only this label image.

    Raises
    ------
    StoreNotFoundError, MetadataError
        If there is no OME-Zarr store, or the named label image is broken.
    """
    address, name = split_address(url, name)
    with store_errors(address):
        address = _above_labels(address)
        store = open_store(address)
        root, labels = find_groups(store, ["", LABELS])
        attributes = attributes_of(root) if root is not None else {}
        collection = find_collection(store, attributes)
        if labels is None and collection is None and "multiscales" not in ngff.unwrap(attributes)[1]:
            open_image_group(store, address)  # which says what is wrong
        image, problem = _image(address, root)
        listed = listed_in(store, address, labels) if name is None else _named(address, name)
        stored, broken = _opened(store, address, listed, attributes_of(labels) if labels is not None else {})
        return StoreTree(
            url=address,
            version=version_of(root, labels),
            image=image,
            labels=stored,
            kinds=ngff.metadata_kinds(attributes),
            collection=collection,
            broken=broken,
            problem=problem,
            consolidated=_is_consolidated(store, root),
        )


def _above_labels(address: str) -> str:
    """The address of the store, where that of its labels group was given."""
    base, _, last = address.rpartition("/")
    if last != LABELS or not base or base.endswith("/"):
        return address
    group = find_group(open_store(address), "")
    metadata = ngff.unwrap(attributes_of(group))[1] if group is not None else {}
    return base if "labels" in metadata and "multiscales" not in metadata else address


def _named(address: str, name: str) -> tuple[ListedLabels, ...]:
    return (ListedLabels(name, open_labels(address, name)),)


def _image(address: str, group: zarr.Group | None) -> tuple[ImageSummary | None, str]:
    """The image of the root, or why it cannot be opened."""
    attributes = attributes_of(group) if group is not None else {}
    metadata = ngff.unwrap(attributes)[1]
    if group is None or "multiscales" not in metadata:
        return None, ""
    try:
        multiscales, arrays = open_levels(address, group)
        placeholder = bool(ngff.own_part(attributes).get("placeholder"))
        axes = tuple(axis.name for axis in multiscales.axes)
        levels = _levels(address, multiscales, arrays)
    except PROBLEMS as error:
        return None, str(error)
    return ImageSummary(multiscales.name, placeholder, axes, levels, ngff.decode_channels(metadata)), ""


def _opened(
    store: Store, address: str, listed: Sequence[ListedLabels], attributes: Mapping[str, Any]
) -> tuple[tuple[LabelsSummary, ...], tuple[ListedLabels, ...]]:
    """Label images with all that is known of them, and those that cannot be opened."""
    stored, broken = [], []
    for one in listed:
        if one.image is None:
            broken.append(one)
            continue
        try:
            source_grid = ngff.document_source_grid(attributes, one.name, one.image.geometry)
            found = _labels(store, address, one.image, registered=one.registered)
            stored.append(replace(found, source_grid=source_grid))
        except PROBLEMS as error:
            broken.append(ListedLabels(one.name, None, str(error), one.registered))
    return tuple(stored), tuple(broken)


def _labels(store: Store, address: str, image: LabelImage, *, registered: bool) -> LabelsSummary:
    path = f"{LABELS}/{image.name}"
    group = find_group(store, path)
    _, metadata = ngff.unwrap(attributes_of(group) if group is not None else {})
    multiscales = ngff.decode_multiscales(metadata, ndim=image._arrays[0].ndim)
    levels = _levels(address, multiscales, image._arrays)
    source = _source(store, path, metadata)
    return LabelsSummary(image, multiscales.type, dict(multiscales.metadata), levels, source, registered)


def _source(store: Store, path: str, metadata: Mapping[str, Any]) -> SourceLink | None:
    link = ngff.source_image(metadata)
    if link is None:
        return None
    target = posixpath.normpath(posixpath.join("root", path, link))
    if target != "root" and not target.startswith("root/"):
        return SourceLink(link, None, None)
    inside = target.removeprefix("root").strip("/")
    group = find_group(store, inside)
    there = group is not None and "multiscales" in ngff.unwrap(attributes_of(group))[1]
    return SourceLink(link, inside, there)


def _is_consolidated(store: Store, root: zarr.Group | None) -> bool:
    if root is None:
        return False
    file = "zarr.json" if root.metadata.zarr_format == 3 else ".zmetadata"
    found = find_documents(store, [file])[0]
    return isinstance(found, dict) and (file == ".zmetadata" or bool(found.get("consolidated_metadata")))


def _levels(
    address: str, multiscales: ngff.Multiscales, arrays: Sequence[zarr.Array[Any]]
) -> tuple[LevelSummary, ...]:
    listable = can_list(address)
    return tuple(
        LevelSummary(
            dataset.path,
            array.shape,
            array.chunks,
            array.shards,
            str(array.dtype),
            dataset.scale,
            dataset.translation,
            _stored_bytes(array, listable=listable),
        )
        for dataset, array in zip(multiscales.datasets, arrays, strict=True)
    )


def _stored_bytes(array: zarr.Array[Any], *, listable: bool) -> int | None:
    return array.nbytes_stored() if listable else None
