"""What was painted goes back to its store; new layers become new label images."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ngffseg.errors import StoreNotFoundError, UsageError
from ngffseg.labels import open_contents, split_address, write_labels
from ngffseg.model import Segment
from ngffseg.napari_plugin.features import layer_features, save_painting
from ngffseg.napari_plugin.layers import LayerData
from ngffseg.napari_plugin.painting import Painting
from ngffseg.napari_plugin.place import known_grids, layer_geometry
from ngffseg.napari_plugin.volume import level0, volume_of


def save_layers(path: str, layers: Sequence[LayerData]) -> list[str]:
    """Write layers of labels, and an image of the same grid if it is among them, to a store.

    Several images become the channels of one.

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
    images = [layer for layer in layers if layer[2] == "image"]
    written = []
    for data, attributes, kind in layers:
        if kind != "labels":
            continue
        if isinstance(data, Painting) and data.image.url == url:
            save_painting(data, attributes)
            written.append(f"{url}/labels/{data.image.name}")
        else:
            written.append(save_new(url, data, attributes, images))
    if not written:
        raise UsageError(f"{url}: no labels among the layers: choose a layer of labels, too")
    return written


def save_new(url: str, data: Any, attributes: Mapping[str, Any], images: Sequence[LayerData] = ()) -> str:
    """Write a layer of labels as a new label image, and return its address.

    Its grid is exactly that of the image of the store, along the axes of the layer, where it lies alike; else that of
    the layer. A new store gets the images that are given, as channels of one.
    """
    array, name = level0(data, attributes), plain_name(str(attributes.get("name", "")))
    geometry = layer_geometry(known_grids(url), array, attributes)
    image = volume_of(images) if images and not _exists(url) else None
    write_labels(url, array, name=name, segments=layer_segments(attributes), geometry=geometry, image=image)
    return f"{url}/labels/{name}"


def _exists(url: str) -> bool:
    try:
        open_contents(url)
    except StoreNotFoundError:
        return False
    return True


def plain_name(name: str) -> str:
    """A name that can be a folder, from what people call a layer."""
    return re.sub(r"[^\w.\- ]+", "_", name).strip(" ._") or "labels"


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
