"""Rules of the labels group: what its register names, and what lies under it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ngffseg.geometry import sizes_text
from ngffseg.ngff.document import KEY
from ngffseg.ngff.multiscales import FIXED_AXES
from ngffseg.ngff.node import Node
from ngffseg.ngff.rules_extent import validate_extent
from ngffseg.ngff.violation import Fix, Place, Violation

Nodes = Mapping[str, Node]


def is_labels_group(node: Node) -> bool:
    """Return True if it is a labels group, by its name or by its list of labels."""
    return node.kind == "group" and not node.is_image and (node.path == "labels" or "labels" in node.metadata)


def label_paths(nodes: Nodes, group: Node) -> list[str]:
    """Paths of all images under a labels group, listed or not."""
    prefix = f"{group.path}/".lstrip("/")
    return [p for p, n in nodes.items() if p.startswith(prefix) and p != group.path and n.is_image]


def validate_registry(nodes: Nodes, group: Node) -> Iterator[Violation]:
    """Validate a labels group against the groups that lie under it."""
    prefix = f"{group.path}/".lstrip("/")
    present = [path.removeprefix(prefix) for path in label_paths(nodes, group)]
    listed = group.metadata.get("labels")
    listed = listed if isinstance(listed, list) else []
    names = [n for n in listed if isinstance(n, str)]
    if "labels" not in group.metadata:
        # 0.4: 'The special group "labels" [...] contains the key `labels` containing the paths to label objects'
        rule = 'The metadata associated with the "labels" group MUST contain a JSON object with the key `labels`, whose value is a JSON array of paths to the labeled multiscale image(s).'
        yield Violation("MUST", group.place, rule, "a list of labels", "none", _listing(group, present))
    for name in names:
        node = nodes.get(prefix + name)
        if node is not None and (node.kind == "broken" or node.is_unknown):
            continue  # which is told there
        if node is None or not node.is_image:
            rule = "`labels` is a JSON array of paths to the labeled multiscale image(s)."
            found = "nothing there" if node is None else "no image"
            yield Violation(
                "MUST",
                group.place / "labels" / listed.index(name),
                rule,
                "a label image",
                f"{name!r}: {found}",
            )
    for name in present if "labels" in group.metadata else ():
        if name not in names:
            rule = "All label images SHOULD be listed within this metadata file."
            fix = _listing(group, [*names, name])
            yield Violation("SHOULD", Place(prefix + name), rule, "listed", "not listed", fix)
    yield from _between(nodes, prefix)
    for layer in sorted(_placed(group) - set(names)):
        rule = "The layers of a segmentation document are label images that the labels group lists."
        where = Place(group.path) / KEY / "segmentations"
        yield Violation("MUST", where, rule, "a listed label image", repr(layer))
    image = nodes.get(group.path.rpartition("/")[0]) if group.path else None
    for name in present:
        yield from _against_image(nodes, group, prefix + name, image)


def _listing(group: Node, names: list[str]) -> Fix | None:
    listed = group.metadata.get("labels", [])
    if not names or not isinstance(listed, list) or any(not isinstance(name, str) for name in listed):
        return None  # what is no name would be lost
    known = group.attributes.get("ome", {})
    if not isinstance(known, dict):
        return None
    if "ome" in group.attributes or group.zarr_format == 3:
        ome: dict[str, Any] = {"version": "0.5", **known, "labels": names}
        return Fix(f"list {names}", group.path, {**group.attributes, "ome": ome})
    return Fix(f"list {names}", group.path, {**group.attributes, "labels": names})


def _between(nodes: Nodes, prefix: str) -> Iterator[Violation]:
    for path, node in nodes.items():
        if (
            path.startswith(prefix)
            and path
            and node.kind == "group"
            and not node.is_image
            and node.attributes
        ):
            if is_labels_group(node) and not prefix:
                continue
            rule = 'Intermediate groups between "labels" and the images within it MUST NOT contain metadata.'
            yield Violation("MUST", Place(path, ""), rule, "no attributes", str(sorted(node.attributes)))


def _against_image(nodes: Nodes, group: Node, path: str, image: Node | None) -> Iterator[Violation]:
    if image is None or not image.is_image:
        return
    label = nodes[path]
    if label.is_unknown or image.is_unknown:
        return
    if len(label.datasets) != len(image.datasets):
        rule = "The JSON array associated with the `datasets` key MUST have the same number of entries (scale levels) as the original unlabeled image."
        yield Violation(
            "MUST",
            label.place / "multiscales" / 0 / "datasets",
            rule,
            f"{len(image.datasets)} levels",
            str(len(label.datasets)),
        )
    if not label.datasets or not image.datasets:
        return
    own, whole = nodes.get(label.datasets[0]), nodes.get(image.datasets[0])
    if own is None or whole is None:
        return
    placed = path.rpartition("/")[2] in _placed(group)
    sizes, beside = _sizes(label, own), _sizes(image, whole)
    # An axis that the labels lack is shared; one that the image lacks is one voxel of it.
    if not placed and any(n not in (1, beside.get(axis, 1)) for axis, n in sizes.items()):
        rule = "Each dimension of the label should be either the same as the corresponding dimension of the image, or `1`."
        yield Violation("SHOULD", Place(label.datasets[0]), rule, sizes_text(beside), sizes_text(sizes))
    else:
        yield from validate_extent(label, own.shape, image, whole.shape)


def _sizes(image: Node, array: Node) -> dict[str, int]:
    """Size of each axis of an array of an image, by name; before 0.3 they have none, and their order is fixed."""
    names = image.axes or FIXED_AXES[-len(array.shape) :]
    return dict(zip(names, array.shape, strict=False))  # another number of axes is told elsewhere


def _placed(group: Node) -> set[str]:
    """Label images whose grid a segmentation document tells, so that their shape is free."""
    own = group.attributes.get(KEY)
    documents = own.get("segmentations") if isinstance(own, dict) else None
    layers = (
        (d.get("layers") for d in documents if isinstance(d, dict)) if isinstance(documents, list) else ()
    )
    return {name for names in layers if isinstance(names, list) for name in names if isinstance(name, str)}
