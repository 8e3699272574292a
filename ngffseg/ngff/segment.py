"""A segment as JSON: what OME-Zarr has no word for, under the key ``ngffseg`` of its properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ngffseg.model import Algorithm, Code, CodedRegion, Codes, Segment


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
        encoded["codes"] = _encode_codes(segment.codes)
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
        codes=_decode_codes(codes) if codes is not None else None,
        status=encoded.get("status", ""),
        algorithm=Algorithm(**algorithm) if algorithm is not None else None,
        tags=tuple((key, value) for key, value in encoded.get("tags", ())),
        properties=encoded.get("properties", {}),
    )


def _encode_codes(codes: Codes) -> dict[str, Any]:
    encoded: dict[str, Any] = {}
    if codes.category is not None:
        encoded["category"] = _encode_code(codes.category)
    if codes.type is not None:
        encoded["type"] = _encode_code(codes.type)
    if codes.type_modifiers:
        encoded["typeModifiers"] = [_encode_code(code) for code in codes.type_modifiers]
    if codes.regions:
        encoded["regions"] = [
            {"code": _encode_code(r.code), "modifiers": [_encode_code(code) for code in r.modifiers]}
            for r in codes.regions
        ]
    if codes.terminology:
        encoded["terminology"] = codes.terminology
    if codes.anatomy_terminology:
        encoded["anatomyTerminology"] = codes.anatomy_terminology
    return encoded


def _decode_codes(encoded: Mapping[str, Any]) -> Codes:
    regions = tuple(
        CodedRegion(Code(**r["code"]), tuple(Code(**m) for m in r.get("modifiers", ())))
        for r in encoded.get("regions", ())
    )
    return Codes(
        category=Code(**encoded["category"]) if "category" in encoded else None,
        type=Code(**encoded["type"]) if "type" in encoded else None,
        type_modifiers=tuple(Code(**code) for code in encoded.get("typeModifiers", ())),
        regions=regions,
        terminology=encoded.get("terminology", ""),
        anatomy_terminology=encoded.get("anatomyTerminology", ""),
    )


def _encode_code(code: Code) -> dict[str, str]:
    encoded = {"value": code.value, "scheme": code.scheme, "meaning": code.meaning}
    return encoded | ({"version": code.version} if code.version else {})
