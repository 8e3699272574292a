"""Whatever goes wrong in the middle of a write, the store is as it was before."""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import threading

import fsspec
import numpy as np
import pytest

from ngffseg import Geometry, Segmentation, open_labels, write_labels
from ngffseg.errors import LabelExistsError, StaleError, StoreError, UsageError
from ngffseg.labels import check, write_segmentation
from ngffseg.labels.publish import local, object_store
from ngffseg.labels.write import execute, fill
from ngffseg.model import Volume
from ngffseg.pyramid import pieces
from tests import forks
from tests.labels.stores import contents, digest, faults, objects

pytestmark = pytest.mark.usefixtures("unmarked")
LABELS = np.random.default_rng(0).integers(0, 3, (40, 40, 40)).astype(np.uint8)


class Failing:
    """Labels that fail while they are read, as a full disk or a lost network does."""

    shape, dtype = LABELS.shape, LABELS.dtype

    def __init__(self, error, after=3):
        self.error, self.left = error, after

    def __getitem__(self, box):
        self.left -= 1
        if self.left < 0:
            raise self.error
        return LABELS[box]


ERRORS = {
    "full disk": (OSError(errno.ENOSPC, "No space left on device"), StoreError, "disk is full"),
    "lost network": (ConnectionResetError("peer is gone"), StoreError, "run again"),
    "interrupt": (KeyboardInterrupt("stop"), KeyboardInterrupt, "stop"),
    "bug": (ZeroDivisionError("a bug"), ZeroDivisionError, "a bug"),
}


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("state", ["new", "other label", "same label"])
def test_a_failure_while_writing(kind, state, tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "SMALL_PIECE", 1)  # so that some are read before it fails
    store = tmp_path / "a.zarr"
    if state != "new":
        write_labels(store, LABELS, name="a" if state == "same label" else "b", levels=2)
    before = digest(tmp_path)
    error, raised, message = ERRORS[kind]
    with pytest.raises(raised, match=message):
        write_labels(
            store,
            Failing(error),
            name="a",
            chunks=8,
            shards=None,
            levels=2,
            overwrite=True,
            cluster="threads",
            workers=3,
        )
    assert digest(tmp_path) == before
    assert store.exists() == (state != "new")


STEPS = ("_put_placeholder", "_place", "put_own_groups", "_register")
# Where there is a label there is an image, so no placeholder is put; and once the register is written, which is
# the last step, all is published.
FAILURES = [
    (step, state, moment)
    for step in STEPS
    for state in ("new", "other label", "same label")
    for moment in ("before", "after")
    if (step != "_put_placeholder" or state == "new") and (step, moment) != ("_register", "after")
]


@pytest.mark.parametrize(("step", "state", "moment"), FAILURES)
def test_a_failure_while_publishing(step, state, moment, tmp_path, monkeypatch):
    store = tmp_path / "a.zarr"
    if state != "new":
        write_labels(store, LABELS, name="a" if state == "same label" else "b", levels=2)
    before = digest(tmp_path)
    owner = local if hasattr(local, step) else local.FolderPublisher
    real = getattr(owner, step)

    def failing(*arguments):
        if moment == "after":
            real(*arguments)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(owner, step, failing)
    with pytest.raises(StoreError, match="disk is full"):
        write_labels(store, 2 - LABELS, name="a", levels=2, overwrite=True)
    assert digest(tmp_path) == before
    assert store.exists() == (state != "new")
    if state == "same label":
        np.testing.assert_array_equal(open_labels(store, "a").read(), LABELS)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.parametrize("state", ["new", "same label"])
def test_a_disk_that_is_really_full(state, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=True)
    try:
        if state == "same label":
            write_labels(disk / "a.zarr", np.ones((128, 128, 128), np.uint8), name="a")
        before = digest(disk)
        noise = np.random.default_rng(0).integers(0, 2**32, (128, 128, 128), dtype=np.uint32)
        with pytest.raises(StoreError, match="disk is full: free space and run again; nothing was published"):
            write_labels(disk / "a.zarr", noise, name="a", overwrite=True)
        assert digest(disk) == before
    finally:
        subprocess.run(["umount", str(disk)], check=True)


STATES = ["new", "new with image", "other label", "same label"]
GRID = Geometry(LABELS.shape, np.eye(4))
NEW = Segmentation((2 - LABELS, 2 - LABELS), (), GRID)


def in_memory(state, tmp_path):
    url = f"memory://{tmp_path.name}/a.zarr"
    if not state.startswith("new"):
        write_labels(url, LABELS, name="a" if state == "same label" else "b", levels=2)
    return url, Volume(LABELS, GRID) if state == "new with image" else None


@pytest.mark.parametrize("moment", ["second layer", "check_levels", "_register"])
@pytest.mark.parametrize("state", STATES)
def test_a_failure_where_nothing_can_be_moved(moment, state, tmp_path, monkeypatch):
    url, image = in_memory(state, tmp_path)
    before = contents(url)
    made = NEW
    if moment == "second layer":
        broken = Failing(OSError(errno.ENOSPC, "No space left on device"), after=0)
        made = Segmentation((2 - LABELS, broken), (), GRID)
    else:
        owner = object_store if hasattr(object_store, moment) else object_store.ObjectStorePublisher
        monkeypatch.setattr(owner, moment, failing)
    with pytest.raises(StoreError, match="disk is full"):
        write_segmentation(url, made, name="a", image=image, levels=2, overwrite=True)
    assert contents(url) == before
    if state == "same label":
        np.testing.assert_array_equal(open_labels(url, "a").read(), LABELS)


@pytest.mark.parametrize("moment", ["publish_documents", "update_registry"])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("mender", ["check", "next writer"])
def test_what_is_registered_is_finished_by_whoever_comes_next(moment, state, mender, tmp_path, monkeypatch):
    url, image = in_memory(state, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(object_store, moment, failing)
        with pytest.raises(StoreError, match=r"'a' is written and registered, .*: run ngffseg\.check\("):
            write_segmentation(url, NEW, name="a", image=image, levels=2, overwrite=True)
    if mender == "check":
        check(url, fix=True)
    else:
        write_labels(url, LABELS, name="c", levels=2)
    assert faults(url) == []
    assert open_labels(url, "a").layers == ("a", "a__layer1")
    for name in ("a", "a__layer1"):
        np.testing.assert_array_equal(open_labels(url, name).read(), NEW.layers[0])


def test_a_label_that_somebody_has_removed_stays_away(tmp_path):
    url = f"memory://{tmp_path.name}/a.zarr"
    write_labels(url, LABELS, name="a", levels=2)
    write_labels(url, LABELS, name="b", levels=2)
    fs, base = fsspec.core.url_to_fs(url)
    fs.rm(f"{base}/labels/a", recursive=True)
    check(url, fix=True)
    registry = json.loads(fs.cat_file(f"{base}/labels/zarr.json"))
    registry["attributes"]["ome"]["labels"] = ["b"]
    registry["attributes"]["ngffseg"]["segmentations"] = registry["attributes"]["ngffseg"]["segmentations"][
        1:
    ]
    fs.pipe_file(f"{base}/labels/zarr.json", json.dumps(registry).encode())
    write_labels(url, LABELS, name="c", levels=2)
    assert json.loads(fs.cat_file(f"{base}/labels/zarr.json"))["attributes"]["ome"]["labels"] == ["b", "c"]
    assert faults(url) == []
    write_labels(url, 2 - LABELS, name="a", levels=2)  # its name is free again
    np.testing.assert_array_equal(open_labels(url, "a").read(), 2 - LABELS)
    assert faults(url) == []
    fs.pipe_file(f"{base}/ngffseg/register/odd.000001.json", b"{}")
    with pytest.raises(StoreError, match=r"odd\.000001\.json: a registration breaks its schema.*remove it"):
        write_labels(url, LABELS, name="d", levels=2)


def test_two_writers_of_one_name_never_mix(tmp_path, monkeypatch):
    url = f"memory://{tmp_path.name}/a.zarr"
    real = fill.build_pyramid

    def meanwhile(*arguments, **options):
        monkeypatch.setattr(fill, "build_pyramid", real)
        write_labels(url, LABELS, name="a", levels=2)
        real(*arguments, **options)

    monkeypatch.setattr(fill, "build_pyramid", meanwhile)
    with pytest.raises(LabelExistsError, match="written by another job meanwhile"):
        write_labels(url, 2 - LABELS, name="a", levels=2)
    np.testing.assert_array_equal(open_labels(url, "a").read(), LABELS)
    monkeypatch.setattr(fill, "build_pyramid", meanwhile)
    with pytest.raises(LabelExistsError, match="already"):
        write_labels(url, 2 - LABELS, name="a", levels=2)


def test_of_two_that_replace_one_name_the_last_one_stays(tmp_path, monkeypatch):
    """As where one of them has seemed dead: they hold each other off otherwise."""
    monkeypatch.setattr(execute, "exclusive", lambda *_: contextlib.nullcontext())
    url = f"memory://{tmp_path.name}/a.zarr"
    write_labels(url, LABELS, name="a", levels=2)
    real = object_store.publish_documents

    def meanwhile(*arguments):
        monkeypatch.setattr(object_store, "publish_documents", real)
        write_labels(url, LABELS + 2, name="a", levels=2, overwrite=True)
        return real(*arguments)

    monkeypatch.setattr(object_store, "publish_documents", meanwhile)
    write_labels(url, LABELS + 1, name="a", levels=2, overwrite=True)
    np.testing.assert_array_equal(open_labels(url, "a").read(), LABELS + 2)
    assert faults(url) == []
    # Nothing of the two that were replaced is left.
    arrays = {name.split("/")[3] for name in objects(url) if name.startswith("/labels/a/") and "/c/" in name}
    assert len(arrays) == 2, arrays


def failing(*_arguments, **_options):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_image_with_other_levels_that_came_meanwhile(tmp_path, monkeypatch):
    store = tmp_path / "a.zarr"
    real = fill.build_pyramid

    def meanwhile(*arguments, **options):
        real(*arguments, **options)
        monkeypatch.setattr(fill, "build_pyramid", real)
        write_labels(store, LABELS, name="b", levels=3)

    monkeypatch.setattr(fill, "build_pyramid", meanwhile)
    with pytest.raises(UsageError, match="meanwhile written an image of 3 levels"):
        write_labels(store, LABELS, name="a", levels=2)
    assert faults(store) == []
    np.testing.assert_array_equal(open_labels(store).read(), LABELS)


SLOW = """
import sys, time, numpy as np
from ngffseg import write_labels
class Slow:
    shape, dtype = (64, 64, 64), np.dtype(np.uint8)
    def __getitem__(self, box):
        print("reading", flush=True)
        time.sleep(0.2)
        return np.ones(tuple(b.stop - b.start for b in box), np.uint8)
write_labels(sys.argv[1], Slow(), name="a", chunks=16, shards=None, overwrite=True)
"""


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("state", ["new", "same label"])
def test_control_c_in_a_real_process(state, tmp_path):
    store = tmp_path / "a.zarr"
    if state == "same label":
        write_labels(store, np.ones((64, 64, 64), np.uint8), name="a")
    before = digest(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stdout.readline().startswith("reading")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in stderr
    assert digest(tmp_path) == before


def test_a_killed_writer_publishes_nothing(tmp_path):
    store = tmp_path / "a.zarr"
    labels = np.ones((64, 64, 64), np.uint8)
    write_labels(store, labels, name="b")
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(store)], stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stdout.readline().startswith("reading")
    process.kill()
    process.communicate()
    assert open_labels(store).name == "b"
    assert faults(store) == []
    np.testing.assert_array_equal(write_labels(store, labels, name="a").read(), labels)


def test_a_reader_never_sees_a_broken_store_while_it_is_overwritten(tmp_path):
    store = tmp_path / "a.zarr"
    versions = [np.full((32, 32, 32), value, np.uint8) for value in (1, 2)]
    write_labels(store, versions[0], name="a", chunks=32)
    done = threading.Event()
    problems, reads = [], 0

    def overwrite():
        try:
            for round_ in range(12):
                write_labels(store, versions[round_ % 2], name="a", chunks=32, overwrite=True)
        except Exception as error:
            problems.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=overwrite)
    thread.start()
    while not done.is_set():
        image = open_labels(store, "a")
        reads += 1
        try:
            values = np.unique(image.read()).tolist()
        except StaleError:
            continue  # it was overwritten between the two, which is said
        if values not in ([1], [2]):
            problems.append(values)
    thread.join()
    assert problems == []
    assert reads > 12


def test_two_writers_of_one_name(tmp_path, monkeypatch):
    """The second of two writers that both found the name free is told so."""
    store = tmp_path / "a.zarr"
    real = fill.build_pyramid

    def meanwhile(*arguments, **options):
        real(*arguments, **options)
        monkeypatch.setattr(fill, "build_pyramid", real)
        write_labels(store, LABELS, name="a")

    monkeypatch.setattr(fill, "build_pyramid", meanwhile)
    with pytest.raises(FileExistsError, match="meanwhile"):
        write_labels(store, 2 - LABELS, name="a")
    np.testing.assert_array_equal(open_labels(store, "a").read(), LABELS)
    assert faults(store) == []


def write_ones(store, name):
    write_labels(store, np.ones((8, 8, 8), np.uint8), name=name)


def test_many_processes_register_at_once(tmp_path):
    store = tmp_path / "a.zarr"
    names = [f"label{n}" for n in range(6)]
    processes = [forks.start(write_ones, store, name) for name in names]
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * len(names)
    listed = json.loads((store / "labels/zarr.json").read_text(encoding="utf-8"))["attributes"]["ome"][
        "labels"
    ]
    assert sorted(listed) == names
    assert faults(store) == []
