"""``ngffseg info``: what a store holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

# What only some options need is loaded for them alone.
from ngffseg import pictures, planning
from ngffseg.cli.answer import console, cost_json, print_json, tree_json
from ngffseg.cli.options import link_options, store_options
from ngffseg.cli.tables import (
    channels_table,
    costs_table,
    levels_table,
    order_text,
    segments_table,
    source_text,
)
from ngffseg.labels import store_tree

if TYPE_CHECKING:
    from ngffseg.labels import ImageSummary, LabelsSummary, StoreTree

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
    """Show images, labels, levels, segments and sizes of STORE (or STORE/labels, or STORE/labels/NAME).

    Of a plate, a well or another group of images it shows what it holds.
    """
    tree = store_tree(store, name)
    counted = tree.labels[0].image.name if requests and tree.labels else ""
    if png is not None:
        pictures.save_picture(pictures.plot_store(store, name), png)
    costs = planning.access_costs(tree.url, counted) if counted else ()
    if as_json:
        print_json(tree_json(tree) | ({"requests": [cost_json(cost) for cost in costs]} if requests else {}))
        return
    _print_root(tree)
    if tree.image is not None:
        _print_image(tree.image)
    for stored in tree.labels:
        _print_labels(stored)
    if costs:
        console().print(costs_table(f"requests for labels/{counted}", costs))


def _print(line: str) -> None:
    console().print(line, soft_wrap=True)


def _print_root(tree: StoreTree) -> None:
    """Print what the root says, and all that cannot be opened."""
    more = " (consolidated)" if tree.consolidated else ""
    _print(f"{tree.url}  OME-Zarr {tree.version}  {', '.join(tree.kinds) or 'labels'}{more}")
    if tree.collection is not None:
        _print(f"{tree.collection.description()}; see one by its own address")
        for key, names in tree.collection.details:
            _print(f"  {key}: {', '.join(names)}")
        for member in tree.collection.members:
            _print(f"  {tree.url}/{member}")
    if tree.problem:
        _print(f"the image cannot be opened: {tree.problem}")
    for broken in tree.broken:
        _print(f"labels/{broken.name} cannot be opened: {broken.problem}")


def _print_image(image: ImageSummary) -> None:
    kind = "image (placeholder, no data)" if image.placeholder else f"image {image.name}"
    console().print(levels_table(kind, image.levels))
    if image.channels:
        console().print(channels_table("channels", image.channels))


def _print_labels(stored: LabelsSummary) -> None:
    image, out = stored.image, console()
    registered = "" if stored.registered else "  (not registered)"
    out.print(levels_table(f"labels/{image.name}  {stored.method}{registered}", stored.levels))
    _print(order_text(image.geometry, stored.source_grid))
    if stored.source is not None:
        _print(source_text(stored.source))
    if image.segments:
        count = len(image.segments)
        shown = f"{count} segments" if count <= MOST_ROWS else f"{count} segments, the first {MOST_ROWS}"
        out.print(segments_table(shown, image.segments[:MOST_ROWS]))
