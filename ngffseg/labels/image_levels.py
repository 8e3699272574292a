"""What an image says of its axes and levels, for labels on its grid to say the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ngffseg import ngff
from ngffseg.geometry import Geometry
from ngffseg.labels.options import factors_between
from ngffseg.labels.parent import Parent


@dataclass(frozen=True, slots=True)
class ImageLevels:
    """What an image says of its axes and levels, for labels on its grid to say the same.

    Parameters
    ----------
    axes
        Its axes.
    datasets
        Its levels, finest first.
    factors
        Whole factors between them.
    """

    axes: tuple[ngff.Axis, ...]
    datasets: tuple[ngff.Dataset, ...]
    factors: tuple[tuple[int, ...], ...]


def image_levels(parent: Parent | None, grid: Geometry) -> ImageLevels | None:
    """What the image of the store says of its levels, if labels of this grid lie on its voxels.

    An orientation that nobody understands is none of it.
    """
    image = parent.grid if parent is not None else None
    if parent is None or parent.multiscales is None or image is None or image.axes != grid.axes:
        return None
    alike = [image.shape[n] for n in image.spatial_axes] == [grid.shape[n] for n in grid.spatial_axes]
    if not alike or image.frame != grid.frame or not np.array_equal(image.affine, grid.affine):
        return None
    axes = tuple(_understood(axis) for axis in parent.multiscales.axes)
    return ImageLevels(axes, parent.multiscales.datasets, tuple(factors_between(parent.shapes, grid)))


def _understood(axis: ngff.Axis) -> ngff.Axis:
    if axis.told is None or axis.orientation is not None:
        return axis
    return replace(axis, told={key: value for key, value in axis.told.items() if key != "orientation"})
