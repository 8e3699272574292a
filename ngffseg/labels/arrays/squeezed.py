"""Labels without axes of one voxel that their image lacks: views of numpy and lazy arrays, never copies."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.geometry import SPACE, on_axes, source_on_axes
from ngffseg.labels.read.lazy_level import checked
from ngffseg.labels.read.sliced_array import SlicedArray
from ngffseg.model import Segmentation


class SqueezedArray(SlicedArray):
    """An array that is read when it is sliced, without some of its axes, each of one voxel.

    Parameters
    ----------
    array
        Anything with ``shape``, ``dtype`` and slicing.
    places
        The axes that stay.
    """

    def __init__(self, array: Any, places: Sequence[int]) -> None:
        self.array, self.places = checked(array), tuple(places)
        self.shape = tuple(array.shape[place] for place in places)
        self.dtype, self.ndim = np.dtype(array.dtype), len(self.shape)
        chunks = getattr(array, "chunksize", getattr(array, "chunks", None)) or array.shape
        self.chunks = tuple(chunks[place] for place in places)

    def read_box(self, box: tuple[slice, ...]) -> npt.NDArray[Any]:
        """Values of a box; see `SlicedArray`."""
        whole = [slice(0, 1)] * len(self.array.shape)
        for place, part in zip(self.places, box, strict=True):
            whole[place] = part
        values = np.asarray(self.array[tuple(whole)])
        return values.reshape([values.shape[place] for place in self.places])


def without_single_axes(segmentation: Segmentation, image: Collection[str]) -> Segmentation:
    """The labels without axes of one voxel that an image lacks; two axes of space stay.

    Parameters
    ----------
    segmentation
        The labels.
    image
        Names of the axes of the image.
    """
    grid = segmentation.geometry
    single = [a for a, n in zip(grid.axes, grid.shape, strict=True) if n == 1 and a not in image]
    axes = tuple(axis for axis in grid.axes if axis not in single)
    if not single or sum(axis in SPACE for axis in axes) < 2:
        return segmentation
    places = [grid.axes.index(axis) for axis in axes]
    source = segmentation.source_grid
    return replace(
        segmentation,
        layers=tuple(_squeezed(layer, places) for layer in segmentation.layers),
        geometry=on_axes(grid, axes),
        source_grid=source_on_axes(source, axes),
    )


def _squeezed(layer: Any, places: Sequence[int]) -> Any:
    if isinstance(layer, np.ndarray):
        return layer.reshape([layer.shape[place] for place in places])
    return SqueezedArray(layer, places)
