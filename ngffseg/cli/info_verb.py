"""``ngffseg info``: what a store holds."""

from __future__ import annotations

import click

from ngffseg.cli.answer import console, cost_json, print_json, tree_json
from ngffseg.cli.options import link_options, store_options
from ngffseg.cli.tables import costs_table, levels_table, segments_table
from ngffseg.labels import access_costs, store_tree
from ngffseg.pictures import plot_store, save_picture

MOST_ROWS = 100


@click.command("info")
@click.argument("store")
@click.option("--name", help="Only this label image.")
@click.option("--requests", is_flag=True, help="Also count what opening and reading cost.")
@click.option("--png", metavar="FILE", help="Also draw the segmentations and their levels.")
@store_options
@link_options
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def run(store: str, *, name: str | None, requests: bool, png: str | None, as_json: bool) -> None:
    """Show images, labels, levels, segments and sizes of STORE (or STORE/labels/NAME)."""
    tree = store_tree(store, name)
    counted = tree.labels[0].image.name if requests and tree.labels else ""
    if png is not None:
        save_picture(plot_store(store, name), png)
    costs = access_costs(tree.url, counted) if counted else ()
    if as_json:
        print_json(tree_json(tree) | ({"requests": [cost_json(cost) for cost in costs]} if requests else {}))
        return
    out = console()
    out.print(f"{tree.url}  OME-Zarr {tree.version}", soft_wrap=True)
    if tree.image is not None:
        kind = "image (placeholder, no data)" if tree.image.placeholder else f"image {tree.image.name}"
        out.print(levels_table(kind, tree.image.levels))
    for stored in tree.labels:
        image = stored.image
        out.print(levels_table(f"labels/{image.name}  {stored.method}", stored.levels))
        if image.segments:
            count = len(image.segments)
            shown = f"{count} segments" if count <= MOST_ROWS else f"{count} segments, the first {MOST_ROWS}"
            out.print(segments_table(shown, image.segments[:MOST_ROWS]))
    if costs:
        out.print(costs_table(f"requests for labels/{counted}", costs))
