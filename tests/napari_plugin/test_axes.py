"""Layers of a store agree on axes by name: channels, time, planes; seen, painted and saved, by napari without Qt."""

import json
import warnings

import numpy as np
import pytest
import zarr

from ngffseg import Geometry, Segment, check, open_labels, write_labels
from ngffseg.errors import UsageError
from ngffseg.geometry import described_grid, on_axes
from ngffseg.labels import open_contents, open_image
from ngffseg.model import Volume
from ngffseg.napari_plugin.axes import layer_axes, layer_grid
from ngffseg.napari_plugin.reader import read
from ngffseg.napari_plugin.saving import save_layers
from ngffseg.napari_plugin.view import LevelView
from ngffseg.napari_plugin.widgets import paint_labels, save_labels

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of napari's own models
    from napari.components import ViewerModel

SIZES = {"t": 3, "c": 2, "z": 4, "y": 20, "x": 18}
SCALE = {"t": 60.0, "c": 1.0, "z": 2.0, "y": 0.5, "x": 0.25}
UNITS = {"t": "second", "z": "micrometer", "y": "micrometer", "x": "micrometer"}
LAYOUTS = [
    *("cyx", "tcyx", "tczyx"),
    *(pytest.param(axes, marks=pytest.mark.long) for axes in ("yx", "zyx", "czyx", "tyx", "tzyx")),
]
DYES = [
    {"label": "DAPI", "color": "0000FF", "window": {"min": 0, "max": 9000, "start": 10, "end": 500}},
    {"label": "GFP", "color": "00FF00", "window": {"min": 0, "max": 9000, "start": 0, "end": 700}, "active": False},
]  # fmt: skip


def values(axes, dtype="uint16", **sizes):
    """Values that differ along all axes."""
    shape = [(SIZES | sizes)[axis] for axis in axes]
    return (np.arange(np.prod(shape)) * 37 % 251).astype(dtype).reshape(shape)


def microscope(folder, layout, labels, version="0.5", levels=1, **sizes):
    """A store of ome-zarr-py: an image and its labels, which lack what they need not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ome_zarr.format import format_from_version
        from ome_zarr.writer import write_multiscale, write_multiscale_labels

    form = format_from_version(version)
    root = zarr.open_group(folder, mode="w", zarr_format=form.zarr_format)
    made = {}
    for name, axes in (("", layout), ("cells", labels)):
        told = [{"name": a, "type": {"t": "time", "c": "channel"}.get(a, "space")} for a in axes]
        told = [axis | ({"unit": UNITS[axis["name"]]} if axis["name"] in UNITS else {}) for axis in told]
        made[name] = values(axes, "uint32" if name else "uint16", **sizes)
        arrays = [made[name], made[name][..., ::2, ::2]][:levels]
        common = {"axes": told, "fmt": form, "scale": {axis: SCALE[axis] for axis in axes}}
        if name:
            write_multiscale_labels(arrays, root, name, **common)
        else:
            write_multiscale(arrays, root, **common)
    if version == "0.4":
        root.attrs["omero"] = {"channels": DYES}
    else:
        root.attrs["ome"] = root.attrs["ome"] | {"omero": {"channels": DYES}}
    return made[""], made["cells"]


def opened(url):
    """All layers of a store, in a viewer of napari."""
    viewer = ViewerModel()
    add_layers(viewer, url)
    return viewer


def add_layers(viewer, url):
    """Open an address in a viewer."""
    for data, keywords, kind in read(str(url)):
        getattr(viewer, f"add_{kind}")(data, **keywords)


def seen(viewer, layer, place):
    """The value that napari shows of a layer where the viewer is: a plane that it has cut, at a place in it."""
    layer.visible = True
    viewer.dims.set_point(range(viewer.dims.ndim), place)
    found = layer.get_value(place, world=True)
    return found[1] if isinstance(found, tuple) else found


def painted(viewer, name):
    """A layer for painting on a stored one, by a brush of one voxel."""
    data, keywords, _ = paint_labels(viewer.layers[name], viewer)
    layer = viewer.add_labels(data, **keywords)
    layer.brush_size = 1
    return layer


def named(axes, place):
    """The index of a voxel by the names of its axes."""
    return tuple(place[axis] for axis in axes)


def without_channels(layout):
    """The axes that labels beside an image may have, if they have no channels."""
    rest = layout.replace("c", "")
    return [rest, *([rest[1:]] if rest[0] == "t" else [])]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_voxels_lie_over_those_of_their_names(tmp_path, layout):
    """At one time, plane and place all layers show the values that are stored there, however few axes they have."""
    for number, axes in enumerate(without_channels(layout)):
        image, labels = microscope(tmp_path / f"{number}.zarr", layout, axes, "0.4" if number else "0.5")
        viewer = opened(tmp_path / f"{number}.zarr")
        *shown, cells = viewer.layers
        assert len(shown) == (2 if "c" in layout else 1)
        world = layout.replace("c", "")
        assert cells.axis_labels == tuple(axes)
        for layer in shown:
            assert layer.axis_labels == tuple(world)
            assert [str(unit) for unit in layer.units] == [UNITS[axis] for axis in world]
        for place in ({"t": 2, "z": 3, "y": 7, "x": 11}, {"t": 0, "z": 1, "y": 19, "x": 2}):
            point = [place[axis] * SCALE[axis] for axis in world]
            assert seen(viewer, cells, point) == labels[named(axes, place)]
            for channel, layer in enumerate(shown):
                assert seen(viewer, layer, point) == image[named(layout, place | {"c": channel})]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_strokes_and_new_layers_are_what_a_full_write_makes(tmp_path, layout):
    """In stores of others: painted labels, and a layer that napari makes over a channel, with its axes and units."""
    for number, axes in enumerate(without_channels(layout)):
        store = tmp_path / f"{number}.zarr"
        _, labels = microscope(store, layout, axes, levels=2)
        viewer = opened(store)
        painting = painted(viewer, "cells")
        corner = tuple(n // 2 for n in labels.shape)
        painting.paint(corner, 2**31 + 1)
        expected = labels.copy()
        expected[corner] = 2**31 + 1
        np.testing.assert_array_equal(np.asarray(painting.data), expected)
        assert save_labels(painting, viewer) == "cells: 1 box saved, all levels made anew"
        np.testing.assert_array_equal(open_labels(store, "cells").read(), expected)
        np.testing.assert_array_equal(np.asarray(viewer.layers["cells"].data[0]), expected)
        painting.undo()
        assert save_labels(painting, viewer) == "cells: 1 box saved"
        np.testing.assert_array_equal(open_labels(store, "cells").read(), labels)

        viewer.layers.selection = {viewer.layers[0]}
        viewer._new_labels()
        drawn = viewer.layers[-1]
        drawn.name, drawn.data[...] = "new", values(layout.replace("c", ""), drawn.data.dtype)
        before = np.array(drawn.data)
        assert save_labels(drawn, viewer).endswith("labels/new: saved")
        written = open_labels(store, "new")
        assert written.geometry == on_axes(open_image(store).geometry, layout.replace("c", ""))
        full = write_labels(store, before, name="full", axes=layout.replace("c", ""))
        assert full.geometry == written.geometry
        for mine, theirs in zip(written.levels, full.levels, strict=True):
            np.testing.assert_array_equal(mine.compute(), theirs.compute())
        # Then it is painted on as what is stored.
        drawn.brush_size = 1
        drawn.paint(tuple(0 for _ in before.shape), 99)
        assert "1 box saved" in save_labels(drawn, viewer)
        before.flat[0] = 99
        np.testing.assert_array_equal(open_labels(store, "new").read(), before)
        assert [v for v in check(store) if v.severity == "MUST"] == []


@pytest.mark.parametrize(
    ("layout", "axes"), [("tczyx", "zyx"), ("tczyx", "tzyx"), ("cyx", "yx"), ("tcyx", "yx")]
)
def test_layers_of_fewer_axes_are_saved_along_theirs(tmp_path, layout, axes):
    """Drawn as plain arrays: the last axes of what is shown, in the places of the image and its units."""
    store, made = str(tmp_path / "a.zarr"), values(axes, "uint8")
    microscope(store, layout, axes)
    keywords = {
        "name": "new",
        "scale": [SCALE[axis] for axis in axes],
        "axis_labels": [f"-{n}" for n in axes],
    }
    assert save_layers(store, [(made, keywords, "labels")]) == [f"{store}/labels/new"]
    written = open_labels(store, "new")
    assert written.geometry == on_axes(open_image(store).geometry, axes)
    np.testing.assert_array_equal(written.read(), made)


def test_planes_in_time_beside_one_plane(tmp_path):
    """Labels of t, y, x beside an image of t, z, y, x: an axis of one voxel keeps their time on that of the image."""
    image, labels = microscope(tmp_path / "a.zarr", "tzyx", "tyx", z=1)
    viewer = opened(tmp_path / "a.zarr")
    cells = viewer.layers["cells"]
    assert (cells.axis_labels, cells.data.shape) == (("t", "z", "y", "x"), (3, 1, 20, 18))
    for t in range(3):
        point = [t * 60.0, 0, 7 * 0.5, 11 * 0.25]
        assert seen(viewer, cells, point) == labels[t, 7, 11]
        assert seen(viewer, viewer.layers[0], point) == image[t, 0, 7, 11]
    painting = painted(viewer, "cells")
    painting.paint((1, 0, 7, 11), 12345)
    save_labels(painting, viewer)
    labels[1, 7, 11] = 12345
    np.testing.assert_array_equal(open_labels(tmp_path / "a.zarr").read(), labels)


def test_a_plane_that_others_share_among_many():
    """Nobody may write it so, but it is there: one voxel as long as all planes, so that each of them shows it."""
    planes, labels = (
        described_grid((3, 4, 20, 18), axes="tzyx", scale={"t": 60, "z": 2, "y": 0.5, "x": 0.25}),
        values("tyx"),
    )
    grid = described_grid(labels.shape, axes="tyx", scale={"t": 60, "y": 0.5, "x": 0.25})
    axes = layer_axes(grid, [planes, grid])
    view = LevelView(lambda box: labels[box], labels.shape, labels.dtype, axes)
    whole = layer_grid(grid, axes, [planes, grid])
    assert (view.shape, whole.axes) == ((3, 1, 20, 18), ("t", "z", "y", "x"))
    np.testing.assert_array_equal(view[1:, :, 2:5][1], labels[2:3, 2:5].reshape(1, 3, 18))
    assert np.asarray(view[:, 0:0]).shape == (3, 0, 20, 18)
    # From half a voxel before the first plane to half a voxel behind the last.
    assert whole.affine[2, 2] == 4 * 2
    assert whole.affine[2, 3] - whole.affine[2, 2] / 2 == -1
    assert all(np.rint(np.linalg.solve(whole.affine, [0, 0, z * 2.0, 1])[2]) == 0 for z in range(4))


def test_channels_are_shown_as_omero_says(tmp_path):
    """Names, colors, contrast, whether they are shown; what is not told is looked up in the channel itself."""
    store = tmp_path / "a.zarr"
    image, _ = microscope(store, "tczyx", "zyx")
    dapi, gfp, cells = read(str(store))
    assert [layer[1]["name"] for layer in (dapi, gfp, cells)] == ["DAPI", "GFP", "cells"]
    assert [layer[1]["visible"] for layer in (dapi, gfp)] == [True, False]
    assert [layer[1]["colormap"] for layer in (dapi, gfp)] == ["#0000ff", "#00ff00"]
    assert [layer[1]["contrast_limits"] for layer in (dapi, gfp)] == [(10, 500), (0, 700)]
    np.testing.assert_array_equal(np.asarray(gfp[0]), image[:, 1])

    path = store / "zarr.json"
    document = json.loads(path.read_text("utf-8"))
    document["attributes"]["ome"]["omero"] = {"channels": [{"color": "FF8000", "inverted": True}]}
    path.write_text(json.dumps(document), "utf-8")
    first, second = opened(store).layers[:2]
    assert [first.name, second.name] == ["image: channel 0", "image: channel 1"]
    np.testing.assert_allclose(first.colormap.colors[[0, -1]], [[1, 128 / 255, 0, 1], [0, 0, 0, 1]])
    np.testing.assert_allclose(second.colormap.colors[-1], [0, 1, 0, 1])
    for number, layer in enumerate((first, second)):
        assert tuple(layer.contrast_limits) == pytest.approx(np.percentile(image[:, number], (1, 99)), abs=2)


def test_labels_with_channels_of_their_own(tmp_path):
    """Each is a layer over the channel of its name, and painted on by itself."""
    store = tmp_path / "a.zarr"
    _, labels = microscope(store, "tczyx", "tczyx")
    viewer = opened(store)
    assert [layer.name for layer in viewer.layers] == ["DAPI", "GFP", "cells: DAPI", "cells: GFP"]
    place = {"t": 1, "z": 2, "y": 3, "x": 4}
    for channel, layer in enumerate(viewer.layers[2:]):
        assert seen(viewer, layer, [place[a] * SCALE[a] for a in "tzyx"]) == labels[named("tczyx", place | {"c": channel})]  # fmt: skip
    for channel, name in enumerate(("cells: DAPI", "cells: GFP")):
        painting = painted(viewer, name)
        painting.paint(named("tzyx", place), 1000 + channel)
        labels[named("tczyx", place | {"c": channel})] = 1000 + channel
        assert "1 box saved" in save_labels(painting, viewer)
    np.testing.assert_array_equal(open_labels(store).read(), labels)


def test_channels_are_saved_as_one_image(tmp_path):
    """File > Save of the layers of channels with labels: one image, and labels that all channels share."""
    image, labels = microscope(tmp_path / "a.zarr", "tczyx", "tzyx")
    target = str(tmp_path / "b.zarr")
    layers = [layer.as_layer_data_tuple() for layer in opened(tmp_path / "a.zarr").layers]
    save_layers(target, layers)
    copied, first = (open_contents(url) for url in (target, tmp_path / "a.zarr"))
    np.testing.assert_array_equal(copied.image.read(), image)
    assert copied.image.geometry == first.image.geometry
    assert copied.image.channels == first.image.channels
    ((cells,),) = copied.segmentations
    np.testing.assert_array_equal(cells.read(), labels)
    assert cells.geometry == on_axes(first.image.geometry, "tzyx")
    assert [v for v in check(target) if v.severity == "MUST"] == []
    moved = [(data, {**told, "affine": np.eye(5)} if told["name"] == "GFP" else told, kind) for data, told, kind in layers]  # fmt: skip
    with pytest.raises(UsageError, match="DAPI and GFP lie on different voxels"):
        save_layers(f"{tmp_path}/c.zarr", moved)
    assert not (tmp_path / "c.zarr").exists()


def test_a_scan_in_another_order_shows_what_is_stored(tmp_path):
    """A new layer whose voxels are turned onto those of the scan lies where it was drawn, and is painted on there."""
    shape, affine = (8, 10, 12), np.diag([-0.5, -0.5, 2.0, 1.0])
    scan = Geometry(shape, affine, frame="patient")
    write_labels(
        tmp_path / "a.zarr", np.zeros(shape, "u1"), name="a", image=Volume(np.ones(shape, "u1"), scan)
    )
    viewer, drawn = opened(tmp_path / "a.zarr"), np.zeros(shape, "u1")
    drawn[1, 2, 3] = 5
    layer = viewer.add_labels(
        drawn, name="new", scale=(2, 0.5, 0.5), translate=(0, -4.5, -5.5), axis_labels="zyx"
    )
    place = layer.data_to_world((1, 2, 3))
    save_labels(layer, viewer)
    assert open_labels(tmp_path / "a.zarr", "new").read()[1, 7, 8] == 5
    assert seen(viewer, layer, place) == 5


def test_an_image_without_channels_is_as_it_was(tmp_path):
    """One layer in gray, by its own name."""
    write_labels(tmp_path / "a.zarr", values("zyx", "u1"), name="a", image=values("zyx"), segments=[Segment(1, name="one")])  # fmt: skip
    (_, image, _), (_, labels, _) = read(str(tmp_path / "a.zarr"))
    assert (image["name"], image["colormap"], image["visible"]) == ("image", "gray", True)
    assert labels["features"]["name"][0] == "one"
