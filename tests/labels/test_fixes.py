"""What `check --fix` changes: never more than its fault, always with a copy, or nothing at all."""

import errno
import json

import fsspec
import numpy as np
import pytest

from ngffseg import Segment, check, write_labels
from ngffseg.convert.ozx import write_archive
from ngffseg.errors import StoreError
from ngffseg.labels import apply_fixes
from ngffseg.labels.validation.rewriting import put_object
from tests.labels.stores import digest

LABELS = np.ones((4, 4, 4), np.uint8)
GOOD, BAD, OTHER = [1, 2, 3, 255], [300, 0, 0, 255], [9, 9, 9, 9]


@pytest.fixture(params=["0.5", "0.4"])
def store(request, tmp_path):
    path = tmp_path / "a.zarr"
    for name in ("organs", "organs#2"):
        segments = [Segment(1, name=f"one of {name}", color=(1, 2, 3))]
        write_labels(path, LABELS, name=name, segments=segments, ngff=request.param, levels=1)
    return path


def file_of(store, path):
    names = ("zarr.json", ".zattrs")
    return next(store / path / name for name in names if (store / path / name).exists())


def metadata(store, path, change=lambda _: None):
    """OME metadata of a group, changed on disk without the code under test."""
    file = file_of(store, path)
    content = json.loads(file.read_text(encoding="utf-8"))
    attributes = content.get("attributes", content)
    ome = attributes.get("ome", attributes)
    change(ome)
    file.write_text(json.dumps(content))
    return ome


def set_colors(store, path, *colors):
    rows = [{"label-value": 1, "rgba": rgba} for rgba in colors]
    metadata(store, path, lambda ome: ome["image-label"].update(colors=rows))


@pytest.mark.parametrize(
    ("colors", "kept"),
    [((GOOD, BAD), GOOD), ((BAD, GOOD), GOOD), ((OTHER, GOOD), GOOD), ((GOOD, OTHER, BAD), OTHER), ((GOOD, [1, 2]), GOOD)],
)  # fmt: skip
def test_of_two_colors_the_last_valid_one_is_kept(colors, kept, store):
    set_colors(store, "labels/organs", *colors)
    assert check(store, fix=True) == []
    rows = metadata(store, "labels/organs")["image-label"]["colors"]
    assert [row["rgba"] for row in rows] == [kept]


def test_of_two_broken_colors_one_stays_and_is_told(store):
    set_colors(store, "labels/organs", BAD, BAD)
    (left,) = [v for v in check(store, fix=True) if v.severity == "MUST"]
    assert left.where.endswith("/colors/0/rgba/0")


def test_a_sharp_in_a_name_is_part_of_the_name(store):
    before = digest(store)
    set_colors(store, "labels/organs#2", GOOD, OTHER)
    fixes = apply_fixes(store)
    assert fixes.violations == []
    assert {change.place.path for change in fixes.changes} == {"labels/organs#2"}
    after = digest(store)
    assert {n for n in before if before[n] != after[n]} == {
        str(file_of(store, "labels/organs#2").relative_to(store))
    }
    assert metadata(store, "labels/organs")["image-label"]["properties"][0]["name"] == "one of organs"


def test_each_change_is_told(store):
    set_colors(store, "labels/organs", GOOD, BAD)
    metadata(store, "labels", lambda ome: ome["labels"].remove("organs#2"))
    listing, colors = sorted(apply_fixes(store).changes, key=lambda change: change.place.path)
    assert (listing.place.path, listing.before, listing.after) == ("labels", "[]", '["organs#2"]')
    assert colors.place.path == "labels/organs"
    assert colors.place.pointer.endswith("/image-label/colors")
    assert json.loads(colors.before) == [{"label-value": 1, "rgba": BAD}]
    assert colors.after == "[]"


def test_a_copy_of_each_changed_document_is_kept(store, tmp_path):
    set_colors(store, "labels/organs", GOOD, BAD)
    file = file_of(store, "labels/organs")
    before = file.read_bytes()
    fixes = apply_fixes(store)
    (copy,) = fixes.copies
    assert copy.startswith(f"ngffseg/backup/labels/organs/{file.name}.")
    assert (store / copy).read_bytes() == before
    assert check(store) == []
    # Again the same fault: the same document, the same copy; another one stays beside it.
    file.write_bytes(before)
    assert apply_fixes(store).copies == (copy,)
    set_colors(store, "labels/organs", GOOD, [1])
    (other,) = apply_fixes(store).copies
    assert other != copy
    assert (store / copy).read_bytes() == before
    if file.name == "zarr.json":
        write_archive(store, tmp_path / "a.ozx")
        assert check(tmp_path / "a.ozx") == []


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("written", [False, True])
def test_a_fix_that_fails_changes_nothing(step, written, store, monkeypatch):
    """At each object that is written, before or after it is."""
    set_colors(store, "labels/organs", GOOD, BAD)
    set_colors(store, "labels/organs#2", OTHER, GOOD)
    metadata(store, "labels", lambda ome: ome["labels"].remove("organs#2"))
    before, steps = digest(store), iter(range(100))

    def failing(where, key, data):
        failed = next(steps) == step
        if written or not failed:
            put_object(where, key, data)
        if failed:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ngffseg.labels.validation.rewriting.put_object", failing)
    with pytest.raises(StoreError, match="disk is full"):
        apply_fixes(store)
    after = digest(store)
    assert {name: after[name] for name in before} == before
    assert all(name.startswith("ngffseg/backup/") for name in after.keys() - before.keys())


def test_what_somebody_else_changes_meanwhile_is_not_overwritten(store, monkeypatch):
    set_colors(store, "labels/organs", GOOD, BAD)
    file = file_of(store, "labels/organs")
    theirs = file.read_bytes() + b"\n"

    def racing(where, key, data):
        put_object(where, key, data)
        file.write_bytes(theirs)

    monkeypatch.setattr("ngffseg.labels.validation.rewriting.put_object", racing)
    with pytest.raises(StoreError, match="somebody else"):
        apply_fixes(store)
    assert file.read_bytes() == theirs


@pytest.mark.parametrize("root", ["", "labels", "labels/organs"])
def test_an_unknown_version_is_never_rewritten(root, store):
    def strange(ome):
        for part in (ome, *ome.get("multiscales", ())):
            if "version" in part:
                part["version"] = "0.5-dev-spatialdata"

    set_colors(store, "labels/organs", GOOD, BAD)
    for path in ("", "labels", "labels/organs"):
        metadata(store, path, strange)
    metadata(store, "labels", lambda ome: ome.pop("version", None))
    before = digest(store)
    assert "UNKNOWN" in {v.severity for v in check(store / root, fix=True)}
    assert digest(store) == before


def test_a_list_that_holds_more_than_names_is_left(store):
    metadata(store, "labels", lambda ome: ome.update(labels=["organs", 5, None]))
    before = digest(store)
    check(store, fix=True)
    assert digest(store) == before


def test_on_a_server_copies_are_objects():
    url = "memory://fixes/a.zarr"
    write_labels(url, LABELS, name="organs", segments=[Segment(1)], levels=1)
    fs, base = fsspec.core.url_to_fs(url)
    key = f"{base}/labels/organs/zarr.json"
    before = fs.cat_file(key).replace(b'"colors":[', b'"colors":[{"label-value":1,"rgba":[300,0,0,255]},')
    fs.pipe_file(key, before)
    assert len([v for v in check(url) if v.severity == "MUST"]) == 2
    fixes = apply_fixes(url)
    assert fixes.violations == []
    (copy,) = fixes.copies
    assert fs.cat_file(f"{base}/{copy}") == before
