"""Opening label images: ours, and those that others really write."""

from __future__ import annotations

import contextlib
import os
import warnings

import zarr
from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import Hint, MetadataError, NgffsegWarning, StoreNotFoundError, UsageError
from ngffseg.keywords import strict
from ngffseg.labels.nodes.find import attributes_of, find_group, find_groups
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.read.address import split_address
from ngffseg.labels.read.group_snapshot import GroupSnapshot
from ngffseg.labels.read.image_group import open_image_group
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.levels import check_integers, grid_of, open_levels, placed
from ngffseg.model import Segmentation, Volume
from ngffseg.store import open_store, store_errors


@strict()
def open_labels(url: str | os.PathLike[str], name: str | None = None) -> LabelImage:
    """Open a label image; only metadata is read.

    Parameters
    ----------
    url
        Address of the store (a path or an fsspec URL), or ``STORE/labels/NAME``.
    name
        Which label image; needless where there is only one segmentation.

    Raises
    ------
    StoreNotFoundError
        If there is no store or no such label image.
    UsageError
        If there are several and none was named.
    MetadataError
        If what is there is no OME-Zarr label image.
    """
    address, name = split_address(url, name)
    with store_errors(address):
        store = open_store(address)
        if name is None:
            root, labels = find_groups(store, ["", LABELS])
            if root is not None and "image-label" in ngff.unwrap(attributes_of(root))[1]:
                return _open(address, "", root)  # as some writers leave it
            name = _only_name(store, address, labels)
        group = find_group(store, f"{LABELS}/{name}")
        if group is None:
            open_image_group(store, address)  # which says so if there is no store at all
            raise _missing(address, name)
        return _open(address, name, group)


def labels_in(snapshot: GroupSnapshot, name: str) -> LabelImage:
    """The label image in a snapshot, in which its group was read.

    Raises
    ------
    StoreNotFoundError, MetadataError
        As `open_labels`.
    """
    group = snapshot.groups[f"{LABELS}/{name}"]
    if group is None:
        snapshot.existing()
        raise _missing(snapshot.url, name)
    return _open(snapshot.url, name, group)


def _missing(address: str, name: str) -> StoreNotFoundError:
    hint = Hint("list labels", address)
    return StoreNotFoundError(f"{address} has no label image {name!r}: see {hint}", hints=[hint])


@strict()
def open_segmentation(url: str | os.PathLike[str], name: str | None = None) -> Segmentation:
    """Open the whole segmentation that a label image belongs to; only metadata is read.

    Parameters
    ----------
    url
        Address of the store (a path or an fsspec URL), or ``STORE/labels/NAME``.
    name
        Which one: its name, or that of any of its layers; needless where there is only one.

    Returns
    -------
    Segmentation
        All layers as integer arrays that are read when they are sliced, in stored order, all segments in the
        order in which they were given, the grid, and what is known of the source.

    Warns
    -----
    NgffsegWarning
        If others have stored a transformation that is not understood, so that the place is not known.

    Raises
    ------
    StoreNotFoundError, UsageError, MetadataError
        As `open_labels`.
    """
    first = open_labels(url, name)
    address, _ = split_address(url, name)
    with store_errors(address):
        image_group = open_image_group(open_store(address), address)
    document = next((d for d in image_group.documents if first.name in d.layers), None)
    if document is None:
        if first._arrays.unknown:
            where = f"{address}, {first.name!r}" if first.name else address
            message = f"a transformation of type {first._arrays.unknown!r} is not understood, so that the place is not known"
            warnings.warn(f"{where}: {message}", NgffsegWarning, stacklevel=3)
        return Segmentation((first.level(0),), first.segments, first.geometry)
    images = [open_labels(address, layer) for layer in document.layers]
    segments = {s.id: s for image in images for s in image.segments}
    ordered = [segments.pop(i) for i in document.segment_order if i in segments]
    return Segmentation(
        tuple(image.level(0) for image in images),
        (*ordered, *segments.values()),
        document.geometry,
        document.representation,
        document.source,
        document.extra,
        document.source_grid,
    )


@strict()
def open_image(url: str | os.PathLike[str]) -> Volume:
    """Open the image of a store: level 0 and its grid, as exactly as the store tells it; only metadata is read.

    Parameters
    ----------
    url
        Address of the store (a path or an fsspec URL).

    Returns
    -------
    Volume
        The image, whose voxels are read when ``data`` is sliced. A store that was made for labels alone has one
        that is 0 everywhere.

    Raises
    ------
    StoreNotFoundError
        If the store has no image.
    """
    address, _ = split_address(url)
    with store_errors(address):
        store = open_store(address)
        group = find_group(store, "")
        attributes = attributes_of(group) if group is not None else {}
        _, metadata = ngff.unwrap(attributes)
        if group is None or "multiscales" not in metadata:
            raise StoreNotFoundError(f"{address} has no image: check the address")
        multiscales, arrays = open_levels(address, group)
    geometry = grid_of(attributes, multiscales, arrays[0].shape)
    source_grid = ngff.image_source_grid(attributes, geometry)
    return Volume(arrays.lazy(0), geometry, multiscales.name, source_grid)


def _only_name(store: Store, address: str, labels: zarr.Group | None) -> str:
    """Name of the only segmentation in a labels group."""
    if labels is None:
        open_image_group(store, address)  # which says so if there is no store at all
    attributes = attributes_of(labels) if labels is not None else {}
    in_layers = {layer for d in ngff.decode_documents(attributes) for layer in d.layers[1:]}
    names = [n for n in ngff.listed_labels(ngff.unwrap(attributes)[1]) if n not in in_layers]
    if not names:
        raise StoreNotFoundError(f"{address} has no labels: import some, or name an unregistered label image")
    if len(names) > 1:  # one that is registered, but missing, hides no other one
        with contextlib.suppress(MetadataError):  # one that is broken is there
            found = find_groups(store, [f"{LABELS}/{name}" for name in names])
            names = [name for name, group in zip(names, found, strict=True) if group is not None] or names
    if len(names) > 1:
        raise UsageError(f"{address} has several label images: name one of {', '.join(names)}")
    return names[0]


def _open(address: str, name: str, group: zarr.Group) -> LabelImage:
    attributes = attributes_of(group)
    _, metadata = ngff.unwrap(attributes)
    if "multiscales" not in metadata:
        raise MetadataError(f"{address}/{group.path} is no label image: its attributes hold no multiscales")
    own = ngff.decode_label(attributes) if name else None
    multiscales, arrays = open_levels(address, group, own)
    check_integers(address, arrays[0])
    layers = own.layers if own is not None else (name,)
    geometry = own.geometry if own is not None else placed(multiscales, arrays[0].shape)
    segments = ngff.decode_image_label(metadata)
    counted = (own.generation, own.revision) if own is not None else (0, 0)
    return LabelImage(address, name, arrays, segments, geometry, layers, *counted)
