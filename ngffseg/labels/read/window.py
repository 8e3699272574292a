"""`display_window`: the brightness of an image, from a bounded part of its finest level."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import ChunkError
from ngffseg.geometry import SPACE
from ngffseg.grid.exact_box import BoxLike
from ngffseg.labels.read.contents import IntensityImage

# An image of no more values and objects is read whole.
MOST_VALUES, MOST_OBJECTS = 2**23, 8
# Of others, chunks at the thirds of each space axis, which are at most 8, of so many bytes in all.
MOST_BYTES = 2**26
# Voxels along a side of the coarsest level, which is read where chunks are larger.
MOST_SIDE = 256


def display_window(image: IntensityImage, channel: int | None = None) -> tuple[float, float]:
    """Values to be shown in black and in white: percentiles 1 and 99 within the field of view.

    Scanners give one value to all that lies outside of it, which is the smallest one and at the corner of the image:
    that is left out. It is level 0 that is looked at: coarser ones hold averages of padding and patient. Of large
    images that is 8 chunks at most, and one of the coarsest level for its corner.

    Parameters
    ----------
    image
        The image.
    channel
        Number of the channel; all of the image by default.
    """
    try:
        values = _sample(image, channel)
    except ChunkError:  # which is told when that chunk is looked at
        values = np.empty(0)
    if not len(values) or values[0] == values[-1]:  # chunks of padding alone, or of nothing
        values = _coarsest(image, channel)
    if not len(values):
        return 0.0, 1.0
    inside = values[np.searchsorted(values, values[0], side="right") :]
    # Of masks that would leave one value.
    if len(inside) and inside[0] < inside[-1] and values[0] == _corner(image, channel):
        values = inside
    low, high = (float(v) for v in np.percentile(values, (1, 99)))
    if low == high:
        low, high = float(values[0]), float(values[-1])
    return (low, high) if low < high else (low, low + 1.0)


def _sample(image: IntensityImage, channel: int | None) -> npt.NDArray[Any]:
    """Values of level 0, sorted: all of a small image, else of some chunks; none where a chunk is too large."""
    array = image._arrays[0]
    objects = [-(-n // side) for n, side in zip(array.shape, array.shards or array.chunks, strict=True)]
    if array.size <= MOST_VALUES and np.prod(objects) <= MOST_OBJECTS:
        return _sorted([image.read(_within(image, [slice(0, n) for n in array.shape], channel))])
    size = int(np.prod(array.chunks)) * array.dtype.itemsize
    boxes = [_within(image, box, channel) for box in _boxes(image)[: MOST_BYTES // size]]
    with ThreadPoolExecutor(MOST_OBJECTS) as threads:
        return _sorted(list(threads.map(image.read, boxes)))


def _within(image: IntensityImage, box: BoxLike, channel: int | None) -> BoxLike:
    """A box, of one channel alone where one is meant."""
    one = slice(channel, channel + 1) if channel is not None else None
    return tuple(
        one if axis == "c" and one is not None else side
        for axis, side in zip(image.geometry.axes, box, strict=True)
    )


def _boxes(image: IntensityImage) -> list[BoxLike]:
    """Chunks at the thirds of each space axis, one of the middle of each other."""
    array, sides = image._arrays[0], []
    for axis, n, side in zip(image.geometry.axes, array.shape, array.chunks, strict=True):
        count = -(-n // side)
        places = {count // 3, 2 * count // 3} if axis in SPACE else {count // 2}
        sides.append([slice(side * place, min(side * (place + 1), n)) for place in sorted(places)])
    return list(itertools.product(*sides))


def _coarsest(image: IntensityImage, channel: int | None) -> npt.NDArray[Any]:
    """Values of the middle of the coarsest level, sorted."""
    shape = image._arrays[-1].shape
    starts = [max(0, n - MOST_SIDE) // 2 for n in shape]
    box = [slice(start, start + min(n, MOST_SIDE)) for start, n in zip(starts, shape, strict=True)]
    return _sorted([image.read(_within(image, box, channel), len(image._arrays) - 1)])


def _corner(image: IntensityImage, channel: int | None) -> Any:
    """The value of the first voxel of the coarsest level, which is the cheapest to be read."""
    box = [slice(0, 1)] * image._arrays[-1].ndim
    return image.read(_within(image, box, channel), len(image._arrays) - 1).flat[0]


def _sorted(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """All numbers of arrays in one row, without those that are not finite."""
    values = np.concatenate([part.ravel() for part in parts]) if parts else np.empty(0)
    return np.sort(values[np.isfinite(values)] if values.dtype.kind == "f" else values)
