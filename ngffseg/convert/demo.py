"""The demo case: a real chest CT with its overlapping segmentation, from inside the slicerio wheel."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from ngffseg.convert.importing import import_segmentation
from ngffseg.errors import MissingExtraError
from ngffseg.labels import LabelImage

IMAGE, LABELS = "CTChest4.nrrd", "SegmentationOverlapping.seg.nrrd"


def import_demo(store: str | os.PathLike[str]) -> LabelImage:
    """Import the demo case as label image ``organs``; run again, the labels are replaced.

    Raises
    ------
    MissingExtraError
        If slicerio is not installed.
    """
    data = demo_files()
    # Run again, the image that is there stays.
    image = None if Path(store).exists() else data / IMAGE
    return import_segmentation(data / LABELS, store, name="organs", image=image, overwrite=True)


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
