"""Axes by name: which of them an array has beside another one, and a grid that has some of the axes of another."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ngffseg.errors import UsageError
from ngffseg.geometry.grid import AXES, SPACE, Geometry


def axis_names(axes: str | Sequence[str]) -> tuple[str, ...]:
    """Names of axes from a text such as ``"tyx"``, or from a list of names.

    Raises
    ------
    UsageError
        If they are not some of t, c, z, y, x in that order, two of space among them.
    """
    names = tuple(axes)
    order = [AXES.index(name) for name in names if name in AXES]
    if len(order) != len(names) or order != sorted(set(order)) or sum(n in SPACE for n in names) < 2:
        shown = "".join(names) if all(isinstance(n, str) for n in names) else names
        raise UsageError(f"axes {shown!r}: give some of t, c, z, y, x in that order, two of space among them")
    return names


def on_axes(geometry: Geometry, axes: Sequence[str]) -> Geometry:
    """The grid of an array that has only some of the axes of another one; where it lies stays the same.

    Parameters
    ----------
    geometry
        The grid of the other.
    axes
        Names of the axes that stay, all of them among its own.
    """
    places = [geometry.axes.index(axis) for axis in axes]
    return replace(
        geometry,
        shape=tuple(geometry.shape[place] for place in places),
        axes=tuple(axes),
        units=tuple(geometry.units[place] for place in places),
        time_step=geometry.time_step if "t" in axes else 1.0,
    )


def check_beside(axes: Sequence[str], image: Mapping[str, int]) -> None:
    """Refuse labels whose axes cannot be those of an image.

    Time and channels that the labels lack are shared by all time points and channels. A space axis that they
    lack must be one voxel long: else nobody knows in which plane they lie.

    Parameters
    ----------
    axes
        Names of the axes of the labels.
    image
        Size of each axis of the image.

    Raises
    ------
    UsageError
        With what would fit.
    """
    further = [axis for axis in axes if axis not in image]
    missing = [axis for axis, size in image.items() if axis in SPACE and axis not in axes and size > 1]
    if not further and not missing:
        return
    wrong = (
        f"the image has no axis {further[0]}" if further else f"they lack the axis {missing[0]} of the image"
    )
    raise UsageError(
        f"the axes {_text(axes)} of the labels do not fit the image ({sizes_text(image)}): {wrong}; what fits is {_fitting(image)}"
    )


def _fitting(image: Mapping[str, int]) -> str:
    """The axes that labels beside an image may have, for people."""
    needed = [axis for axis, size in image.items() if axis in SPACE and (size > 1 or axis in "yx")]
    free = [axis for axis in image if axis in AXES and axis not in needed]
    return _text(needed) + (f" with or without {', '.join(free)}" if free else "")


def axes_beside(shape: Sequence[int], image: Mapping[str, int]) -> tuple[str, ...]:
    """The axes of labels of a shape, of which nobody has told them, beside an image.

    Its sizes are those of the image, along time and channels or one. Of several choices the one with the most
    space axes is taken, then the one without channels, which labels seldom have.

    Raises
    ------
    UsageError
        If none fits, or it is not known which.
    """
    known = [axis for axis in image if axis in AXES]
    found = [
        names
        for names in itertools.combinations(known, len(shape))
        if _fits(names, shape, image, exact=False)
    ]
    exact = [names for names in found if _fits(names, shape, image, exact=True)] or found
    if not exact:
        raise UsageError(
            f"labels of shape {tuple(shape)} do not fit the image ({sizes_text(image)}): what fits is"
            f" {_fitting(image)}, in these sizes"
        )
    best = max(exact, key=lambda names: (sum(axis in SPACE for axis in names), "c" not in names))
    for other in exact:
        # Which axis of one voxel the labels have makes no difference.
        if any(a != b and n > 1 for a, b, n in zip(other, best, shape, strict=True)):
            raise UsageError(
                f"labels of shape {tuple(shape)} have the axes {_text(best)} or {_text(other)} of the image"
                f" ({sizes_text(image)}): say which by axes"
            )
    return best


def axes_around(shape: Sequence[int], labels: Geometry) -> tuple[str, ...]:
    """The axes of an image of a shape, of which nobody has told them, beside its labels.

    It has all axes of the labels; one more are channels, of two the other is time.

    Raises
    ------
    UsageError
        If its sizes are others.
    """
    further = [axis for axis in ("c", "t") if axis not in labels.axes][
        : max(0, len(shape) - len(labels.axes))
    ]
    names = tuple(axis for axis in AXES if axis in labels.axes or axis in further)
    sizes = dict(zip(labels.axes, labels.shape, strict=True))
    if len(names) != len(shape) or any(
        n not in (1, sizes.get(a, n)) and a in SPACE for a, n in zip(names, shape, strict=False)
    ):
        raise UsageError(
            f"an image of shape {tuple(shape)} does not fit labels ({sizes_text(sizes)}): what fits has these sizes, before"
            " them or between them t and c, as in tczyx"
        )
    return names


def _fits(names: Sequence[str], shape: Sequence[int], image: Mapping[str, int], *, exact: bool) -> bool:
    """Return True if labels of a shape can have these axes of an image."""
    if any(axis in SPACE and axis not in names and size > 1 for axis, size in image.items()):
        return False
    if sum(axis in SPACE for axis in names) < 2:
        return False
    return all(
        size == image[axis] or (not exact and size == 1 and axis not in SPACE)
        for axis, size in zip(names, shape, strict=True)
    )


def sizes_text(image: Mapping[str, int]) -> str:
    """Sizes of axes, for people."""
    return ", ".join(f"{axis}={size}" for axis, size in image.items())


def _text(axes: Sequence[str]) -> str:
    return "".join(axes) if all(len(axis) == 1 for axis in axes) else ", ".join(axes)
