"""The state of neuroglancer that shows a store: layers, where they lie, and what is in view."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import numpy as np

from ngffseg.errors import MetadataError
from ngffseg.geometry import MILLIMETERS, SECONDS, Geometry, ngff_origin, patient_rows, scales, spacing
from ngffseg.labels import Contents, IntensityImage, LabelImage, display_window, shown_name
from ngffseg.viewer.properties import segment_colors
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
FORMS = {"0.4": "zarr2", "0.5": "zarr3"}
METERS = {unit: length * 1e-3 for unit, length in MILLIMETERS.items()}

# Pixels of a panel of a usual window.
PANEL = 500
# Pixels per voxel at first: a picture that is a quarter as much to fetch and draw, then refined.
COARSE = 2


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
    if contents.version not in FORMS:
        raise MetadataError(
            f"{contents.url} is OME-Zarr {contents.version}: the browser shows {' and '.join(FORMS)}, so write"
            " its labels to a new store"
        )
    form = FORMS[contents.version]
    layers: list[dict[str, Any]] = []
    if contents.image is not None:
        layers.append(_image(contents.image, f"{data}|{form}:"))
    for images in contents.segmentations:
        for number, image in enumerate(images):
            place = f"{data}labels/{quote(image.name)}/" if image.name else data
            properties = f"{documents}{quote(image.name or 'labels')}"
            layers.append(_labels(image, shown_name(images, number), f"{place}|{form}:", properties))
    first = contents.segmentations[0][0] if contents.segmentations else contents.image
    assert first is not None
    _tell_apart(layers)
    # The first segmentation, which comes after the image; or the image alone.
    chosen = layers[-1 if not contents.segmentations else int(contents.image is not None)]
    state = {
        "layers": layers,
        "selectedLayer": {"layer": chosen["name"], "visible": True},
        "crossSectionScale": _scale(first.geometry),
        "projectionScale": _scale(first.geometry) * PANEL,
        "layout": "4panel" if len(first.geometry.spatial_axes) == 3 else "xy",
        "showSlices": True,
    } | _view(first.geometry)
    return _upright(state, first.geometry) if in_patient(first.geometry) else state


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
    steps = _output_steps(geometry)
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


def _image(image: IntensityImage, address: str) -> dict[str, Any]:
    return {
        "type": "image",
        "name": image.name or "image",
        "source": _source(address, image),
        "crossSectionRenderScale": COARSE,
        "shaderControls": {"normalized": {"range": display_window(image)}},
    }


def _labels(image: LabelImage, name: str, address: str, properties: str) -> dict[str, Any]:
    return {
        "type": "segmentation",
        "name": name,
        "source": [_source(address, image), f"{properties}/|neuroglancer-precomputed:"],
        "crossSectionRenderScale": COARSE,
        "segmentColors": segment_colors(image),
        "tab": "segments",
    }


def _source(address: str, image: IntensityImage | LabelImage) -> dict[str, Any]:
    transform = source_transform(image.geometry, image.arrays.translation)
    return {"url": address} | ({"transform": transform} if transform is not None else {})


def source_transform(geometry: Geometry, translation: Sequence[float] = ()) -> dict[str, Any] | None:
    """The turn from the axes of a grid to L, P, S; None where they are the same, or there are two only.

    neuroglancer knows scale and translation from the store, and takes them along the axes of the image. What is
    left is their direction D, and what the translation lacks of D^-1 o: others mean o by it, and so do we where
    axes lie along those of the patient. Linear parts of the matrix are between lengths, whatever the steps of both
    sides are; its last column is in steps of the output dimensions.

    Parameters
    ----------
    geometry
        The grid.
    translation
        That of level 0 in the store, per axis in array order; by default what is written for the grid.
    """
    if len(geometry.spatial_axes) < 3:
        return None
    directions = geometry.affine[:3, :3] / spacing(geometry)
    told = dict(zip(geometry.axes, translation or ngff_origin(geometry), strict=True))
    shift = geometry.affine[:3, 3] - directions @ [told[axis] for axis in "xyz"]
    near = np.abs(shift) < 1e-6 * spacing(geometry).min()
    if near.all() and np.array_equal(directions, np.eye(3)):
        return None
    rank = len(geometry.axes)
    matrix, out = np.eye(rank, rank + 1), _output_steps(geometry)
    for row in geometry.spatial_axes:
        axis = geometry.axes[row]
        for place in geometry.spatial_axes:
            matrix[row, place] = directions["xyz".index(axis), "xyz".index(geometry.axes[place])]
        if not near["xyz".index(axis)]:
            matrix[row, rank] = shift["xyz".index(axis)] / out[axis]
    dimensions = {axis: _unit(geometry, axis, out.get(axis)) for axis in geometry.axes}
    return {"matrix": matrix.tolist(), "outputDimensions": dimensions}


def _output_steps(geometry: Geometry) -> dict[str, float]:
    """Steps along L, P, S: those of the axes of the image that lie closest to them."""
    steps = spacing(geometry)
    axes = [geometry.axes[n] for n in geometry.spatial_axes]
    closest = {row: steps["xyz".index(axis)] for axis, row in zip(axes, patient_rows(geometry), strict=True)}
    return {"xyz"[row]: float(step) for row, step in closest.items()}


def _view(geometry: Geometry) -> dict[str, Any]:
    """Dimensions of the view, space first as x, y, z, then time; and its place, the middle of the grid."""
    solid = len(geometry.spatial_axes) == 3
    out = _output_steps(geometry) if solid else {}
    steps, origin = scales(geometry), ngff_origin(geometry)
    middle = {"x": 0.0, "y": 0.0, "z": 0.0}
    for axis, size, step, start in zip(geometry.axes, geometry.shape, steps, origin, strict=True):
        middle[axis] = start / step + (size - 1) / 2
    if solid:
        sizes = dict(zip(geometry.axes, geometry.shape, strict=True))
        center = geometry.affine @ [*((sizes[axis] - 1) / 2 for axis in "xyz"), 1]
        middle |= {axis: center[row] / out[axis] for row, axis in enumerate("xyz")}
    order = [axis for axis in ("x", "y", "z", "t") if axis in geometry.axes]
    return {
        "dimensions": {axis: _unit(geometry, axis, out.get(axis)) for axis in order},
        # Of OME-Zarr, neuroglancer takes voxels to be around their centres, as the specification does.
        "position": [0.0 if axis == "t" else middle[axis] for axis in order],
    }


def _unit(geometry: Geometry, axis: str, step: float | None = None) -> list[Any]:
    place = geometry.axes.index(axis)
    unit = geometry.units[place] or ""
    size = scales(geometry)[place] if step is None else step
    for sizes, si in ((METERS, "m"), (SECONDS, "s")):
        known: Mapping[str, float] = sizes
        if unit in known:
            return [size * known[unit], si]
    return [size, ""]


def _scale(geometry: Geometry) -> float:
    """Voxels per pixel at which all of an image is in a panel; its smallest voxel side counts."""
    steps = [scales(geometry)[place] for place in geometry.spatial_axes]
    lengths = [geometry.shape[p] * s for p, s in zip(geometry.spatial_axes, steps, strict=True)]
    return max(lengths) / min(steps) / PANEL
