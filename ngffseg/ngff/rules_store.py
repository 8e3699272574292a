"""Rules that need more than one group: levels, dtypes, the register of labels, the image."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ngffseg.ngff.document import KEY
from ngffseg.ngff.image_label import source_image
from ngffseg.ngff.migration import own_violations
from ngffseg.ngff.node import Node
from ngffseg.ngff.rules_collection import member_paths, validate_members
from ngffseg.ngff.rules_image import transformations, validate_lengths
from ngffseg.ngff.rules_registry import is_labels_group, label_paths, validate_registry
from ngffseg.ngff.schema import schema_violations
from ngffseg.ngff.validate import PARTS, validate_attributes
from ngffseg.ngff.version import unwrap
from ngffseg.ngff.violation import Fix, Place, Violation

Nodes = Mapping[str, Node]


def validate_store(nodes: Nodes) -> list[Violation]:
    """Validate a store, a labels group or a label image by the facts that were read of it.

    Parameters
    ----------
    nodes
        Facts by path; the root has the path "". What is missing in the store is missing here.
    """
    return [replace(v, fix=_safe_fix(nodes, v.fix)) if v.fix is not None else v for v in _validate(nodes)]


def _safe_fix(nodes: Nodes, fix: Fix) -> Fix | None:
    """The fix; None where a group above or below that it concerns has a version that is not known."""
    for path, node in nodes.items():
        if node.is_unknown and (
            f"{fix.group}/".startswith(f"{path}/".lstrip("/")) or _is_below(path, fix.group)
        ):
            return None
    return fix


def _is_below(path: str, group: str) -> bool:
    return path.startswith(f"{group}/".lstrip("/"))


def _validate(nodes: Nodes) -> Iterator[Violation]:
    root = nodes.get("")
    for node in nodes.values():
        yield from node.problems
    if root is None or root.kind == "array":
        rule = "An OME-Zarr image is a group that holds the arrays of its levels."
        yield Violation("MUST", Place(), rule, "a group", "nothing" if root is None else "an array")
        return
    labels = {path for node in nodes.values() if is_labels_group(node) for path in label_paths(nodes, node)}
    if "image-label" in root.metadata:
        labels.add("")
    members = set(member_paths(nodes))
    for path, node in nodes.items():
        if node.collection is not None and not node.is_unknown:
            yield from validate_members(nodes, node, node.collection)
        if node.kind == "group" and path not in members:
            yield from _group(node, nodes, root, is_label=path in labels)


def _group(node: Node, nodes: Nodes, root: Node, *, is_label: bool) -> Iterator[Violation]:
    """Validate a group by itself, and against what lies around it if its version is known."""
    if is_labels_group(node) and not node.is_unknown:
        yield from validate_registry(nodes, node)
    validated = node.is_image or "labels" in node.metadata or node.collection is not None
    if validated or (node.path == "" and "labels" not in nodes):
        yield from validate_attributes(node.attributes, node.path, zarr_format=node.zarr_format)
        yield from _consistent(node, root)
    if node.is_image and not node.is_unknown:
        yield from _levels(node, nodes)
        yield from _lengths(node, nodes)
        if is_label:
            yield from _label(node, nodes)


def _consistent(node: Node, root: Node) -> Iterator[Violation]:
    rule = "The OME-Zarr Metadata version MUST be consistent within a hierarchy."
    if not any(part in root.metadata for part in PARTS) or root.is_unknown or node.is_unknown:
        return
    places = ["0.5 or later" if "ome" in n.attributes else "0.4 or earlier" for n in (root, node)]
    stated, found = (unwrap(n.attributes)[0] for n in (root, node))
    if stated is not None and found is not None and stated != found:
        yield Violation("MUST", node.place, rule, stated, found)
    elif places[0] != places[1]:
        yield Violation("MUST", node.place, rule, places[0], places[1])


def _levels(node: Node, nodes: Nodes) -> Iterator[Violation]:
    finer: tuple[int, ...] = ()
    for path in node.datasets:
        array = nodes.get(path)
        if array is not None and array.kind == "broken":
            continue  # its problem is told
        if array is None or array.kind != "array":
            rule = 'Each dictionary in "datasets" MUST contain the field "path", whose value contains the path to the array for this resolution.'
            yield Violation("MUST", Place(path), rule, "an array", "nothing" if array is None else "a group")
            continue
        if array.zarr_format != node.zarr_format:
            # 0.4: "Arrays MUST be defined and stored in a hierarchical organization as defined by the
            # version 2 of the Zarr specification"; 0.5: "version 3".
            rule = "Arrays MUST be defined and stored as in the version of the Zarr specification that their group has."
            yield Violation("MUST", Place(path), rule, f"Zarr v{node.zarr_format}", f"v{array.zarr_format}")
        if node.axes and len(array.shape) != len(node.axes):
            rule = 'The length of "axes" MUST be equal to the dimensionality of the zarr arrays.'
            yield Violation("MUST", Place(path), rule, f"{len(node.axes)} axes", f"{len(array.shape)}")
        if array.zarr_format == 3 and node.axes and array.dimension_names != node.axes:
            rule = 'The "dimension_names" attribute MUST be included in the `zarr.json` of the Zarr array of a multiscale level and MUST match the names in the "axes" metadata.'
            yield Violation("MUST", Place(path), rule, str(node.axes), str(array.dimension_names))
        if (
            finer
            and len(finer) == len(array.shape)
            and any(a > b for a, b in zip(array.shape, finer, strict=True))
        ):
            rule = 'The "path"s MUST be ordered from largest (i.e. highest resolution) to smallest.'
            yield Violation("MUST", Place(path), rule, f"at most {finer}", str(array.shape))
        finer = array.shape


def _lengths(node: Node, nodes: Nodes) -> Iterator[Violation]:
    """Lengths of transformations in 0.4, where the attributes alone may not be validated."""
    array = nodes.get(node.datasets[0]) if node.datasets else None
    if unwrap(node.attributes)[0] != "0.4" or array is None:
        return
    if schema_violations(node.metadata["multiscales"], "0.4/multiscales"):
        return
    for at, transforms in transformations(
        node.metadata["multiscales"][0], Place(node.path) / "multiscales" / 0
    ):
        yield from validate_lengths(transforms, len(array.shape), at)


def _label(node: Node, nodes: Nodes) -> Iterator[Violation]:
    for path in node.datasets:
        array = nodes.get(path)
        if array is not None and array.kind == "array" and not _is_integer(array.dtype):
            rule = "The pixels of the label images MUST be integer data types, i.e. one of [uint8, int8, uint16, int16, uint32, int32, uint64, int64]."
            yield Violation("MUST", Place(path), rule, "an integer dtype", array.dtype)
    if "image-label" not in node.metadata:
        rule = "In addition to the `multiscales` key, the OME-Zarr Metadata SHOULD contain another key, `image-label`."
        yield Violation("SHOULD", node.place, rule, "image-label", "none")
    yield from _source(node, nodes)
    yield from _copies(node, nodes)


def _copies(node: Node, nodes: Nodes) -> Iterator[Violation]:
    """Return True if what a label image of ours says of its arrays is what they say."""
    own = node.attributes.get(KEY)
    if not isinstance(own, dict) or not isinstance(own.get("arrays"), dict):
        return
    if own_violations(own, "label", Place()):
        return  # which is told; what a newer version wrote is not rewritten
    arrays: dict[str, Any] = own["arrays"]
    for path, stated in arrays.items():
        array = nodes.get(f"{node.path}/{path}".strip("/"))
        if array is not None and array.kind == "array" and dict(array.layout) != stated:
            rule = 'The key "ngffseg" of a label image holds copies of the metadata of its arrays: readers trust them.'
            known = {**arrays, path: dict(array.layout)}
            fixed = {**node.attributes, KEY: {**own, "arrays": known}}
            fix = Fix(f"copy the metadata of {array.path}", node.path, fixed)
            where = Place(node.path) / KEY / "arrays" / path
            yield Violation("MUST", where, rule, "what the array says", "other metadata", fix)


def _is_integer(dtype: str) -> bool:
    try:
        return np.dtype(dtype).kind in "iu"  # in any byte order: Zarr v2 tells it, as in ">u2"
    except TypeError:
        return False


def _source(node: Node, nodes: Nodes) -> Iterator[Violation]:
    stated = source_image(node.metadata)
    if stated is None:
        return
    target = posixpath.normpath(posixpath.join("/root", node.path, stated))
    if target != "/root" and not target.startswith("/root/"):
        return  # it lies outside of what was handed in
    image = nodes.get(target.removeprefix("/root").strip("/"))
    if image is not None and (image.kind == "broken" or image.is_unknown):
        return
    if image is None or not image.is_image:
        rule = "`image` MUST be a string specifying the relative path to a Zarr image group."
        found = "nothing there" if image is None else "no image"
        where = node.place / "image-label" / "source" / "image"
        yield Violation("MUST", where, rule, "an image group", f"{stated!r}: {found}")
