"""Updates of a box: what comes of them is what writing all anew would give."""

import json
import shutil
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from ngffseg import open_labels, segment_index, update_labels, write_labels
from ngffseg.errors import JobError, LabelValueError, MetadataError, UsageError
from ngffseg.labels import check, rebuild_levels
from ngffseg.labels.edit import update, write_ahead_log
from tests import forks
from tests.examples import examples
from tests.labels.stores import contents, digest

SHAPE = (50, 61, 47)
LABELS = np.random.default_rng(0).integers(0, 6, SHAPE).astype(np.uint16)
LABELS[:20, :20] = 0
FORMS = {
    "chunks": {"levels": 3, "chunks": 16, "shards": None},
    "shards": {"levels": 3, "chunks": 8, "shards": 32},
    "0.4, no cascade": {"levels": 3, "chunks": 16, "ngff": "0.4", "cascade": False},
    "sparse, factor 3": {"levels": 3, "chunks": 16, "shards": 32, "method": "sparse", "factors": 3},
    "nearest": {"levels": 3, "chunks": 12, "shards": None, "method": "nearest"},
    "smallest": {"levels": 3, "chunks": 20, "shards": None, "tie": "smallest"},
}


def arrays(store):
    """Levels and index of a store, apart from the names of the arrays of the index."""
    image = open_labels(store, "a")
    index = segment_index(image)
    rows = [(entry, index.chunks(entry.label_value).tolist()) for entry in index]
    return [array[:] for array in image._arrays], rows


def check_same(store, other):
    """Whether two stores hold the same, chunk by chunk as they are stored."""
    (levels, rows), (others, other_rows) = arrays(store), arrays(other)
    for level, wanted in zip(levels, others, strict=True):
        np.testing.assert_array_equal(level, wanted)
    assert rows == other_rows
    found, wanted = (
        {
            k: d
            for k, d in digest(Path(s)).items()
            if "/a/" in k and "index" not in k and ("/c/" in k or "zarr" not in k)
        }
        for s in (store, other)
    )
    metadata = {k for k in found if k.endswith((".zattrs", "labels/a/zarr.json"))}
    assert {k: d for k, d in found.items() if k not in metadata} == {
        k: d for k, d in wanted.items() if k not in metadata
    }


@st.composite
def boxes(draw):
    box = []
    for size in SHAPE:
        start = draw(st.integers(0, size - 1))
        box.append((start, draw(st.integers(start + 1, min(size, start + 30)))))
    return (
        box,
        draw(st.integers(0, 2**32)),
        draw(st.sampled_from(["labels", "nothing", "one label", "new labels"])),
    )


@pytest.mark.parametrize("form", FORMS)
@examples(3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(boxes(), min_size=1, max_size=3))
def test_the_result_is_that_of_a_full_rebuild(form, edits, tmp_path):
    for name in ("updated", "anew"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    image = write_labels(tmp_path / "updated", LABELS, name="a", **FORMS[form])
    wanted = LABELS.copy()
    for number, (box, seed, kind) in enumerate(edits):
        size = [b - a for a, b in box]
        new = {
            "labels": np.random.default_rng(seed).integers(0, 6, size),
            "nothing": np.zeros(size),
            "one label": np.full(size, 3),
            "new labels": np.random.default_rng(seed).integers(7, 2**16, size),
        }[kind].astype(np.uint16)
        wanted[tuple(slice(*part) for part in box)] = new
        image = update_labels(image, box, new)
        assert image.revision == number + 1
        np.testing.assert_array_equal(image.read(box), new)
    write_labels(tmp_path / "anew", wanted, name="a", **FORMS[form])
    check_same(tmp_path / "updated", tmp_path / "anew")
    assert [v for v in check(tmp_path / "updated") if v.severity == "MUST"] == []


@pytest.mark.parametrize("shape", [(40, 30), (2, 20, 30, 25), (2, 2, 12, 20, 16)])
def test_any_number_of_axes(shape, tmp_path):
    labels = np.random.default_rng(1).integers(0, 4, shape).astype(np.uint8)
    image = write_labels(tmp_path / "updated", labels, name="a", chunks=8, shards=None)
    box = [(0, 1)] * (len(shape) - 2) + [(3, 11), (5, 16)]
    labels[tuple(slice(*part) for part in box)] = 9
    update_labels(image, box, np.full([b - a for a, b in box], 9, np.uint8))
    write_labels(tmp_path / "anew", labels, name="a", chunks=8, shards=None)
    check_same(tmp_path / "updated", tmp_path / "anew")


def test_only_objects_that_cover_the_box_are_written(tmp_path):
    labels = np.random.default_rng(0).integers(1, 5, (64, 64, 64)).astype(np.uint8)
    store = tmp_path / "a.zarr"
    image = write_labels(store, labels, name="a", chunks=8, shards=None, levels=3)
    before = {p: p.stat().st_mtime_ns for p in (store / "labels").rglob("*/c/*/*/*")}
    update_labels(image, [(9, 20), (30, 33), (8, 16)], np.full((11, 3, 8), 7, np.uint8))
    changed = {
        p.relative_to(store / "labels" / "a").as_posix() for p in before if p.stat().st_mtime_ns != before[p]
    }
    assert changed == {
        "0/c/1/3/1", "0/c/1/4/1", "0/c/2/3/1", "0/c/2/4/1", "1/c/0/1/0", "1/c/0/2/0", "1/c/1/1/0", "1/c/1/2/0",
        "2/c/0/0/0", "2/c/0/1/0",
    }  # fmt: skip
    assert set(before) == set((store / "labels").rglob("*/c/*/*/*"))


def test_an_update_that_changes_nothing_writes_no_chunk(tmp_path):
    store = tmp_path / "a.zarr"
    image = write_labels(store, LABELS, name="a", **FORMS["chunks"])
    before = {p: p.stat().st_mtime_ns for p in store.rglob("labels/a/*/c/*/*/*")}
    update_labels(image, [(0, 20)] * 3, LABELS[:20, :20, :20])
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_bad_updates(tmp_path):
    image = write_labels(tmp_path / "a.zarr", LABELS, name="a", **FORMS["chunks"])
    before = digest(tmp_path)
    eight = np.zeros((8, 8, 8), np.uint16)
    with pytest.raises(UsageError, match=r"range 45:53 does not lie in 0:50"):
        update_labels(image, [(45, 53), (0, 8), (0, 8)], eight)
    with pytest.raises(UsageError, match="has 2 axes, the image 3"):
        update_labels(image, [(0, 8), (0, 8)], eight)
    with pytest.raises(UsageError, match=r"shape \(8, 8, 8\), the box \(8, 8, 9\)"):
        update_labels(image, [(0, 8), (0, 8), (0, 9)], eight)
    with pytest.raises(LabelValueError, match="labels are int64, 'a' holds uint16"):
        update_labels(image, [(0, 8)] * 3, eight.astype(np.int64))
    signed = write_labels(tmp_path / "b.zarr", LABELS.astype(np.int16), name="a")
    with pytest.raises(LabelValueError, match="label -1 is negative"):
        update_labels(signed, [(0, 8)] * 3, np.full((8, 8, 8), -1, np.int16))
    shutil.rmtree(tmp_path / "b.zarr")
    assert digest(tmp_path) == before


@pytest.mark.parametrize("place", ["disk", "memory"])
def test_a_stale_image_is_refused(place, tmp_path):
    store = tmp_path / "a.zarr" if place == "disk" else f"memory://{tmp_path.name}/a.zarr"
    first = write_labels(store, LABELS, name="a", **FORMS["chunks"])
    second = open_labels(store, "a")
    eight = np.full((8, 8, 8), 9, np.uint16)
    update_labels(first, [(0, 8)] * 3, eight)
    update_labels(second, [(8, 16)] * 3, eight)  # another part, which nobody has changed
    with pytest.raises(
        JobError, match=r"has changed in box \[\(0, 8\), .* since it was opened: open it again"
    ):
        update_labels(second, [(4, 12)] * 3, eight)
    again = open_labels(store, "a")
    assert again.revision == 2
    update_labels(again, [(4, 12)] * 3, eight)
    write_labels(store, LABELS, name="a", overwrite=True, **FORMS["chunks"])
    with pytest.raises(JobError, match="was replaced since it was opened: open it again"):
        update_labels(again, [(4, 12)] * 3, eight)
    np.testing.assert_array_equal(open_labels(store, "a").read(), LABELS)


def test_a_pyramid_of_others_is_refused(tmp_path):
    store = tmp_path / "a.zarr"
    image = write_labels(store, LABELS, name="a", **FORMS["chunks"])
    path = store / "labels" / "a" / "zarr.json"
    told = json.loads(path.read_text("utf-8"))
    told["attributes"]["ome"]["multiscales"][0]["metadata"] = {"software": "other"}
    path.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(
        MetadataError,
        match=r"does not say how its levels were made: make them anew with ngffseg\.rebuild_levels",
    ):
        update_labels(image, [(0, 8)] * 3, np.zeros((8, 8, 8), np.uint16))
    image = rebuild_levels(store, "a")
    update_labels(image, [(0, 8)] * 3, np.zeros((8, 8, 8), np.uint16))


def test_views_of_an_old_image_are_fresh_after_its_own_update(tmp_path):
    url = f"memory://{tmp_path.name}/a.zarr"
    image = write_labels(url, LABELS, name="a", **FORMS["chunks"])
    box = [(20, 30)] * 3
    image.read(box)  # kept, as of all stores that are not on the disk
    update_labels(image, box, np.full((10, 10, 10), 77, np.uint16))
    assert (image.read(box) == 77).all()


def many(store, number, barrier):
    """One of several that update boxes of their own, which share chunks and all levels above."""
    barrier.wait()
    for turn in range(3):
        update_labels(
            open_labels(store, "a"), _box(number), np.full((7, 5, 5), 10 * number + turn, np.uint16)
        )


def _box(number):
    return [(10, 17), (5 * number, 5 * number + 5), (20, 25)]


@pytest.mark.parametrize("place", ["disk", "s3"])
def test_many_at_once(place, tmp_path, request):
    store = str(tmp_path / "a.zarr")
    if place == "s3":
        store = f"{request.getfixturevalue('bucket').url}/a.zarr"
    write_labels(store, LABELS, name="a", **FORMS["shards"])
    count = 4
    barrier = forks.CONTEXT.Barrier(count)
    writers = [forks.start(many, store, number, barrier) for number in range(count)]
    for writer in writers:
        writer.join(240)
        assert writer.exitcode == 0
    wanted = LABELS.copy()
    for number in range(count):
        wanted[tuple(slice(*part) for part in _box(number))] = 10 * number + 2
    write_labels(tmp_path / "anew", wanted, name="a", **FORMS["shards"])
    image = open_labels(store, "a")
    assert image.revision == 3 * count
    levels, rows = arrays(store)
    others, other_rows = arrays(tmp_path / "anew")
    for level, other in zip(levels, others, strict=True):
        np.testing.assert_array_equal(level, other)
    assert rows == other_rows


def test_a_reader_never_sees_a_torn_chunk(tmp_path):
    store = tmp_path / "a.zarr"
    image = write_labels(store, np.ones((64, 64, 64), np.uint16), name="a", chunks=64, shards=None)
    done, problems = threading.Event(), []

    def read():
        while not done.is_set():
            values = np.unique(open_labels(store, "a").read()).tolist()
            if len(values) != 1:
                problems.append(values)

    reader = threading.Thread(target=read)
    reader.start()
    for value in range(2, 30):
        image = update_labels(image, None, np.full((64, 64, 64), value, np.uint16))
    done.set()
    reader.join()
    assert problems == []


STEPS = ("edit_box", "update_index", "_note", "end_log")


@pytest.mark.parametrize("place", ["disk", "memory"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("calls", [0, 1])
def test_an_update_that_dies_is_finished_by_the_next(place, step, calls, tmp_path, monkeypatch):
    store = tmp_path / "a.zarr" if place == "disk" else f"memory://{tmp_path.name}/a.zarr"
    image = write_labels(store, LABELS, name="a", **FORMS["chunks"])
    real, left = getattr(update, step), [calls]

    def dying(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        result = real(*arguments)
        if step != "edit_box":
            raise KeyboardInterrupt
        return result

    wanted = LABELS.copy()
    wanted[5:20, 10:20, 3:9] = 8
    with monkeypatch.context() as patch:
        patch.setattr(update, step, dying)
        with pytest.raises(KeyboardInterrupt):
            update_labels(image, [(5, 20), (10, 20), (3, 9)], wanted[5:20, 10:20, 3:9])
    after = open_labels(store, "a")
    wanted[30:35, 30:35, 30:35] = 9
    update_labels(after, [(30, 35)] * 3, wanted[30:35, 30:35, 30:35])
    write_labels(tmp_path / "anew", wanted, name="a", **FORMS["chunks"])
    levels, rows = arrays(store)
    others, other_rows = arrays(tmp_path / "anew")
    for level, other in zip(levels, others, strict=True):
        np.testing.assert_array_equal(level, other)
    assert rows == other_rows
    left_behind = [k for k in (digest(store) if place == "disk" else contents(store)) if "jobs" in k]
    assert left_behind == []


def update_again_and_again(store, begun):
    """Updates without an end, so that one of them is killed."""
    image = open_labels(store, "a")
    for value in range(100, 2**16):
        begun.set()
        image = update_labels(image, [(2, 60)] * 3, np.full((58, 58, 58), value, np.uint16))


def test_kill_9_in_the_middle(tmp_path):
    store = tmp_path / "a.zarr"
    labels = np.ones((64, 64, 64), np.uint16)
    write_labels(store, labels, name="a", chunks=8, shards=None)
    rng = np.random.default_rng(0)
    for _ in range(4):
        begun = forks.CONTEXT.Event()
        process = forks.start(update_again_and_again, store, begun)
        assert begun.wait(60)
        process.join(float(rng.uniform(0.1, 1.0)))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        image = update_labels(open_labels(store, "a"), [(0, 1)] * 3, np.full((1, 1, 1), 5, np.uint16))
        values = np.unique(image.read([(2, 60)] * 3))
        assert len(values) == 1
        wanted = labels.copy()
        wanted[2:60, 2:60, 2:60] = values[0]
        wanted[0, 0, 0] = 5
        shutil.rmtree(tmp_path / "anew", ignore_errors=True)
        write_labels(tmp_path / "anew", wanted, name="a", chunks=8, shards=None)
        check_same(store, tmp_path / "anew")
    assert not (store / "ngffseg" / "jobs").exists()


def test_whoever_replaces_labels_forgets_updates_that_died(tmp_path, monkeypatch):
    store = tmp_path / "a.zarr"
    image = write_labels(store, LABELS, name="a", **FORMS["chunks"])
    with monkeypatch.context() as patch:
        patch.setattr(update, "update_index", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            update_labels(image, [(0, 20)] * 3, np.full((20, 20, 20), 9, np.uint16))
    assert write_ahead_log.find_log(str(store), "a") is not None
    write_labels(store, LABELS, name="a", overwrite=True, **FORMS["chunks"])
    write_labels(tmp_path / "anew", LABELS, name="a", **FORMS["chunks"])
    check_same(store, tmp_path / "anew")
    assert write_ahead_log.find_log(str(store), "a") is None


def test_a_busy_image_is_waited_for_so_long(tmp_path, monkeypatch):
    store = tmp_path / "a.zarr"
    image = write_labels(store, LABELS, name="a", **FORMS["chunks"])
    monkeypatch.setattr(write_ahead_log, "PATIENCE", 0.3)
    with (
        write_ahead_log.update_lock(str(store), "a"),
        pytest.raises(JobError, match="another update of 'a' is under way"),
    ):
        update_labels(image, [(0, 8)] * 3, np.zeros((8, 8, 8), np.uint16))


def test_an_index_without_segments(tmp_path):
    image = write_labels(
        tmp_path / "a.zarr", np.zeros((20, 20, 20), np.uint8), name="a", chunks=8, shards=None
    )
    image = update_labels(image, [(3, 5)] * 3, np.full((2, 2, 2), 7, np.uint8))
    assert segment_index(image)[7].voxels == 8
    image = update_labels(image, [(3, 5)] * 3, np.zeros((2, 2, 2), np.uint8))
    assert len(segment_index(image)) == 0
    assert list((tmp_path / "a.zarr" / "labels" / "a").glob("*/c/*/*/*")) == []


def test_nothing_is_left_in_memory_stores(tmp_path):
    url = f"memory://{tmp_path.name}/a.zarr"
    image = write_labels(url, LABELS, name="a", **FORMS["chunks"])
    names = set(contents(url))
    image = update_labels(image, [(0, 8)] * 3, np.full((8, 8, 8), 3, np.uint16))
    changed = {name for name in set(contents(url)) ^ names if "/index/" not in name and "/c/" not in name}
    assert changed == set()
