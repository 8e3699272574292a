"""Label images as others really write them: old versions, new ones, and loose ends."""

import json

import numpy as np
import pytest
import zarr

from ngffseg import Segment, check, export_segmentation, open_labels, write_labels
from ngffseg.convert.ozx import write_archive
from ngffseg.errors import MetadataError, StoreNotFoundError, UsageError
from ngffseg.labels import open_contents, store_tree
from ngffseg.store import metered, retry

LABELS = np.random.default_rng(0).integers(0, 3, (1, 1, 5, 20, 30)).astype(np.int32)
COLORS = [{"label-value": 2, "rgba": [1, 2, 3, 4]}]


def old_image(path, version, axes, separator, extra):
    """An image group of Zarr v2 as that version has it, two levels."""
    multiscales = {"version": version, "datasets": [{"path": "0"}, {"path": "1"}]}
    if axes:
        multiscales["axes"] = axes
    zarr.create_group(path, zarr_format=2, attributes={"multiscales": [multiscales], **extra})
    for level in (0, 1):
        data = LABELS[..., :: 2**level, :: 2**level]
        array = zarr.create_array(
            f"{path}/{level}", shape=data.shape, chunks=(1, 1, 5, 8, 8), dtype=data.dtype, zarr_format=2,
            chunk_key_encoding={"name": "v2", "separator": separator},
        )  # fmt: skip
        array[...] = data


@pytest.mark.parametrize(
    ("version", "axes", "separator"),
    [("0.1", None, "."), ("0.2", None, "/"), ("0.3", ["t", "c", "z", "y", "x"], "/")],
)
def test_versions_before_0_4(version, axes, separator, tmp_path):
    store = tmp_path / "old.zarr"
    old_image(store, version, axes, separator, {})
    zarr.create_group(store / "labels", zarr_format=2, attributes={"labels": ["cells"]})
    label = {"version": version, "colors": COLORS, "source": {"image": "../../"}}
    old_image(store / "labels" / "cells", version, axes, separator, {"image-label": label})
    image = open_labels(store)
    np.testing.assert_array_equal(image.read(), LABELS)
    assert image.geometry.axes == ("t", "c", "z", "y", "x")
    assert image.segments == (Segment(2, color=(1, 2, 3, 4)),)
    assert store_tree(store).version == version
    with pytest.raises(MetadataError, match=f"OME-Zarr {version}"):
        write_labels(store, LABELS, name="new")


def test_the_release_candidate_of_0_6(tmp_path):
    system = {
        "name": "intrinsic",
        "axes": [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"],
    }
    scale = {"type": "scale", "scale": [3, 2, 1], "input": {"path": "0"}, "output": {"name": "intrinsic"}}
    multiscales = [
        {"coordinateSystems": [system], "datasets": [{"path": "0", "coordinateTransformations": [scale]}]}
    ]
    attributes = {"ome": {"version": "0.6rc0", "multiscales": multiscales, "image-label": {"colors": COLORS}}}
    zarr.create_group(tmp_path / "new.zarr", attributes=attributes)
    zarr.create_array(tmp_path / "new.zarr" / "0", data=LABELS[0, 0], dimension_names=["z", "y", "x"])
    image = open_labels(tmp_path / "new.zarr")
    np.testing.assert_array_equal(image.read(), LABELS[0, 0])
    assert np.diag(image.geometry.affine).tolist() == [1, 2, 3, 1]
    assert image.geometry.units == ("micrometer",) * 3


@pytest.fixture
def store(tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS[0, 0], name="cells", segments=[Segment(1, name="one")], levels=2)
    return tmp_path / "a.zarr"


def put(store, path, change):
    group = zarr.open_group(store, path=path, mode="r+")
    attributes = dict(group.attrs.asdict())
    change(attributes)
    group.attrs.put(attributes)


def test_a_label_image_that_no_register_names(store):
    put(store, "labels", lambda a: a["ome"].update(labels=["other"]))
    np.testing.assert_array_equal(open_labels(store, "cells").read(), LABELS[0, 0])
    np.testing.assert_array_equal(open_labels(f"{store}/labels/cells").read(), LABELS[0, 0])


def test_a_labels_group_without_a_version(store):
    put(store, "labels", lambda a: a["ome"].pop("version"))
    assert open_labels(store).segments[0].name == "one"


def test_a_label_image_alone(store):
    image = open_labels(store / "labels" / "cells")
    assert image.name == "cells"
    (store / "labels" / "cells").rename(store.parent / "alone.zarr")
    alone = open_labels(store.parent / "alone.zarr")
    np.testing.assert_array_equal(alone.read(), LABELS[0, 0])
    assert alone.segments == image.segments
    assert export_segmentation(store.parent / "alone.zarr", store.parent / "a.nrrd") != ()


def test_a_store_that_holds_labels_alone(store):
    for file in ("zarr.json", "0/zarr.json", "1/zarr.json"):
        (store / file).unlink()
    np.testing.assert_array_equal(open_labels(store).read(), LABELS[0, 0])


def test_questions_that_have_no_answer(store):
    write_labels(store, LABELS[0, 0], name="more")
    with pytest.raises(UsageError, match="name one of cells, more"):
        open_labels(store)
    with pytest.raises(UsageError, match="names the label image 'cells', not 'more'"):
        open_labels(f"{store}/labels/cells", "more")
    with pytest.raises(StoreNotFoundError, match="no label image 'none'"):
        open_labels(store, "none")
    with pytest.raises(StoreNotFoundError, match="no OME-Zarr store"):
        open_labels(store.parent / "nothing.zarr")
    with pytest.raises(UsageError, match="empty"):
        open_labels("")


def test_broken_stores_are_told_in_one_line(store):
    (store / "labels/cells/1/zarr.json").unlink()
    with pytest.raises(MetadataError, match="labels/cells/1: the level is missing"):
        _ = open_labels(store).levels
    put(store, "labels/cells", lambda a: a["ome"].pop("multiscales"))
    with pytest.raises(MetadataError, match="hold no multiscales"):
        open_labels(store)


def test_float_images_are_no_labels(tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS[0, 0], name="a", image=LABELS[0, 0].astype(np.float32))
    put(tmp_path / "a.zarr", "", lambda a: a["ome"].update({"image-label": {}}))
    with pytest.raises(MetadataError, match="float32"):
        open_labels(tmp_path / "a.zarr")


def test_replacing_where_folders_cannot_be_swapped(store, monkeypatch):
    from ngffseg.labels.jobs import job
    from tests.labels.stores import faults

    monkeypatch.setattr(job, "can_exchange", lambda *_: False)
    for value in (1, 2):
        image = write_labels(store, LABELS[0, 0] * value, name="cells", overwrite=True)
        np.testing.assert_array_equal(image.read(), LABELS[0, 0] * value)
        assert faults(store) == []
        assert len([p for p in (store / "labels/cells").iterdir() if p.is_dir()]) == 2


def test_swapping_is_tried_out_and_leaves_nothing(tmp_path):
    from ngffseg import store

    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "kept").touch()
    assert store.can_exchange(str(tmp_path / "s"), "ngffseg/jobs/x")
    assert [p.name for p in (tmp_path / "s").iterdir()] == ["kept"]
    assert not store.can_exchange("memory://x", "y")


def test_a_server_that_fails_is_told_in_one_line(tmp_path, monkeypatch):
    """Once patience with a server that has answered before is at its end."""
    monkeypatch.setattr(retry, "PATIENCE", 2.0)
    from ngffseg.errors import StoreError
    from tests.labels.stores import unlistable

    with unlistable(tmp_path) as server:
        with pytest.raises(StoreNotFoundError, match="no OME-Zarr store"):
            open_labels(f"{server}/nothing.zarr")
    with pytest.raises(StoreError) as caught:
        open_labels(f"{server}/stopped.zarr")
    assert "\n" not in str(caught.value)
    assert server in str(caught.value)


@pytest.mark.parametrize("version", ["0.5", "0.4"])
def test_copies_of_metadata_that_are_out_of_date_are_found_and_mended(version, tmp_path):
    """As after another program has written a level anew."""
    store = tmp_path / "a.zarr"
    write_labels(store, LABELS[0, 0], name="a", ngff=version, levels=2)
    file = store / "labels/a/1" / ("zarr.json" if version == "0.5" else ".zarray")
    document = json.loads(file.read_text())
    document["shape"][0] += 1
    file.write_text(json.dumps(document))
    (found,) = [v for v in check(store) if v.where.startswith("labels/a#/ngffseg/arrays/1")]
    assert found.severity == "MUST"
    assert [v for v in check(store, fix=True) if v.severity == "MUST"] == []
    with metered():  # as on a server
        assert open_labels(store, "a")._arrays[1].shape == tuple(document["shape"])


@pytest.mark.parametrize("name", ["case1.ome.zarr", "case1", "case.ozx"])
def test_a_store_in_a_folder_called_labels(name, tmp_path):
    store = tmp_path / "proj" / "labels" / name
    labels = np.ones((4, 4, 4), np.uint8)
    if name == "case1":  # made elsewhere: a new address without a suffix is a label image of proj
        write_labels(tmp_path / "case1", labels, name="organs")
        store.parent.mkdir(parents=True)
        (tmp_path / "case1").rename(store)
    elif name == "case.ozx":
        store.parent.mkdir(parents=True)
        write_labels(tmp_path / "a.zarr", labels, name="organs")
        write_archive(tmp_path / "a.zarr", store)
    else:
        write_labels(store, labels, name="organs")
    for address in (store, store / "labels" / "organs"):
        assert open_labels(address).name == "organs"
    assert open_contents(store).segmentations[0][0].url == str(store)


def test_a_label_image_may_have_the_name_of_a_store(tmp_path):
    write_labels(tmp_path / "proj", np.ones((4, 4, 4), np.uint8), name="case1.zarr")
    assert open_labels(tmp_path / "proj" / "labels" / "case1.zarr").url == str(tmp_path / "proj")
