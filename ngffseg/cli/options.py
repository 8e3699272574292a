"""Options of several verbs, from words to values."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

import click

from ngffseg.errors import UsageError
from ngffseg.labels import PLACE_KEYWORDS, place_from_text
from ngffseg.pyramid import Method, Tie
from ngffseg.store import follow_links

_PYRAMID = (
    click.option("--method", type=click.Choice(get_args(Method)), default="mode", show_default=True),
    click.option("--tie", type=click.Choice(get_args(Tie)), default="balanced", show_default=True),
    click.option("--chunks", metavar="Z,Y,X", help="Voxels per chunk; one number for all axes."),
    click.option("--shards", metavar="Z,Y,X|none", help="Voxels per shard."),
    click.option("--codec", help="zstd-N, gzip-N, blosc-N, small or none  [default: by dtype]"),
    click.option("--levels", type=int, help="Number of levels, level 0 included."),
)
_CLUSTER = (
    click.option(
        "--cluster", metavar="ADDRESS", help="Scheduler of a dask cluster, such as tcp://host:8786."
    ),
    click.option(
        "--workers",
        type=click.IntRange(1),
        help="Processes of this machine  [default: threads, one per core]",
    ),
)
_RESUME = click.option("--resume", is_flag=True, help="Go on where an interrupted run has stopped.")


def pyramid_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options of a pyramid."""
    for option in reversed(_PYRAMID):
        command = option(command)
    return command


def work_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options of who does the work, and of going on with it."""
    return cluster_options(_RESUME(command))


def order_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the option of the order of voxels."""
    return click.option(
        "--keep-order",
        "order",
        flag_value="keep",
        help="Store voxels in the order of the file  [default: LPS+ by exact flips, which all readers place alike]",
    )(command)


_PLACE = (
    click.option(
        "--axes", metavar="TCZYX", help="Names of the axes, such as tyx  [default: those of the file]"
    ),
    click.option("--scale", metavar="N,N,N", help="Distance of voxels along each axis."),
    click.option("--translation", metavar="N,N,N", help="Place of voxel 0 along each axis."),
    click.option(
        "--units", metavar="UNIT", help="Unit of all space axes, or one per axis (none where there is none)."
    ),
)


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the words that tell where labels lie."""
    for option in reversed(_PLACE):
        command = option(command)
    return command


def table_option(text: str, *, required: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A label table as option of a verb, with what it is for there."""
    return click.option("--table", metavar="FILE", required=required, help=text)


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options of who does the work."""
    for option in reversed(_CLUSTER):
        command = option(command)
    return command


def _into_environment(*names: str) -> Callable[..., None]:
    """A callback that sets variables for as long as the verb runs."""

    def callback(context: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value:
            context.with_resource(_environment(dict.fromkeys(names, "YES" if value is True else value)))

    return callback


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_STORE = (
    click.option(
        "--endpoint-url",
        metavar="URL",
        expose_value=False,
        # The first one is looked at before the second.
        callback=_into_environment("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        help="Server of s3:// addresses  [default: AWS_ENDPOINT_URL, else AWS]",
    ),
    click.option(
        "--anon",
        is_flag=True,
        expose_value=False,
        callback=_into_environment("AWS_NO_SIGN_REQUEST"),
        help="Read a public bucket without credentials.",
    ),
)


def _follow_links(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    """Follow links for as long as the verb runs."""
    if value:
        context.with_resource(follow_links())


def link_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb that only reads the option to follow links that leave the store."""
    return click.option(
        "--follow-links",
        is_flag=True,
        expose_value=False,
        callback=_follow_links,
        help="Read through symbolic links that leave the store, as in datasets of DataLad.",
    )(command)


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options of stores on S3; the rest of them come from the usual AWS environment."""
    for option in reversed(_STORE):
        command = option(command)
    return command


def parse_sizes(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, with sizes and scales as numbers.

    Raises
    ------
    UsageError
        If they are none.
    """
    chosen = {key: value for key, value in options.items() if value is not None}
    for key in ("chunks", "shards", "shape"):
        if key in chosen:
            chosen[key] = _sizes(chosen[key], f"--{key}")
    return chosen | place_from_text({key: chosen[key] for key in PLACE_KEYWORDS if key in chosen})


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
