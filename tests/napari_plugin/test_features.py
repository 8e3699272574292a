"""Tables of features become properties of segments, and properties are shown in them; by napari without Qt."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from ngffseg import Segment, Segmentation, check, open_labels, write_labels
from ngffseg.errors import JobError, LabelValueError, UsageError
from ngffseg.geometry import identity
from ngffseg.labels import open_segmentation, update_segments, write_segmentation
from ngffseg.napari_plugin.axes import all_axes
from ngffseg.napari_plugin.layers import KEY, origin
from ngffseg.napari_plugin.painting import Painting
from ngffseg.napari_plugin.reader import read
from ngffseg.napari_plugin.saving import save_layers
from tests.labels.stores import digest

LARGE = 2**63 + 5
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of napari's own models
    from napari.components import ViewerModel

SHAPES = {2: (20, 30), 3: (4, 20, 30), 4: (2, 4, 20, 30), 5: (2, 2, 4, 20, 30)}


def labels():
    values = np.zeros((4, 20, 30), "uint64")
    values[0], values[1], values[2, :3] = 3, 5, LARGE
    return values


def opened(url):
    """All layers of a store, in a viewer of napari."""
    viewer = ViewerModel()
    for data, keywords, kind in read(str(url)):
        getattr(viewer, f"add_{kind}")(data, **keywords)
    return viewer


def painted(url, **changes):
    """A layer for painting on stored labels, with columns of its table changed."""
    image = open_labels(url)
    features = pd.DataFrame(opened(url).layers[-1].features)
    for column, values in changes.items():
        features[column] = values
    metadata = {KEY: origin(image, image.geometry, all_axes(image.geometry))}
    keywords = {"features": features, "metadata": metadata}
    return ViewerModel().add_labels(Painting(image), **keywords)


@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("ndim", SHAPES)
def test_labels_and_images_of_one_level_open(tmp_path, ndim, levels):
    """napari took the planes of a single level for levels: any such label image raised."""
    values = np.arange(np.prod(SHAPES[ndim]), dtype="uint16").reshape(SHAPES[ndim])
    write_labels(tmp_path / "a.zarr", values, name="a", image=values, levels=levels, method="nearest")
    viewer = opened(tmp_path / "a.zarr")
    # Of five axes two are channels, which are layers.
    layer, image = viewer.layers[-1], viewer.layers[len(viewer.layers) // 2 - 1]
    # Also of one level: what is painted on it by chance would not be saved.
    assert (layer.multiscale, layer.editable) == (True, False)
    expected = values[:, 1] if ndim == 5 else values
    np.testing.assert_array_equal(np.asarray(layer.data[0]).reshape(expected.shape), expected)
    last = tuple(n - 1 for n in layer.data.shape)
    assert image.multiscale == (levels > 1)
    viewer.dims.set_point(range(viewer.dims.ndim), last)
    if levels == 1:
        assert image.get_value(last) == layer.get_value(last)[1] == values.max()
    else:
        assert len(layer.data) == 2


def table():
    """All kinds of columns that people make."""
    return pd.DataFrame(
        {
            "index": np.array([3, 5, LARGE], np.uint64),
            "name": ["kidney", "", "spleen"],
            "area": [2.5, np.nan, 0.1],
            "class": pd.Categorical(["a", None, "b"]),
            "count": np.array([7, 8, 2**63 + 7], np.uint64),
            "good": [True, False, True],
            "note": ["x", None, "ü"],
            "seen": pd.to_datetime(["2024-02-29", None, "2024-03-01"]),
            "id": ["mine", "yours", "ours"],
        }
    )


EXPECTED = {
    3: ("kidney", {"area": 2.5, "class": "a", "count": 7, "good": True, "note": "x", "seen": "2024-02-29T00:00:00", "id": "mine"}),
    5: ("Segment_5", {"count": 8, "good": False, "id": "yours"}),
    LARGE: ("spleen", {"area": 0.1, "class": "b", "count": 2**63 + 7, "good": True, "note": "ü", "seen": "2024-03-01T00:00:00", "id": "ours"}),
}  # fmt: skip


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_features_of_a_new_layer_become_properties(tmp_path, version):
    """All of them were dropped. A cell without a value is no property."""
    write_labels(tmp_path / "a.zarr", labels(), name="other", ngff=version)
    layer = ViewerModel().add_labels(labels(), features=table(), name="cells")
    assert save_layers(f"{tmp_path}/a.zarr", [layer.as_layer_data_tuple()])
    found = {
        s.label_value: (s.name, s.properties) for s in open_labels(tmp_path / "a.zarr", "cells").segments
    }
    assert found == EXPECTED
    assert not [v for v in check(tmp_path / "a.zarr") if v.severity == "MUST"]


def test_without_an_index_a_row_is_the_label_of_its_number(tmp_path):
    """As napari takes it; row 0 is the background. Whole numbers under ``label`` are no names."""
    layer = ViewerModel().add_labels(
        labels() % 4, features={"label": [0, 1, 2, 3], "area": [9.0, 1.5, np.nan, 3.5]}
    )
    save_layers(f"{tmp_path}/a.zarr", [layer.as_layer_data_tuple()])
    found = {s.label_value: s.properties for s in open_labels(tmp_path / "a.zarr").segments}
    assert found == {1: {"label": 1, "area": 1.5}, 2: {"label": 2}, 3: {"label": 3, "area": 3.5}}


def test_stored_properties_are_shown_and_copied(tmp_path):
    """In the table and in the status bar; columns of the index do not become properties of the copy."""
    properties = {
        "area": 2.5,
        "n": 2**63 + 7,
        "points": [1, 2],
        "where": {"a": None},
        "voxels": "no column of ours",
    }
    segments = [
        Segment(3, name="kidney", properties=properties),
        Segment(5, properties={"area": 1.0, "class": "b"}),
    ]
    write_labels(tmp_path / "a.zarr", labels(), name="a", segments=segments)
    layer = opened(tmp_path / "a.zarr").layers["a"]
    features = layer.features
    assert features["index"].tolist() == [3, 5, LARGE]
    assert features["n"].tolist() == [2**63 + 7, None, None]
    assert features["points"].tolist() == [[1, 2], None, None]
    assert features["class"].fillna("-").tolist() == ["-", "b", "-"]
    assert features["voxels"].tolist() == [600, 600, 90]
    # napari shows the plane in the middle, of label 5.
    assert layer.get_status((1, 0, 0), world=True)["value"].endswith("area: 1, class: b")
    save_layers(f"{tmp_path}/b.zarr", [layer.as_layer_data_tuple()])
    copied = {s.label_value: s.properties for s in open_labels(tmp_path / "b.zarr").segments}
    del properties["voxels"]
    assert copied == {3: properties, 5: {"area": 1.0, "class": "b"}, LARGE: {}}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_features_that_changed_are_saved_with_what_was_painted(tmp_path, version):
    """Names and properties; all else of the document, of others too, stays as it was."""
    segments = [
        Segment(3, name="kidney", color=(9, 8, 7, 255), properties={"area": 1.0, "null": None}),
        Segment(5, name="liver"),
    ]
    store = write_labels(tmp_path / "a.zarr", labels(), name="a", segments=segments, ngff=version).url
    file = tmp_path / "a.zarr" / "labels" / "a" / ("zarr.json" if version == "0.5" else ".zattrs")
    document = json.loads(file.read_bytes())
    attributes = document["attributes"] if version == "0.5" else document
    label = (attributes["ome"] if version == "0.5" else attributes)["image-label"]
    label["of others"], attributes["theirs"] = {"a": 1}, {"b": 2}
    label["properties"][1]["of others"] = "kept"
    file.write_text(json.dumps(document), "utf-8")
    layer = painted(
        store, name=["left kidney", "liver", "new"], area=[2.5, np.nan, np.nan], score=[np.nan, np.nan, 7.5]
    )
    layer.data[3, 0, 0] = 5
    save_layers(store, [layer.as_layer_data_tuple()])
    image = open_labels(store)
    assert image.read()[3, 0, 0] == 5
    found = {s.label_value: (s.name, s.color, s.properties) for s in image.segments}
    assert found[3] == ("left kidney", (9, 8, 7, 255), {"area": 2.5, "null": None})
    assert (found[5][0], found[5][2]) == ("liver", {})
    assert (found[LARGE][0], found[LARGE][2]) == ("new", {"score": 7.5})
    after = json.loads(file.read_bytes())
    after = after["attributes"] if version == "0.5" else after
    now = (after["ome"] if version == "0.5" else after)["image-label"]
    assert (now["of others"], after["theirs"]) == ({"a": 1}, {"b": 2})
    assert now["properties"][1] == label["properties"][1]
    assert [row["label-value"] for row in now["colors"]] == [row["label-value"] for row in now["properties"]]
    assert not [v for v in check(store) if v.severity == "MUST"]
    # Saved again, nothing has changed; a cell that was emptied takes its property away.
    before = digest(tmp_path)
    save_layers(store, [painted(store).as_layer_data_tuple()])
    assert digest(tmp_path) == before
    save_layers(store, [painted(store, area=[np.nan] * 3).as_layer_data_tuple()])
    assert open_labels(store).segments[0].properties == {"null": None}


def test_features_that_json_cannot_hold_are_refused_before_anything_is_written(tmp_path):
    store = write_labels(tmp_path / "a.zarr", labels(), name="a").url
    layer = painted(store, area=[1.0, np.inf, 2.0])
    layer.data[3, 0, 0] = 5
    before = digest(tmp_path)
    with pytest.raises(UsageError, match=r"^segment 5: property 'area' is inf"):
        save_layers(store, [layer.as_layer_data_tuple()])
    assert digest(tmp_path) == before


def test_segments_of_overlapping_layers_keep_ids_of_their_own(tmp_path):
    """A new segment of the second layer may have a label value of the first; exports find both."""
    values = np.ones((4, 8, 8), "uint8")
    whole = Segmentation((values, values), (Segment(1, name="a"),), identity(values.shape))
    store = write_segmentation(tmp_path / "a.zarr", whole, name="a").url
    image = open_labels(store, "a__layer1")
    features = {"index": [1], "name": ["b"], "area": [1.5]}
    metadata = {KEY: origin(image, image.geometry, all_axes(image.geometry))}
    layer = ViewerModel().add_labels(Painting(image), features=features, metadata=metadata)
    save_layers(store, [layer.as_layer_data_tuple()])
    assert [(s.layer, s.label_value, s.name) for s in open_segmentation(store).segments] == [
        (0, 1, "a"),
        (1, 1, "b"),
    ]
    with pytest.raises(UsageError, match="the id is used twice"):
        update_segments(open_labels(store, "a__layer1"), [Segment(2, "Segment_1", layer=1)])
    with pytest.raises(LabelValueError, match="does not fit uint8"):
        update_segments(image, [Segment(300, layer=1)])


def test_segments_of_what_was_replaced_are_not_changed(tmp_path):
    image = write_labels(tmp_path / "a.zarr", labels(), name="a")
    write_labels(tmp_path / "a.zarr", labels(), name="a", overwrite=True)
    before = digest(tmp_path)
    with pytest.raises(JobError, match="was replaced since it was opened"):
        update_segments(image, [Segment(3, name="b")])
    assert digest(tmp_path) == before


def test_tables_of_others_are_not_touched_by_painting(tmp_path):
    """Their names are properties too; lists of one length are cells, and no table of numbers."""
    store = write_labels(tmp_path / "a.zarr", labels(), name="a").url
    file = tmp_path / "a.zarr" / "labels" / "a" / "zarr.json"
    document = json.loads(file.read_bytes())
    theirs = [
        {"label-value": 3, "name": "kidney", "class": "organ", "point": [1, 2]},
        {"label-value": 5, "name": "liver", "class": None, "point": [3, 4]},
        {"label-value": LARGE, "name": "spleen", "point": [5, 6]},
    ]
    document["attributes"]["ome"]["image-label"] |= {
        "properties": theirs,
        "colors": [{"label-value": row["label-value"], "rgba": [1, 2, 3, 255]} for row in theirs],
    }
    file.write_text(json.dumps(document), "utf-8")
    layer = painted(store)
    assert layer.features["point"].tolist() == [[1, 2], [3, 4], [5, 6]]
    layer.data[3, 0, 0] = 5
    save_layers(store, [layer.as_layer_data_tuple()])
    image = open_labels(store)
    assert image.read()[3, 0, 0] == 5
    after = json.loads(file.read_bytes())["attributes"]["ome"]["image-label"]
    assert after == document["attributes"]["ome"]["image-label"]
