"""Segments of a label image that has no index: counted from level 0, and nothing is written."""

import gc
import json
import os
import shutil
import tempfile

import numpy as np
import pytest
import zarr

from ngffseg import open_labels, segment_index, write_labels
from ngffseg.cli.main import run
from ngffseg.errors import LabelValueError, StoreNotFoundError
from ngffseg.labels import count_segments
from tests.labels.stores import digest, unlistable
from tests.labels.test_counting import SHAPES, counted, labels_of, told

VERSIONS = ["0.1", "0.2", "0.3", "0.4", "0.5"]
NAMES = ("t", "c", "z", "y", "x")


def foreign(folder, version, labels, path, **form):
    """A label image as other programs wrote it in that version, at a path of a store that registers nothing."""
    fmt = 3 if version == "0.5" else 2
    root = zarr.create_group(folder, zarr_format=fmt)
    group = root.create_group(path) if path else root
    options = {"chunks": (1,) * (labels.ndim - 2) + (8, 8)} | form
    group.create_array("0", shape=labels.shape, dtype=labels.dtype, fill_value=0, **options)[:] = labels
    dataset = {"path": "0"}
    multiscales = {"version": version, "datasets": [dataset]}
    names = NAMES[-labels.ndim :]
    if version == "0.3":
        multiscales["axes"] = list(names)
    if version in ("0.4", "0.5"):
        kinds = {"t": "time", "c": "channel"}
        multiscales["axes"] = [{"name": name, "type": kinds.get(name, "space")} for name in names]
        scale = {"type": "scale", "scale": [1.0] * labels.ndim}
        dataset["coordinateTransformations"] = [scale]
    metadata = {"multiscales": [multiscales], "image-label": {"version": version}}
    group.attrs.put({"ome": {"version": "0.5", **metadata}} if fmt == 3 else metadata)
    return folder


@pytest.mark.parametrize("path", ["labels/theirs", ""], ids=["unregistered", "root"])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_counted_and_nothing_is_written(version, path, tmp_path, capsys):
    labels = labels_of(5)
    store = foreign(tmp_path / "a.zarr", version, labels, path)
    before = digest(store)
    words = ["segments", str(store), *(["--name", "theirs"] if path else [])]
    image = open_labels(store, "theirs" if path else None)
    with pytest.raises(StoreNotFoundError, match="has no segment index"):
        segment_index(image)
    found = {value: facts[:3] for value, facts in told(count_segments(image)).items()}
    assert found == {value: facts[:3] for value, facts in counted(labels).items()}
    assert run([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert {row["label_value"]: row["voxels"] for row in json.loads(out)} == {
        v: f[0] for v, f in found.items()
    }
    (line,) = err.splitlines()
    assert "has no segment index: counted from level 0" in line
    hinted = f"; ngffseg pyramid {store} --name theirs writes one"
    assert line.endswith(hinted if path and version in ("0.4", "0.5") else "level 0")
    assert run([*words, "--label", "3"]) == 0
    assert run([*words, "--label", "77"]) == 2
    assert digest(store) == before
    if line.endswith(hinted):
        assert run(hinted[len("; ngffseg ") : -len(" writes one")].split()) == 0
        assert told(segment_index(open_labels(store, "theirs"))).keys() == found.keys()


@pytest.mark.parametrize("ndim", SHAPES)
@pytest.mark.parametrize("ngff", ["0.4", "0.5"])
def test_the_table_is_the_one_that_the_index_gives(ndim, ngff, tmp_path):
    image = write_labels(tmp_path / "a.zarr", labels_of(ndim), name="a", chunks=8, ngff=ngff, levels=2)
    index, other = segment_index(image), count_segments(image)
    assert list(other) == list(index)
    assert told(other) == told(index)
    for key, column in index.table().items():
        np.testing.assert_array_equal(other.table()[key], column)


FORMS = {
    "big endian": {"dtype": ">u4"},
    "order F": {"order": "F"},
    "chunks larger than it": {"chunks": (64, 64, 64)},
    "odd chunks": {"chunks": (7, 33, 5)},
    "flat keys": {"chunk_key_encoding": {"name": "v2", "separator": "."}},
}


@pytest.mark.parametrize("form", FORMS)
def test_odd_forms_of_others(form, tmp_path):
    labels = labels_of(3).astype(FORMS[form].get("dtype", "u2"))
    options = {key: value for key, value in FORMS[form].items() if key != "dtype"}
    store = foreign(tmp_path / "a.zarr", "0.4", labels, "", **options)
    found = told(count_segments(open_labels(store)))
    assert {v: f[:3] for v, f in found.items()} == {v: f[:3] for v, f in counted(labels).items()}


def test_a_store_that_cannot_be_written_gets_no_hint(tmp_path, capsys):
    labels = labels_of(3)
    foreign(tmp_path / "a.zarr", "0.5", labels, "labels/theirs")
    shutil.make_archive(str(tmp_path / "b"), "zip", tmp_path / "a.zarr")
    with unlistable(tmp_path) as server:
        for address in (tmp_path / "b.zip", f"{server}/a.zarr"):
            assert run(["segments", f"{address}/labels/theirs"]) == 0
            assert capsys.readouterr().err.rstrip().endswith("counted from level 0")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere: run it as another user")
def test_a_folder_that_may_not_be_written_gets_no_hint(tmp_path, capsys):
    store = foreign(tmp_path / "a.zarr", "0.5", labels_of(3), "labels/theirs")
    store.chmod(0o500)
    assert run(["segments", f"{store}/labels/theirs"]) == 0
    assert capsys.readouterr().err.rstrip().endswith("counted from level 0")


def test_nothing_is_left_in_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    labels = labels_of(3).astype(np.int16)
    index = count_segments(open_labels(foreign(tmp_path / "a.zarr", "0.4", labels, "")))
    assert len(list(tmp_path.joinpath("tmp").iterdir())) == 1
    assert 3 in index
    del index
    gc.collect()
    labels[3, 3, 3] = -1
    with pytest.raises(LabelValueError, match="is negative"):
        count_segments(open_labels(foreign(tmp_path / "b.zarr", "0.4", labels, "")))
    assert list(tmp_path.joinpath("tmp").iterdir()) == []
