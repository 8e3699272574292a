"""Segmentations and images in another order of their axes: views and lazy arrays, never copies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.dask_arrays import is_dask_array
from ngffseg.geometry import (
    Geometry,
    Order,
    canonical_order,
    identity_order,
    in_order,
    match,
    on_axes,
)
from ngffseg.labels.read.lazy_level import checked
from ngffseg.labels.read.sliced_array import SlicedArray
from ngffseg.model import Segmentation, Volume


class ReorderedArray(SlicedArray):
    """An array that is read when it is sliced, in another order than its own.

    Parameters
    ----------
    array
        Anything with ``shape``, ``dtype`` and slicing.
    order
        The order.
    """

    def __init__(self, array: Any, order: Order) -> None:
        self.array, self.order = checked(array), order
        self.shape, self.dtype, self.ndim = order.shape(array.shape), np.dtype(array.dtype), len(order.axes)
        self.chunks = order.shape(getattr(array, "chunks", None) or (1,) * self.ndim)

    def read_box(self, box: tuple[slice, ...]) -> npt.NDArray[Any]:
        """Values of a box; see `SlicedArray`."""
        part = np.asarray(self.array[self.order.inverse.box(box, self.shape)])
        return np.asarray(self.order.apply(part))


def reordered_array(array: Any, order: Order) -> Any:
    """The array in another order: a view of numpy, a dask array, or one that is read when it is sliced."""
    if order.is_identity:
        return array
    return (
        order.apply(array)
        if isinstance(array, np.ndarray) or is_dask_array(array)
        else ReorderedArray(array, order)
    )


def reordered_labels(segmentation: Segmentation, order: Order) -> Segmentation:
    """The segmentation with all layers in another order, which knows the grid of its source."""
    grid, source = in_order(segmentation.geometry, segmentation.source_grid, order)
    layers = tuple(reordered_array(layer, order) for layer in segmentation.layers)
    return replace(segmentation, layers=layers, geometry=grid, source_grid=source)


def reordered_image(image: Volume, order: Order) -> Volume:
    """The image in another order, which knows the grid of its source."""
    grid, source = in_order(image.geometry, image.source_grid, order)
    return replace(image, data=reordered_array(image.data, order), geometry=grid, source_grid=source)


def canonical(segmentation: Segmentation, image: Volume | None = None) -> tuple[Segmentation, Volume | None]:
    """Labels and their image in the order LPS+ (z to superior, y to posterior, x to the left)."""
    if image is None:
        return reordered_labels(segmentation, canonical_order(segmentation.geometry)), None
    moved = reordered_image(image, canonical_order(image.geometry))
    order = _order_beside(segmentation.geometry, image.geometry, moved.geometry)
    return reordered_labels(segmentation, order), moved


def _order_beside(labels: Geometry, image: Geometry, moved: Geometry) -> Order:
    """The order of labels beside an image that was moved: one voxel in both is to be one voxel again."""
    places = [image.axes.index(axis) for axis in labels.axes if axis in image.axes]
    followed = canonical_order(image).on_axes(places)
    if followed is None or len(places) < len(labels.axes):
        return canonical_order(labels)
    if labels.frame == image.frame == "patient":
        # At 45 degrees rounding could choose another order for labels of the same grid.
        found = match(labels, on_axes(moved, labels.axes))
        return found.order if found.is_exact else canonical_order(labels)
    # Nobody knows where one of them lies: what was beside the image stays there, index for index.
    alike = labels.shape == tuple(image.shape[place] for place in places)
    return followed if alike else identity_order(len(labels.axes))


def source_order(segmentation: Segmentation) -> Segmentation:
    """The segmentation as its source had it: its order of axes, and its grid bit for bit."""
    source = segmentation.source_grid
    if source is None:
        return segmentation
    layers = tuple(reordered_array(layer, source.order.inverse) for layer in segmentation.layers)
    return replace(segmentation, layers=layers, geometry=source.geometry, source_grid=None)
