"""A store in one file, as RFC-9 has it, read by us and by others."""

import json
import zipfile

import ngff_zarr
import numpy as np
import pytest
import tensorstore as ts
import zarr
from ngff_zarr.rfc9_zip import is_ozx_path, read_ozx_json_first, read_ozx_version

from ngffseg import Segment, check, export_segmentation, import_segmentation, open_labels, write_labels
from ngffseg.cli.main import run
from ngffseg.convert.ozx import write_archive
from ngffseg.errors import MetadataError, StoreError, StoreNotFoundError, UsageError
from ngffseg.labels import store_tree
from tests.labels.stores import digest, unlistable

LABELS = np.random.default_rng(0).integers(0, 5, (40, 50, 60)).astype(np.uint32)


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "a.ome.zarr"
    write_labels(path, LABELS, name="cells", segments=[Segment(1, name="one")], chunks=16, shards=32)
    write_labels(path, LABELS * 2, name="more", chunks=16, shards=32)
    return path


def test_what_went_in_is_there(store, tmp_path):
    target = tmp_path / "a.ozx"
    assert export_segmentation(store, target) == ()
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "out")
    assert digest(tmp_path / "out") == digest(store)
    image = open_labels(target, "more")
    np.testing.assert_array_equal(image.read(), LABELS * 2)
    assert open_labels(f"{target}/labels/cells").segments[0].name == "one"
    assert [v for v in check(target) if v.severity == "MUST"] == []
    export_segmentation(target, tmp_path / "b.nii.gz", name="cells")
    import_segmentation(tmp_path / "b.nii.gz", tmp_path / "b.ome.zarr", name="cells")
    np.testing.assert_array_equal(open_labels(tmp_path / "b.ome.zarr").read(), LABELS)
    again = target.read_bytes()
    export_segmentation(store, target)
    assert target.read_bytes() == again


def test_entries_are_as_the_rfc_recommends(store, tmp_path):
    write_archive(store, tmp_path / "a.ozx")
    with zipfile.ZipFile(tmp_path / "a.ozx") as archive:
        entries = archive.infolist()
        assert json.loads(archive.comment)["ome"]["version"] == "0.5"
    names = [entry.filename for entry in entries]
    assert names[0] == "zarr.json"
    metadata = [name for name in names if name.endswith("zarr.json")]
    assert names[: len(metadata)] == metadata
    depths = [name.count("/") for name in metadata]
    assert depths == sorted(depths)
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert all(entry.extract_version >= zipfile.ZIP64_VERSION for entry in entries)
    assert is_ozx_path(tmp_path / "a.ozx")
    assert read_ozx_version(tmp_path / "a.ozx") == "0.5"
    assert read_ozx_json_first(tmp_path / "a.ozx")


def test_others_read_ours(store, tmp_path):
    write_archive(store, tmp_path / "a.ozx")
    with zarr.storage.ZipStore(tmp_path / "a.ozx", mode="r") as archive:
        group = zarr.open_group(archive, mode="r")
        np.testing.assert_array_equal(group["labels/more/0"][...], LABELS * 2)
    kvstore = {"driver": "zip", "base": f"file://{tmp_path}/a.ozx", "path": "labels/more/0/"}
    array = ts.open({"driver": "zarr3", "kvstore": kvstore}).result()
    np.testing.assert_array_equal(array.read().result(), LABELS * 2)


def test_we_read_theirs(tmp_path):
    image = ngff_zarr.to_ngff_image(LABELS, dims=("z", "y", "x"))
    multiscales = ngff_zarr.to_multiscales(image, scale_factors=[2], chunks=16)
    ngff_zarr.to_ngff_zarr(str(tmp_path / "theirs.ozx"), multiscales, version="0.5")
    tree = store_tree(tmp_path / "theirs.ozx")
    assert tree.image.levels[0].shape == LABELS.shape
    assert tree.labels == ()


def test_what_cannot_be_one_file(store, tmp_path):
    with pytest.raises(UsageError, match="leave the name out"):
        export_segmentation(store, tmp_path / "a.ozx", name="cells")
    with pytest.raises(UsageError, match="would hold the whole store"):
        export_segmentation(f"{store}/labels/cells", tmp_path / "a.ozx")
    with unlistable(store) as url, pytest.raises(UsageError, match="cannot list what it holds"):
        export_segmentation(url, tmp_path / "a.ozx")
    write_labels(tmp_path / "old.zarr", LABELS, name="a", ngff="0.4")
    with pytest.raises(MetadataError, match=r"is OME-Zarr 0\.4: a \.ozx file holds 0\.5"):
        export_segmentation(tmp_path / "old.zarr", tmp_path / "a.ozx")
    with pytest.raises(StoreNotFoundError, match="no OME-Zarr store there"):
        export_segmentation(tmp_path / "none.zarr", tmp_path / "a.ozx")
    with pytest.raises(UsageError, match="is a single file, which is only read"):
        write_labels(tmp_path / "a.ozx/labels/x", LABELS, name="x") if (tmp_path / "a.ozx").exists() else (
            write_archive(store, tmp_path / "a.ozx"),
            write_labels(tmp_path / "a.ozx", LABELS, name="x"),
        )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ome.zarr", "a.ozx", "old.zarr"]


def test_a_failure_leaves_no_file(store, tmp_path, monkeypatch):
    (tmp_path / "a.ozx").write_bytes(b"older")
    monkeypatch.setattr(
        zipfile.ZipInfo, "FileHeader", lambda *_a, **_k: (_ for _ in ()).throw(OSError(28, "full"))
    )
    with pytest.raises(StoreError, match=r"a\.ozx was not written \(full\)"):
        write_archive(store, tmp_path / "a.ozx")
    assert (tmp_path / "a.ozx").read_bytes() == b"older"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ome.zarr", "a.ozx"]


def test_the_shell(store, tmp_path, capsys):
    target = str(tmp_path / "a.ozx")
    assert run(["export", str(store), target]) == 0
    assert run(["info", target]) == 0
    assert run(["check", target]) == 0
    assert run(["segments", target, "--name", "cells"]) == 0
    assert "labels/cells" in capsys.readouterr().out
    assert run(["check", target, "--fix"]) == 0
    assert run(["pyramid", target, "--name", "cells"]) == 2
    assert "single file, which is only read" in capsys.readouterr().err
