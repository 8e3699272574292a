"""JSON objects from bytes that others wrote, within bounds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ngffseg.errors import MetadataError

# Nothing that OME-Zarr or Zarr define is nested a tenth as deep; Python stops at about 1000.
MOST_DEPTH = 100
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))


class TooDeepError(MetadataError):
    """JSON that is nested too deep to be worked with."""


def parse_object(data: bytes) -> dict[str, Any]:
    """Parse a JSON object.

    Raises
    ------
    MetadataError
        If it is no JSON, no object, or nested too deep.
    """
    try:
        value = json.loads(data)
    except RecursionError:
        raise TooDeepError(f"is nested more than {MOST_DEPTH} deep") from None
    except ValueError as error:
        raise MetadataError(f"is no JSON ({error})") from error
    if not isinstance(value, dict):
        raise MetadataError("holds no JSON object")
    if _may_be_deep(data) and _is_deep(value):
        raise TooDeepError(f"is nested more than {MOST_DEPTH} deep")
    return value


def _may_be_deep(data: bytes) -> bool:
    """Return False if brackets alone show that it is not; large documents are not walked through."""
    brackets = data.translate(None, delete=_OTHERS)
    for _ in range(MOST_DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return True


def _is_deep(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(MOST_DEPTH):
        level = [part for parent in level for part in _parts(parent)]
    return bool(level)


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
