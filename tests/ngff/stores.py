"""Facts of a small store with one image and its label images, to be broken by tests."""

from __future__ import annotations

import copy
from dataclasses import replace

from ngffseg.ngff import Axis, Dataset, Multiscales, Node, encode_multiscales, wrap

AXES = (Axis("z"), Axis("y"), Axis("x"))
LABEL = {
    "colors": [{"label-value": 2**63 + 5, "rgba": [1, 2, 3, 255]}],
    "properties": [{"label-value": 2**63 + 5, "name": "liver"}],
}


def store(version, names=("organs",)):
    """A store in which nothing is wrong."""
    nodes = image(version, "", "uint8", ("labels",))
    nodes["labels"] = group(version, "labels", {"labels": list(names)}, names)
    for name in names:
        source = {"image": "../../" + "../" * name.count("/")}
        label = {"image-label": {"version": version, **copy.deepcopy(LABEL), "source": source}}
        nodes |= image(version, f"labels/{name}", "uint64", (), label)
    return nodes


def group(version, path, metadata, children=()):
    return Node(
        path, "group", 3 if version == "0.5" else 2, wrap(version, metadata), children=tuple(children)
    )


def image(version, path, dtype, children, more=None):
    datasets = tuple(Dataset(str(k), (2.0**k,) * 3, ((2**k - 1) / 2,) * 3) for k in range(2))
    multiscales = Multiscales(path or "image", AXES, datasets, "mode", {"tie": "balanced"})
    metadata = {"multiscales": [encode_multiscales(multiscales, version)], **(more or {})}
    nodes = {path: group(version, path, metadata, children)}
    for k in range(2):
        full = f"{path}/{k}".strip("/")
        names = ("z", "y", "x") if version == "0.5" else None
        nodes[full] = Node(full, "array", nodes[path].zarr_format, {}, (8 >> k,) * 3, dtype, names, ())
    return nodes


def changed(nodes, path, edit):
    """The store after ``edit`` has changed the OME metadata of a group in place."""
    attributes = copy.deepcopy(dict(nodes[path].attributes))
    edit(attributes.get("ome", attributes))
    return nodes | {path: replace(nodes[path], attributes=attributes)}


def replaced(nodes, at, **fields):
    return nodes | {at: replace(nodes[at], **fields)}


def without(nodes, *paths):
    return {
        path: node
        for path, node in nodes.items()
        if not any(path == gone or path.startswith(f"{gone}/") for gone in paths)
    }


def rooted(nodes, root):
    """What is left when a group of the store is handed in as the root."""
    prefix = f"{root}/"
    inside = {p: n for p, n in nodes.items() if p == root or p.startswith(prefix)}
    paths = {p: p.removeprefix(root).strip("/") for p in inside}
    return {paths[p]: replace(n, path=paths[p]) for p, n in inside.items()}
