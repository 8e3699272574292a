"""How often an operation reads each document of its store: once, and again only where somebody may have changed it.

Counted are documents of nodes, not those of a job, nor what is read to be changed: `put_group` keeps what others have
written in the same document.
"""

import sys
from collections import Counter
from contextlib import contextmanager

import numpy as np
import pytest

from ngffseg import update_labels, write_labels
from ngffseg.labels import rebuild_levels
from ngffseg.labels.edit import write_ahead_log
from ngffseg.labels.nodes import documents
from ngffseg.store import disk

LABELS = np.zeros((32, 32, 32), np.uint8)
LABELS[5:15, 5:15, 5:15] = 3
FORMATS = pytest.mark.parametrize("ngff", ["0.5", "0.4"])
# Before any lock; under that of the labels; under that of the store; when all is done.
PHASES = ("planned", "updating", "publishing", "opened")


@pytest.fixture
def read_in(monkeypatch):
    """Calls a function and returns how often it has read each document, by phase."""
    counts = {one: Counter() for one in PHASES}
    read_one, locked, update_lock = documents._read_one, disk.locked, write_ahead_log.update_lock
    phase = ["planned"]

    async def noted(store, key):
        if not key.startswith("ngffseg/jobs/"):
            counts[phase[0]][key] += 1
        return await read_one(store, key)

    @contextmanager
    def publishing(url):
        with locked(url):
            phase[0] = "publishing"
            yield
        phase[0] = "opened"

    @contextmanager
    def updating(url, name):
        with update_lock(url, name):
            phase[0] = "updating"
            yield

    monkeypatch.setattr(documents, "_read_one", noted)
    for name, module in list(sys.modules.items()):
        for function, other in ((locked, publishing), (update_lock, updating)):
            if name.startswith("ngffseg") and getattr(module, function.__name__, None) is function:
                monkeypatch.setattr(module, function.__name__, other)

    def call(function, *args, **options):
        phase[0] = "planned"
        counts.update({one: Counter() for one in PHASES})
        function(*args, **options)
        return {one: dict(counts[one]) for one in PHASES if counts[one]}

    return call


def once(*lists):
    """Each document of some lists, once."""
    return {key.lstrip("/"): 1 for keys in lists for key in keys}


def groups(ngff, *paths):
    """Documents that are read of groups: Zarr v3 is looked for first."""
    files = ("zarr.json",) if ngff == "0.5" else ("zarr.json", ".zattrs")
    return [f"{path}/{file}" for path in paths for file in files]


def arrays(ngff, *paths):
    return [f"{path}/{'zarr.json' if ngff == '0.5' else '.zarray'}" for path in paths]


def absent(*paths):
    """Documents that are looked for where there is no group, or one whose attributes tell nothing of it."""
    return [f"{path}/{file}" for path in paths for file in ("zarr.json", ".zattrs", ".zgroup")]


def free(*paths):
    """Documents that would stand in the way of an array."""
    return [f"{path}/{file}" for path in paths for file in ("zarr.json", ".zarray", ".zgroup")]


def own(ngff):
    return groups(ngff, "ngffseg") if ngff == "0.5" else absent("ngffseg")


@FORMATS
def test_a_write(ngff, read_in, tmp_path):
    read = read_in(write_labels, tmp_path / "a.zarr", LABELS, name="a", levels=2, ngff=ngff)
    new = [*absent("", "labels", "labels/a"), ".zarray", *free("0", "1")]
    assert read == {
        "planned": once(new),
        "publishing": once(new, absent("ngffseg", "ngffseg/index/a")),
        "opened": once(groups(ngff, "labels/a"), arrays(ngff, "labels/a/0")),
    }


@FORMATS
def test_the_store_is_read_again_when_masks_were_read(ngff, read_in, tmp_path):
    read = read_in(
        write_labels, tmp_path / "a.zarr", masks={"one": LABELS > 0}, name="a", levels=2, ngff=ngff
    )
    new = [*absent("", "labels", "labels/a"), ".zarray"]
    assert read["planned"] == dict.fromkeys(once(new), 2) | once(free("0", "1"))


@FORMATS
def test_an_overwrite(ngff, read_in, tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS, name="a", levels=2, ngff=ngff)
    read = read_in(write_labels, tmp_path / "a.zarr", LABELS, name="a", overwrite=True)
    there = [*groups(ngff, "", "labels", "labels/a"), *arrays(ngff, "0", "1")]
    assert read == {
        "planned": once(there),
        "publishing": once(there, own(ngff), groups(ngff, "ngffseg/index/a")),
        "opened": once(groups(ngff, "labels/a"), arrays(ngff, "labels/a/0")),
    }


@FORMATS
def test_a_second_label_image(ngff, read_in, tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS, name="a", levels=2, ngff=ngff)
    read = read_in(write_labels, tmp_path / "a.zarr", LABELS, name="b")
    there = [*groups(ngff, "", "labels"), *arrays(ngff, "0", "1"), *absent("labels/b")]
    assert read == {
        "planned": once(there),
        "publishing": once(there, own(ngff), absent("ngffseg/index/b")),
        "opened": once(groups(ngff, "labels/b"), arrays(ngff, "labels/b/0")),
    }


@FORMATS
def test_an_update(ngff, read_in, tmp_path):
    image = write_labels(tmp_path / "a.zarr", LABELS, name="a", levels=2, ngff=ngff)
    read = read_in(update_labels, image, [(0, 4)] * 3, np.full((4, 4, 4), 7, np.uint8))
    index = [f"ngffseg/index/a/{part}" for part in ("segments", "chunks", "fences", "digests", "sizes")]
    assert read == {
        "updating": once(
            groups(ngff, "", "labels", "labels/a", "ngffseg/index/a"),
            arrays(ngff, "0", "1", "labels/a/0", "labels/a/1", *index),
        ),
        "publishing": once(groups(ngff, "labels/a")),
        "opened": once(groups(ngff, "labels/a"), arrays(ngff, "labels/a/0")),
    }


@FORMATS
def test_a_rebuild(ngff, read_in, tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS, name="a", levels=2, ngff=ngff)
    read = read_in(rebuild_levels, tmp_path / "a.zarr", "a")
    there = [*groups(ngff, "", "labels", "labels/a", "ngffseg/index/a"), *arrays(ngff, "0", "1")]
    opened = once(groups(ngff, "labels/a"), arrays(ngff, "labels/a/0"))
    assert read == {
        "planned": opened,  # which label image it is
        "updating": once(there, arrays(ngff, "labels/a/0", "labels/a/1")),
        "publishing": once(there, own(ngff)),
        "opened": opened,
    }
