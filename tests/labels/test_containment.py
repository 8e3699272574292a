"""Nothing outside a store is read, written, moved or removed, whatever its documents say."""

import contextlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.buffer.cpu import Buffer
from zarr.core.sync import sync

from ngffseg import follow_links, segment_index
from ngffseg.convert.ozx import write_archive
from ngffseg.errors import JobError, NgffsegError, OutsideStoreError
from ngffseg.labels import check, open_labels, rebuild_levels, store_tree, update_labels
from ngffseg.store import (
    create_object,
    exchange,
    inside,
    move,
    open_store,
    put_object,
    read_objects,
    remove,
    take_lease,
)
from tests.labels.guarded import change, guarded, outside, plant_job, plant_log, write
from tests.labels.stores import digest

BOX = ((0, 2), (0, 2), (0, 2))


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return guarded(tmp_path_factory.mktemp("good"))


@pytest.fixture
def store(good, tmp_path):
    shutil.copytree(good.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / good.name


def update(store):
    update_labels(open_labels(store, "organs"), BOX, np.full((2, 2, 2), 2, np.uint8))


def overwrite(store):
    write(store, overwrite=True)


def break_in(store, verb):
    """Run a verb on a store that was tampered with; nothing around it may change."""
    before = outside(store)
    with contextlib.suppress(NgffsegError):
        verb(store)
    assert outside(store) == before


def test_a_layer_of_a_document_that_leads_outside_is_not_removed(store):
    change(
        store / "labels/zarr.json",
        lambda d: d["attributes"]["ngffseg"]["segmentations"][0].update(layers=["organs", "../../victim"]),
    )
    break_in(store, overwrite)


def test_a_dataset_path_that_leads_outside_is_not_removed(store):

    def lead_out(document):
        datasets = document["attributes"]["ome"]["multiscales"][0]["datasets"]
        datasets[1]["path"] = "../../../victim"

    change(store / "labels/organs/zarr.json", lead_out)
    break_in(store, lambda store: rebuild_levels(store, "organs", levels=2))


def test_an_array_of_an_index_that_leads_outside_is_not_removed(store):

    def lead_out(document):
        own = document["attributes"]["ngffseg"]
        own["segments"], own["arrays"]["chunks"] = 0, "../../../../victim"

    change(store / "ngffseg/index/organs/zarr.json", lead_out)
    break_in(store, update)


def test_paths_of_a_planted_job_are_not_removed(store, tmp_path):
    plant_job(store, paths=["../victim", "labels/../../deep/victim", str(tmp_path / "victim")])
    break_in(store, overwrite)


def test_moves_of_a_planted_job_are_not_made(store, tmp_path):
    staged = "ngffseg/jobs/organs-000000000000/x"
    plant_job(store, moves={"../victim": {"staged": staged, "inode": (tmp_path / "victim").stat().st_ino}})
    break_in(store, overwrite)


def test_a_planted_journal_writes_nothing_outside(store):
    plant_log(store, id="../../../../victim/x")
    break_in(store, update)


@pytest.mark.parametrize("start", [-2, 100])
def test_a_planted_journal_makes_no_chunks_beyond_the_array(start, store):
    keys = {path.name for path in (store / "labels/organs/0").rglob("*")}
    plant_log(store, box=(slice(start, start + 2), slice(0, 2), slice(0, 2)))
    break_in(store, update)
    assert {path.name for path in (store / "labels/organs/0").rglob("*")} == keys


@pytest.mark.parametrize("damage", ["{", "[]", '{"id": 5}', "\x00\n\x00"])
def test_a_damaged_journal_is_told_by_name_and_set_aside_by_a_rebuild(damage, store):
    labels = open_labels(store, "organs").read()
    plant_log(store)
    log = store / "ngffseg/jobs/organs-update/journal.json"
    log.write_text(damage)
    with pytest.raises(
        JobError, match=r"organs-update/journal\.json is damaged .* run ngffseg\.rebuild_levels"
    ):
        update(store)
    assert log.read_text() == damage
    rebuild_levels(store, "organs")
    assert (store / "ngffseg/jobs/organs-update.damaged").read_text() == damage
    np.testing.assert_array_equal(open_labels(store, "organs").read(), labels)
    update(store)
    labels[:2, :2, :2] = 2
    np.testing.assert_array_equal(open_labels(store, "organs").read(), labels)


def test_a_planted_job_takes_nothing_that_is_registered(store):
    write(store, "liver")
    before = {path: digest(store / path) for path in ("labels/liver", "ngffseg/index/liver", "0")}
    plant_job(
        store, paths=["labels/liver", "ngffseg/index/liver", "labels/liver/0", "0", "zarr.json", "labels"]
    )
    overwrite(store)
    assert {path: digest(store / path) for path in before} == before


def test_a_level_within_another_is_not_removed_with_it(store):
    """A dataset that lies among the chunks of level 0 goes with no rebuild."""
    labels = open_labels(store, "organs").read()
    change(
        store / "labels/organs/zarr.json",
        lambda d: d["attributes"]["ome"]["multiscales"][0]["datasets"][1].update(path="0/c"),
    )
    with contextlib.suppress(NgffsegError):
        rebuild_levels(store, "organs", levels=2)
    np.testing.assert_array_equal(open_labels(store, "organs").read(), labels)


HOSTILE = [
    "/abs/victim", "..", ".", "", "a/../../victim", "../victim", "a//b", "a/", "a/./b", "a\x00", "a\nb", "..\\victim",
    "C:/victim", "\ud800", "x" * 256, "a/" * 600 + "a",
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_that_is_none_within_a_store_is_refused_everywhere(path, store):
    before = outside(store), digest(store)
    for url in (str(store), "memory://contain/case.zarr"):
        calls = [
            lambda url=url: remove(url, path),
            lambda url=url: put_object(url, path, b"x"),
            lambda url=url: inside(url, path) if path else remove(url, path),
            lambda url=url: take_lease(url, path or ".."),
            lambda url=url: sync(open_store(url, read_only=False).set(path, Buffer.from_bytes(b"x"))),
        ]
        if url == str(store):
            calls += [
                lambda: sync(open_store(str(store), read_only=False).delete(path)),
                lambda: move(str(store), path, "free"),
                lambda: move(str(store), "labels", path),
                lambda: exchange(str(store), "labels", path),
            ]
        else:
            calls.append(lambda: create_object("memory://contain/case.zarr", path, b"x"))
        for call in calls:
            with pytest.raises(OutsideStoreError, match="none within a store"):
                call()
        assert read_objects(url, [path]) == [None]
        assert sync(open_store(url).get(path, default_buffer_prototype())) is None
    assert (outside(store), digest(store)) == before


def linked(store: Path) -> Path:
    """The store as git-annex keeps it: each file is a link to where it lies."""
    annex = store.parent / "annex"
    for number, file in enumerate(sorted(p for p in store.rglob("*") if p.is_file())):
        annex.mkdir(exist_ok=True)
        file.rename(annex / str(number))
        file.symlink_to(annex / str(number))
    return store


def test_links_that_leave_the_store_are_followed_only_where_that_is_asked_for(store, tmp_path):
    labels, index = open_labels(store, "organs").read(), list(segment_index(open_labels(store, "organs")))
    linked(store)
    for read in (open_labels, check, store_tree):
        with pytest.raises(OutsideStoreError, match=r"is a symbolic link to .* not in the store"):
            read(store)
    before = outside(store)
    with follow_links():
        image = open_labels(store, "organs")
        assert [v for v in check(store) if v.severity == "MUST"] == []
        assert list(segment_index(image)) == index
        for refused in (lambda: write_archive(store, tmp_path / "a.ozx"), lambda: update(store)):
            with pytest.raises(OutsideStoreError):
                refused()
    np.testing.assert_array_equal(image.read(), labels)  # as it was opened
    assert outside(store) == before


@pytest.mark.parametrize(
    "place", ["labels/organs", "labels/organs/0", "labels/organs/0/c", "ngffseg/index/organs"]
)
def test_nothing_is_written_through_a_folder_that_is_a_link(place, store, tmp_path):
    (tmp_path / "moved").mkdir()
    (store / place).rename(tmp_path / "moved" / "node")
    (store / place).symlink_to(tmp_path / "moved" / "node")
    for verb in (
        update,
        overwrite,
        lambda store: rebuild_levels(store, "organs"),
        lambda store: check(store, fix=True),
    ):
        break_in(store, verb)


def test_links_within_the_store_are_read(store):
    labels = open_labels(store, "organs").read()
    (store / "labels/organs/0").rename(store / "labels/organs/x")
    (store / "labels/organs/0").symlink_to(store / "labels/organs/x")
    np.testing.assert_array_equal(open_labels(store, "organs").read(), labels)


def test_a_link_is_never_followed_by_who_removes(store, tmp_path):
    (store / "labels/organs/link").symlink_to(tmp_path / "victim")
    before = outside(store)
    with pytest.raises(OutsideStoreError, match="is a symbolic link, which ngffseg did not make"):
        remove(str(store), "labels/organs/link")
    overwrite(store)
    assert outside(store) == before
