"""Nothing outside a store is read, written, moved or removed, whatever its documents say."""

import contextlib

import numpy as np
import pytest

from ngffseg.errors import NgffsegError
from ngffseg.labels import build_levels, open_labels, update_labels
from tests.labels.guarded import change, guarded, outside, plant_job, plant_journal, write

BOX = ((0, 2), (0, 2), (0, 2))


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


def test_a_layer_of_a_document_that_leads_outside_is_not_removed(tmp_path):
    store = guarded(tmp_path)
    change(
        store / "labels/zarr.json",
        lambda d: d["attributes"]["ngffseg"]["segmentations"][0].update(layers=["organs", "../../victim"]),
    )
    break_in(store, overwrite)


def test_a_dataset_path_that_leads_outside_is_not_removed(tmp_path):
    store = guarded(tmp_path)

    def lead_out(document):
        datasets = document["attributes"]["ome"]["multiscales"][0]["datasets"]
        datasets[1]["path"] = "../../../victim"

    change(store / "labels/organs/zarr.json", lead_out)
    break_in(store, lambda store: build_levels(store, "organs", levels=2))


def test_an_array_of_an_index_that_leads_outside_is_not_removed(tmp_path):
    store = guarded(tmp_path)

    def lead_out(document):
        own = document["attributes"]["ngffseg"]
        own["segments"], own["arrays"]["chunks"] = 0, "../../../../victim"

    change(store / "ngffseg/index/organs/zarr.json", lead_out)
    break_in(store, update)


def test_paths_of_a_planted_job_are_not_removed(tmp_path):
    store = guarded(tmp_path)
    plant_job(store, paths=["../victim", "labels/../../deep/victim", str(tmp_path / "victim")])
    break_in(store, overwrite)


def test_moves_of_a_planted_job_are_not_made(tmp_path):
    store = guarded(tmp_path)
    staged = "ngffseg/jobs/organs-000000000000/x"
    plant_job(store, moves={"../victim": {"staged": staged, "inode": (tmp_path / "victim").stat().st_ino}})
    break_in(store, overwrite)


def test_a_planted_journal_writes_nothing_outside(tmp_path):
    store = guarded(tmp_path)
    plant_journal(store, id="../../../../victim/x")
    break_in(store, update)


@pytest.mark.parametrize("start", [-2, 100])
def test_a_planted_journal_makes_no_chunks_beyond_the_array(start, tmp_path):
    store = guarded(tmp_path)
    keys = {path.name for path in (store / "labels/organs/0").rglob("*")}
    plant_journal(store, box=(slice(start, start + 2), slice(0, 2), slice(0, 2)))
    break_in(store, update)
    assert {path.name for path in (store / "labels/organs/0").rglob("*")} == keys
