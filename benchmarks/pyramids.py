"""Pyramids of 2 x 2 x 2 windows by us and by the peers, as lists of arrays, level 0 first."""

import tempfile
import warnings
from collections.abc import Callable

import numpy as np

from ngffseg.pyramid import Method, Reduction, Tie, downsample

LEVELS = 4
Pyramid = list[np.ndarray]


def ours(method: Method, tie: Tie) -> Callable[[np.ndarray], Pyramid]:
    """Our pyramid with one method and tie rule."""

    def build(labels: np.ndarray) -> Pyramid:
        levels = [labels]
        for _ in range(LEVELS - 1):
            levels.append(downsample(levels[-1], (2, 2, 2), Reduction(method, tie)))
        return levels

    return build


def tensorstore(labels: np.ndarray) -> Pyramid:
    """Tensorstore's mode, level by level."""
    import tensorstore as ts

    levels = [labels]
    for _ in range(LEVELS - 1):
        view = ts.downsample(ts.array(levels[-1]), [2, 2, 2], "mode")
        levels.append(np.asarray(view.read().result()))
    return levels


def ngff_zarr(labels: np.ndarray) -> Pyramid:
    """ngff-zarr's exact mode."""
    import ngff_zarr as nz

    image = nz.to_ngff_image(labels, dims=["z", "y", "x"])
    factors = [2**n for n in range(1, LEVELS)]
    made = nz.to_multiscales(image, scale_factors=factors, method=nz.Methods.DASK_IMAGE_MODE)
    return [np.asarray(level.data) for level in made.images]


def ome_zarr(labels: np.ndarray) -> Pyramid:
    """What ome-zarr-py's write_labels makes."""
    import zarr
    from ome_zarr.writer import write_labels

    with tempfile.TemporaryDirectory() as folder:
        group = zarr.open_group(folder, mode="w", zarr_format=3)
        factors = [dict.fromkeys("zyx", 2**n) for n in range(1, LEVELS)]
        write_labels(labels, group, name="a", axes="zyx", scaler=None, scale_factors=factors)
        paths = group["labels/a"].attrs["ome"]["multiscales"][0]["datasets"]
        return [group[f"labels/a/{d['path']}"][...] for d in paths]


def tinybrain(labels: np.ndarray) -> Pyramid:
    """tinybrain's COUNTLESS mode, which igneous uses."""
    import tinybrain as tb

    ordered = np.array(labels.T, order="F")
    made = tb.downsample_segmentation(ordered, factor=(2, 2, 2), num_mips=LEVELS - 1)
    return [labels, *(np.ascontiguousarray(level.T) for level in made)]


PYRAMIDS: dict[str, Callable[[np.ndarray], Pyramid]] = {
    "ngffseg balanced (default)": ours("mode", "balanced"),
    "ngffseg smallest": ours("mode", "smallest"),
    "ngffseg sparse": ours("sparse", "balanced"),
    "ngffseg nearest": ours("nearest", "balanced"),
    "tensorstore mode": tensorstore,
    "ngff-zarr mode": ngff_zarr,
    "ome-zarr-py labels": ome_zarr,
    "tinybrain mode": tinybrain,
}


# Their metadata place a voxel at the first voxel of its window, those of the others in the middle.
PICKED = ("ngffseg nearest", "ome-zarr-py labels")


def build(name: str, labels: np.ndarray) -> Pyramid:
    """A pyramid by its name; peers may warn of what they like."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PYRAMIDS[name](labels)
