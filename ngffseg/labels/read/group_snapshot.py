"""`GroupSnapshot`: what an image group and some groups in it said of themselves when they were read, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import zarr
from zarr.abc.store import Store

from ngffseg.labels.nodes.find import attributes_of, find_nodes, group_of
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.read.image_group import ImageGroup, existing, image_group_of


@dataclass(frozen=True, slots=True)
class GroupSnapshot:
    """Metadata that an operation reads once and hands on; `take_snapshot` makes one.

    Parameters
    ----------
    url, store
        Where they were read.
    image_group
        The image group; None if there is none.
    groups
        The root, the labels group and those that were asked for, by path; None where there is none.
    """

    url: str
    store: Store
    image_group: ImageGroup | None
    groups: Mapping[str, zarr.Group | None]

    def attributes(self, path: str) -> dict[str, Any]:
        """All attributes of a group that was read; empty where there is none."""
        group = self.groups[path]
        return attributes_of(group) if group is not None else {}

    def existing(self) -> ImageGroup:
        """The image group.

        Raises
        ------
        StoreNotFoundError
            If there is none.
        """
        return existing(self.url, self.image_group)


def take_snapshot(store: Store, url: str, paths: Iterable[str] = ()) -> GroupSnapshot:
    """Read the image group at the root of a store and further groups, all at the same time.

    Raises
    ------
    MetadataError
        If something else than an OME-Zarr image is there, or a group cannot be understood.
    """
    wanted = list(dict.fromkeys(["", LABELS, *paths]))
    documents = dict(zip(wanted, find_nodes(store, wanted), strict=True))
    groups = {path: group_of(store, path, document) for path, document in documents.items()}
    image_group = image_group_of(store, url, documents[""], documents[LABELS])
    return GroupSnapshot(url, store, image_group, MappingProxyType(groups))
