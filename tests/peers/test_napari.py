"""Stores of others with channels and time in napari: seen, painted on, drawn over, and read again by who wrote them."""

import json

import numpy as np
import pytest

from ngffseg import open_labels, write_labels
from ngffseg.geometry import on_axes
from ngffseg.labels import open_image
from ngffseg.napari_plugin.widgets import save_labels
from tests.napari_plugin.test_axes import add_layers, opened, painted
from tests.peers import layouts
from tests.peers.environments import call, has_python

CASES = [
    ("ngio", "0.5"),
    pytest.param("ngio", "0.4", marks=pytest.mark.long),
    *(
        pytest.param(peer, version, marks=pytest.mark.long)
        for peer in ("ome-zarr", "bioio", "ngff-zarr")
        for version in ("0.4", "0.5")
    ),
    *(pytest.param(peer, "0.4", marks=pytest.mark.long) for peer in ("ome-zarr-0.10", "ome-zarr-old")),
]
# A voxel, at the first time of those that have one.
PLACE = {"t": 1, "c": 0, "z": 2, "y": 13, "x": 17}


def at(layout):
    """The index of the voxel in an array of a layout."""
    axes, shape = layouts.named(layout)
    return tuple(min(PLACE[axis], n - 1) for axis, n in zip(axes, shape, strict=True))


@pytest.mark.parametrize(("peer", "version"), CASES)
def test_stores_of_others_in_napari(tmp_path, peer, version):
    if not has_python(peer):
        pytest.skip(f"{peer} needs a Python that is not installed")
    told = json.loads(call(peer, "write", tmp_path, version, script="layouts"))
    kept = {}
    for store in map(tmp_path.joinpath, told):
        picture, _, theirs = store.stem.partition("-")
        viewer = opened(store)
        if theirs and "cells" not in [layer.name for layer in viewer.layers]:  # it is not registered
            add_layers(viewer, store / "labels" / "cells")
        shown = [layer for layer in viewer.layers if layer.name != "cells"]
        whole, axes = open_image(store).geometry, layouts.named(picture)[0]
        assert len(shown) == (dict(zip(whole.axes, whole.shape, strict=True)).get("c", 1))
        look_at(viewer, shown, picture, theirs)
        kept[store.name] = draw(store, axes.replace("c", "")), paint(store) if theirs else None
    after = json.loads(call(peer, "read", tmp_path, script="layouts"))
    for name, (drawn, stroke) in kept.items():
        assert after[name]["drawn"]["data"] == layouts.digest(drawn)
        if stroke is not None:
            assert after[name]["cells"]["data"] == layouts.digest(stroke)


def look_at(viewer, shown, picture, theirs):
    """One voxel in all layers, where each says it is."""
    pixels = layouts.image(picture)
    for channel, layer in enumerate(shown):
        index = tuple(channel if a == "c" else n for a, n in zip(layouts.named(picture)[0], at(picture), strict=True))  # fmt: skip
        place = layer.data_to_world([min(PLACE[a], n - 1) for a, n in zip(layer.axis_labels, layer.data.shape, strict=True)])  # fmt: skip
        assert finest(layer, place) == pixels[index]
        if theirs:
            assert finest(viewer.layers["cells"], place) == layouts.labels(theirs)[at(theirs)]


def finest(layer, place):
    """The value of the finest level at a place of the viewer, of which a layer of fewer axes has the last ones."""
    index = np.rint(layer.world_to_data(place)).astype(int)
    return np.asarray(layer.data[0] if layer.multiscale else layer.data)[tuple(index)]


def draw(store, axes):
    """A new layer over the first channel is what a full write of it makes."""
    viewer = opened(store)
    viewer.layers.selection = {viewer.layers[0]}
    viewer._new_labels()
    layer = viewer.layers[-1]
    layer.name = "drawn"
    layer.data[...] = np.arange(layer.data.size).reshape(layer.data.shape) % 7
    drawn = np.array(layer.data)
    save_labels(layer, viewer)
    written, full = open_labels(store, "drawn"), write_labels(store, drawn, name="full", axes=axes)
    assert written.geometry == full.geometry == on_axes(open_image(store).geometry, axes)
    for mine, theirs in zip(written.levels, full.levels, strict=True):
        np.testing.assert_array_equal(mine.compute(), theirs.compute())
    return drawn


def paint(store):
    """A stroke on their labels, which is stored and at all levels."""
    viewer = opened(store)
    if "cells" not in [layer.name for layer in viewer.layers]:
        add_layers(viewer, store / "labels" / "cells")
    layer, expected = painted(viewer, "cells"), open_labels(store, "cells").read()
    corner = tuple(n // 2 for n in expected.shape)
    layer.paint(tuple(n // 2 for n in layer.data.shape), 77)
    expected[corner] = 77
    assert "1 box saved" in save_labels(layer, viewer)
    image = open_labels(store, "cells")
    np.testing.assert_array_equal(image.read(), expected)
    full = write_labels(store, expected, name="again", axes=image.geometry.axes)
    for mine, theirs in zip(image.levels, full.levels, strict=False):
        if mine.shape == theirs.shape:
            np.testing.assert_array_equal(mine.compute(), theirs.compute())
    return expected
