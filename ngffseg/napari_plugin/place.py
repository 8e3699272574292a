"""Where a layer of napari that is to be stored lies: its axes by name, and its grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import NgffsegError
from ngffseg.geometry import SPACE, Geometry, array_affine, from_array_affine, on_axes, straight_affine
from ngffseg.labels import open_contents
from ngffseg.napari_plugin.axes import names_of_layer
from ngffseg.napari_plugin.layers import UNITS, grids_of


def known_grids(url: str) -> list[Geometry]:
    """The grids of all that a store holds; none where there is no store."""
    try:
        return grids_of(open_contents(url))
    except NgffsegError:
        return []


def layer_geometry(grids: Sequence[Geometry], array: Any, attributes: Mapping[str, Any]) -> Geometry:
    """The grid of a layer: that of a store along its axes where both lie alike, else from scale, affine and so on.

    Parameters
    ----------
    grids
        Those of all that the store holds.
    array
        The finest level of the layer.
    attributes
        As napari hands them to writers.
    """
    matrix = shown_affine(attributes, array.ndim)
    names = names_of_layer(array.ndim, attributes.get("axis_labels") or (), grids)
    for known in grids:
        if set(names) <= set(known.axes) and lies_alike(grid := on_axes(known, names), array.shape, matrix):
            return grid
    units = [_unit(unit) for unit in attributes.get("units") or ()]
    geometry = from_array_affine(array.shape, matrix, names)
    if len(units) != array.ndim or not any(units):
        units = [None] * array.ndim
    # Layers of a patient are opened in the patient's world, so that what is drawn over them lies there as well.
    placed = len(geometry.spatial_axes) == len(SPACE) and any(known.frame == "patient" for known in grids)
    return replace(geometry, units=tuple(units), frame="patient" if placed else None)


def lies_alike(grid: Geometry, shape: Sequence[int], matrix: npt.NDArray[np.float64]) -> bool:
    """Return True if a layer of a shape lies where that of a grid would lie, turned or straight."""
    likely = (array_affine(grid), straight_affine(grid))
    return grid.shape == tuple(shape) and any(np.allclose(m, matrix, rtol=0, atol=1e-9) for m in likely)


def _unit(unit: Any) -> str | None:
    return str(unit) if str(unit) in UNITS else None


def shown_affine(attributes: Mapping[str, Any], ndim: int) -> npt.NDArray[np.float64]:
    """The affine of a layer from array index to world, of all that napari composes it of."""
    from napari.utils.transforms import Affine

    def given(key: str) -> Any:
        """A part of the transform, None where the layer does not tell it."""
        value = attributes.get(key)
        return None if value is None else np.asarray(value, np.float64)

    own = Affine(
        scale=given("scale"),
        translate=given("translate"),
        rotate=given("rotate"),
        shear=given("shear"),
        ndim=ndim,
    )
    further = given("affine")
    matrix = np.asarray(own.affine_matrix, np.float64)
    return matrix if further is None else further @ matrix
