"""What was painted goes back to its store; new layers become new label images."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt

from ngffseg.errors import NgffsegError, StoreNotFoundError, UsageError
from ngffseg.geometry import SPACE, Geometry, array_affine, from_array_affine, straight_affine
from ngffseg.labels import open_contents, split_address, write_labels
from ngffseg.model import Segment, Volume
from ngffseg.napari_plugin.features import layer_features, save_painting
from ngffseg.napari_plugin.layers import UNITS, LayerData
from ngffseg.napari_plugin.painting import Painting
from ngffseg.napari_plugin.view import LevelView


def save_layers(path: str, layers: Sequence[LayerData]) -> list[str]:
    """Write layers of labels, and an image of the same grid if it is among them, to a store.

    What was painted on a layer of that store goes back into it; any other becomes a new label image under
    the name of its layer.

    Parameters
    ----------
    path
        Address of the store; it is made if it is not there.
    layers
        As napari hands them to writers: data, attributes and kind of each.

    Returns
    -------
    list of str
        The addresses of the label images.

    Raises
    ------
    NgffsegError
        If a label image of that name is there already, or the store cannot take it.
    """
    url, _ = split_address(path)
    image = next((layer for layer in layers if layer[2] == "image"), None)
    written = []
    for data, attributes, kind in layers:
        if kind != "labels":
            continue
        if isinstance(data, Painting) and data.image.url == url:
            save_painting(data, attributes)
            written.append(f"{url}/labels/{data.image.name}")
        else:
            written.append(save_new(url, data, attributes, image))
    if not written:
        raise UsageError(f"{url}: no labels among the layers: choose a layer of labels, too")
    return written


def save_new(url: str, data: Any, attributes: Mapping[str, Any], image: LayerData | None = None) -> str:
    """Write a layer of labels as a new label image, and return its address.

    Its grid is exactly that of the image of the store where it lies alike; else that of the layer.
    """
    array, name = _level0(data, attributes), plain_name(str(attributes.get("name", "")))
    geometry = layer_geometry(url, array, attributes)
    volume = None
    if image is not None and not _exists(url):
        pixels = _level0(image[0], image[1])
        volume = Volume(pixels, layer_geometry(url, pixels, image[1]), str(image[1].get("name", "image")))
    write_labels(url, array, name=name, segments=layer_segments(attributes), geometry=geometry, image=volume)
    return f"{url}/labels/{name}"


def _level0(data: Any, attributes: Mapping[str, Any]) -> Any:
    """The finest level of a layer; what comes from a store stays lazy."""
    array = data[0] if attributes.get("multiscale") else data
    if isinstance(array, LevelView | Painting):
        return da.from_array(array, chunks=getattr(array, "chunks", "auto"))  # type: ignore[no-untyped-call]
    return array


def _exists(url: str) -> bool:
    try:
        open_contents(url)
    except StoreNotFoundError:
        return False
    return True


def plain_name(name: str) -> str:
    """A name that can be a folder, from what people call a layer."""
    return re.sub(r"[^\w.\- ]+", "_", name).strip(" ._") or "labels"


def layer_geometry(url: str, array: Any, attributes: Mapping[str, Any]) -> Geometry:
    """The grid of a layer: that of the store where both lie alike, else from scale, affine and so on."""
    matrix, grids = shown_affine(attributes, array.ndim), _grids(url)
    for known in grids:
        likely = (array_affine(known), straight_affine(known))
        if known.shape == array.shape and any(np.allclose(m, matrix, rtol=0, atol=1e-9) for m in likely):
            return known
    units = [_unit(unit) for unit in attributes.get("units") or ()]
    geometry = from_array_affine(array.shape, matrix)
    if len(units) != array.ndim or not any(units):
        units = [None] * array.ndim
    # Layers of a patient are opened in the patient's world, so that what is drawn over them lies there as well.
    placed = len(geometry.spatial_axes) == len(SPACE) and any(known.frame == "patient" for known in grids)
    return replace(geometry, units=tuple(units), frame="patient" if placed else None)


def _grids(url: str) -> list[Geometry]:
    try:
        contents = open_contents(url)
    except NgffsegError:
        return []
    images = [image.geometry for layers in contents.segmentations for image in layers]
    return [*([contents.image.geometry] if contents.image is not None else []), *images]


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


def layer_segments(attributes: Mapping[str, Any]) -> tuple[Segment, ...]:
    """Segments from the table of features and the colors of a layer."""
    features, colors = layer_features(attributes), _colors(attributes.get("colormap"))
    # Where there is a table, colors of labels that are not in it were only there to paint with.
    return tuple(
        Segment(value, name=name, color=colors.get(value), properties=properties)
        for value in sorted(features or colors)
        for name, properties in [features.get(value, ("", {}))]
    )


def _colors(colormap: Any) -> dict[int, tuple[int, int, int, int]]:
    """Colors by label; none where napari has made them up."""
    table = getattr(colormap, "color_dict", None) or (
        colormap.get("color_dict") if isinstance(colormap, dict) else None
    )
    found = {}
    for value, color in (table or {}).items():
        if value is not None and int(value) > 0:
            red, green, blue, alpha = (round(float(c) * 255) for c in color)
            found[int(value)] = (red, green, blue, alpha)
    return found
