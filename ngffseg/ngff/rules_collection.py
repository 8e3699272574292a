"""Rules of plates, wells and other groups of images: what they name is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ngffseg.ngff.collection import (
    BIOFORMATS2RAW,
    PARTS,
    SERIES,
    Collection,
    decode_collection,
    listed_series,
)
from ngffseg.ngff.node import Node
from ngffseg.ngff.violation import Place, Violation

Nodes = Mapping[str, Node]
RULES = {
    "plate": 'Each well object MUST contain a "path" key whose value MUST be a string specifying the path to the well subgroup.',
    "well": 'Each image object MUST contain a "path" key whose value MUST be a string specifying the path to the field of view.',
    BIOFORMATS2RAW: 'The "series" of the group "OME" is a list of the paths of the images.',
}


def validate_collection(attributes: Mapping[str, Any], where: Place) -> Iterator[Violation]:
    """Say of a collection that its own attributes are not validated."""
    found = decode_collection(attributes)
    if found is not None:
        rule = f"Of a {found.name} only what it names is looked for; check each image by its own address."
        yield Violation("UNKNOWN", where, rule, "an image or labels", found.description())


def series_of(nodes: Nodes, root: Node) -> tuple[str, ...] | None:
    """Paths of the images that a root of bioformats2raw lists in its group ``OME``; None if none are listed."""
    group = nodes.get(root.below(SERIES))
    return listed_series(group.attributes) if group is not None and group.kind == "group" else None


def member_paths(nodes: Nodes) -> Iterator[str]:
    """Paths of all groups that collections name: each is validated when its own address is given."""
    for node in nodes.values():
        if node.collection is not None:
            yield from (node.below(path) for path in _members(nodes, node, node.collection))


def _members(nodes: Nodes, node: Node, collection: Collection) -> tuple[str, ...]:
    return (series_of(nodes, node) or ()) if collection.kind == BIOFORMATS2RAW else collection.members


def validate_members(nodes: Nodes, node: Node, collection: Collection) -> Iterator[Violation]:
    """Validate whether what a collection names is there, and what it ought to be."""
    for path in _members(nodes, node, collection):
        member = nodes.get(node.below(path))
        if member is not None and (member.kind == "broken" or member.is_unknown):
            continue
        kind = "well" if collection.kind == "plate" else "multiscales"
        if member is None or member.kind != "group" or kind not in member.metadata:
            found = "nothing there" if member is None else f"a group or array without {kind!r}"
            expected = f"one of its {PARTS[collection.kind]}"
            yield Violation("MUST", Place(node.below(path)), RULES[collection.kind], expected, found)
