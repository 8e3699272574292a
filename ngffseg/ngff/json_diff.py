"""Differences of two JSON values, as places and texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ngffseg.ngff.schema import short_json
from ngffseg.ngff.violation import Place

Difference = tuple[Place, str | None, str | None]
_ABSENT: Any = object()


def differences(before: Any, after: Any, place: Place) -> Iterator[Difference]:
    """Places where two JSON values differ, with what each says there; None where one says nothing.

    Of lists of different lengths the part that differs is told.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from differences(before.get(key, _ABSENT), after.get(key, _ABSENT), place / key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, place / number)
    elif isinstance(before, list) and isinstance(after, list):
        yield place, *_trimmed(before, after)
    elif type(before) is not type(after) or before != after:
        yield place, _text(before), _text(after)


def _trimmed(before: list[Any], after: list[Any]) -> tuple[str, str]:
    """Two lists without what they have in common at their starts and ends."""
    shorter = min(len(before), len(after))
    start = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    end = next((n for n in range(shorter - start) if before[-1 - n] != after[-1 - n]), shorter - start)
    return short_json(before[start : len(before) - end]), short_json(after[start : len(after) - end])


def _text(value: Any) -> str | None:
    return None if value is _ABSENT else short_json(value)
