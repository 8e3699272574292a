"""``ngffseg info``: what a store holds."""

from __future__ import annotations

import click

from ngffseg.cli.answer import console, print_json, tree_json
from ngffseg.cli.tables import levels_table, segments_table
from ngffseg.labels import store_tree

MOST_ROWS = 100


@click.command("info")
@click.argument("store")
@click.option("--name", help="Only this label image.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def run(store: str, name: str | None, as_json: bool) -> None:
    """Show images, labels, levels, segments and sizes of STORE (or STORE/labels/NAME)."""
    tree = store_tree(store, name)
    if as_json:
        print_json(tree_json(tree))
        return
    out = console()
    out.print(f"{tree.url}  OME-Zarr {tree.version}", markup=False, soft_wrap=True)
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
