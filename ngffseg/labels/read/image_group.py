"""`ImageGroup`: the image group that labels belong to, and its list of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import zarr
from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import MetadataError, StoreNotFoundError
from ngffseg.labels.nodes.documents import Document, read_documents
from ngffseg.labels.nodes.find import attributes_of, find_nodes, group_of
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.read.hosts import writable_version
from ngffseg.labels.read.levels import open_levels
from ngffseg.labels.read.members import refuse_collection


@dataclass(frozen=True, slots=True)
class ImageGroup:
    """What an image group says of itself.

    Parameters
    ----------
    version
        Its NGFF version as written.
    multiscales
        Its levels; None for a group that only holds labels.
    shapes
        Shape of each level.
    names
        Label images in its register, in order.
    labels_attributes
        All attributes of the labels group; None where there is none.
    root, labels
        The image group and the labels group; one of them may be missing.
    """

    version: str
    multiscales: ngff.Multiscales | None
    shapes: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]
    labels_attributes: dict[str, Any] | None
    root: zarr.Group | None
    labels: zarr.Group | None

    @property
    def documents(self) -> tuple[ngff.Document, ...]:
        """The segmentation documents."""
        return ngff.decode_documents(self.labels_attributes or {})

    def writable_version(self, url: str) -> ngff.Version:
        """The version in which labels are added.

        Raises
        ------
        MetadataError
            If ngffseg does not write the version that the image or its labels group has.
        """
        known = [group for group in (self.root, self.labels) if group is not None]
        versions = [
            writable_version(f"{url}/{g.path}".rstrip("/"), attributes_of(g), g.metadata.zarr_format)
            for g in known
        ]
        if len(set(versions)) > 1:
            raise MetadataError(f"{url} and its labels group are of different versions: use a new store")
        return versions[0]


def is_placeholder(root: zarr.Group) -> bool:
    """Return True if an image group holds no data."""
    return bool(ngff.own_part(attributes_of(root)).get("placeholder"))


def document_of(image_group: ImageGroup | None, name: str) -> ngff.Document | None:
    """The document of a segmentation; None if there is none, or no store."""
    return next(
        (d for d in (image_group.documents if image_group is not None else ()) if d.name == name), None
    )


def find_image_group(store: Store, url: str) -> ImageGroup | None:
    """The image group at the root of a store; None if nothing is there.

    Raises
    ------
    MetadataError
        If something else than an OME-Zarr image is there.
    """
    document, labels = find_nodes(store, ["", LABELS])
    return image_group_of(store, url, document, labels)


def image_group_of(
    store: Store, url: str, root_document: Document | None, labels_document: Document | None
) -> ImageGroup | None:
    """The image group whose root and labels group were read; see `find_image_group`."""
    root, labels = group_of(store, "", root_document), group_of(store, LABELS, labels_document)
    if root is None and labels is None:
        if (root_document or {}).get("node_type") == "array" or read_documents(store, [".zarray"])[
            0
        ] is not None:
            raise MetadataError(
                f"{url} is a Zarr array, not an OME-Zarr image: give the address of an image group"
            )
        return None
    metadata = ngff.unwrap(attributes_of(root))[1] if root is not None else {}
    labels_attributes = attributes_of(labels) if labels is not None else None
    if "multiscales" not in metadata and labels is None:
        refuse_collection(store, url, attributes_of(root) if root is not None else {})
        raise MetadataError(f"{url} is no OME-Zarr image: its attributes hold no multiscales")
    multiscales: ngff.Multiscales | None = None
    shapes: tuple[tuple[int, ...], ...] = ()
    if root is not None and "multiscales" in metadata:
        multiscales, arrays = open_levels(url, root)
        shapes = tuple(array.shape for array in arrays)
    names = ngff.listed_labels(ngff.unwrap(labels_attributes or {})[1])
    return ImageGroup(version_of(root, labels), multiscales, shapes, names, labels_attributes, root, labels)


def open_image_group(store: Store, url: str) -> ImageGroup:
    """The image group at the root of a store.

    Raises
    ------
    StoreNotFoundError
        If nothing is there.
    """
    return existing(url, find_image_group(store, url))


def existing(url: str, image_group: ImageGroup | None) -> ImageGroup:
    """The image group, if there is one; see `open_image_group`."""
    if image_group is None:
        raise StoreNotFoundError(f"{url}: no OME-Zarr store there: check the address")
    return image_group


def version_of(root: zarr.Group | None, labels: zarr.Group | None) -> str:
    """The version of a store as its root tells it, else its labels group, else the oldest of its Zarr format."""
    groups = [group for group in (root, labels) if group is not None]
    stated = (ngff.unwrap(attributes_of(group))[0] for group in groups)
    return next((version for version in stated if version is not None), None) or (
        "0.5" if groups[0].metadata.zarr_format == 3 else "0.4"
    )
