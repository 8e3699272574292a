"""Planes of stored images, cut at the same place through any level, turned as people expect them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import UsageError
from ngffseg.geometry import Geometry, anatomical_orientation, scales
from ngffseg.labels import IntensityImage, LabelImage, channel_window, shown_channels
from ngffseg.pictures.tint import Picture

# Directions that people expect to the right and downwards on a screen.
EXPECTED = ("right-to-left", "anterior-to-posterior", "superior-to-inferior")


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture: red, green and blue from 0 to 1, its size in units of the plane, and its title.

    Sides are the letters of the patient at its left, right, top and bottom; empty where nobody knows them.
    """

    picture: Picture
    width: float
    height: float
    title: str
    sides: str = ""


@dataclass(frozen=True, slots=True)
class Ramp:
    """How a channel is drawn: its number, values shown in black and in the full color, and that from 0 to 1."""

    channel: int
    low: float
    high: float
    color: npt.NDArray[np.float64]


def ramps(image: IntensityImage | None) -> list[Ramp]:
    """How the channels of an image that are shown at first are drawn; gray where there is one."""
    found = []
    for number, channel in enumerate(shown_channels(image) if image is not None else ()):
        if image is not None and channel.active:
            low, high = channel_window(image, number)
            color = np.array(channel.color or (255, 255, 255)) / 255
            found.append(Ramp(number, *((high, low) if channel.inverted else (low, high)), color))
    return found


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane across an axis of a grid.

    Parameters
    ----------
    geometry
        Grid of level 0.
    axis
        Name of the space axis that it lies across; empty where the image has only two.
    number
        Index of the voxels of level 0 that it shows.
    """

    geometry: Geometry
    axis: str
    number: int

    @property
    def shown(self) -> tuple[str, str]:
        """Axes that run downwards and to the right; the head is never at a side."""
        names = [self.geometry.axes[n] for n in self.geometry.spatial_axes]
        down, right = (name for name in names if name != self.axis)
        if self._seen:
            down, right = sorted((down, right), key=lambda name: -EXPECTED.index(self._seen[name][0]))
        return down, right

    def values(self, image: LabelImage | IntensityImage, level: int, channel: int = 0) -> npt.NDArray[Any]:
        """What a level holds of the plane, turned; of time the first, and one channel."""
        shape = image._arrays[level].shape
        box = [
            slice(0, n)
            if name in self.shown
            else slice(at := channel if name == "c" else self._index(name, n), at + 1)
            for name, n in zip(image.geometry.axes, shape, strict=True)
        ]
        size = [n for name, n in zip(image.geometry.axes, shape, strict=True) if name in self.shown]
        return self._turned(image.read(box, level).reshape(size))

    def _index(self, name: str, count: int) -> int:
        """Index along an axis that is not shown: of the voxel of the level that holds it."""
        if name != self.axis:
            return 0
        whole = self.geometry.shape[self.geometry.axes.index(name)]
        return min(int((self.number + 0.5) * count / whole), count - 1)

    def _turned(self, plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values in array order as they are seen."""
        names = [name for name in self.geometry.axes if name in self.shown]
        flipped = [place for place, name in enumerate(names) if self._seen.get(name, ("", False))[1]]
        plane = np.flip(plane, axis=tuple(flipped))
        return plane if names == list(self.shown) else plane.T

    @property
    def _seen(self) -> dict[str, tuple[str, bool]]:
        """For each axis its direction on a screen (see `EXPECTED`), and True if its voxels run the other way.

        It is empty where nobody knows the sides of the patient.
        """
        if self.geometry.frame != "patient":
            return {}
        found = {}
        for name, direction in anatomical_orientation(self.geometry).items():
            other = "-to-".join(reversed(direction.split("-to-")))
            found[name] = (direction, False) if direction in EXPECTED else (other, True)
        return found

    def panel(self, picture: Picture, title: str) -> Panel:
        """A picture of the plane as a panel of its true proportions."""
        steps = dict(zip(self.geometry.axes, scales(self.geometry), strict=True))
        sizes = dict(zip(self.geometry.axes, self.geometry.shape, strict=True))
        down, right = self.shown
        ends = [self._seen[name][0].upper().split("-TO-") for name in (right, down)] if self._seen else []
        letters = "".join(end[0] for pair in ends for end in pair)
        return Panel(picture, sizes[right] * steps[right], sizes[down] * steps[down], title, letters)


def behind(
    plane: Plane, image: IntensityImage | None, colors: Sequence[Ramp], shape: Sequence[int]
) -> Picture:
    """The image in a plane, sampled to the shape of its labels: channels over one another; black without an image."""
    picture = np.zeros((*shape, 3))
    if image is None or not set(plane.shown) <= set(image.geometry.axes):
        return picture
    level = level_for(image, plane, max(shape))
    for ramp in colors:
        values = plane.values(image, level, ramp.channel).astype(np.float64)
        rows, columns = (
            np.minimum(((np.arange(n) + 0.5) * m / n).astype(np.int64), m - 1)
            for n, m in zip(shape, values.shape, strict=True)
        )
        bright = np.clip((values[np.ix_(rows, columns)] - ramp.low) / (ramp.high - ramp.low), 0, 1)
        picture += bright[..., np.newaxis] * ramp.color
    return np.minimum(picture, 1)


def level_for(image: LabelImage | IntensityImage, plane: Plane, most: int) -> int:
    """The finest level whose plane has no more than so many voxels along each side, else the coarsest."""
    places = [image.geometry.axes.index(name) for name in plane.shown]
    for number, array in enumerate(image._arrays):
        if max(array.shape[place] for place in places) <= most:
            return number
    return len(image._arrays) - 1


def cut_axis(geometry: Geometry, axis: str | None) -> str:
    """The axis that planes lie across: the one that is asked for, else the first of z, y, x.

    Raises
    ------
    UsageError
        If the image has no such space axis, or only two.
    """
    names = [geometry.axes[n] for n in geometry.spatial_axes]
    if len(names) == 2:
        if axis is not None:
            raise UsageError(f"the image has the axes {', '.join(names)} only: leave out the axis")
        return ""
    if axis is not None and axis not in names:
        raise UsageError(f"no space axis {axis!r}: choose one of {', '.join(names)}")
    return axis or names[0]
