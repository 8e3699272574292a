"""Where the axes of napari's world lead in the patient, and how a camera shows them the right way round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ngffseg.geometry import SPACE, Geometry
from ngffseg.napari_plugin.layers import KEY

# Letters of the two ends of each axis of LPS.
ENDS = ("RL", "AP", "IS")
LEFT, POSTERIOR, SUPERIOR = range(3)
# For axes of the world by number, the axis of LPS that each is closest to, and 1 or -1 as it leads there or away.
Course = dict[int, tuple[int, int]]


def is_patient(layer: Any) -> bool:
    """Return True if a layer comes from a store, with three axes in the frame of the patient."""
    geometry: Geometry | None = layer.metadata.get(KEY, {}).get("geometry")
    return geometry is not None and geometry.frame == "patient" and len(geometry.spatial_axes) == len(SPACE)


def course_of(viewer: Any) -> Course | None:
    """Where the axes of the world lead in the patient, by number; None where layers differ or there is none.

    It is told by where the layers lie now: people turn them, and so does painting on oblique planes.
    """
    found = [_layer_course(layer, viewer.dims.ndim) for layer in viewer.layers if is_patient(layer)]
    if not found or any(course != found[0] for course in found):
        return None
    return found[0] if set(viewer.dims.displayed) <= set(found[0]) else None


def _layer_course(layer: Any, ndim: int) -> Course:
    geometry: Geometry = layer.metadata[KEY]["geometry"]
    places = [geometry.axes.index(axis) for axis in SPACE]
    zero = np.asarray(layer.data_to_world(np.zeros(layer.ndim)))
    steps = np.stack([layer.data_to_world(np.eye(layer.ndim)[place]) - zero for place in places], axis=1)
    # Directions in the patient of steps along the axes of the world.
    turn = geometry.affine[:3, 2::-1] @ np.linalg.inv(steps[places])
    turn /= np.linalg.norm(turn, axis=0)
    closest = np.abs(turn).argmax(axis=0).tolist()
    if len(set(closest)) < len(SPACE):
        return {}
    shift = ndim - layer.ndim
    return {
        shift + place: (row, 1 if turn[row, column] > 0 else -1)
        for column, (place, row) in enumerate(zip(places, closest, strict=True))
    }


def orientation(course: Course, order: Sequence[int]) -> tuple[str, str, str]:
    """Where the axes of the world have to lead: depth, vertical and horizontal, in the words of napari.

    The head is up or at the right, the left at the right or below, the back at the right or below; depth is what
    mirrors nothing.
    """
    vertical, horizontal = order[-2:]
    (depth,) = set(course) - {vertical, horizontal}
    (deep, far), (steep, high), (flat, right) = (course[axis] for axis in (depth, vertical, horizontal))
    rises = 1 if steep == SUPERIOR else -1
    # L, P, S is right-handed, and so are right, up and towards the viewer.
    nears = rises * round(np.linalg.det(np.eye(3)[[flat, steep, deep]]))
    return (
        "towards" if nears * far > 0 else "away",
        "up" if rises * high > 0 else "down",
        "right" if right > 0 else "left",
    )


def letters(down: tuple[int, int], right: tuple[int, int], words: list[str]) -> tuple[str, str, str, str]:
    """Letters at the left, the right, the top and the bottom of a plane, as the camera shows it now."""
    row, column = (
        ENDS[axis][:: sign if word in ("right", "down") else -sign]
        for (axis, sign), word in ((right, words[1]), (down, words[0]))
    )
    return row[0], row[1], column[0], column[1]
