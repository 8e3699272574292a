"""The ``image-label`` object: segments as colors and properties, both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ngffseg.errors import MetadataError, NgffsegError, UsageError
from ngffseg.model import Color, Segment
from ngffseg.ngff.color import made_up_color
from ngffseg.ngff.segment import decode_segment, encode_segment
from ngffseg.ngff.text import json_value
from ngffseg.ngff.version import Version

# Keys of the table that are not properties of the segment.
OWN_KEYS = ("label-value", "name", "ngffseg")
NAME_KEYS = ("name", "class", "label")


def encode_image_label(segments: Sequence[Segment], source: str, version: Version) -> dict[str, Any]:
    """The ``image-label`` object of a label image.

    Colors and properties cover the same label values, as some readers ask; without segments both
    are absent. Scalar properties stand also in the table itself, for other readers.
    """
    encoded: dict[str, Any] = {"version": version, "source": {"image": source}}
    if segments:
        encoded["colors"] = [
            {"label-value": s.label_value, "rgba": list(s.color or made_up_color(s.label_value))}
            for s in segments
        ]
        encoded["properties"] = [_encode_properties(s) for s in segments]
    return encoded


def _encode_properties(segment: Segment) -> dict[str, Any]:
    scalars = {
        key: value
        for key, value in segment.properties.items()
        if key not in OWN_KEYS and isinstance(value, str | int | float | bool)
    }
    own = {"label-value": segment.label_value, "name": segment.name}
    return {**own, **scalars, "ngffseg": encode_segment(segment)}


def change_image_label(
    metadata: Mapping[str, Any], segments: Sequence[Segment], source: str, version: Version
) -> dict[str, Any]:
    """The ``image-label`` object of a label image with some segments changed or added.

    Rows of all others, and keys of other programs, stay as they are.
    """
    label: dict[str, Any] = dict(metadata.get("image-label") or {})
    known = {s.label_value: s for s in decode_image_label(metadata)}
    new = {s.label_value: s for s in segments}
    made = encode_image_label([new.get(v, s) for v, s in (known | new).items()], source, version)
    for key in ("colors", "properties"):
        rows = {_value(row): row for row in label.get(key) or ()}
        for row in made.get(key, ()):
            value = row["label-value"]
            if value in new:
                gone = known[value].properties if value in known else ()
                kept = {k: v for k, v in rows.get(value, {}).items() if k not in gone}
                rows[value] = kept | row
            rows.setdefault(value, row)
        if rows:
            label[key] = list(rows.values())
    return {**made, **label}


def decode_image_label(metadata: Mapping[str, Any]) -> tuple[Segment, ...]:
    """Segments of a label image, ours or foreign, in the order of its properties, then colors.

    Raises
    ------
    MetadataError
        If a label value is no integer, or an object cannot be understood.
    """
    label = metadata.get("image-label")
    if not isinstance(label, dict):
        return ()
    try:
        # 0.4: "Clients who choose to not throw an error SHOULD ignore all except the _last_ entry."
        colors = {_value(c): c.get("rgba") for c in label.get("colors") or ()}
        rows = {_value(p): p for p in label.get("properties") or ()}
        values = dict.fromkeys([*rows, *colors])
        return tuple(_decode(value, rows.get(value, {}), colors.get(value)) for value in values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, NgffsegError):
            raise MetadataError(f"image-label: {error}") from error
        raise MetadataError(
            f"image-label cannot be understood ({type(error).__name__}: {error}): run check on the store"
        ) from error


def _value(row: Mapping[str, Any]) -> int:
    value = row["label-value"]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)  # some writers print 5.0
    if isinstance(value, bool) or not isinstance(value, int):
        raise MetadataError(f"label-value {value!r} is no integer")
    return value


def _decode(value: int, row: Mapping[str, Any], rgba: Any) -> Segment:
    try:
        return _segment(value, row, rgba)
    except UsageError:  # NaN, for one
        return _segment(value, json_value(row), rgba)


def _segment(value: int, row: Mapping[str, Any], rgba: Any) -> Segment:
    own = row.get("ngffseg")
    if isinstance(own, dict) and "id" in own:
        return decode_segment(value, str(row.get("name", "")), own)
    names = (row[key] for key in NAME_KEYS if isinstance(row.get(key), str))
    rest = {key: v for key, v in row.items() if key != "label-value"}
    return Segment(value, name=next(names, ""), color=_color(rgba), properties=rest)


def _color(rgba: Any) -> Color | None:
    """A foreign color; None if it is none, which `check` tells and which must not hide the labels."""
    if not isinstance(rgba, list | tuple) or len(rgba) not in (3, 4):
        return None
    if not all(isinstance(c, int | float) and 0 <= c <= 255 and c == int(c) for c in rgba):
        return None
    red, green, blue, alpha = (*map(int, rgba), 255)[:4]
    return red, green, blue, alpha


def source_image(metadata: Mapping[str, Any]) -> str | None:
    """Path from the label image to its image, as written; None where it is not told."""
    label = metadata.get("image-label")
    source = label.get("source") if isinstance(label, dict) else None
    image = source.get("image") if isinstance(source, dict) else None
    return image if isinstance(image, str) else None
