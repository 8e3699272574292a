"""``ngffseg demo``: the main job on a real segmentation, in seconds and without a network."""

from __future__ import annotations

from pathlib import Path

import click

from ngffseg.cli.answer import console, image_json, print_json
from ngffseg.cli.check_verb import print_violations
from ngffseg.cli.import_verb import print_written
from ngffseg.convert import import_demo
from ngffseg.labels import check, open_labels
from ngffseg.ngff import as_json
from ngffseg.pictures import plot_slices, save_picture


@click.command("demo")
@click.argument("folder", default="ngffseg-demo")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def run(folder: str, json_wanted: bool) -> int:
    """Import a chest CT with its segmentation, check the store and draw it, in FOLDER.

    The files are real; they come inside the slicerio wheel.
    """
    store = Path(folder) / "chest.ome.zarr"
    written = import_demo(store)
    violations = check(store)
    picture = Path(folder) / "chest.png"
    save_picture(plot_slices(store), picture)
    layers = [open_labels(store, name) for name in written.layers]
    if json_wanted:
        answer = {
            "store": str(store),
            "picture": str(picture),
            "violations": [as_json(v) for v in violations],
        }
        print_json(answer | {"labels": [image_json(layer) for layer in layers]})
    else:
        print_written(written)
        print_violations(str(store), violations)
        console().print(f"picture: {picture}", soft_wrap=True)
    return 1 if any(v.severity == "MUST" for v in violations) else 0
