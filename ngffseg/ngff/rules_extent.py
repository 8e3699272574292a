"""The rule that labels lie where their image lies: boxes of both, as scale and translation tell them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ngffseg.errors import MetadataError
from ngffseg.geometry import MILLIMETERS, SPACE
from ngffseg.ngff.document import own_part
from ngffseg.ngff.multiscales import Multiscales, decode_multiscales
from ngffseg.ngff.node import Node
from ngffseg.ngff.violation import Violation

# Boxes may differ by half a voxel, and by what rounds in files.
HALF = 0.5 + 1e-4
# Start, end and step along each space axis.
Extent = Mapping[str, tuple[float, float, float]]


def validate_extent(
    label: Node, shape: Sequence[int], image: Node, image_shape: Sequence[int]
) -> Iterator[Violation]:
    """Validate the box of a label image, of this shape at level 0, against that of its image."""
    own, whole = _extent(label, shape), _extent(image, image_shape)
    if own is None or whole is None or set(own) != set(whole):
        return
    # "Each dimension of the label should be either the same as the corresponding dimension of the image, or `1`."
    any_place = {name for name, n in zip(label.axes, shape, strict=False) if n == 1}
    for axis, (start, end, step) in whole.items():
        first, last, size = own[axis]
        if axis in any_place:
            continue
        if max(abs(first - start), abs(last - end)) > HALF * max(step, size):
            # 0.4 and 0.5, "labels": "usually having the same dimensions and coordinate transformations"
            rule = (
                "Some applications--notably image segmentation--produce a new image that is in the same coordinate"
                " system as a corresponding multiscale image (usually having the same dimensions and coordinate"
                " transformations)."
            )
            expected, found = (f"{axis} from {a:.6g} to {b:.6g}" for a, b in ((start, end), (first, last)))
            yield Violation("SHOULD", label.place / "multiscales" / 0, rule, expected, found)
            return


def _extent(node: Node, shape: Sequence[int]) -> Extent | None:
    """The box of an image per space axis, edges of its voxels included; None where it is not known or empty."""
    try:
        if own_part(node.attributes).get("placeholder"):
            return None
        found = decode_multiscales(node.metadata, ndim=len(shape))
    except MetadataError:
        return None  # which is told
    if found.unknown or len(found.axes) != len(shape):
        return None
    return _boxes(found, shape)


def _boxes(multiscales: Multiscales, shape: Sequence[int]) -> Extent:
    level0, boxes = multiscales.datasets[0], {}
    for axis, n, scale, start in zip(multiscales.axes, shape, level0.scale, level0.translation, strict=True):
        if axis.name in SPACE:
            length = MILLIMETERS.get(axis.unit or "", 1.0)
            boxes[axis.name] = (
                length * (start - scale / 2),
                length * (start + (n - 0.5) * scale),
                length * abs(scale),
            )
    return boxes
