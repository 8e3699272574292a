"""The volumes that the benchmark of the engine reads: one segmentation, tiled with distinct ids."""

import functools
import os
import shutil
from pathlib import Path

import numpy as np
import zarr
from volumes import ROOT, connectome
from zarr.codecs import ZstdCodec

from ngffseg import write_labels
from ngffseg.planning.calibration import made_labels

CHUNK, SMALL_CHUNK, SHARD = 128, 64, 256
# Ids of a tile lie this far from those of the tile before it.
STEP = 100_000_000


@functools.cache
def tile() -> tuple[str, np.ndarray]:
    """Name and labels of the volume that is repeated; labels are small enough to be shifted."""
    data = Path(os.environ.get("NGFFSEG_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (data / "volumes").exists():
        return "made cells", made_labels("uint32") % 10_000_000
    labels = connectome(data)
    return "a real connectome", np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype("u4")


def make_inputs(folder: Path, edge: int) -> str:
    """Write all inputs of an edge into a folder; returns what they are made of."""
    name, labels = tile()
    forms = {
        "plain": {"chunks": (CHUNK,) * 3},
        "small": {"chunks": (SMALL_CHUNK,) * 3},
        "sharded": {"chunks": (SMALL_CHUNK,) * 3, "shards": (SHARD,) * 3},
    }
    arrays = [
        zarr.create_array(
            folder / form, shape=(edge,) * 3, dtype="uint32", compressors=ZstdCodec(level=3), **options
        )
        for form, options in forms.items()
    ]
    size = min(labels.shape[0], edge)
    for number, corner in enumerate(np.ndindex(*(-(-edge // size),) * 3)):
        shifted = labels[:size, :size, :size] + np.uint32(number * STEP % 2**32)
        shifted[labels[:size, :size, :size] == 0] = 0
        box = tuple(slice(c * size, min((c + 1) * size, edge)) for c in corner)
        for array in arrays:
            array[box] = shifted[tuple(slice(b.stop - b.start) for b in box)]
    make_sparse(folder, edge)
    for form, options in forms.items():
        chosen = {"chunks": options["chunks"], "shards": options.get("shards")}
        source = zarr.open_array(folder / form, mode="r")
        write_labels(folder / f"{form}.ome.zarr", source, name="a", levels=1, **chosen)
    return name


def make_sparse(folder: Path, edge: int) -> None:
    """64 times the shape, and one chunk of a hundred there, all of them chunks of the plain array."""
    array = zarr.create_array(
        folder / "sparse", shape=(4 * edge,) * 3, dtype="uint32", chunks=(CHUNK,) * 3,
        compressors=ZstdCodec(level=3),
    )  # fmt: skip
    files = sorted(file for file in (folder / "plain" / "c").rglob("*") if file.is_file())
    places = np.random.default_rng(0).permutation(array.nchunks)[: max(1, array.nchunks // 100)]
    for number, place in enumerate(places):
        index = np.unravel_index(place, array.cdata_shape)
        file = folder / "sparse" / "c" / "/".join(map(str, index))
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(files[number % len(files)], file)
