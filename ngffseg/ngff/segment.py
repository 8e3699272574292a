"""A segment as JSON: what OME-Zarr has no word for, under the key ``ngffseg`` of its properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ngffseg.model import Algorithm, Segment, decode_codes, encode_codes


def encode_segment(segment: Segment) -> dict[str, Any]:
    """The ``ngffseg`` object of a segment."""
    encoded: dict[str, Any] = {
        "id": segment.id,
        "layer": segment.layer,
        "color": list(segment.color) if segment.color is not None else None,
    }
    if segment.status:
        encoded["status"] = segment.status
    if segment.algorithm is not None:
        encoded["algorithm"] = {"type": segment.algorithm.type, "name": segment.algorithm.name}
    if segment.tags:
        encoded["tags"] = [list(tag) for tag in segment.tags]
    if segment.codes is not None:
        encoded["codes"] = encode_codes(segment.codes)
    if segment.properties:
        encoded["properties"] = dict(segment.properties)
    return encoded


def decode_segment(label_value: int, name: str, encoded: Mapping[str, Any]) -> Segment:
    """The segment of an ``ngffseg`` object."""
    color = encoded["color"]
    algorithm = encoded.get("algorithm")
    codes = encoded.get("codes")
    return Segment(
        label_value=label_value,
        id=encoded["id"],
        name=name,
        color=tuple(color) if color is not None else None,
        layer=encoded["layer"],
        codes=decode_codes(codes) if codes is not None else None,
        status=encoded.get("status", ""),
        algorithm=Algorithm(**algorithm) if algorithm is not None else None,
        tags=tuple((key, value) for key, value in encoded.get("tags", ())),
        properties=encoded.get("properties", {}),
    )
