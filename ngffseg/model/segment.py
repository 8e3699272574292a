"""`Segment`: one structure of a segmentation."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ngffseg.errors import LabelValueError, UsageError
from ngffseg.model.code import Codes
from ngffseg.model.value import is_plain, plain_text, plain_value

LARGEST_LABEL = 2**64 - 1
Color = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """How a segment was made (DICOM PS3.3 C.8.20.2).

    Parameters
    ----------
    type
        AUTOMATIC, SEMIAUTOMATIC or MANUAL.
    name
        Name of the algorithm, where it was one.
    """

    type: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """One structure of a segmentation: plain values, no voxels.

    Parameters
    ----------
    label_value
        The exact integer that marks its voxels, 0 to 2^64-1.
    id
        Unique within the segmentation; by default ``Segment_<label_value>``.
    name
        What people call it; by default the id.
    color
        Red, green, blue and alpha, 0 to 255, or None where the source has none.
    layer
        Number of the layer that holds its voxels.
    codes
        What it is and where it lies, as coded concepts.
    status
        How far the work on it is, as "inprogress" of 3D Slicer.
    algorithm
        How it was made.
    tags
        Further key and value pairs, in order.
    properties
        Further JSON values by name. Scalars of numpy, arrays of up to 1,024 members and dates become such
        values, exactly; None is null.

    Raises
    ------
    LabelValueError
        If the label value is no integer or out of range.
    UsageError
        If the color or the layer is out of range, a name is not a text, or JSON cannot hold a property, as NaN.
    """

    label_value: int
    id: str = ""
    name: str = ""
    color: Color | None = None
    layer: int = 0
    codes: Codes | None = None
    status: str = ""
    algorithm: Algorithm | None = None
    tags: tuple[tuple[str, str], ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        label_value = exact_label(self.label_value)
        set_field = object.__setattr__  # the one way to normalise a frozen value
        set_field(self, "label_value", label_value)
        set_field(self, "layer", _exact_layer(self.layer, label_value))
        set_field(self, "id", self.id or f"Segment_{label_value}")
        set_field(self, "name", self.name or self.id)
        _check_texts(self)
        if self.properties:
            set_field(self, "properties", _plain_properties(self.properties, label_value))
        if self.color is not None:
            set_field(self, "color", _exact_color(self.color, label_value))


def _check_texts(segment: Segment) -> None:
    texts: list[tuple[str, object]] = [("id", segment.id), ("name", segment.name), ("status", segment.status)]
    if segment.algorithm is not None:
        texts += [("algorithm", segment.algorithm.type), ("algorithm", segment.algorithm.name)]
    texts += [("tag", part) for tag in segment.tags for part in tag]
    for key, text in texts:
        if not (isinstance(text, str) and is_plain(text)):
            plain_text(text, f"segment {segment.label_value}: {key}")


def _plain_properties(properties: object, label_value: int) -> dict[str, Any]:
    if not isinstance(properties, Mapping):
        raise UsageError(f"segment {label_value}: properties are a {type(properties).__name__}: give a dict")
    if all(type(key) is str and is_plain(key) and is_plain(value) for key, value in properties.items()):
        return dict(properties)
    where = f"segment {label_value}: property"
    return {
        plain_text(key, f"{where} name"): plain_value(value, f"{where} {key!r}")
        for key, value in properties.items()
    }


def exact_label(value: object) -> int:
    """The label value as an exact int.

    Raises
    ------
    LabelValueError
        If it is a bool, a float (even 5.0: above 2^53 a float is no exact label) or outside
        0 to 2^64-1.
    """
    # operator.index takes True for 1, and that of numpy before 2.3 too.
    if isinstance(value, bool | np.bool):
        raise LabelValueError(f"label value {value!r} is a truth value: give an int")
    try:
        exact = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise LabelValueError(f"label value {value!r} is no integer: give an int") from None
    if not 0 <= exact <= LARGEST_LABEL:
        raise LabelValueError(f"label value {exact} is outside 0 to 2^64-1: relabel it")
    return exact


def _exact_layer(layer: object, label_value: int) -> int:
    try:
        exact = operator.index(layer)  # type: ignore[arg-type]
    except TypeError:
        exact = -1
    if exact < 0:
        raise UsageError(f"segment {label_value}: layer {layer!r} must be an integer from 0")
    return exact


def _exact_color(color: tuple[int, ...], label_value: int) -> Color:
    try:
        rgba = tuple(operator.index(c) for c in color)
    except TypeError:
        rgba = ()
    rgba = (*rgba, 255) if len(rgba) == 3 else rgba
    if len(rgba) != 4 or any(not 0 <= c <= 255 for c in rgba):
        raise UsageError(f"segment {label_value}: color {color} must be 3 or 4 integers from 0 to 255")
    return rgba[0], rgba[1], rgba[2], rgba[3]
