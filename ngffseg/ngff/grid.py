"""A grid as JSON, under the key ``ngffseg`` of images, labels and segmentations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ngffseg.errors import UsageError
from ngffseg.geometry import SPACE, Frame, Geometry


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
