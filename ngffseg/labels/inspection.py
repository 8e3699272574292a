"""The judge at work: collects the facts of a store and has them judged by the rules of NGFF."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from typing import Any

import zarr
from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import StoreNotFoundError
from ngffseg.labels.nodes import attributes_of, find_array, find_group
from ngffseg.labels.parent import LABELS
from ngffseg.store import locked, normalized, open_store, store_errors

# A fix may uncover the next fault of the same group; more rounds than this mean a fix is wrong.
MOST_ROUNDS = 100


def check(url: str | os.PathLike[str], *, fix: bool = False) -> list[ngff.Violation]:
    """Judge a store by the specification of its version and by the schemas of ngffseg.

    Parameters
    ----------
    url
        Address of an image group, of its labels group or of a label image.
    fix
        Mend what can be mended without guessing, in the metadata alone.

    Returns
    -------
    list of Violation
        What is wrong, or what is still wrong after mending.

    Raises
    ------
    StoreNotFoundError
        If nothing is there.
    """
    address = normalized(url)
    with store_errors(address):
        store = open_store(address, read_only=not fix)
        violations = _judge(store, address)
        if fix:
            with locked(address):
                violations = _mended(store, address)
    return violations


def _judge(store: Store, address: str) -> list[ngff.Violation]:
    nodes = collect(store)
    if not nodes:
        raise StoreNotFoundError(f"{address}: no Zarr group there: check the address")
    return ngff.judge_store(nodes)


def _mended(store: Store, address: str) -> list[ngff.Violation]:
    for _ in range(MOST_ROUNDS):
        violations = _judge(store, address)
        first = next((v for v in violations if v.fix is not None), None)
        if first is None or first.fix is None:
            return violations
        group = zarr.open_group(store, path=first.group, mode="r+", use_consolidated=False)
        group.attrs.put(first.fix.attributes)
    return violations


def collect(store: Store) -> dict[str, ngff.Node]:
    """Facts of the image group, its labels and all their levels; no chunk is read."""
    nodes: dict[str, ngff.Node] = {}
    _add_image(store, "", nodes)
    root = nodes.get("")
    if root is None:
        array = find_array(store, "")
        return {} if array is None else {"": _array_node("", array)}
    _, metadata = ngff.unwrap(root.attributes)
    if LABELS in metadata:
        _add_labels(store, "", nodes)
    elif find_group(store, LABELS) is not None or LABELS in (root.children or ()):
        _add_image(store, LABELS, nodes)
        _add_labels(store, LABELS, nodes)
    return nodes


def _add_labels(store: Store, path: str, nodes: dict[str, ngff.Node]) -> None:
    """Add all groups under a labels group, listed or found."""
    group = nodes.get(path)
    if group is None:
        return
    _, metadata = ngff.unwrap(group.attributes)
    listed = metadata.get(LABELS)
    names = [n for n in listed if isinstance(n, str)] if isinstance(listed, list) else []
    for name in dict.fromkeys([*names, *(group.children or ())]):
        child = f"{path}/{name}".strip("/")
        if child in nodes:
            continue
        _add_image(store, child, nodes)
        node = nodes.get(child)
        if node is not None:
            _add_source(store, node, nodes)
        if node is not None and "multiscales" not in ngff.unwrap(node.attributes)[1]:
            _add_labels(store, child, nodes)


def _add_source(store: Store, label: ngff.Node, nodes: dict[str, ngff.Node]) -> None:
    """Add the image that a label image names as its source, if it lies inside the store."""
    told = ngff.source_image(label.metadata)
    target = posixpath.normpath(posixpath.join("/", label.path, told or "."))
    path = target.strip("/")
    if told is not None and path not in nodes:
        _add_image(store, path, nodes)


def _add_image(store: Store, path: str, nodes: dict[str, ngff.Node]) -> None:
    group = find_group(store, path)
    if group is None:
        return
    attributes = attributes_of(group)
    nodes[path] = ngff.Node(
        path=path,
        kind="group",
        zarr_format=group.metadata.zarr_format,
        attributes=attributes,
        children=_children(group),
    )
    for level in _level_paths(attributes):
        full = f"{path}/{level}".strip("/")
        array = find_array(store, full)
        if array is not None:
            nodes[full] = _array_node(full, array)


def _children(group: zarr.Group) -> tuple[str, ...] | None:
    """Names of the groups in a group; None where the store cannot list."""
    if not group.store.supports_listing:
        return None
    try:
        return tuple(sorted(group.group_keys()))
    except (NotImplementedError, OSError):
        return None


def _level_paths(attributes: dict[str, Any]) -> Iterator[str]:
    multiscales = ngff.unwrap(attributes)[1].get("multiscales")
    for image in multiscales if isinstance(multiscales, list) else []:
        datasets = image.get("datasets") if isinstance(image, dict) else None
        for dataset in datasets if isinstance(datasets, list) else []:
            if isinstance(dataset, dict) and isinstance(dataset.get("path"), str):
                yield dataset["path"]


def _array_node(path: str, array: zarr.Array[Any]) -> ngff.Node:
    names = getattr(array.metadata, "dimension_names", None)
    return ngff.Node(
        path=path,
        kind="array",
        zarr_format=array.metadata.zarr_format,
        attributes=dict(array.attrs.asdict()),
        shape=tuple(array.shape),
        dtype=str(array.dtype),
        dimension_names=tuple(names) if names is not None else None,
        children=(),
    )
