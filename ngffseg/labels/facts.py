"""Reading the facts of a store, node by node, for the judge; no chunk is read."""

from __future__ import annotations

import posixpath
from typing import Any

import zarr
from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.labels.nodes import array_document, array_of, attributes_of, find_group
from ngffseg.labels.places import LABELS


def collect(store: Store, *, listable: bool) -> dict[str, ngff.Node]:
    """Facts of the image group, its labels and all their levels, by path.

    Empty if nothing is there. Where the store is not ``listable``, only what the metadata name
    is found.
    """
    return _Collector(store, listable=listable).collect()


class _Collector:
    """Walks a store and keeps what it has found."""

    def __init__(self, store: Store, *, listable: bool) -> None:
        self.store, self.listable = store, listable
        self.nodes: dict[str, ngff.Node] = {}

    def collect(self) -> dict[str, ngff.Node]:
        self.add("")
        root = self.nodes.get("")
        if root is None or root.kind == "array":
            return self.nodes
        if LABELS in root.metadata:
            self.add_labels("")
        else:
            self.add(LABELS)
            self.add_labels(LABELS)
        return self.nodes

    def add_labels(self, path: str) -> None:
        """Add all groups under a labels group, listed or found."""
        group = self.nodes.get(path)
        if group is None or group.kind == "array":
            return
        names = ngff.listed_labels(group.metadata)
        for name in dict.fromkeys([*names, *(group.children or ())]):
            child = f"{path}/{name}".strip("/")
            self.add(child)
            node = self.nodes.get(child)
            if node is None:
                continue
            self.add_source(node)
            if node.kind == "group" and not node.is_image and len(child) > len(path):
                self.add_labels(child)

    def add_source(self, label: ngff.Node) -> None:
        """Add the image that a label image names as its source, if it lies inside the store."""
        told = ngff.source_image(label.metadata)
        if told is not None:
            self.add(posixpath.normpath(posixpath.join("/", label.path, told)).strip("/"))

    def add(self, path: str) -> None:
        """Add a group with the arrays of its levels, or an array."""
        if path in self.nodes:
            return
        group = find_group(self.store, path)
        document = array_document(self.store, path) if group is None else None
        if document is not None:
            self.nodes[path] = _array_node(path, array_of(self.store, path, document), document)
        if group is None:
            return
        self.nodes[path] = node = ngff.Node(
            path=path,
            kind="group",
            zarr_format=group.metadata.zarr_format,
            attributes=attributes_of(group),
            children=tuple(sorted(group.group_keys())) if self.listable else None,
        )
        for level in node.datasets:
            self.add(level)


def _array_node(path: str, array: zarr.Array[Any], document: dict[str, Any]) -> ngff.Node:
    names = getattr(array.metadata, "dimension_names", None)
    return ngff.Node(
        path=path,
        kind="array",
        zarr_format=array.metadata.zarr_format,
        attributes=dict(array.attrs.asdict()),
        shape=tuple(array.shape),
        dtype=str(array.dtype),
        dimension_names=tuple(names) if names is not None else None,
        form={key: value for key, value in document.items() if key != "attributes"},
        children=(),
    )
