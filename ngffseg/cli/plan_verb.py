"""``ngffseg plan``: what a job of any size takes, before it is run."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from ngffseg import ngff, planning
from ngffseg.cli.answer import console, plan_json, print_json
from ngffseg.cli.options import parse_sizes, pyramid_options
from ngffseg.cli.tables import size_text, sizes_text
from ngffseg.dask_arrays import core_count
from ngffseg.errors import UsageError
from ngffseg.geometry import identity
from ngffseg.labels import fitted_options
from ngffseg.pyramid import (
    Estimate,
    PyramidPlan,
    estimate,
    plan_above,
    plan_pyramid,
    unit_grid,
)

DTYPES = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")


@click.command("plan")
@click.option("--shape", metavar="[T,][C,]Z,Y,X", required=True, help="Shape of level 0.")
@click.option("--dtype", type=click.Choice(DTYPES), default="uint32", show_default=True)
@click.option("--ngff", type=click.Choice(ngff.VERSIONS), default="0.5", show_default=True)
@pyramid_options
@click.option("--workers", type=click.IntRange(1), help="Number of threads  [default: cores]")
@click.option("--in-place", is_flag=True, help="Level 0 is stored already, as for the verb pyramid.")
@click.option("--occupied", type=click.FloatRange(0, 1), default=1.0, help="Share of chunks with labels.")
@click.option("--latency", type=click.FloatRange(0), default=0.0, help="Milliseconds per request.")
@click.option("--calibrate", "measure", is_flag=True, help="Measure this machine first, and keep that.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def run(
    *, in_place: bool, occupied: float, latency: float, measure: bool, as_json: bool, **options: Any
) -> None:
    """Print blocks, objects, bytes, requests, memory, time and cost of a job of any size."""
    chosen = parse_sizes(options)
    workers = chosen.pop("workers", None) or core_count()
    plan = _plan(chosen, in_place=in_place)
    rates, key = planning.rates_for(plan, rates_file(), measure=measure)
    origin = (
        f"measured on this machine ({key})"
        if key
        else "of another machine, for uint32 and zstd-3: run with --calibrate"
    )
    found = estimate(
        plan, rates, workers=workers, in_place=in_place, latency=latency / 1000, occupied=occupied
    )
    if as_json:
        print_json(plan_json(plan) | {"workers": workers, "rates": origin, "estimate": asdict(found)})
        return
    console().print(_levels(plan))
    console().print(_totals(found, workers))
    console().print(f"rates: {origin}", soft_wrap=True)


def _plan(chosen: dict[str, Any], *, in_place: bool) -> PyramidPlan:
    shape, dtype, version = chosen.pop("shape"), chosen.pop("dtype"), chosen["ngff"]
    if not 2 <= len(shape) <= 5 or min(shape) < 1:
        raise UsageError(f"--shape {','.join(map(str, shape))}: give 2 to 5 sizes of at least 1")
    geometry = identity(shape)
    pyramid = fitted_options(chosen, version, (), geometry)  # type: ignore[arg-type]
    plan = plan_pyramid(geometry, dtype, **pyramid)
    if not in_place:
        return plan
    return plan_above(geometry, dtype, plan.levels[0].chunks, plan.levels[0].shards, **pyramid)


def rates_file() -> Path:
    """Where the rates of this machine are kept."""
    return Path(click.get_app_dir("ngffseg")) / "rates.json"


def _levels(plan: PyramidPlan) -> Table:
    table = Table(
        "level", "shape", "chunks", "shards", "objects", "raw", title=f"{plan.dtype}, {plan.compression}"
    )
    for level in plan.levels:
        objects = math.prod(unit_grid(level))
        raw = math.prod(level.shape) * plan.dtype.itemsize
        shards = sizes_text(level.shards) if level.shards else "-"
        row = (level.path, sizes_text(level.shape), sizes_text(level.chunks), shards, f"{objects:,}")
        table.add_row(*row, size_text(raw))
    return table


def _totals(found: Estimate, workers: int) -> Table:
    table = Table(show_header=False)
    table.add_row("blocks (tasks)", f"{found.blocks:,}")
    table.add_row("chunks, objects", f"{found.chunks:,} in {found.objects:,} objects")
    table.add_row("labels in memory", size_text(found.raw_bytes))
    table.add_row("bytes read, written", f"{size_text(found.read_bytes)}, {size_text(found.written_bytes)}")
    memory = f"{size_text(found.memory)} + {size_text(found.memory_per_thread)} per thread"
    table.add_row("peak memory", memory)
    table.add_row("requests", f"{found.gets:,} GET, {found.puts:,} PUT, {found.lists:,} LIST")
    table.add_row("price of the requests", f"${found.dollars:,.2f} (S3 Standard)")
    table.add_row(f"time with {workers} threads", duration_text(found.seconds))
    return table


def duration_text(seconds: float) -> str:
    """A time in the unit that people read best."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
