"""`Parent`: the image group that labels belong to, and its register of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import MetadataError, StoreNotFoundError
from ngffseg.labels.levels import open_levels
from ngffseg.labels.nodes import attributes_of, find_array, find_groups
from ngffseg.labels.places import LABELS


@dataclass(frozen=True, slots=True)
class Parent:
    """What an image group says of itself.

    Parameters
    ----------
    version
        Its NGFF version as written; "0.5" or "0.4" where labels can be added.
    multiscales
        Its levels; None for a group that only holds labels.
    shapes
        Shape of each level.
    names
        Label images in its register, in order.
    labels_attributes
        All attributes of the labels group; None where there is none.
    """

    version: str
    multiscales: ngff.Multiscales | None
    shapes: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]
    labels_attributes: dict[str, Any] | None

    @property
    def documents(self) -> tuple[ngff.Document, ...]:
        """The segmentation documents."""
        return ngff.decode_documents(self.labels_attributes or {})

    @property
    def writable_version(self) -> ngff.Version:
        """The version in which labels are added.

        Raises
        ------
        MetadataError
            If ngffseg does not write the version that the store has.
        """
        if self.version not in ngff.VERSIONS:
            raise MetadataError(
                f"the store is OME-Zarr {self.version}: labels are written to 0.4 and 0.5, so upgrade it first"
            )
        return self.version


def document_of(parent: Parent | None, name: str) -> ngff.Document | None:
    """The document of a segmentation; None if there is none, or no store."""
    return next((d for d in (parent.documents if parent is not None else ()) if d.name == name), None)


def find_parent(store: Store, url: str) -> Parent | None:
    """The image group at the root of a store; None if nothing is there.

    Raises
    ------
    MetadataError
        If something else than an OME-Zarr image is there.
    """
    root, labels = find_groups(store, ["", LABELS])
    if root is None and labels is None:
        if find_array(store, "") is not None:
            raise MetadataError(
                f"{url} is a Zarr array, not an OME-Zarr image: give the address of an image group"
            )
        return None
    version, metadata = ngff.unwrap(attributes_of(root)) if root is not None else (None, {})
    labels_attributes = attributes_of(labels) if labels is not None else None
    if "multiscales" not in metadata and labels is None:
        raise MetadataError(f"{url} is no OME-Zarr image: its attributes hold no multiscales")
    multiscales: ngff.Multiscales | None = None
    shapes: tuple[tuple[int, ...], ...] = ()
    if root is not None and "multiscales" in metadata:
        multiscales, arrays = open_levels(store, url, root)
        shapes = tuple(array.shape for array in arrays)
    labels_version, register = ngff.unwrap(labels_attributes or {})
    names = ngff.listed_labels(register)
    found = version or labels_version or _default_version(labels if root is None else root)
    return Parent(found, multiscales, shapes, names, labels_attributes)


def open_parent(store: Store, url: str) -> Parent:
    """The image group at the root of a store.

    Raises
    ------
    StoreNotFoundError
        If nothing is there.
    """
    parent = find_parent(store, url)
    if parent is None:
        raise StoreNotFoundError(f"{url}: no OME-Zarr store there: check the address")
    return parent


def _default_version(group: Any) -> str:
    return "0.5" if group.metadata.zarr_format == 3 else "0.4"
