"""JSON: a list of objects, one per segment, which holds all of it; and what others write.

``{"1": "liver"}`` or ``{"1": {"name": "liver"}}`` by value (TotalSegmentator, MONAI), and such an object, or
``{"liver": 1}`` by name, under the key ``labels`` (``dataset.json`` of nnU-Net).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ngffseg.errors import FormatError, UsageError
from ngffseg.formats.tables.cells import hex_color, is_value, label_value
from ngffseg.formats.tables.colored import colored_rows
from ngffseg.formats.tables.table import Row, put_color
from ngffseg.formats.tables.words import Columns
from ngffseg.model import Algorithm, Segment, decode_codes, encode_codes

NEEDS_COLOR = False
HAS_LAYERS = True
LABELS = "labels"
# Keys that mean what they are called, and nothing else.
OWN = ("codes", "algorithm", "tags", "properties")


def matches(text: str, _file: str) -> bool:
    """Return True if it begins as JSON does."""
    return text.lstrip()[:1] in ("{", "[")


def parse(text: str, _file: str) -> list[Row]:
    """Read a table of JSON.

    Raises
    ------
    FormatError
        If it is none that is known.
    """
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_constant=_refused)
    except RecursionError:
        raise FormatError("it is nested too deeply for a table") from None
    except ValueError as error:
        raise FormatError(f"it is no JSON ({error})") from None
    entries = ((f"entry {number}", entry) for number, entry in enumerate(_entries(content), 1))
    return colored_rows(entries, _row, whole=False)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for n, (key, _) in enumerate(pairs) if key in dict(pairs[:n]))
        raise FormatError(f"{twice!r} stands there twice: keep one")
    return found


def _refused(constant: str) -> Any:
    raise FormatError(f"{constant} is no number of JSON: write null")


def _entries(content: Any) -> list[dict[str, Any]]:
    """Objects of a table, each with its label value."""
    if isinstance(content, dict) and isinstance(content.get(LABELS), dict | list):
        content = content[LABELS]
        if isinstance(content, dict) and content and not all(is_value(key) for key in content):
            content = [{"value": _value_of(name, value), "name": name} for name, value in content.items()]
    if isinstance(content, dict):
        strange = next((key for key in content if not is_value(key)), None)
        if strange is not None or not content:
            raise FormatError(
                f"{strange!r} is no label value: give an object by value, or by name under the key {LABELS!r}"
            )
        content = [
            {"value": key, **(fields if isinstance(fields, dict) else {"name": fields})}
            for key, fields in content.items()
        ]
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise FormatError("it holds no objects of segments: give a list of them")
    return content


def _value_of(name: str, value: Any) -> Any:
    if isinstance(value, list):
        raise FormatError(f"{name!r} is a region of several labels: give one value for each name")
    return value


def _row(entry: dict[str, Any]) -> tuple[Row, list[str]]:
    """A row, and the parts of its color where they are numbers."""
    entry = {key: value for key, value in entry.items() if value is not None or key in OWN}
    own = {key: entry.pop(key) for key in OWN if key in entry}
    columns = Columns(list(entry))
    values = list(entry.values())
    if columns.value is None:
        raise FormatError("it has no label value: call it 'value'")
    row: Row = {"label_value": _whole(values[columns.value])}
    if columns.layer is not None:
        row["layer"] = _whole(values[columns.layer])
    if columns.name is not None and values[columns.name] != "":
        row["name"] = _text(values[columns.name], "name")
    if columns.id is not None and values[columns.id] != "":
        row["id"] = _text(values[columns.id], "id")
    if columns.status is not None:
        row["status"] = _text(values[columns.status], "status")
    _add_own(row, own)
    rest = {columns.header[number]: values[number] for number in columns.properties}
    if rest:
        row["properties"] = {**row.get("properties", {}), **rest}
    numbered = [number for number in columns.parts if number is not None]
    if numbered:
        return row, [_part(values[number]) for number in numbered]
    color = values[columns.color] if columns.color is not None else []
    found = hex_color(color) if isinstance(color, str) else None
    if found is not None:
        put_color(row, found[0], with_opacity=found[1])
        return row, []
    if not isinstance(color, list):
        raise FormatError(f"{str(color)[:40]!r} is no color: give '#rrggbb', or a list of numbers")
    return row, [_part(part) for part in color]


def _add_own(row: Row, own: dict[str, Any]) -> None:
    try:
        if own.get("codes") is not None:
            row["codes"] = codes = decode_codes(own["codes"])
            if not isinstance(codes.terminology, str) or not isinstance(codes.anatomy_terminology, str):
                raise TypeError("a terminology is no text")
        if own.get("algorithm") is not None:
            row["algorithm"] = Algorithm(**own["algorithm"])
        if own.get("tags") is not None:
            row["tags"] = tuple((key, value) for key, value in own["tags"])
        if own.get("properties") is not None:
            row["properties"] = dict(own["properties"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        fields = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
        raise FormatError(
            f"its codes, algorithm, tags or properties cannot be understood ({fields})"
        ) from None


def _whole(value: Any) -> int:
    if isinstance(value, bool | list | dict):
        raise FormatError(f"{str(value)[:40]} is no label value: give a whole number")
    return label_value(str(value))


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise FormatError(f"its {what} {str(value)[:40]} is no text")
    return value


def _part(value: Any) -> str:
    if isinstance(value, bool | str | list | dict):
        raise FormatError(f"{str(value)[:40]!r} is no part of a color: give numbers")
    return repr(value)


def render(segments: Sequence[Segment], _file: str) -> str:
    """Write a list of objects, one line each, that holds all of the segments."""
    layered = any(segment.layer for segment in segments)
    lines = [
        json.dumps(_entry(segment, layered=layered), ensure_ascii=False, allow_nan=False)
        for segment in segments
    ]
    return "[\n" + ",\n".join(f"  {line}" for line in lines) + "\n]\n"


def _entry(segment: Segment, *, layered: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "label_value": segment.label_value,
        "id": segment.id,
        "name": segment.name,
        "color": f"#{bytes(segment.color).hex()}" if segment.color else None,
        "layer": segment.layer if layered else None,
        "status": segment.status or None,
        "codes": encode_codes(segment.codes) if segment.codes is not None else None,
        "algorithm": segment.algorithm and {"type": segment.algorithm.type, "name": segment.algorithm.name},
        "tags": [list(tag) for tag in segment.tags] or None,
        "properties": dict(segment.properties) or None,
    }
    return {key: value for key, value in fields.items() if value is not None}
