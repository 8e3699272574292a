"""The judge finds each fault in real stores, those that other judges miss included."""

import json
from pathlib import Path

import numpy as np
import pytest
import zarr

from ngffseg import Segment, check, write_labels
from ngffseg.errors import StoreNotFoundError
from tests.labels.stores import digest

LABELS = np.random.default_rng(0).integers(0, 3, (8, 20, 20)).astype(np.uint8)
SEGMENTS = (Segment(1, name="a", color=(1, 2, 3)), Segment(2, name="b"))


@pytest.fixture(params=["0.5", "0.4"])
def version(request):
    return request.param


@pytest.fixture
def store(tmp_path, version):
    path = tmp_path / "case.ome.zarr"
    write_labels(path, LABELS, name="cells", segments=SEGMENTS, ngff=version, levels=2, chunks=8)
    return path


def edit(store, path, change):
    """Change the OME metadata of a group on disk, without the code under test."""
    file = store / path / "zarr.json"
    if file.exists():
        content = json.loads(file.read_text(encoding="utf-8"))
        change(content["attributes"]["ome"])
    else:
        file = store / path / ".zattrs"
        content = json.loads(file.read_text(encoding="utf-8"))
        change(content)
    file.write_text(json.dumps(content))


def level0(store, path, **changes):
    """Change the metadata of an array on disk."""
    file = store / path / "zarr.json"
    file = file if file.exists() else store / path / ".zarray"
    content = json.loads(file.read_text(encoding="utf-8"))
    for key, value in changes.items():
        if key in content or key == "dimension_names":
            content[key] = value
            if value is None:
                del content[key]
    file.write_text(json.dumps(content))


def found(url, severity="MUST"):
    return [v for v in check(url) if v.severity == severity]


LABEL = "labels/cells"


def float_dtype(store):
    name = "float32" if (store / "zarr.json").exists() else "<f4"
    level0(store, f"{LABEL}/0", data_type=name, dtype=name)
    level0(store, f"{LABEL}/1", data_type=name, dtype=name)


def colors(change):
    return lambda store: edit(store, LABEL, lambda ome: change(ome["image-label"]))


def add_level_to_image(store):
    def change(ome):
        datasets = ome["multiscales"][0]["datasets"]
        datasets.append({**datasets[-1], "path": "2"})

    edit(store, "", change)
    source = store / "1"
    for file in source.iterdir():
        (store / "2").mkdir(exist_ok=True)
        (store / "2" / file.name).write_bytes(file.read_bytes())


def unlist(store):
    write_labels(store, LABELS, name="second", segments=SEGMENTS)
    edit(store, "labels", lambda ome: ome.update(labels=["second"]))


FAULTS = {
    "float dtype": (float_dtype, "MUST", "integer data types"),
    "missing group listed": (lambda s: edit(s, "labels", lambda o: o["labels"].append("nuclei")), "MUST", "array of paths to the labeled"),
    "empty list": (lambda s: edit(s, "labels", lambda o: o.update(labels=[])), "MUST", "hides them all"),
    "unlisted": (unlist, "SHOULD", "SHOULD be listed"),
    "no list": (lambda s: edit(s, "labels", lambda o: o.pop("labels")), "MUST", 'MUST contain a JSON object with the key `labels`'),
    "number of levels": (add_level_to_image, "MUST", "same number of entries"),
    "two colors of one value": (colors(lambda il: il["colors"].append({"label-value": 1, "rgba": [9, 9, 9, 9]})), "MUST", "unique"),
    "value 1.5": (colors(lambda il: il["colors"][0].update({"label-value": 1.5})), "MUST", "MUST be an integer"),
    "value 1.0": (colors(lambda il: il["colors"][0].update({"label-value": 1.0})), "MUST", "MUST be an integer"),
    "rgba 300": (colors(lambda il: il["colors"][0].update(rgba=[300, 0, 0, 0])), "MUST", "between 0 and 255"),
    "empty colors": (colors(lambda il: il.update(colors=[])), "MUST", "the unique label values"),
    "empty properties": (colors(lambda il: il.update(properties=[])), "MUST", "`properties` key"),
    "dangling source": (colors(lambda il: il.update(source={"image": "../../elsewhere"})), "MUST", "path to a Zarr image group"),
    "source is no image": (colors(lambda il: il.update(source={"image": ".."})), "MUST", "path to a Zarr image group"),
    "no image-label": (lambda s: edit(s, LABEL, lambda o: o.pop("image-label")), "SHOULD", "SHOULD contain another key, `image-label`"),
    "other values in properties": (colors(lambda il: il["properties"].pop()), "SHOULD", "same label values"),
    "no colors": (colors(lambda il: il.pop("colors")), "SHOULD", "`colors`"),
    "level missing": (lambda s: edit(s, LABEL, lambda o: o["multiscales"][0]["datasets"][1].update(path="9")), "MUST", "path to the array"),
    "layer of a document unlisted": (unlist, "MUST", "layers of a segmentation document"),
    "levels swapped": (lambda s: edit(s, LABEL, lambda o: o["multiscales"][0]["datasets"].reverse()), "MUST", "ordered from largest"),
    "axis missing": (lambda s: edit(s, LABEL, lambda o: o["multiscales"][0]["axes"].pop(0)), "MUST", "dimensionality"),
    "short scale": (
        lambda s: edit(s, LABEL, lambda o: o["multiscales"][0]["datasets"][0]["coordinateTransformations"][0].update(scale=[1, 1])),
        "MUST", "same as the length",
    ),
    "no multiscales": (lambda s: edit(s, LABEL, lambda o: o.pop("multiscales")), "MUST", "array of paths to the labeled"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(fault, store):
    assert found(store) == found(store, "SHOULD") == []
    spoil, severity, rule = FAULTS[fault]
    spoil(store)
    rules = [v.rule for v in found(store, severity)]
    assert any(rule in r for r in rules), rules


ONLY_05 = {
    "labels group without version": (
        lambda s: edit(s, "labels", lambda o: o.pop("version")),
        "denoted as a string",
    ),
    "label without version": (lambda s: edit(s, LABEL, lambda o: o.pop("version")), "denoted as a string"),
    "another version inside": (lambda s: edit(s, LABEL, lambda o: o.update(version="0.4")), "namespaced key"),
    "no dimension_names": (lambda s: level0(s, f"{LABEL}/0", dimension_names=None), "dimension_names"),
    "other dimension_names": (
        lambda s: level0(s, f"{LABEL}/1", dimension_names=["x", "y", "z"]),
        "dimension_names",
    ),
}


@pytest.mark.parametrize("version", ["0.5"], indirect=True)
@pytest.mark.parametrize("fault", ONLY_05)
def test_faults_of_0_5_alone(fault, store):
    spoil, rule = ONLY_05[fault]
    spoil(store)
    assert any(rule in v.rule for v in found(store)), found(store)


@pytest.mark.parametrize("root", ["", "labels", LABEL])
def test_a_fault_is_found_from_every_root(root, store):
    assert found(store / root) == []
    float_dtype(store)
    assert any("integer data types" in v.rule for v in found(store / root))


def test_metadata_of_groups_between(store):
    zarr.create_group(
        store / "labels" / "deep", zarr_format=3 if (store / "zarr.json").exists() else 2, attributes={"a": 1}
    )
    assert any("Intermediate groups" in v.rule for v in found(store))


def test_the_wrong_zarr_format(tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS, name="cells", segments=SEGMENTS, ngff="0.4", levels=1)
    attributes = json.loads((tmp_path / "a.zarr/labels/cells/.zattrs").read_text(encoding="utf-8"))
    zarr.create_group(tmp_path / "b.zarr", zarr_format=3, attributes=attributes)
    assert any("defined by version 2" in v.rule for v in found(tmp_path / "b.zarr"))


MENDED = ("two colors of one value", "empty colors", "empty properties", "empty list", "no list", "unlisted")


@pytest.mark.parametrize("fault", MENDED)
def test_what_can_be_mended_is(fault, store):
    FAULTS[fault][0](store)
    left = check(store, fix=True)
    assert [v for v in left if v.severity == "MUST"] == []
    assert not any(FAULTS[fault][2] in v.rule for v in left)
    assert check(store) == left


def test_mending_keeps_the_last_color_and_everything_else(store):
    before = digest(store)
    FAULTS["two colors of one value"][0](store)
    check(store, fix=True)
    after = digest(store)
    metadata = "zarr.json" if (store / "zarr.json").exists() else ".zattrs"
    assert {name for name in before if before[name] != after[name]} == {f"{LABEL}/{metadata}"}
    edit(store, LABEL, lambda ome: after.update(colors=ome["image-label"]["colors"]))
    assert [c["rgba"] for c in after["colors"] if c["label-value"] == 1] == [[9, 9, 9, 9]]


def test_checking_writes_nothing(store):
    FAULTS["empty colors"][0](store)
    before = digest(store)
    check(store)
    assert digest(store) == before


def test_an_array_and_nothing(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", shape=(4,), dtype="u1")
    assert [v.expected for v in check(tmp_path / "a.zarr")] == ["a group"]
    with pytest.raises(StoreNotFoundError):
        check(tmp_path / "nothing")
    assert not Path(tmp_path / "nothing").exists()


def test_a_group_of_something_else(tmp_path):
    zarr.create_group(tmp_path / "g.zarr", attributes={"mine": 1})
    (violation,) = check(tmp_path / "g.zarr")
    assert violation.severity == "MUST"
    assert "mine" in violation.found
