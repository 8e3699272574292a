"""``ngffseg pyramid``: builds the levels above level 0 of label images that are stored."""

from __future__ import annotations

from typing import Any

import click

from ngffseg.cli.answer import console, image_json, print_json
from ngffseg.cli.options import parse_sizes, pyramid_options, store_options, work_options
from ngffseg.cli.progress import progress
from ngffseg.cli.tables import levels_table
from ngffseg.labels import rebuild_levels, store_tree


@click.command("pyramid")
@click.argument("store")
@click.option("--name", help="Only this label image  [default: all that are registered]")
@pyramid_options
@work_options
@store_options
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def run(store: str, *, name: str | None, as_json: bool, **options: Any) -> None:
    """Build or rebuild levels 1, 2, ... and the segment index of the labels in STORE."""
    chosen = parse_sizes(options)
    names = [name] if name else [stored.image.name for stored in store_tree(store).labels]
    images = []
    for label in names:
        with progress(f"pyramid {label}") as report:
            images.append(rebuild_levels(store, label, progress=report, **chosen))
    if as_json:
        print_json([image_json(image) for image in images])
        return
    for image in images:
        stored = store_tree(image.url, image.name).labels[0]
        console().print(levels_table(f"labels/{image.name}  {stored.method}", stored.levels))
