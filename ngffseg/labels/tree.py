"""What a store holds, as plain values for people and programs: images, labels, levels, sizes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import zarr
from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.labels.address import split_address
from ngffseg.labels.image import LabelImage
from ngffseg.labels.levels import open_levels
from ngffseg.labels.nodes import attributes_of, find_group
from ngffseg.labels.open import open_labels
from ngffseg.labels.parent import open_parent
from ngffseg.store import can_list, open_store, store_errors


@dataclass(frozen=True, slots=True)
class StoredLevel:
    """One level: where it is, how it is cut, and how many bytes it takes (None: cannot list)."""

    path: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    dtype: str
    scale: tuple[float, ...]
    translation: tuple[float, ...]
    stored_bytes: int | None


@dataclass(frozen=True, slots=True)
class StoredImage:
    """The image of a store; a placeholder holds no data."""

    name: str
    placeholder: bool
    axes: tuple[str, ...]
    levels: tuple[StoredLevel, ...]


@dataclass(frozen=True, slots=True)
class StoredLabels:
    """A label image: its levels, and how they were made."""

    image: LabelImage
    method: str
    metadata: dict[str, Any]
    levels: tuple[StoredLevel, ...]


@dataclass(frozen=True, slots=True)
class StoreTree:
    """All that a store holds."""

    url: str
    version: str
    image: StoredImage | None
    labels: tuple[StoredLabels, ...]


def store_tree(url: str | os.PathLike[str], name: str | None = None) -> StoreTree:
    """Read the metadata of a store: all label images of its register, or the named one.

    Raises
    ------
    StoreNotFoundError, MetadataError
        If there is no OME-Zarr store, or it is broken.
    """
    address, name = split_address(url, name)
    with store_errors(address):
        store = open_store(address)
        parent = open_parent(store, address)
        image = _image(store, address) if parent.multiscales is not None else None
        names = parent.names if name is None else (name,)
        labels = tuple(_labels(store, address, n) for n in names)
        return StoreTree(address, parent.version, image, labels)


def _image(store: Store, address: str) -> StoredImage:
    group = find_group(store, "")
    assert group is not None
    attributes = attributes_of(group)
    multiscales, arrays = open_levels(store, address, group)
    placeholder = bool(ngff.own_part(attributes).get("placeholder"))
    axes = tuple(axis.name for axis in multiscales.axes)
    return StoredImage(multiscales.name, placeholder, axes, _levels(address, multiscales, arrays))


def _labels(store: Store, address: str, name: str) -> StoredLabels:
    path = f"labels/{name}"
    image = open_labels(address, name)
    group = find_group(store, path)
    assert group is not None
    _, metadata = ngff.unwrap(attributes_of(group))
    multiscales = ngff.decode_multiscales(metadata, ndim=image.arrays[0].ndim)
    levels = _levels(address, multiscales, image.arrays)
    return StoredLabels(image, multiscales.type, dict(multiscales.metadata), levels)


def _levels(
    address: str, multiscales: ngff.Multiscales, arrays: Sequence[zarr.Array[Any]]
) -> tuple[StoredLevel, ...]:
    listable = can_list(address)
    return tuple(
        StoredLevel(
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
