"""A grid as JSON, under the key ``ngffseg`` of images, labels and segmentations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ngffseg.errors import UsageError
from ngffseg.geometry import SPACE, Frame, Geometry, Order, SourceGrid


def encode_geometry(geometry: Geometry) -> dict[str, Any]:
    """A grid as JSON; Python prints a float64 so that it reads back bit for bit."""
    return {
        "space": "LPS",
        "ijkToLPS": geometry.affine.tolist(),
        "shape": list(geometry.shape),
        "axes": list(geometry.axes),
        "units": list(geometry.units),
        "frame": geometry.frame,
        "frameOfReferenceUID": geometry.frame_of_reference_uid,
        "timeStep": geometry.time_step,
    }


def decode_geometry(encoded: Mapping[str, Any]) -> Geometry:
    """The grid of `encode_geometry`.

    Raises
    ------
    UsageError
        If the parts contradict each other, or a number is none that a grid can have.
    """
    try:
        return Geometry(
            shape=tuple(encoded["shape"]),
            affine=encoded["ijkToLPS"],
            axes=tuple(encoded["axes"]),
            units=tuple(encoded["units"]),
            frame=encoded["frame"] if "frame" in encoded else _first_frame(encoded),
            frame_of_reference_uid=encoded.get("frameOfReferenceUID", ""),
            time_step=float(encoded.get("timeStep", 1.0)),
        )
    except OverflowError as error:
        raise UsageError(f"geometry: a number is too large ({error})") from error


def _first_frame(encoded: Mapping[str, Any]) -> Frame | None:
    """The frame of a grid that tells none: ngffseg 0.1 took all that is in millimetres for the patient's."""
    units = [unit for axis, unit in zip(encoded["axes"], encoded["units"], strict=False) if axis in SPACE]
    return "patient" if set(units) == {"millimeter"} else None


def encode_source_grid(source: SourceGrid | None) -> dict[str, Any]:
    """The grid of a source as the part of a document that it is; empty where there is none.

    The axes of the array that is held are told as those of the source:
    ``["z", "-y", "-x"]`` is an array whose y and x count down along those of the source, ``["x", "z", "y"]`` one
    whose first axis is the last one there.
    """
    if source is None:
        return {}
    grid = source.geometry
    names = zip(source.order.axes, source.order.flipped, strict=True)
    encoded = {
        "space": "LPS",
        "ijkToLPS": grid.affine.tolist(),
        "shape": list(grid.shape),
        "axes": list(grid.axes),
        "units": list(grid.units),
        "order": [("-" if flip else "") + grid.axes[axis] for axis, flip in names],
    }
    return {"sourceGrid": encoded}


def decode_source_grid(document: Mapping[str, Any], held: Geometry) -> SourceGrid | None:
    """The source grid that a document tells of an array that lies on a grid; None where it tells none.

    Raises
    ------
    UsageError
        If the parts contradict each other.
    """
    if "sourceGrid" not in document:
        return None
    encoded = document["sourceGrid"]
    axes, signed = tuple(encoded["axes"]), [str(name) for name in encoded["order"]]
    names = [name.removeprefix("-") for name in signed]
    if sorted(names) != sorted(axes):
        raise UsageError(f"source grid: the order {signed} does not name each of the axes {axes} once")
    order = Order(tuple(axes.index(name) for name in names), tuple(name.startswith("-") for name in signed))
    try:
        grid = replace(
            held, shape=tuple(encoded["shape"]), affine=encoded["ijkToLPS"], axes=axes, units=encoded["units"]
        )
    except OverflowError as error:
        raise UsageError(f"source grid: a number is too large ({error})") from error
    return SourceGrid(grid, order)
