"""The patient in four panels, as radiologists see it, with letters that say which side is which."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.geometry import SPACE, Geometry

Corner = npt.NDArray[np.float64]
# Letters as bars: left, top, right and bottom on a grid of 5 x 7 cells, whose y runs down.
GLYPHS: Mapping[str, Sequence[tuple[int, int, int, int]]] = {
    "L": [(0, 0, 1, 7), (1, 6, 5, 7)],
    "R": [(0, 0, 1, 7), (1, 0, 4, 1), (4, 1, 5, 3), (1, 3, 4, 4), (2, 4, 3, 5), (3, 5, 4, 6), (4, 6, 5, 7)],
    "A": [(0, 1, 1, 7), (1, 0, 4, 1), (1, 3, 4, 4), (4, 1, 5, 7)],
    "P": [(0, 0, 1, 7), (1, 0, 4, 1), (4, 1, 5, 3), (1, 3, 4, 4)],
    "S": [(1, 0, 5, 1), (0, 1, 1, 3), (1, 3, 4, 4), (4, 4, 5, 6), (0, 6, 4, 7)],
    "I": [(1, 0, 4, 1), (2, 1, 3, 6), (1, 6, 4, 7)],
}
CELLS = np.array([5, 7])
# Letters in the largest side of the image, and cells between it and a letter.
LETTERS, GAP = 20, 2
# Pixels of a panel that has its layers listed over it, in a usual window.
SIDE = 360
# Of annotations, neuroglancer fills the part of a box that lies in the plane of a panel; edges are left out.
SHADER = "void main() { setColor(vec4(0, 0, 0, 0)); setBoundingBoxFillColor(vec4(1, 1, 0, 1)); }"


@dataclass(frozen=True, slots=True)
class Section:
    """A plane of the patient as it is seen.

    Parameters
    ----------
    name
        Of the plane.
    orientation
        Turn of the panel, a quaternion (x, y, z, w): it leads right and down to axes of LPS, and mirrors nothing.
    right, down
        Axis of LPS (0, 1, 2) that runs to the right and down, and whether it grows there (1 or -1).
    sides
        Letters at the left, the right, the top and the bottom.
    """

    name: str
    orientation: tuple[float, float, float, float]
    right: tuple[int, int]
    down: tuple[int, int]
    sides: str


HALF = sqrt(0.5)
SECTIONS = (
    Section("axial", (0, 0, 0, 1), (0, 1), (1, 1), "RLAP"),
    Section("coronal", (-HALF, 0, 0, HALF), (0, 1), (2, -1), "RLSI"),
    Section("sagittal", (-0.5, -0.5, 0.5, 0.5), (1, 1), (2, -1), "APSI"),
)
# The turn of the view in space: from the front, a little from the left and from above.
FRONT = (-0.8, -0.177, 0.124, 0.56)


def in_patient(geometry: Geometry) -> bool:
    """Return True if the sides of the patient are known: a volume whose frame is that of the patient."""
    return geometry.frame == "patient" and len(geometry.spatial_axes) == len(SPACE)


def patient_box(geometry: Geometry) -> tuple[Corner, Corner]:
    """Smallest and largest L, P, S of a grid, its voxels whole, in the unit of its axes."""
    sizes = dict(zip(geometry.axes, geometry.shape, strict=True))
    corners = itertools.product(*((-0.5, sizes[axis] - 0.5) for axis in ("x", "y", "z")))
    places = np.array([(geometry.affine @ [*corner, 1])[:3] for corner in corners])
    return places.min(axis=0), places.max(axis=0)


def panel_length(geometry: Geometry) -> float:
    """The length that a panel has to show: the largest side of the image, with letters at both ends."""
    low, high = patient_box(geometry)
    letters = 2 * (CELLS[1] + 2 * GAP) / CELLS[1] / LETTERS
    return float((high - low).max() * (1 + letters))


def upright_layout(names: Sequence[str]) -> dict[str, Any]:
    """Panels of layers: axial and coronal over sagittal and, from the front, all three in space.

    Each is a viewer of its own, which has its own turn: a panel "xz" of neuroglancer has the feet up.
    """
    turns = {section.name: {"link": "unlinked", "value": list(section.orientation)} for section in SECTIONS}
    axial, coronal, sagittal = (
        _panel([*names, name], "xy") | {"crossSectionOrientation": turn} for name, turn in turns.items()
    )
    planes = {name: {"orientation": turn, "width": SIDE, "height": SIDE} for name, turn in turns.items()}
    rows = [[axial, coronal], [sagittal, _panel(names, {"type": "3d", "crossSections": planes})]]
    return {"type": "column", "children": [{"type": "row", "children": row} for row in rows]}


def _panel(names: Sequence[str], layout: Any) -> dict[str, Any]:
    return {"type": "viewer", "layers": list(names), "layout": layout}


def letter_layers(geometry: Geometry, dimensions: Mapping[str, Any], steps: Corner) -> list[dict[str, Any]]:
    """A layer of letters for each plane, outside the image at its edges.

    neuroglancer draws no text. A letter is made of boxes as deep as the image, so that each plane shows it; as it lies
    in the patient, it is right however a panel is turned.

    Parameters
    ----------
    geometry
        Grid of the image.
    dimensions
        Those of the view, of x, y and z.
    steps
        Lengths of their steps, in the unit of the axes of the image.
    """
    return [
        {
            "type": "annotation",
            "name": section.name,
            "source": {"url": "local://annotations", "transform": {"outputDimensions": dict(dimensions)}},
            "annotations": [
                {
                    "type": "axis_aligned_bounding_box",
                    "id": str(number),
                    "pointA": (low / steps).tolist(),
                    "pointB": (high / steps).tolist(),
                }
                for number, (low, high) in enumerate(letter_boxes(geometry, section))
            ],
            "shader": SHADER,
            "tab": "source",
        }
        for section in SECTIONS
    ]


def letter_boxes(geometry: Geometry, section: Section) -> list[tuple[Corner, Corner]]:
    """Boxes of the four letters of a plane: smallest and largest L, P, S, in the unit of the axes."""
    low, high = patient_box(geometry)
    cell = float((high - low).max()) / LETTERS / CELLS[1]
    middle, half = (low + high) / 2, (high - low) / 2
    found = []
    for letter, side in zip(section.sides, ((-1, 0), (1, 0), (0, -1), (0, 1)), strict=True):
        for left, top, right, bottom in GLYPHS[letter]:
            bar = np.array([[left, top], [right, bottom]]) - CELLS / 2
            ends = np.stack([low, high])
            for place, (axis, sign) in enumerate((section.right, section.down)):
                away = half[axis] + (GAP + CELLS[place] / 2) * cell
                ends[:, axis] = middle[axis] + sign * (side[place] * away + bar[:, place] * cell)
            found.append((ends.min(axis=0), ends.max(axis=0)))
    return found
