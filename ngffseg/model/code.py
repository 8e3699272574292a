"""Coded concepts: what a segment is, in the terms of DICOM PS3.16."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ngffseg.model.value import plain_text


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept (DICOM PS3.3 8.8): value within a coding scheme, with its meaning."""

    value: str
    scheme: str
    meaning: str
    version: str = ""

    def __post_init__(self) -> None:
        for text in (self.value, self.scheme, self.meaning, self.version):
            plain_text(text, "code")


@dataclass(frozen=True, slots=True)
class CodedRegion:
    """An anatomic region with its modifiers (laterality and the like)."""

    code: Code
    modifiers: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class Codes:
    """What a segment is and where it lies (DICOM PS3.3 C.8.20.4, 3D Slicer terminologies).

    ``terminology`` and ``anatomy_terminology`` name the lists that the codes were picked from,
    as 3D Slicer stores them.
    """

    category: Code | None = None
    type: Code | None = None
    type_modifiers: tuple[Code, ...] = ()
    regions: tuple[CodedRegion, ...] = ()
    terminology: str = ""
    anatomy_terminology: str = ""


def encode_codes(codes: Codes) -> dict[str, Any]:
    """Codes as JSON; what there is none of is left out."""
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


def decode_codes(encoded: Mapping[str, Any]) -> Codes:
    """Codes of such JSON; KeyError, TypeError or AttributeError if it is none."""
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
