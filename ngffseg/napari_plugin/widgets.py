"""The two widgets of the plugin: painting on stored labels, and saving labels to a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ngffseg.errors import UsageError
from ngffseg.geometry import Geometry, array_affine, same_directions
from ngffseg.labels import LabelImage, open_labels
from ngffseg.napari_plugin.axes import all_axes
from ngffseg.napari_plugin.features import save_painting
from ngffseg.napari_plugin.layers import KEY, layer_affine, levels_of, origin
from ngffseg.napari_plugin.painting import Painting
from ngffseg.napari_plugin.place import lies_alike, shown_affine
from ngffseg.napari_plugin.saving import save_new
from ngffseg.napari_plugin.table import features_of
from ngffseg.napari_plugin.upright import turn_anew
from ngffseg.store import normalized

if TYPE_CHECKING:
    import napari.layers
    import napari.types
    import napari.viewer


def paint_labels(layer: napari.layers.Labels, viewer: napari.viewer.Viewer) -> napari.types.LayerDataTuple:
    """A layer of level 0 of the stored labels of a layer, to be painted on; the layer itself is hidden.

    napari paints on labels of one level only. Nothing is stored before it is saved. In planes that do not
    lie along the axes of the patient, napari paints beside what it shows: all layers of the store are then
    turned to lie along the axes of the scan.

    Raises
    ------
    UsageError
        If the layer does not show a stored label image.
    """
    known = layer.metadata.get(KEY, {})
    if known.get("image") is None:
        raise UsageError(f"{layer.name} is not from a store: paint on it as it is, then save it")
    image = open_labels(known["image"].url, known["image"].name)
    if is_oblique(image.geometry):
        _straighten(viewer, layer)
    layer.visible = False
    keywords = {
        "name": f"{layer.name} (painting)",
        "affine": layer.affine.affine_matrix,
        "axis_labels": layer.axis_labels,
        "units": layer.units,
        "opacity": layer.opacity,
        "features": layer.features,
        "metadata": {KEY: origin(image, known["geometry"], known["axes"])},
    }
    if getattr(layer.colormap, "color_dict", None):
        # A colormap of its own: it knows which label is chosen.
        keywords["colormap"] = dict(layer.colormap.color_dict)
    return Painting(image, known["axes"]), keywords, "labels"


def is_oblique(geometry: Geometry) -> bool:
    """Return True if planes across the axes of an image are no planes of the patient."""
    places = list(geometry.spatial_axes)
    turn = array_affine(geometry)[np.ix_(places, places)]
    return bool(np.abs(turn - np.diag(np.diag(turn))).max() > 1e-6 * np.abs(turn).max())


def _straighten(viewer: Any, layer: Any) -> None:
    """Turn all layers of the same scan to lie along its axes, and show the same voxels as before."""
    own = layer.metadata[KEY]
    axes = range(viewer.dims.ndim - layer.ndim, viewer.dims.ndim)
    voxel = layer.world_to_data([viewer.dims.point[axis] for axis in axes])
    for other in viewer.layers:
        known = other.metadata.get(KEY, {})
        if known.get("store") == own["store"] and same_directions(known["geometry"], own["geometry"]):
            other.affine = layer_affine(known["geometry"], straight=True)
    turn_anew(viewer)
    viewer.reset_view()
    viewer.dims.set_point(axes, layer.data_to_world(voxel))


def save_labels(layer: napari.layers.Labels, viewer: napari.viewer.Viewer, store: str = "") -> str:
    """Save a layer: what was painted on stored labels, or a new layer as a new label image.

    Parameters
    ----------
    layer
        The layer.
    viewer
        The viewer; layers that show the same label image are drawn anew.
    store
        Address of the store. By default what was painted goes back to where it is from, and a new layer
        to the store that other layers are from; of another store it becomes a new label image.

    Returns
    -------
    str
        What was saved, for people.

    Raises
    ------
    UsageError
        If there is nothing to be saved, or nobody knows where to.
    """
    if isinstance(layer.data, Painting) and normalized(store or layer.data.image.url) == layer.data.image.url:
        before = layer.data.image._arrays.paths
        count = save_painting(layer.data, _attributes(layer))
        rebuilt = ", all levels made anew" if layer.data.image._arrays.paths != before else ""
        _redraw(viewer, layer.data)
        return f"{layer.data.image.name}: {count} box{'' if count == 1 else 'es'} saved{rebuilt}"
    stored = layer.metadata.get(KEY, {}).get("image") is not None
    if stored and not store:
        raise UsageError(f"{layer.name} is stored and cannot be painted on: choose its layer for painting")
    address = save_new(store or _only_store(viewer), layer.data, _attributes(layer))
    if not stored and not layer.multiscale:
        # From now on the layer is what is stored, and saved as such; what is copied stays where it is from.
        image = open_labels(address)
        _become_stored(layer, image)
    return f"{address}: saved"


def _become_stored(layer: Any, image: LabelImage) -> None:
    """Have a layer show what is stored of it, which may be in another order, or in a larger box, than it was drawn."""
    grid, axes = image.geometry, all_axes(image.geometry)
    alike = lies_alike(grid, layer.data.shape, shown_affine(_attributes(layer), layer.ndim))
    layer.metadata = layer.metadata | {KEY: origin(image, grid, axes)}
    layer.data = Painting(image, axes)
    if not alike:
        ndim = layer.ndim
        layer.scale, layer.translate = np.ones(ndim), np.zeros(ndim)
        layer.rotate, layer.shear = np.eye(ndim), np.zeros(ndim * (ndim - 1) // 2)
        layer.affine = layer_affine(grid, straight=False)


def _attributes(layer: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = layer.as_layer_data_tuple()[1]
    return attributes


def _only_store(viewer: Any) -> str:
    stores = {layer.metadata[KEY]["store"] for layer in viewer.layers if KEY in layer.metadata}
    if len(stores) != 1:
        found = "several stores are open" if stores else "no store is open"
        raise UsageError(f"{found}: say to which address this is to be saved")
    return str(stores.pop())


def _redraw(viewer: Any, painting: Painting) -> None:
    """Read anew what other layers show of the same label image."""
    for layer in viewer.layers:
        image = layer.metadata.get(KEY, {}).get("image")
        if image is None or (image.url, image.name) != (painting.image.url, painting.image.name):
            continue
        image.clear_cache()
        if layer.multiscale and image._arrays.paths != painting.image._arrays.paths:
            layer.metadata[KEY]["image"] = painting.image
            layer.data = levels_of(painting.image, layer.metadata[KEY]["axes"])
        elif layer.multiscale and layer.ndim == 2:
            layer.data = layer.data  # napari keeps a level of it
        layer.features = features_of(painting.image)
        layer.refresh()
