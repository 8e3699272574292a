"""Labels along space axes alone, for formats that know no others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ngffseg.errors import FormatError
from ngffseg.geometry import SPACE
from ngffseg.model import Loss, Segmentation

_WORDS = {"t": "time", "c": "channels"}


def along_space(segmentation: Segmentation, name: str, suffix: str) -> tuple[Segmentation, list[Loss]]:
    """Labels with the axes z, y, x, or y, x where they have no z.

    An axis of one time point or channel is left out; a missing y or x below z becomes one voxel long.

    Parameters
    ----------
    segmentation
        Labels of any axes.
    name
        Name of the file, for errors.
    suffix
        That of the format.

    Returns
    -------
    Segmentation
        The labels; those that have other axes are read.
    list of Loss
        Which axes are left out.

    Raises
    ------
    FormatError
        If there are several time points or channels.
    """
    grid = segmentation.geometry
    sizes = dict(zip(grid.axes, grid.shape, strict=True))
    units = dict(zip(grid.axes, grid.units, strict=True))
    for axis, word in _WORDS.items():
        if sizes.get(axis, 1) > 1:
            raise FormatError(
                f"{name}: {suffix} has no axis of {word}, of which the labels have {sizes[axis]}: use .nii.gz"
            )
    axes = SPACE if "z" in sizes else SPACE[1:]
    if grid.axes == axes:
        return segmentation, []
    shape, unit = tuple(sizes.get(axis, 1) for axis in axes), grid.units[grid.spatial_axes[0]]
    axis_units = tuple(units.get(axis, unit) for axis in axes)
    kept = replace(grid, shape=shape, axes=axes, units=axis_units, time_step=1.0)
    layers = tuple(np.asarray(layer[...]).reshape(shape) for layer in segmentation.layers)
    left = [f"the axis {axis} of one voxel" for axis in grid.axes if axis not in SPACE]
    losses = [Loss("geometry", f"{what}: {suffix} has space axes alone") for what in left]
    return replace(segmentation, layers=layers, geometry=kept), losses
