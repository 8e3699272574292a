"""Going on with what was interrupted: what is done stays done, what has changed is refused."""

import functools
import json
import os
import re
import shutil
from importlib.metadata import version

import nibabel
import numpy as np
import pytest
import zarr

from ngffseg import open_labels, write_labels
from ngffseg.cli.main import run
from ngffseg.errors import JobError, LabelExistsError, StoreError, UsageError
from ngffseg.geometry import identity
from ngffseg.labels import forecast, rebuild_levels
from ngffseg.labels.jobs import checkpoint_files, checkpoints
from ngffseg.labels.jobs.record import read_record
from ngffseg.labels.nodes.transaction import Transaction
from ngffseg.labels.publish import local
from ngffseg.model import Segmentation
from ngffseg.ngff import decode_job
from tests import forks
from tests.labels.stores import contents, digest, faults

LABELS = np.random.default_rng(0).integers(0, 9, (64, 48, 40)).astype(np.uint16)
FORM = {"chunks": 8, "shards": None, "levels": 2}
# Where it does not matter how many blocks there are.
COARSE = FORM | {"chunks": 32}


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """A mark after each block."""
    monkeypatch.setattr(checkpoints, "PAUSE", 0.0)
    monkeypatch.setattr(checkpoints, "RATIO", 0)


def interrupted(store, labels, after=100, error=None, **options):
    """Write until so many blocks are done, then fail as a lost network does; returns blocks in all."""
    seen = []

    def stop(done, blocks):
        seen.append(blocks)
        if done >= after:
            raise error or StoreError("the network is gone")

    from ngffseg.labels import write_segmentation

    with pytest.raises(type(error) if error else StoreError):
        write_segmentation(
            store, Segmentation((labels,), (), identity(labels.shape)), name="a", progress=stop,
            cluster="threads", workers=2, **{**FORM, **options},
        )  # fmt: skip
    return seen[-1]


def resumed(store, labels, **options):
    """Go on: blocks that were done by this run."""
    seen = []
    from ngffseg.labels import write_segmentation

    write_segmentation(
        store, Segmentation((labels,), (), identity(labels.shape)), name="a", resume=True,
        progress=lambda done, blocks: seen.append((done, blocks)), **{**FORM, **options},
    )  # fmt: skip
    return sum(1 for (a, _), (b, _) in zip([(0, 0), *seen], seen, strict=False) if b - a == 1)


def sources(kind, folder):
    """The same labels, read in several ways."""
    if kind == "memory":
        return LABELS.copy()
    return zarr.create_array(folder / "source", data=LABELS, chunks=(20, 20, 20), overwrite=True)


@pytest.mark.parametrize("place", ["disk", "memory store"])
@pytest.mark.parametrize("kind", ["memory", "zarr"])
@pytest.mark.parametrize("form", [{}, {"ngff": "0.4"}, {"chunks": 8, "shards": 16}])
def test_only_the_rest_is_done(place, kind, form, tmp_path):
    store = tmp_path / "a.zarr" if place == "disk" else f"memory://{tmp_path.name}/a.zarr"
    other = tmp_path / "b.zarr" if place == "disk" else f"memory://{tmp_path.name}/b.zarr"
    labels = sources(kind, tmp_path)
    blocks = interrupted(store, labels, after=5, **form)
    assert blocks >= 8
    with pytest.raises(OSError, match=r"no OME-Zarr store|has no labels|no label image"):
        open_labels(store, "a")
    done = resumed(store, labels, **form)
    assert done <= blocks - 5
    write_labels(other, labels, name="a", **{**FORM, **form})
    if place == "disk":
        assert digest(store) == digest(other)
    else:
        found, wanted = ({k.split(".zarr", 1)[1]: v for k, v in contents(u).items()} for u in (store, other))
        assert found == wanted
    assert faults(store) == []
    assert resumed(store, labels, **form) == 0  # it is there


def test_what_was_overwritten_and_interrupted(tmp_path):
    for place in ("a", "b"):
        write_labels(tmp_path / place, LABELS // 2, name="a", **FORM)
    before = digest(tmp_path / "b")
    interrupted(tmp_path / "a", LABELS, after=5, overwrite=True)
    assert {k: d for k, d in digest(tmp_path / "a").items() if "/jobs/" not in k} == before
    resumed(tmp_path / "a", LABELS, overwrite=True)
    write_labels(tmp_path / "b", LABELS, name="a", overwrite=True, **FORM)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_a_new_run_begins_anew_and_cleans_up(tmp_path):
    store = tmp_path / "a.zarr"
    interrupted(store, LABELS, after=5)
    assert list((store / "ngffseg" / "jobs").iterdir())
    write_labels(store, LABELS + 1, name="a", **FORM)
    np.testing.assert_array_equal(open_labels(store, "a").read(), LABELS + 1)
    assert not (store / "ngffseg" / "jobs").exists()
    url = f"memory://{tmp_path.name}/a.zarr"
    interrupted(url, LABELS, after=5)
    write_labels(url, LABELS + 1, name="a", **FORM)
    assert [k for k in contents(url) if "/jobs/" in k] == []
    np.testing.assert_array_equal(open_labels(url, "a").read(), LABELS + 1)


def test_what_changed_is_refused(tmp_path):
    store = tmp_path / "a.zarr"
    labels = sources("zarr", tmp_path)
    interrupted(store, labels, after=5)
    before = digest(store)
    with pytest.raises(
        JobError, match=r"begun with other options \(chunks 8 instead of 4, tie by default instead of"
    ):
        resumed(store, labels, chunks=4, tie="smallest")
    labels[0, 0, 0] = 8
    with pytest.raises(
        JobError, match="begun with other labels: the source has changed, run with resume=False"
    ):
        resumed(store, labels)
    assert digest(store) == before


def test_labels_in_memory_are_compared(tmp_path):
    store = tmp_path / "a.zarr"
    interrupted(store, LABELS, after=5)
    changed = LABELS.copy()
    changed[0, 0, 0] += 1
    with pytest.raises(
        JobError, match=r"labels have changed since the job was begun, in box \[0:8, 0:8, 0:8\]"
    ):
        resumed(store, changed)
    resumed(store, LABELS)
    with pytest.raises(LabelExistsError, match="made from other labels"):
        resumed(store, changed)


def test_another_version_is_refused(tmp_path, monkeypatch):
    interrupted(tmp_path / "a.zarr", LABELS, after=5)
    from ngffseg.labels.write import request as written

    monkeypatch.setattr(written, "package_version", lambda _: "9.9")
    with pytest.raises(
        JobError, match=rf"was begun by ngffseg {re.escape(version('ngffseg'))}, this is 9\.9"
    ):
        resumed(tmp_path / "a.zarr", LABELS)


def test_what_cannot_succeed_leaves_nothing(tmp_path):
    class Negative:
        shape, dtype = LABELS.shape, np.dtype(np.int16)

        def __getitem__(self, box):
            piece = LABELS[box].astype(np.int16)
            piece[max(0, 60 - box[0].start) :] -= 9
            return piece

    with pytest.raises(ValueError, match="is negative"):
        write_labels(tmp_path / "a.zarr", Negative(), name="a", **FORM)
    assert not (tmp_path / "a.zarr").exists()


@pytest.mark.parametrize("damage", ["truncated", "changed", "empty", "gone"])
def test_damaged_marks_are_as_none(damage, tmp_path):
    store = tmp_path / "a.zarr"
    interrupted(store, LABELS, after=9)
    marks = sorted((store / "ngffseg" / "jobs").rglob("*.mark"))
    assert len(marks) > 3
    for path in marks[::2]:
        data = path.read_bytes()
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes(
                {"truncated": data[:-3], "changed": data[:-1] + bytes([data[-1] ^ 1]), "empty": b""}[damage]
            )
    resumed(store, LABELS)
    write_labels(tmp_path / "b.zarr", LABELS, name="a", **FORM)
    assert digest(store) == digest(tmp_path / "b.zarr")


def test_marks_of_two_runs_are_not_counted_twice(tmp_path):
    store = tmp_path / "a.zarr"
    interrupted(store, LABELS, after=9)
    for path in sorted((store / "ngffseg" / "jobs").rglob("*.mark"))[:4]:
        path.with_name(f"z-{path.name}").write_bytes(path.read_bytes())
    resumed(store, LABELS)
    write_labels(tmp_path / "b.zarr", LABELS, name="a", **FORM)
    assert digest(store) == digest(tmp_path / "b.zarr")


def test_many_rows_go_into_parts(tmp_path, monkeypatch):
    from ngffseg.pyramid import parts

    monkeypatch.setattr(parts, "HELD_BYTES", 2000)
    labels = np.arange(LABELS.size, dtype=np.uint32).reshape(LABELS.shape)
    store = tmp_path / "a.zarr"
    interrupted(store, labels, after=9)
    assert list((store / "ngffseg" / "jobs").rglob(f"*{checkpoint_files.PART}"))
    resumed(store, labels)
    write_labels(tmp_path / "b.zarr", labels, name="a", **FORM)
    assert digest(store) == digest(tmp_path / "b.zarr")


def test_a_forecast_tells_what_a_resume_would_do(tmp_path):
    store, made = tmp_path / "a.zarr", Segmentation((LABELS,), (), identity(LABELS.shape))
    blocks = interrupted(store, LABELS, after=7)
    before = digest(store)
    found = forecast(store, made, name="a", resume=True, **FORM)
    assert (found.finished, found.blocks) == (False, blocks)
    assert 7 <= found.done < blocks
    with pytest.raises(JobError, match="begun with other options"):
        forecast(store, made, name="a", resume=True, **(FORM | {"levels": 3}))
    assert digest(store) == before
    resumed(store, LABELS)
    assert forecast(store, made, name="a", resume=True, **FORM).finished


def test_dry_run_of_a_file(tmp_path, capsys):
    nibabel.save(nibabel.Nifti1Image(LABELS, np.eye(4)), tmp_path / "a.nii.gz")
    words = ["import", str(tmp_path / "a.nii.gz"), str(tmp_path / "a.zarr"), "--chunks", "8", "--resume"]
    assert run([*words, "--dry-run"]) == 0
    assert "blocks; nothing was written" in capsys.readouterr().out
    assert run(words) == 0
    capsys.readouterr()
    assert run([*words, "--dry-run"]) == 0
    assert "all of it is there already, and equal; nothing was written" in capsys.readouterr().out
    assert run([*words, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["finished"] is True
    before = digest(tmp_path / "a.zarr")
    assert run(words) == 0
    assert digest(tmp_path / "a.zarr") == before
    nibabel.save(nibabel.Nifti1Image(LABELS + 1, np.eye(4)), tmp_path / "a.nii.gz")
    capsys.readouterr()
    assert run(words) == 2
    assert "made from other labels or with other options" in capsys.readouterr().err


def test_levels_that_are_built_later(tmp_path):
    stores = [tmp_path / "a.zarr", tmp_path / "b.zarr"]
    write_labels(stores[0], LABELS, name="a", chunks=8, shards=None, levels=1)
    shutil.copytree(stores[0], stores[1])  # with the times of all files

    def stop(done, _blocks):
        if done >= 4:
            raise StoreError("the network is gone")

    with pytest.raises(StoreError):
        rebuild_levels(stores[0], "a", progress=stop, levels=3, cluster="threads", workers=2)
    seen = []
    rebuild_levels(stores[0], "a", levels=3, resume=True, progress=lambda *done: seen.append(done))
    rebuild_levels(stores[1], "a", levels=3)
    # The digest of level 0 tells of the times of its files.
    found, wanted = (
        {k: d for k, d in digest(store).items() if k != "labels/a/zarr.json"} for store in stores
    )
    assert found == wanted
    assert len(seen) < seen[-1][1]
    before = digest(stores[0])
    rebuild_levels(stores[0], "a", levels=3, resume=True)
    assert digest(stores[0]) == before


def write_and_die(store, step, moment):
    """Write until a step of publishing, before or after which the process is gone."""
    owner = local if hasattr(local, step) else local.FolderPublisher
    real = getattr(owner, step)

    def dying(*arguments):
        if moment == "after":
            real(*arguments)
        os._exit(9)

    setattr(owner, step, dying)
    write_labels(store, LABELS, name="a", overwrite=True, resume=True, **COARSE)


def write_with_image_and_die(store, step):
    """Write labels and an image until after a step of publishing, when the process is gone."""
    owner = Transaction if hasattr(Transaction, step) else local.FolderPublisher
    real = getattr(owner, step)

    def dying(*arguments):
        real(*arguments)
        os._exit(9)

    setattr(owner, step, dying)
    write_labels(store, LABELS, name="a", image=LABELS, **COARSE)


@pytest.mark.parametrize("step", ["move", "_move_image", "_place"])
def test_death_while_an_image_is_published(step, tmp_path):
    """One that its group names already stays, and one that it does not is moved back: no store is ever broken."""
    write_labels(tmp_path / "wanted", LABELS, name="a", image=LABELS, **COARSE)
    wanted = digest(tmp_path / "wanted")
    for store in (tmp_path / "resumed", tmp_path / "anew"):
        process = forks.start(write_with_image_and_die, store, step)
        process.join(600)
        assert process.exitcode == 9
    write_labels(tmp_path / "resumed", LABELS, name="a", image=LABELS, resume=True, **COARSE)
    assert digest(tmp_path / "resumed") == wanted
    image = {"image": LABELS}
    if step != "move":
        with pytest.raises(UsageError, match="has an image already"):
            write_labels(tmp_path / "anew", LABELS, name="a", **image, **COARSE)
        image = {}
    write_labels(tmp_path / "anew", LABELS, name="a", **image, **COARSE)
    # The digest of what was written tells whether an image was written with it.
    differ = {key for key, value in digest(tmp_path / "anew").items() if wanted[key] != value}
    assert differ == (set() if image else {"labels/zarr.json"})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """What there is before a write, None for nothing, and the digest of the store when nobody has died."""

    @functools.cache
    def made(state):
        folder = tmp_path_factory.mktemp("finished")
        store, old = folder / "wanted", folder / "old" if state != "new" else None
        if old is not None:
            write_labels(store, LABELS // 2, name="a", **COARSE)
            shutil.copytree(store, old)
        write_labels(store, LABELS, name="a", overwrite=True, **COARSE)
        return old, digest(store)

    return made


@pytest.mark.parametrize("step", ["flushed", "_put_placeholder", "_place", "_register", "refresh_groups"])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("state", ["new", "same label"])
def test_death_while_publishing(step, moment, state, finished, tmp_path):
    stores = {name: tmp_path / name for name in ("resumed", "anew")}
    old, wanted = finished(state)
    for store in stores.values():
        if old is not None:
            shutil.copytree(old, store)
        process = forks.start(write_and_die, store, step, moment)
        process.join(600)
        assert process.exitcode == (9 if step != "_put_placeholder" or state == "new" else 0)
    if old is not None and step in ("flushed", "_place"):
        image = open_labels(stores["resumed"], "a")  # readers find the old one or the new one
        assert np.array_equal(image.read(), LABELS) or np.array_equal(image.read(), LABELS // 2)
    resumed(stores["resumed"], LABELS, overwrite=True, **COARSE)
    write_labels(stores["anew"], LABELS, name="a", overwrite=True, **COARSE)
    assert digest(stores["resumed"]) == wanted
    # They count how often it was written.
    apart = ("labels/zarr.json", "labels/a/zarr.json", "ngffseg/index/a/zarr.json")
    assert {k: d for k, d in digest(stores["anew"]).items() if k not in apart} == {
        k: d for k, d in wanted.items() if k not in apart
    }


def test_records_that_are_damaged_are_as_none(tmp_path):
    store = tmp_path / "a.zarr"
    interrupted(store, LABELS, after=5)
    (record,) = (store / "ngffseg" / "jobs").rglob("job.json")
    decode_job(json.loads(record.read_text("utf-8")))
    record.write_text("{", encoding="utf-8")
    assert read_record(str(store), record.parent.name) is None
    resumed(store, LABELS)
    np.testing.assert_array_equal(open_labels(store, "a").read(), LABELS)
