"""JSON as it is stored: no NaN, no infinity, no text that is no Unicode."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from ngffseg.errors import MetadataError


def encode_json(document: Any, *, sort_keys: bool = False, others: bool = False) -> bytes:
    """A document as JSON in UTF-8, without the white space that would be half of a small store.

    With ``others``, NaN and half characters that other programs wrote into it stay as they are.

    Raises
    ------
    MetadataError
        If JSON cannot hold it; with the place.
    """
    # RFC 8259: "Numeric values that cannot be represented in the grammar below (such as Infinity and NaN) are
    # not permitted."
    try:
        return json.dumps(
            document, separators=(",", ":"), ensure_ascii=False, allow_nan=False, sort_keys=sort_keys
        ).encode()
    except (TypeError, ValueError) as error:  # UnicodeEncodeError is a ValueError
        if others:
            return json.dumps(document, separators=(",", ":"), sort_keys=sort_keys).encode()
        found = _wrong(document, "") or str(error)
        raise MetadataError(
            f"JSON cannot hold this: {found}: replace it, by null where there is no value"
        ) from error


def _wrong(value: Any, where: str) -> str | None:
    """The first part of a document that is no JSON, and where it is."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if found := _wrong(key, f"key {where}/{key!r}") or _wrong(part, f"{where}/{key}"):
                return found
        return None
    if isinstance(value, list | tuple):
        return next(filter(None, (_wrong(part, f"{where}/{n}") for n, part in enumerate(value))), None)
    if value == json_value(value) and isinstance(value, str | int | float | None):
        return None
    return f"{where} is {value!r}"


def json_value(value: Any) -> Any:
    """A value as JSON can hold it: None for NaN and infinity, U+FFFD for half a character.

    Other programs write such values, which must not hide the rest of what they wrote.
    """
    if isinstance(value, Mapping):
        return {json_value(key): json_value(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value
