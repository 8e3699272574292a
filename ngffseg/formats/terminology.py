"""Terminology entries of 3D Slicer: codes as one line of text, both ways.

``context~category~type~modifier~anatomic context~region~region modifier``, each code as
``scheme^value^meaning``; there is no escaping, and one modifier each.
"""

from __future__ import annotations

from ngffseg.model import Code, CodedRegion, Codes

PARTS = 7


def parse_terminology(text: str) -> Codes | None:
    """Codes of a terminology entry; None if it is not one."""
    parts = text.split("~")
    if len(parts) != PARTS:
        return None
    region = _code(parts[5])
    region_modifier = _code(parts[6])
    type_modifier = _code(parts[3])
    return Codes(
        category=_code(parts[1]),
        type=_code(parts[2]),
        type_modifiers=(type_modifier,) if type_modifier else (),
        regions=(CodedRegion(region, (region_modifier,) if region_modifier else ()),) if region else (),
        terminology=parts[0],
        anatomy_terminology=parts[4],
    )


def format_terminology(codes: Codes) -> str:
    """The terminology entry of codes: the first modifier and the first region of each kind."""
    region = codes.regions[0] if codes.regions else None
    parts = (
        codes.terminology,
        _text(codes.category),
        _text(codes.type),
        _text(codes.type_modifiers[0] if codes.type_modifiers else None),
        codes.anatomy_terminology,
        _text(region.code if region else None),
        _text(region.modifiers[0] if region and region.modifiers else None),
    )
    return "~".join(parts)


def _code(text: str) -> Code | None:
    scheme, _, rest = text.partition("^")
    value, _, meaning = rest.partition("^")
    return Code(value, scheme, meaning) if value or scheme or meaning else None


def _text(code: Code | None) -> str:
    return f"{code.scheme}^{code.value}^{code.meaning}" if code else "^^"
