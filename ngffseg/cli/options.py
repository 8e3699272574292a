"""Options of several verbs, from words to values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ngffseg.errors import UsageError


def parse_sizes(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, with ``chunks`` and ``shards`` as numbers.

    Raises
    ------
    UsageError
        If they are no whole numbers.
    """
    chosen = {key: value for key, value in options.items() if value is not None}
    for key in ("chunks", "shards", "shape"):
        if key in chosen:
            chosen[key] = _sizes(chosen[key], f"--{key}")
    return chosen


def _sizes(text: str, option: str) -> int | tuple[int, ...] | None:
    """Whole numbers parted by commas, such as ``64,64,64``, or one for all axes; None for "none"."""
    if text == "none" and option == "--shards":
        return None
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"{option} {text!r}: give whole numbers parted by commas, such as 64,64,64"
        ) from None
    return sizes[0] if len(sizes) == 1 and option != "--shape" else sizes
