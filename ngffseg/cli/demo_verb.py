"""``ngffseg demo``: the main job on a real segmentation, in seconds and without a network."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from ngffseg.cli.answer import console, image_json, print_json
from ngffseg.cli.check_verb import print_violations
from ngffseg.cli.import_verb import print_written
from ngffseg.cli.picture import save_slices
from ngffseg.convert import import_segmentation
from ngffseg.errors import MissingExtraError
from ngffseg.labels import check, open_image, open_labels
from ngffseg.ngff import as_json

IMAGE, LABELS = "CTChest4.nrrd", "SegmentationOverlapping.seg.nrrd"


@click.command("demo")
@click.argument("folder", default="ngffseg-demo")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def run(folder: str, json_wanted: bool) -> int:
    """Import a chest CT with its segmentation, check the store and draw it, in FOLDER.

    The files are real; they come inside the slicerio wheel.
    """
    data = demo_files()
    store = Path(folder) / "chest.ome.zarr"
    # Run again, the labels are replaced, and the image that is there stays.
    image = None if store.exists() else data / IMAGE
    written = import_segmentation(data / LABELS, store, name="organs", image=image, overwrite=True)
    violations = check(store)
    picture = Path(folder) / "chest.png"
    layers = [open_labels(store, name) for name in written.layers]
    save_slices(picture, layers, open_image(store))
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
        console().print(f"picture: {picture}", markup=False, soft_wrap=True)
    return 1 if any(v.severity == "MUST" for v in violations) else 0


def demo_files() -> Path:
    """Folder of the real CT and its segmentation.

    Raises
    ------
    MissingExtraError
        If slicerio is not installed.
    """
    found = find_spec("slicerio")
    if found is None or found.origin is None:
        raise MissingExtraError("the demo needs the files inside slicerio: pip install 'ngffseg[demo]'")
    return Path(found.origin).parent / "data"
