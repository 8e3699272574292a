"""What readers ask beyond rules: numbers that are finite, and metadata that can be decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any

from ngffseg.errors import MetadataError, UsageError
from ngffseg.ngff.document import KEY
from ngffseg.ngff.grid import decode_geometry, decode_source_grid
from ngffseg.ngff.image_label import decode_image_label
from ngffseg.ngff.multiscales import decode_multiscales
from ngffseg.ngff.rules_image import transformations, validate_lengths
from ngffseg.ngff.schema import short_text
from ngffseg.ngff.version import unwrap
from ngffseg.ngff.violation import Place, Violation

# Numbers that are told; more of one document say nothing new.
MOST_NUMBERS = 10


def validate_numbers(attributes: Mapping[str, Any], where: Place) -> Iterator[Violation]:
    """Find numbers that are not finite in the attributes of a group."""
    rule = 'RFC 8259 (JSON): "Numeric values that cannot be represented in the grammar [...] (such as Infinity and NaN) are not permitted."'
    count = 0
    waiting: list[tuple[Place, Any]] = [(where, attributes)]
    while waiting and count < MOST_NUMBERS:
        place, value = waiting.pop()
        if isinstance(value, float) and not isfinite(value):
            count += 1
            yield Violation("MUST", place, rule, "a finite number", repr(value))
        elif isinstance(value, Mapping):
            waiting += [
                (place / key, part) for key, part in value.items() if isinstance(part, float | Mapping | list)
            ]
        elif isinstance(value, list):
            waiting += [
                (place / n, part) for n, part in enumerate(value) if isinstance(part, float | Mapping | list)
            ]


def validate_reading(attributes: Mapping[str, Any], part: str, where: Place) -> Iterator[Violation]:
    """Require that our readers can work with a part of the metadata that breaks no other rule.

    Parameters
    ----------
    part
        ``multiscales``, ``image-label``, or our own key.
    where
        Where the part is.
    """
    read = READERS.get(part)
    if read is None:
        return
    try:
        read(attributes)
    except (MetadataError, UsageError) as error:
        rule = "Metadata that keep all other rules can be understood by readers, which these cannot."
        yield Violation("MUST", where, rule, "metadata that can be read", short_text(str(error)))


def _read_multiscales(attributes: Mapping[str, Any]) -> None:
    metadata = unwrap(attributes)[1]
    first = metadata["multiscales"][0]
    ndim = len(first["axes"])
    if any(any(validate_lengths(transforms, ndim, at)) for at, transforms in transformations(first, Place())):
        return  # in 0.4 they are validated against the arrays
    for level in decode_multiscales(metadata, ndim=ndim).datasets:
        if 0 in level.scale:
            raise MetadataError(f"level {level.path!r} has voxels of no size: scale {list(level.scale)}")


def _read_grids(attributes: Mapping[str, Any]) -> None:
    """Decode all grids under our key; their form keeps its schema."""
    own = attributes[KEY]
    for part in (own, *own.get("segmentations", ())):
        if "geometry" in part:
            grid = decode_geometry(part["geometry"])
            source = decode_source_grid(part, grid)
            if source is not None and not source.leads_to(grid):
                raise MetadataError("sourceGrid in its order does not lie where geometry does")


READERS: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "multiscales": _read_multiscales,
    "image-label": lambda attributes: decode_image_label(unwrap(attributes)[1]),
    KEY: _read_grids,
}
