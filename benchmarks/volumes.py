"""Real volumes of labels: those of the wheels that are installed, and those of the test data where it is there."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ngffseg.formats import read_segmentation

ROOT = Path(__file__).parent.parent


def volumes() -> Iterator[tuple[str, np.ndarray]]:
    """Name and labels (z, y, x) of each volume."""
    import slicerio

    chest = Path(slicerio.__file__).parent / "data" / "Segmentation.seg.nrrd"
    yield "chest (slicerio wheel)", np.asarray(read_segmentation(chest).layers[0])
    data = Path(os.environ.get("NGFFSEG_TEST_DATA", ROOT.parent / "shared" / "data"))
    organs = data / "nifti" / "totalsegmentator" / "example_seg_fast_force_split.nii.gz"
    if organs.exists():
        yield "organs (TotalSegmentator)", np.asarray(read_segmentation(organs).layers[0])
    if (data / "volumes").exists():
        yield "connectome", connectome(data)[:256]


def connectome(data: Path) -> np.ndarray:
    """The electron-microscopy segmentation, 512 x 512 x 512 uint32."""
    import crackle

    packed = gzip.decompress((data / "volumes" / "connectomics.npy.ckl.gz").read_bytes())
    return np.ascontiguousarray(crackle.decompress(packed).T)
