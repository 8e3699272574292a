"""``ngffseg import``: a file becomes a label image."""

from __future__ import annotations

from typing import Any

import click

from ngffseg import ngff
from ngffseg.cli.answer import console, image_json, plan_json, print_json, said
from ngffseg.cli.options import (
    order_option,
    parse_sizes,
    place_options,
    pyramid_options,
    store_options,
    table_option,
    work_options,
)
from ngffseg.cli.progress import progress
from ngffseg.cli.tables import levels_table, segments_table
from ngffseg.cli.telling import tell
from ngffseg.convert import forecast_import, import_segmentation
from ngffseg.geometry import Geometry, misplacement
from ngffseg.labels import LabelImage, store_tree


@click.command("import")
@click.argument("source")
@click.argument("store")
@click.option("--name", help="Name under labels  [default: that of the file]")
@click.option("--image", metavar="FILE", help="The image that was segmented.")
@table_option("Names, colors, codes and properties of label values.")
@click.option("--ngff", type=click.Choice(ngff.VERSIONS), help="Version to write  [default: 0.5]")
@order_option
@click.option("--crop", is_flag=True, default=None, help="Leave out voxels that lie outside of the image.")
@click.option(
    "--resample", type=click.Choice(["nearest"]), help="Bring labels of another grid onto that of the image."
)
@click.option(
    "--force-place",
    is_flag=True,
    default=None,
    help="Write labels that do not lie on the image: on their own grid.",
)
@place_options
@pyramid_options
@work_options
@store_options
@click.option("--overwrite", is_flag=True, help="Replace a label image of this name.")
@click.option("--dry-run", is_flag=True, help="Print what would be written, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def run(source: str, store: str, *, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Import the segmentation file SOURCE into STORE as a multiscale label image."""
    chosen = parse_sizes(options)
    if dry_run:
        _print_forecast(source, store, chosen, as_json=as_json)
        return
    with said() as lines, progress("import") as report:
        written = import_segmentation(source, store, progress=report, **chosen)
    if as_json:
        print_json(image_json(written) | _misplaced_json(written.geometry) | {"said": lines})
    else:
        print_written(written)


def print_written(image: LabelImage) -> None:
    """Print segments and levels of all layers that were written."""
    for layer in image.layers:
        stored = store_tree(image.url, layer).labels[0]
        console().print(segments_table(f"labels/{layer}", stored.image.segments))
        console().print(levels_table("", stored.levels))
    _print_misplaced(image.geometry)


def _print_misplaced(geometry: Geometry) -> None:
    """Say where other readers are going to place what is not held along the axes of the patient."""
    away = misplacement(geometry)
    if away:
        line = f"not along the axes of the patient: readers that know no rotation misplace its centre by {away:.3g} mm"
        console().print(line, soft_wrap=True)


def _misplaced_json(geometry: Geometry) -> dict[str, float | None]:
    return {"misplacement_mm": misplacement(geometry) or None}


def _print_forecast(source: str, store: str, chosen: dict[str, Any], *, as_json: bool) -> None:
    with said() as lines:
        found = forecast_import(source, store, **chosen)
    plan = found.plans[0]
    for line in found.notes:
        tell(f"ngffseg: {line}")
    if as_json:
        left = {
            "finished": found.finished,
            "blocks_of_all_layers": found.blocks,
            "blocks_done": found.done,
            "said": [*lines, *found.notes],
        }
        print_json(plan_json(plan) | left | _misplaced_json(plan.levels[0].geometry))
        return
    out = console()
    for level in plan_json(plan)["levels"]:
        out.print(level, soft_wrap=True)
    answer = f"{found.blocks} blocks"
    if found.finished:
        answer = "all of it is there already, and equal"
    elif found.done:
        answer += f", {found.done} of them done by an interrupted run"
    _print_misplaced(plan.levels[0].geometry)
    out.print(f"{answer}; nothing was written", soft_wrap=True)
