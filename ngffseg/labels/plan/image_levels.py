"""The image of a store as labels see it that have some of its axes: its grid, and what it says of its levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ngffseg import ngff
from ngffseg.geometry import Geometry, SourceGrid, check_beside, on_axes, source_on_axes
from ngffseg.labels.arrays.squeezed import without_single_axes
from ngffseg.labels.nodes.find import attributes_of
from ngffseg.labels.plan.options import factors_between
from ngffseg.labels.read.image_group import ImageGroup
from ngffseg.labels.read.levels import placed
from ngffseg.model import Segmentation, Volume


@dataclass(frozen=True, slots=True)
class ImageLevels:
    """What an image says of its levels, along some of its axes.

    Parameters
    ----------
    grid
        Grid of level 0.
    source_grid
        The grid of the file that the image came from, where it is held in another order than there.
    axes
        The axes, as the image tells them.
    datasets
        Its levels, finest first.
    shapes
        Their shapes.
    """

    grid: Geometry
    source_grid: SourceGrid | None
    axes: tuple[ngff.Axis, ...]
    datasets: tuple[ngff.Dataset, ...]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def factors(self) -> tuple[tuple[int, ...], ...]:
        """Whole factors between the levels."""
        return tuple(factors_between(self.shapes, self.grid))


def image_sizes(image_group: ImageGroup | None) -> dict[str, int]:
    """Size of each axis of level 0 of the image; empty where there is no image."""
    if image_group is None or image_group.multiscales is None:
        return {}
    names = [axis.name for axis in image_group.multiscales.axes]
    return dict(zip(names, image_group.shapes[0], strict=False))


def image_levels(image_group: ImageGroup | None, axes: Sequence[str]) -> ImageLevels | None:
    """The image of a store as labels of some axes see it; None if there is none.

    Raises
    ------
    UsageError
        If the image lacks one of the axes.
    """
    if image_group is None or image_group.root is None or image_group.multiscales is None:
        return None
    names = [axis.name for axis in image_group.multiscales.axes]
    if not set(axes) <= set(names):
        check_beside(axes, image_sizes(image_group))
    places = [names.index(axis) for axis in axes]
    multiscales = replace(
        image_group.multiscales,
        axes=tuple(image_group.multiscales.axes[place] for place in places),
        datasets=tuple(_of_places(dataset, places) for dataset in image_group.multiscales.datasets),
    )
    shapes = tuple(tuple(shape[place] for place in places) for shape in image_group.shapes)
    attributes = attributes_of(image_group.root)
    # What an image of ours says of itself is the authority, unless another array has taken its place.
    grid = ngff.image_geometry(attributes)
    if grid is None or grid.shape != image_group.shapes[0]:
        return ImageLevels(
            placed(multiscales, shapes[0]), None, multiscales.axes, multiscales.datasets, shapes
        )
    source = source_on_axes(ngff.image_source_grid(attributes, grid), axes)
    return ImageLevels(on_axes(grid, axes), source, multiscales.axes, multiscales.datasets, shapes)


def _of_places(dataset: ngff.Dataset, places: Sequence[int]) -> ngff.Dataset:
    scale, translation = (
        tuple(row[place] for place in places) for row in (dataset.scale, dataset.translation)
    )
    return replace(dataset, scale=scale, translation=translation)


def levels_on(image: ImageLevels | None, grid: Geometry) -> ImageLevels | None:
    """What an image says of its levels, for labels of a grid to say the same; None if they do not lie on its voxels.

    An orientation that nobody understands is none of it.
    """
    if image is None or image.grid.axes != grid.axes:
        return None
    known = image.grid
    alike = [known.shape[n] for n in known.spatial_axes] == [grid.shape[n] for n in grid.spatial_axes]
    if not alike or known.frame != grid.frame or not np.array_equal(known.affine, grid.affine):
        return None
    return replace(image, axes=tuple(_understood(axis) for axis in image.axes))


def _understood(axis: ngff.Axis) -> ngff.Axis:
    if axis.document is None or axis.orientation is not None:
        return axis
    return replace(
        axis, document={key: value for key, value in axis.document.items() if key != "orientation"}
    )


def beside_image(
    segmentation: Segmentation, image: Volume | None, image_group: ImageGroup | None
) -> Segmentation:
    """Labels of a file without axes of one voxel that their image lacks; arrays keep all that they have.

    Files have more axes than images: a plane is one of a volume there, and time may be one point.

    Parameters
    ----------
    segmentation
        The labels.
    image
        The image that is written with them; else it is that of the store.
    image_group
        What the store says of its image.
    """
    axes = tuple(image_sizes(image_group)) if image is None else image.geometry.axes
    if segmentation.source is None or not axes:
        return segmentation
    return without_single_axes(segmentation, axes)
