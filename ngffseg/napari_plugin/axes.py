"""Which axes a layer of napari has, beside those of the stored array that it shows.

napari lays a layer of fewer axes over the last axes of the others, whatever they are called. So that all layers of a
store agree by name, channels are no axis of any layer (each is a layer of its own), and a layer that lacks an axis between
two of its own gets it: one voxel, as long as all that the other layers have there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ngffseg.geometry import Geometry, on_axes
from ngffseg.geometry.grid import AXES, default_axes
from ngffseg.grid import Box

Values = npt.NDArray[Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LayerAxes:
    """Names of the axes of a stored array, and of the layer that shows it.

    Parameters
    ----------
    stored
        Names of the axes of the array.
    shown
        Names of the axes of the layer, in the same order.
    channel
        Index along the axis of channels, if the array has one that the layer lacks.
    """

    stored: tuple[str, ...]
    shown: tuple[str, ...]
    channel: int = 0

    def along(self, values: Sequence[T], other: T) -> tuple[T, ...]:
        """What is told per axis of the array, per axis of the layer; ``other`` where the array has none."""
        by_axis = dict(zip(self.stored, values, strict=True))
        return tuple(by_axis.get(axis, other) for axis in self.shown)

    def stored_box(self, box: Box) -> Box:
        """The box of the array that is shown in a box of the layer."""
        sides = dict(zip(self.shown, box, strict=True))
        fixed = slice(self.channel, self.channel + 1)
        return tuple(sides.get(axis, fixed) for axis in self.stored)

    def seen(self, values: Values, box: Box) -> Values:
        """Values of `stored_box` in the axes of the layer."""
        sides = zip(self.shown, box, strict=True)
        lengths = [side.stop - side.start if axis in self.stored else 1 for axis, side in sides]
        further = tuple(
            slice(None) if axis in self.stored else side for axis, side in zip(self.shown, box, strict=True)
        )
        return values.reshape(lengths)[further]


def all_axes(geometry: Geometry) -> LayerAxes:
    """The axes of a layer that has all axes of its array."""
    return LayerAxes(geometry.axes, geometry.axes)


def shown_axes(grids: Sequence[Geometry]) -> tuple[str, ...]:
    """Names of the axes that the layers of a store have together."""
    return tuple(axis for axis in AXES if axis != "c" and any(axis in grid.axes for grid in grids))


def layer_axes(geometry: Geometry, grids: Sequence[Geometry], channel: int = 0) -> LayerAxes:
    """The axes of the layer of an array: from its first axis on, all that the layers of its store have.

    Parameters
    ----------
    geometry
        Grid of the array.
    grids
        Those of all arrays of the store.
    channel
        Number of the channel that the layer shows.
    """
    world = shown_axes([geometry, *grids])
    first = next(axis for axis in geometry.axes if axis != "c")
    return LayerAxes(geometry.axes, world[world.index(first) :], channel)


def layer_grid(geometry: Geometry, axes: LayerAxes, grids: Sequence[Geometry]) -> Geometry:
    """The grid of a layer: that of its array, with one voxel along each axis that only others have."""
    grid = on_axes(geometry, [axis for axis in axes.shown if axis in geometry.axes])
    affine = np.array(grid.affine)
    units = dict(zip(grid.axes, grid.units, strict=True))
    for axis in set(axes.shown) - set(grid.axes):
        other = next(one for one in grids if axis in one.axes)
        size, place = other.shape[other.axes.index(axis)], "xyz".index(axis)
        affine[:3, place] = other.affine[:3, place] * size
        # Its centre is the middle of theirs.
        affine[place, 3] = other.affine[place, 3] + (size - 1) / 2 * other.affine[place, place]
        units[axis] = other.units[other.axes.index(axis)]
    return replace(
        grid,
        shape=axes.along(geometry.shape, 1),
        affine=affine,
        axes=axes.shown,
        units=tuple(units[axis] for axis in axes.shown),
    )


def names_of_layer(ndim: int, given: Sequence[Any], grids: Sequence[Geometry]) -> tuple[str, ...]:
    """Names of the axes of a layer that is to be stored: as it tells them, else by its place over the others.

    Parameters
    ----------
    ndim
        Number of its axes.
    given
        Its labels of axes; napari makes up some where nobody has told any.
    grids
        Of all arrays of the store.
    """
    order = [AXES.index(name) for name in given if name in AXES]
    if len(order) == ndim == len(given) and order == sorted(set(order)):
        return tuple(given)
    world = shown_axes(grids)
    return world[-ndim:] if 2 <= ndim <= len(world) else default_axes(ndim)
