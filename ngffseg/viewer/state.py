"""The state of neuroglancer that shows a store: layers, and what is in view."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import numpy as np

from ngffseg.errors import MetadataError
from ngffseg.geometry import Geometry, ngff_origin, scales
from ngffseg.labels import Contents, shown_name
from ngffseg.viewer.layers import image_layers, labels_layers
from ngffseg.viewer.transform import output_steps, step_of
from ngffseg.viewer.upright import (
    FRONT,
    SECTIONS,
    SIDE,
    in_patient,
    letter_layers,
    panel_length,
    upright_layout,
)

# neuroglancer's word for the form of the arrays, by version of the store.
SCHEMES = {"0.4": "zarr2", "0.5": "zarr3"}
# Pixels of a panel of a usual window.
PANEL = 500


def viewer_state(contents: Contents, data: str, documents: str) -> dict[str, Any]:
    """The state of a viewer of a store.

    Parameters
    ----------
    contents
        What the store holds.
    data, documents
        Addresses below which its objects, and the lists of segments, are served.

    Raises
    ------
    MetadataError
        If neuroglancer does not read the version of the store.
    """
    if contents.version not in SCHEMES:
        raise MetadataError(
            f"{contents.url} is OME-Zarr {contents.version}: the browser shows {' and '.join(SCHEMES)}, so write"
            " its labels to a new store"
        )
    scheme = SCHEMES[contents.version]
    layers: list[dict[str, Any]] = []
    if contents.image is not None:
        layers += image_layers(contents.image, f"{data}|{scheme}:")
    before = len(layers)
    for images in contents.segmentations:
        for number, image in enumerate(images):
            place = f"{data}labels/{quote(image.name)}/" if image.name else data
            layers += labels_layers(
                image,
                shown_name(images, number),
                contents.image,
                address=f"{place}|{scheme}:",
                properties=f"{documents}{quote(image.name or 'labels')}",
            )
    _tell_apart(layers)
    # The first segmentation, which comes after the image; or the image alone.
    chosen = layers[before] if contents.segmentations else layers[-1]
    grids = _grids(contents)
    # A plane lies in a volume, not the other way round.
    main = max(grids, key=lambda grid: len(grid.spatial_axes))
    state = {
        "layers": layers,
        "selectedLayer": {"layer": chosen["name"], "visible": True},
        "crossSectionScale": _scale(main),
        "projectionScale": _scale(main) * PANEL,
        "layout": "4panel" if len(main.spatial_axes) == 3 else "xy",
        "showSlices": True,
    } | _view(main, grids)
    return _upright(state, main) if in_patient(main) else state


def _grids(contents: Contents) -> list[Geometry]:
    """The grids of all that is shown, those of labels first."""
    labels = [image.geometry for layers in contents.segmentations for image in layers]
    return [*labels, *([contents.image.geometry] if contents.image is not None else [])]


def _tell_apart(layers: list[dict[str, Any]]) -> None:
    """Give layers of one name numbers: panels list their layers by name. Those of letters come last."""
    taken = {section.name for section in SECTIONS}
    for layer in layers:
        name = layer["name"]
        numbered = (f"{name} ({number})" for number in itertools.count(2))
        layer["name"] = next(one for one in itertools.chain([name], numbered) if one not in taken)
        taken.add(layer["name"])


def _upright(state: dict[str, Any], geometry: Geometry) -> dict[str, Any]:
    """The state with panels in which the patient is the right way up, and letters at their edges."""
    steps = output_steps(geometry)
    dimensions = {axis: state["dimensions"][axis] for axis in "xyz"}
    length = panel_length(geometry) / min(steps.values())
    return state | {
        "layers": state["layers"]
        + letter_layers(geometry, dimensions, np.array([steps[axis] for axis in "xyz"])),
        "layout": upright_layout([layer["name"] for layer in state["layers"]]),
        "crossSectionScale": length / SIDE,
        # Turned, it takes more room.
        "projectionScale": length * 1.5,
        "projectionOrientation": list(FRONT),
    }


def _view(geometry: Geometry, grids: Sequence[Geometry]) -> dict[str, Any]:
    """Dimensions of the view, space first as x, y, z, then time; and its place, the middle of a grid.

    Parameters
    ----------
    geometry
        The grid.
    grids
        Of all that is shown: any of them may have time.
    """
    solid = len(geometry.spatial_axes) == 3
    out = output_steps(geometry) if solid else {}
    steps, origin = scales(geometry), ngff_origin(geometry)
    middle = {"x": 0.0, "y": 0.0, "z": 0.0}
    for axis, size, step, start in zip(geometry.axes, geometry.shape, steps, origin, strict=True):
        middle[axis] = start / step + (size - 1) / 2
    if solid:
        sizes = dict(zip(geometry.axes, geometry.shape, strict=True))
        center = geometry.affine @ [*((sizes[axis] - 1) / 2 for axis in "xyz"), 1]
        middle |= {axis: center[row] / out[axis] for row, axis in enumerate("xyz")}
    order = [axis for axis in ("x", "y", "z", "t") if axis in geometry.axes]
    dimensions = {axis: step_of(geometry, axis, out.get(axis)) for axis in order}
    timed = next((grid for grid in grids if "t" in grid.axes), None)
    if timed is not None and "t" not in dimensions:
        order.append("t")
        dimensions["t"] = step_of(timed, "t")
    return {
        "dimensions": dimensions,
        # Of OME-Zarr, neuroglancer takes voxels to be around their centres, as the specification does.
        "position": [0.0 if axis == "t" else middle[axis] for axis in order],
    }


def _scale(geometry: Geometry) -> float:
    """Voxels per pixel at which all of an image is in a panel; its smallest voxel side counts."""
    steps = [scales(geometry)[place] for place in geometry.spatial_axes]
    lengths = [geometry.shape[p] * s for p, s in zip(geometry.spatial_axes, steps, strict=True)]
    return max(lengths) / min(steps) / PANEL
