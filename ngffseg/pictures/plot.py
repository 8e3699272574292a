"""What people draw of a store: slices of a segmentation, and the levels of its pyramid."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from ngffseg.errors import NgffsegError, StoreNotFoundError, UsageError
from ngffseg.geometry import scales
from ngffseg.keywords import strict
from ngffseg.labels import Contents, LabelImage, open_contents, segment_index
from ngffseg.pictures.figure import Drawing, new_figure
from ngffseg.pictures.plane import Panel, Plane, behind, cut_axis, level_for, ramps
from ngffseg.pictures.tint import OPACITY, LegendEntry, colors_of, legend, tinted

# Voxels along the longer side of a panel: what a screen shows.
MOST_VOXELS = 1024
# Segments whose boxes are looked at to find where labels are; of larger tables all is drawn.
MOST_SEGMENTS = 100_000
PictureRow = tuple[Sequence[Panel], Sequence[LegendEntry]]


@strict()
def plot_slices(
    url: str | os.PathLike[str], name: str | None = None, *, axis: str | None = None, panels: int = 4
) -> Drawing:
    """Draw slices of a segmentation over its image, in its colors, with a legend of the names that are seen.

    The slices are spread over the part of the axis in which there are labels. They are of the finest level
    of no more than 1024 voxels along a side, and only their chunks are read. Channels of the image are drawn over
    one another in their colors; of time it is the first.

    Parameters
    ----------
    url, name
        As in `open_labels`.
    axis
        Space axis across which the slices lie: "z" (default), "y" or "x".
    panels
        Number of slices.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; ``figure.savefig(path)`` writes it.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    StoreNotFoundError, UsageError
        If there is no such label image, or several and none was named.
    """
    contents = open_contents(url, name)
    return new_figure([_slices(contents, _chosen(contents), axis, panels)])


@strict()
def plot_levels(url: str | os.PathLike[str], name: str | None = None, *, axis: str | None = None) -> Drawing:
    """Draw one slice, through the middle of the labels, of all levels of a segmentation side by side.

    Levels finer than a screen are left out.

    Parameters
    ----------
    url, name
        As in `open_labels`.
    axis
        Space axis across which the slice lies: "z" (default), "y" or "x".

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; ``figure.savefig(path)`` writes it.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    StoreNotFoundError, UsageError
        If there is no such label image, or several and none was named.
    """
    contents = open_contents(url, name)
    return new_figure([_levels(_chosen(contents), axis)])


def plot_store(url: str | os.PathLike[str], name: str | None = None) -> Drawing:
    """`plot_slices` and `plot_levels` of each segmentation of a store, or of the named one."""
    contents = open_contents(url, name)
    if not contents.segmentations:
        raise StoreNotFoundError(f"{contents.url} has no labels to be drawn: import some")
    rows = [
        row
        for layers in contents.segmentations
        for row in (_slices(contents, layers, None, 4), _levels(layers, None))
    ]
    return new_figure(rows)


def _chosen(contents: Contents) -> tuple[LabelImage, ...]:
    found = contents.segmentations
    if not found:
        raise StoreNotFoundError(f"{contents.url} has no labels to be drawn: import some")
    if len(found) > 1:
        names = ", ".join(layers[0].name for layers in found)
        raise UsageError(f"{contents.url} has several segmentations: name one of {names}")
    return found[0]


def _slices(contents: Contents, layers: Sequence[LabelImage], axis: str | None, panels: int) -> PictureRow:
    geometry = layers[0].geometry
    across = cut_axis(geometry, axis)
    start, stop = _extent(layers, across)
    spread = np.linspace(start, stop - 1, panels + 2)[1:-1].round().astype(int).tolist()
    colors = ramps(contents.image)
    drawn, seen = [], [set[int]() for _ in layers]
    for number in dict.fromkeys(spread if across else (0,)):
        plane = Plane(geometry, across, number)
        found = [plane.values(layer, level_for(layer, plane, MOST_VOXELS)) for layer in layers]
        picture = behind(plane, contents.image, colors, found[0].shape)
        for layer, labels, values in zip(layers, found, seen, strict=True):
            picture = tinted(picture, labels, colors_of(layer))
            values |= set(np.unique(labels).tolist())
        drawn.append(plane.panel(picture, f"{across} = {number}" if across else layers[0].name))
    return drawn, legend(layers, seen)


def _levels(layers: Sequence[LabelImage], axis: str | None) -> PictureRow:
    geometry = layers[0].geometry
    across = cut_axis(geometry, axis)
    start, stop = _extent(layers, across)
    plane = Plane(geometry, across, (start + stop) // 2)
    drawn, seen = [], [set[int]() for _ in layers]
    for level in range(level_for(layers[0], plane, MOST_VOXELS), len(layers[0]._arrays)):
        found = [plane.values(layer, min(level, len(layer._arrays) - 1)) for layer in layers]
        picture = np.zeros((*found[0].shape, 3))
        for layer, labels, values in zip(layers, found, seen, strict=True):
            picture = tinted(picture, labels, colors_of(layer), opacity=1 if layer is layers[0] else OPACITY)
            values |= set(np.unique(labels).tolist())
        drawn.append(plane.panel(picture, _level_title(layers[0], level)))
    return drawn, legend(layers, seen)


def _level_title(image: LabelImage, level: int) -> str:
    shape, whole = image._arrays[level].shape, image._arrays[0].shape
    steps = [s * round(n / m) for s, n, m in zip(scales(image.geometry), whole, shape, strict=True)]
    places = image.geometry.spatial_axes
    sizes = " x ".join(str(shape[place]) for place in places)
    return f"level {level}: {sizes}\n{' x '.join(f'{steps[place]:.3g}' for place in places)}"


def _extent(layers: Sequence[LabelImage], axis: str) -> tuple[int, int]:
    """Where along an axis there are labels, as the segment index tells; all of it where there is none."""
    if not axis:
        return 0, 1
    place = layers[0].geometry.axes.index(axis)
    whole = 0, layers[0].geometry.shape[place]
    found: list[tuple[int, int]] = []
    for layer in layers:
        try:
            index = segment_index(layer)
            if len(index) > MOST_SEGMENTS:
                return whole
            found += [entry.box[place] for entry in index]
        except NgffsegError:
            return whole
    return (min(start for start, _ in found), max(stop for _, stop in found)) if found else whole
