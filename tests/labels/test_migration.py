"""Stores that ngffseg 0.1.0 wrote: they open, check clean, are extended, updated, rebuilt, exported and known again."""

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import fsspec
import numpy as np
import pytest
import SimpleITK as sitk

from ngffseg import (
    check,
    export_segmentation,
    import_segmentation,
    open_labels,
    segment_index,
    update_labels,
    write_labels,
)
from ngffseg.batch import read_rows, run_batch
from ngffseg.convert import forecast_import, is_imported
from ngffseg.errors import LabelExistsError, MetadataError
from ngffseg.labels import open_image, open_segmentation, rebuild_levels, store_tree
from ngffseg.ngff import Place, decode_index, decode_label, own_violations
from ngffseg.ngff.migration import current
from tests.data.old_stores import blobs, edited, grid, segments, two_layers
from tests.labels.stores import digest

ARCHIVE = Path(__file__).parent.parent / "data" / "stores_0_1_0.zip"
PLAIN = blobs("uint32", 1)
# What is in millimetres was the patient's for ngffseg 0.1.
PLACED = replace(grid(), frame="patient")
# What each store holds, by the name of its label image.
HELD = {
    "plain": ("organs", edited(PLAIN)),
    "layers": ("organs", two_layers().layers[0]),
    "image": ("organs", blobs("uint64", 5)),
    "flat": ("cells", blobs("uint8", 6, (50, 40))),
    "time": ("cells", blobs("int16", 7, (3, 12, 20, 20))),
    "imported": ("organs", PLAIN),
    "ras": ("organs", PLAIN),
    "bucket": ("organs", PLAIN),
    "died": ("organs", PLAIN),
    "pending": ("organs", PLAIN),
}
REBUILT = [name for name in HELD if name != "pending"]  # a pending update happens first


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """All stores, as 0.1.0 left them."""
    folder = tmp_path_factory.mktemp("old")
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def old(packed, tmp_path, request):
    """A copy of one store; that of a bucket in memory, where it was written."""
    name = request.param
    if name != "bucket":
        return name, shutil.copytree(packed / f"{name}.zarr", tmp_path / "old.zarr")
    url, memory = f"memory://{tmp_path.name}/old.zarr", fsspec.filesystem("memory")
    for file in (packed / "bucket.zarr").rglob("*"):
        if file.is_file():
            memory.pipe_file(
                f"/{tmp_path.name}/old.zarr/{file.relative_to(packed / 'bucket.zarr')}", file.read_bytes()
            )
    return name, url


def table_of(image):
    """What the segment index of a label image tells, as plain values."""
    return {key: column.tolist() for key, column in segment_index(image).table().items()}


def clean(url):
    """Whether nothing is wrong but that labels without segments have no colors."""
    return [violation for violation in check(url) if violation.expected != "colors"] == []


def expected(labels, folder, like):
    """The same labels, written by the ngffseg of today, in the form of a store."""
    options = {
        "chunks": like._arrays[0].chunks,
        "shards": like._arrays[0].shards,
        "levels": len(like._arrays),
    }
    return write_labels(folder / "new.zarr", labels, name="new", geometry=like.geometry, **options)


def equal(one, other):
    """Whether two label images have equal levels and equal indices."""
    assert len(one.levels) == len(other.levels)
    for mine, theirs in zip(one.levels, other.levels, strict=True):
        np.testing.assert_array_equal(mine.compute(), theirs.compute())
    assert table_of(one) == table_of(other)


@pytest.mark.parametrize("old", HELD, indirect=True)
def test_opened_and_clean(old, tmp_path):
    name, url = old
    before = digest(url) if isinstance(url, Path) else None
    label, labels = HELD[name]
    image = open_labels(url, label)
    np.testing.assert_array_equal(image.read(), labels)
    assert clean(url)
    assert next(tree.image.name for tree in store_tree(url).labels) == label
    equal(image, expected(labels, tmp_path, image))
    # What is only looked at is not rewritten.
    assert before is None or digest(url) == before


@pytest.mark.parametrize("old", ["plain", "layers"], indirect=True)
def test_segments_and_grid(old):
    name, url = old
    stored = open_segmentation(url, "organs")
    wanted = segments(PLAIN) if name == "plain" else two_layers().segments
    assert stored.segments == tuple(wanted)
    assert stored.geometry == PLACED
    assert len(stored.layers) == (2 if name == "layers" else 1)


@pytest.mark.parametrize("old", HELD, indirect=True)
def test_extended(old):
    name, url = old
    label, labels = HELD[name]
    write_labels(url, labels, name="other")
    np.testing.assert_array_equal(open_labels(url, "other").read(), labels)
    # An update that had died may happen first; nothing else of the old labels changes.
    np.testing.assert_array_equal(open_labels(url, label).read(), labels)
    assert clean(url)
    jobs = Path(url) / "ngffseg" / "jobs" if isinstance(url, Path) and name != "pending" else None
    assert jobs is None or not jobs.exists(), "what the dead run of 0.1.0 has left is gone"


@pytest.mark.parametrize(
    "old", [name for name, (_, labels) in HELD.items() if labels.ndim == 3], indirect=True
)
def test_updated(old, tmp_path):
    name, url = old
    label, labels = HELD[name]
    start = edited(labels) if name == "pending" else labels  # the update that died is done first
    if name == "pending":
        rebuild_levels(url, label)
    image = open_labels(url, label)
    changed, box = start.copy(), ((6, 15), (0, 12), (3, 21))
    changed[6:15, 0:12, 3:21] = 5
    image = update_labels(image, box, changed[6:15, 0:12, 3:21])
    equal(image, expected(changed, tmp_path, image))
    assert clean(url)


@pytest.mark.parametrize("old", REBUILT, indirect=True)
def test_rebuilt(old, tmp_path):
    name, url = old
    label, labels = HELD[name]
    image = rebuild_levels(url, label, method="nearest")
    assert image.levels[-1].shape == open_labels(url, label).levels[-1].shape
    image = rebuild_levels(url, label)
    equal(image, expected(labels, tmp_path, image))
    assert clean(url)


@pytest.mark.parametrize("old", ["imported"], indirect=True)
@pytest.mark.parametrize("suffix", ["seg.nrrd", "nii.gz"])
def test_exported(old, packed, tmp_path, suffix):
    _, url = old
    export_segmentation(url, tmp_path / f"new.{suffix}")
    again, then = (
        import_segmentation(file, tmp_path / f"{n}.zarr", name="organs")
        for n, file in enumerate((tmp_path / f"new.{suffix}", packed / f"organs.{suffix}"))
    )
    np.testing.assert_array_equal(again.read(), then.read())
    assert (again.segments, again.geometry) == (then.segments, then.geometry)


# ngffseg 0.1.0 kept the order of the file, which is not the canonical one in the second.
@pytest.mark.parametrize(
    ("old", "file"), [("imported", "organs.seg.nrrd"), ("ras", "ras.nrrd")], indirect=["old"]
)
def test_finished_import_is_known_again(old, file, packed, tmp_path):
    _, url = old
    before, source = digest(url), packed / file
    options = {"chunks": (8, 16, 16), "levels": 3}
    for order in ({}, {"order": "canonical"}):
        import_segmentation(source, url, name="organs", resume=True, **options, **order)
        assert is_imported(source, url, name="organs", **options, **order)
        assert forecast_import(source, url, name="organs", resume=True, **options, **order).finished
    table = tmp_path / "cases.csv"
    table.write_text(f'source,store,name,chunks,levels\n{source},{url},organs,"8,16,16",3\n')
    assert [result.status for result in run_batch(read_rows(table))] == ["skipped"]
    assert digest(url) == before
    # Who asks for the order by its name asks for something else than 0.1.0 could be asked for.
    with pytest.raises(LabelExistsError, match="other options"):
        import_segmentation(source, url, name="organs", resume=True, order="keep", **options)


@pytest.mark.parametrize("old", ["ras"], indirect=True)
def test_the_order_of_an_old_import_stays(old, packed, tmp_path):
    _, url = old
    export_segmentation(url, tmp_path / "back.nrrd")
    one, two = (sitk.ReadImage(str(file)) for file in (packed / "ras.nrrd", tmp_path / "back.nrrd"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(two), PLAIN)
    assert (one.GetOrigin(), one.GetDirection()) == (two.GetOrigin(), two.GetDirection())
    stored = open_segmentation(url)
    assert stored.source_grid is None
    new = import_segmentation(packed / "ras.nrrd", tmp_path / "new.zarr")
    np.testing.assert_array_equal(new.read(), PLAIN[:, ::-1, ::-1])
    assert open_segmentation(tmp_path / "new.zarr").source_grid.geometry == stored.geometry


@pytest.mark.parametrize("old", ["image"], indirect=True)
def test_image(old):
    _, url = old
    data = HELD["image"][1]
    np.testing.assert_array_equal(
        open_image(url).data[...], np.arange(data.size, dtype="uint16").reshape(data.shape)
    )
    assert open_image(url).geometry == PLACED


@pytest.mark.parametrize("old", ["plain", "layers"], indirect=True)
def test_schemas_of_both_versions_stay(old):
    _, url = old
    write_labels(url, PLAIN, name="other")
    file = next(path for path in (url / "ngffseg/zarr.json", url / "ngffseg/.zattrs") if path.exists())
    document = json.loads(file.read_text())
    schemas = document.get("attributes", document)["schemas"]
    for version in (1, 2):
        assert f"urn:ngffseg:schema:segmentation:{version}" in schemas
        assert f"urn:ngffseg:schema:geometry:{version}" in schemas


def test_newer_documents_are_refused():
    label = {"ngffseg": {"schema": "urn:ngffseg:schema:label:3", "layers": ["organs"]}}
    with pytest.raises(MetadataError, match=r"schema version 3.*update ngffseg"):
        decode_label(label)
    with pytest.raises(MetadataError, match="update ngffseg"):
        decode_index({"ngffseg": {"schema": "urn:ngffseg:schema:index:12"}})
    (violation,) = own_violations(label["ngffseg"], "label", Place("x"))
    assert (violation.severity, violation.where) == ("UNKNOWN", "x#/schema")


@pytest.mark.parametrize(
    "told", [None, 7, "", "urn:ngffseg:schema:index:0", "urn:ngffseg:schema:index:²", "x:9", ":" + "9" * 5000]
)
def test_odd_versions_are_the_first_one(told):
    assert current({"schema": told, "level": "0"}, "index") == {
        "schema": "urn:ngffseg:schema:index:2",
        "level": "0",
    }


def test_registrations_and_labels_groups_are_migrated_whole():
    inner = {"schema": "urn:ngffseg:schema:segmentation:1", "name": "organs"}
    new = {"schema": "urn:ngffseg:schema:segmentation:2", "name": "organs"}
    assert current({"segmentation": inner}, "registration")["segmentation"] == new
    assert current({"segmentations": [inner, 3]}, "labels")["segmentations"] == [new, 3]
    assert inner["schema"].endswith(":1"), "what is given is not changed"
