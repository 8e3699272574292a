"""Options of several verbs, from words to values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

import click

from ngffseg.errors import UsageError
from ngffseg.pyramid import Method, Tie

_PYRAMID = (
    click.option("--method", type=click.Choice(get_args(Method)), default="mode", show_default=True),
    click.option("--tie", type=click.Choice(get_args(Tie)), default="balanced", show_default=True),
    click.option("--chunks", metavar="Z,Y,X", help="Voxels per chunk; one number for all axes."),
    click.option("--shards", metavar="Z,Y,X|none", help="Voxels per shard."),
    click.option("--codec", help="zstd-N, gzip-N, blosc-N, small or none  [default: by dtype]"),
    click.option("--levels", type=int, help="Number of levels, level 0 included."),
    click.option("--workers", type=click.IntRange(1), help="Number of threads  [default: cores]"),
)


def pyramid_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options of a pyramid."""
    for option in reversed(_PYRAMID):
        command = option(command)
    return command


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
