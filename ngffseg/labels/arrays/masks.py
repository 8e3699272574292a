"""Masks that may overlap, packed into layers of labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ngffseg.errors import LabelValueError, UsageError
from ngffseg.keywords import nearest
from ngffseg.labels.arrays.layering import fewest_layers
from ngffseg.labels.arrays.mask_layer import MaskLayer
from ngffseg.labels.arrays.overlaps import find_overlaps
from ngffseg.model import Segment, plain_array


def mask_arrays(masks: Any) -> dict[str, Any]:
    """Masks by name, as arrays of truth values of one shape; lists of truth values become arrays.

    Raises
    ------
    UsageError, LabelValueError
        If there are none, or they are something else.
    """
    if not isinstance(masks, Mapping):
        raise UsageError(
            f"masks are a {type(masks).__name__}: give a dict of names and arrays of truth values"
        )
    if not masks:
        raise UsageError("masks hold none: give at least one")
    arrays = {}
    for name, mask in masks.items():
        if not isinstance(name, str) or not name:
            raise UsageError(f"a mask has the name {name!r}: give a text")
        array = plain_array(mask)
        array = array if hasattr(array, "dtype") and hasattr(array, "shape") else np.asarray(array)
        if np.dtype(array.dtype) != bool:
            raise LabelValueError(
                f"mask {name!r} holds {array.dtype}, not truth values: say which voxels it has, as by mask != 0"
            )
        arrays[name] = array
    first, shape = next((name, tuple(array.shape)) for name, array in arrays.items())
    for name, array in arrays.items():
        if tuple(array.shape) != shape:
            raise UsageError(
                f"mask {name!r} has shape {tuple(array.shape)}, {first!r} {shape}: give masks of one shape"
            )
    return arrays


def packed_masks(
    masks: Mapping[str, Any], segments: Iterable[Segment]
) -> tuple[tuple[MaskLayer, ...], tuple[Segment, ...]]:
    """Layers that hold the masks, and their segments in the order of the masks.

    Parameters
    ----------
    masks
        After `mask_arrays`; each is read once, block by block, to find out which overlap.
    segments
        Colours, codes and properties of masks, which they name. Label values and layers are given anew.

    Raises
    ------
    UsageError
        If a segment names no mask, or two name the same.
    """
    given = _by_name(masks, segments)
    overlaps = find_overlaps(list(masks.values()))
    numbers = fewest_layers(overlaps.others)
    values = _values(numbers)
    layers = []
    for layer in range(max(numbers) + 1):
        own = {number: mask for number, mask in enumerate(masks.values()) if numbers[number] == layer}
        layers.append(MaskLayer(own, {number: values[number] for number in own}, overlaps))
    known = tuple(
        _segment(name, given.get(name), value, layer)
        for name, value, layer in zip(masks, values, numbers, strict=True)
    )
    return tuple(layers), known


def _by_name(masks: Mapping[str, Any], segments: Iterable[Segment]) -> dict[str, Segment]:
    given: dict[str, Segment] = {}
    for segment in segments:
        if not isinstance(segment, Segment):
            raise UsageError(f"segments hold a {type(segment).__name__}: give values of Segment")
        if segment.name not in masks:
            hint = nearest(segment.name, list(masks)) or "give it the name of one"
            raise UsageError(f"segment {segment.name!r} names none of the {len(masks)} masks: {hint}")
        if segment.name in given:
            raise UsageError(f"two segments name the mask {segment.name!r}: give one for each")
        given[segment.name] = segment
    return given


def _values(layers: Iterable[int]) -> list[int]:
    """Label values from 1 within each layer, in the order of the masks."""
    last: dict[int, int] = {}
    values = []
    for layer in layers:
        last[layer] = last.get(layer, 0) + 1
        values.append(last[layer])
    return values


def _segment(name: str, given: Segment | None, value: int, layer: int) -> Segment:
    """The segment of a mask. An id that only says a label value would say a wrong one: its name is it then."""
    if given is None:
        return Segment(value, id=name, name=name, layer=layer)
    unnamed = given.id == f"Segment_{given.label_value}"
    return replace(given, label_value=value, layer=layer, id=name if unnamed else given.id)
