"""Words that tell where labels lie, in place of a geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

import numpy as np

from ngffseg.errors import UsageError
from ngffseg.geometry import (
    axis_names,
)
from ngffseg.geometry.described import PerAxis, Units
from ngffseg.keywords import ValueKind
from ngffseg.labels.plan.options import WriteOptions


class PlaceOptions(TypedDict, total=False):
    """Where labels lie, in simple words, instead of a ``geometry``.

    axes
        Names of the axes of the labels, as ``"tyx"``: of t, c, z, y, x in that order. By default those of the image
        that their shape fits, without an image the last of t, z, y, x. Labels need no axis of time or channels
        that their image has: they are shared by all of them.
    scale
        Distance of neighbouring voxels per axis, in array order or by name, as ``{"y": 0.5, "x": 0.5}``. By default
        that of the image, else 1.
    translation
        Place of the centre of voxel 0, as ``scale``; by default that of the image, else 0.
    units
        One unit for all space axes, as ``"micrometer"``, or one per axis, or by name.
    """

    axes: str | Sequence[str]
    scale: PerAxis
    translation: PerAxis
    units: Units


class PlacedOptions(WriteOptions, PlaceOptions, total=False):
    """Options of writing, and where labels lie: those of `WriteOptions` and of `PlaceOptions`."""


def _listed(value: Any) -> Any:
    """A text, a mapping or a list of texts and numbers, as it is."""
    if isinstance(value, Mapping):
        return dict(value)
    listed = value if isinstance(value, str) else np.asarray(value, dtype=object).tolist()
    if not isinstance(listed, str | list):
        raise TypeError
    return listed


_WORDS = ValueKind("a value per axis, in array order or by name", _listed)
PLACE_KEYWORDS = {
    "axes": ValueKind("some of t, c, z, y, x in that order, such as 'tyx'", axis_names).or_none(),
    "scale": _WORDS.or_none(),
    "translation": _WORDS.or_none(),
    "units": _WORDS.or_none(),
}


def place_of(options: PlacedOptions) -> tuple[PlaceOptions, WriteOptions]:
    """The words among some options that tell where labels lie, and the other options."""
    words = {key: value for key, value in options.items() if key in PLACE_KEYWORDS and value is not None}
    rest = {key: value for key, value in options.items() if key not in PLACE_KEYWORDS}
    return cast("PlaceOptions", words), cast("WriteOptions", rest)


def place_from_text(texts: Mapping[str, str]) -> PlaceOptions:
    """Words that tell where labels lie, from texts: of the command line, of cells of a table.

    Values per axis are parted by commas; "none" is no unit.

    Raises
    ------
    UsageError
        If a number is none.
    """
    found: dict[str, Any] = dict(texts)
    for key in texts.keys() & {"scale", "translation"}:
        try:
            found[key] = [float(part) for part in texts[key].split(",")]
        except ValueError:
            raise UsageError(
                f"{key} {texts[key]!r}: give a number per axis, parted by commas, such as 1,0.5,0.5"
            ) from None
    if "," in texts.get("units", ""):
        found["units"] = [None if unit.strip() == "none" else unit for unit in texts["units"].split(",")]
    return cast("PlaceOptions", found)
