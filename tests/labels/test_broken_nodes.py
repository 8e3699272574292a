"""Groups and arrays that cannot be understood: each is told where it is, and hides none of the others."""

import json
import os
import zipfile

import numpy as np
import pytest
import zarr

from ngffseg import Segment, check, open_labels, write_labels
from ngffseg.errors import StoreError
from ngffseg.labels import list_labels, store_tree
from ngffseg.store import metered

LABELS = np.ones((8, 8, 8), np.uint8)
SEGMENTS = [Segment(1, color=(1, 2, 3))]


@pytest.fixture(params=["0.5", "0.4"])
def store(request, tmp_path):
    path = tmp_path / "a.zarr"
    for name in ("good", "odd"):
        write_labels(path, LABELS, name=name, segments=SEGMENTS, ngff=request.param, levels=2)
    return path


def document(store, path):
    """The file that holds the attributes of a group, or the form of an array."""
    names = ("zarr.json", ".zarray", ".zattrs")
    return next(store / path / name for name in names if (store / path / name).exists())


def edit(file, **changes):
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes))


def chunks_of(file, size):
    if file.name == "zarr.json":
        edit(file, chunk_grid={"name": "regular", "configuration": {"chunk_shape": size}})
    else:
        edit(file, chunks=size)


def codec(file):
    if file.name == "zarr.json":
        edit(file, codecs=[{"name": "bytes"}, {"name": "nobody.knows"}])
    else:
        edit(file, compressor={"id": "nobody.knows"})


def dtype(file):
    edit(file, **({"data_type": "r7"} if file.name == "zarr.json" else {"dtype": "<q7"}))


# What is broken, how, and as what it is told.
FAULTS = {
    "truncated group": ("labels/odd", lambda f: f.write_text(f.read_text()[:40]), "MUST"),
    "empty group": ("labels/odd", lambda f: f.write_text(""), "MUST"),
    "group that is no object": ("labels/odd", lambda f: f.write_text("[1]"), "MUST"),
    "group that is no text": ("labels/odd", lambda f: f.write_bytes(b"\xff\xfe"), "MUST"),
    "nested too deep": ("labels/odd", lambda f: f.write_text('{"a":' + "[" * 99999 + "]" * 99999 + "}"), "UNKNOWN"),
    "nested deep": ("labels/odd", lambda f: f.write_text('{"a":' + "[" * 300 + "]" * 300 + "}"), "UNKNOWN"),
    "truncated array": ("labels/odd/1", lambda f: f.write_text(f.read_text()[:40]), "MUST"),
    "unknown codec": ("labels/odd/1", codec, "UNKNOWN"),
    "unknown dtype": ("labels/odd/1", dtype, "MUST"),
    "negative shape": ("labels/odd/1", lambda f: edit(f, shape=[-1, 4, 4]), "MUST"),
    "shape of text": ("labels/odd/1", lambda f: edit(f, shape="4"), "MUST"),
    "huge shape": ("labels/odd/1", lambda f: edit(f, shape=[2**70, 4, 4]), "MUST"),
    "no chunk": ("labels/odd/1", lambda f: chunks_of(f, [0, 4, 4]), "MUST"),
    "chunk of two axes": ("labels/odd/1", lambda f: chunks_of(f, [4, 4]), "MUST"),
    "no shape": ("labels/odd/1", lambda f: f.write_text(f.read_text().replace('"shape"', '"shap"')), "MUST"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_node_is_told_where_it_is(fault, store):
    path, spoil, severity = FAULTS[fault]
    assert check(store) == []
    spoil(document(store, path))
    told = [v for v in check(store) if v.severity != "SHOULD"]
    assert [(v.severity, v.place.path) for v in told] == [(severity, path)]
    assert "\n" not in told[0].found


@pytest.mark.parametrize("fault", ["truncated group", "truncated array", "unknown codec"])
def test_one_odd_label_image_hides_none_of_the_others(fault, store):
    path, spoil, _ = FAULTS[fault]
    spoil(document(store, path))
    file = document(store, "labels")
    content = json.loads(file.read_text(encoding="utf-8"))
    attributes = content.get("attributes", content)
    attributes.get("ome", attributes)["labels"].insert(0, "gone")
    file.write_text(json.dumps(content))
    listed = {one.name: one for one in list_labels(store)}
    assert list(listed) == ["gone", "good", "odd"]
    assert np.array_equal(listed["good"].image.read(), LABELS)
    assert listed["gone"].problem == "nothing is there"
    tree = store_tree(store)
    assert [stored.image.name for stored in tree.labels] == ["good"]
    assert [broken.name for broken in tree.broken] == ["gone", "odd"]
    assert all("\n" not in broken.problem for broken in tree.broken)
    assert [len(stored.levels) for stored in tree.labels] == [2]


def test_a_sibling_that_nobody_lists_is_not_parsed_by_zarr(store):
    (store / "labels/mine").mkdir()
    (store / "labels/mine/zarr.json").write_text("")
    (found,) = check(store)
    assert (found.severity, found.where) == ("MUST", "labels/mine")


def test_what_may_not_be_read_cannot_be_judged(store):
    file = document(store, "labels/odd")
    file.chmod(0)
    if os.access(file, os.R_OK):
        pytest.skip("this user may read everything: run the tests as somebody else than root")
    (found,) = check(store)
    assert (found.severity, found.where) == ("UNKNOWN", "labels/odd")


def test_groups_in_each_other_without_end(store):
    place, metadata = store / "labels", document(store, "labels").name
    for _ in range(30):
        place = place / "x"
        zarr.create_group(place, zarr_format=3 if metadata == "zarr.json" else 2)
    (found,) = check(store)
    assert found.severity == "UNKNOWN"
    assert found.place.path == "labels" + "/x" * 20


@pytest.mark.parametrize("store", ["0.5"], indirect=True)
def test_names_in_an_archive_that_are_none(store, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.ozx", "w") as archive:
        for file in store.rglob("*"):
            if file.is_file():
                archive.write(file, file.relative_to(store).as_posix())
        for odd in ("labels/../x/zarr.json", "labels/../../y", "labels//z"):
            archive.writestr(odd, "{}")
    with pytest.raises(StoreError, match="which is no path within a store"):
        check(tmp_path / "a.ozx")


# They were 30 and 78 when zarr looked at each node, too.
@pytest.mark.parametrize(("store", "count"), [("0.5", 11), ("0.4", 41)], indirect=["store"])
def test_requests_of_a_good_store(store, count):
    with metered() as meter:
        assert check(store) == []
    assert meter.total == count


def test_opening_still_refuses_in_one_line(store):
    FAULTS["truncated group"][1](document(store, "labels/odd"))
    assert np.array_equal(open_labels(store, "good").read(), LABELS)
    with pytest.raises(ValueError, match="is no JSON"):
        open_labels(store, "odd")
