"""Dask arrays whose blocks have tasks in common, or lie on a cluster: each task runs once, voxels are exact."""

import gc
import threading
import uuid
from collections import Counter
from itertools import pairwise
from pathlib import Path

import dask.array as da
import distributed
import numpy as np
import pytest
import zarr

from ngffseg import Segmentation, open_labels, segment_index, write_labels
from ngffseg.errors import ClusterError, LabelValueError, StoreError
from ngffseg.geometry import identity
from ngffseg.labels import write_segmentation
from ngffseg.labels.jobs import checkpoints
from ngffseg.pyramid import pieces, plan_pyramid, shares_tasks
from tests.labels.stores import digest

BASE = (
    np.random.default_rng(0)
    .integers(0, 5, (8, 9, 7))
    .astype(np.uint32)
    .repeat(4, 0)
    .repeat(4, 1)
    .repeat(4, 2)
)
OPTIONS = {"name": "a", "chunks": 16, "shards": None, "levels": 2}
# dask warns where its own connections end as they are torn down.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Pieces of a few chunks, so that a small volume has many."""
    monkeypatch.setattr(pieces, "SMALL_PIECE", 2**12)


def noted(block, log, step, block_info=None):
    """The block, after a file says that it was computed; in whatever process."""
    where = "-".join(map(str, block_info[0]["chunk-location"]))
    Path(log, f"{step} {where} {uuid.uuid4().hex}").touch()
    return block


def counted(labels, log, step):
    return labels.map_blocks(noted, log=str(log), step=step, dtype=labels.dtype)


def alone(source, log):
    return counted(source, log, "one")


def with_halo(source, log):
    return counted(source, log, "one").map_overlap(np.copy, depth=2, boundary="none", dtype=source.dtype)


def relabelled(source, log):
    """As dask-image labels: parts with halos first, then all of them by a table that all parts decide on."""
    parts = counted(with_halo(source, log), log, "two")
    largest = parts.max()[None, None, None]
    return parts.map_blocks(
        lambda part, most: np.where(part == most, part + 95, part), largest, dtype=parts.dtype
    )


def rechunked(source, log):
    return counted(source, log, "one").rechunk((12, 9, 7))


GRAPHS = {"alone": alone, "with halo": with_halo, "relabelled": relabelled, "rechunked": rechunked}
SHARED = {"with halo", "relabelled", "rechunked", "alone, misaligned"}


def made(kind, folder):
    """A graph over stored labels, what it gives, and where it notes what was computed."""
    size = 10 if "misaligned" in kind else 16
    zarr.create_array(folder / "source", data=BASE, chunks=(size,) * 3)
    log = folder / "log"
    log.mkdir()
    labels = GRAPHS[kind.split(",")[0]](da.from_zarr(folder / "source"), log)
    return labels, np.where(BASE == 4, 99, BASE) if kind == "relabelled" else BASE, log


def runs(log):
    """How often each noted task has run."""
    return Counter(path.name.rpartition(" ")[0] for path in log.iterdir())


def check_written(folder, expected):
    """Compare the store with one of the same labels in memory."""
    write_labels(folder / "twin", expected.astype(np.uint32), **OPTIONS)
    mine, twin = open_labels(folder / "a"), open_labels(folder / "twin")
    assert digest(folder / "a" / "labels" / "a" / "0") == digest(folder / "twin" / "labels" / "a" / "0")
    assert digest(folder / "a" / "labels" / "a" / "1") == digest(folder / "twin" / "labels" / "a" / "1")
    assert list(segment_index(mine)) == list(segment_index(twin))


@pytest.mark.parametrize("kind", ["alone", "alone, misaligned", "with halo", "relabelled", "rechunked"])
def test_each_task_runs_once_in_threads(kind, tmp_path):
    labels, expected, log = made(kind, tmp_path)
    assert shares_tasks(
        labels, plan_pyramid(labels.shape, labels.dtype, chunks=16, shards=None, levels=2)
    ) == (kind in SHARED)
    write_labels(tmp_path / "a", labels, **OPTIONS)
    found = runs(log)
    steps = 2 if kind == "relabelled" else 1
    assert len(found) == steps * int(np.prod(da.from_zarr(tmp_path / "source").numblocks))
    assert set(found.values()) == {1}
    check_written(tmp_path, expected)


@pytest.mark.parametrize("error", [StoreError("the network is gone"), KeyboardInterrupt()])
def test_a_graph_that_was_interrupted_is_resumed(error, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "PAUSE", 0.0)
    monkeypatch.setattr(checkpoints, "RATIO", 0)
    labels, expected, log = made("relabelled", tmp_path)
    segmentation = Segmentation((labels,), (), identity(labels.shape))
    done = []

    def stop(number, _):
        done.append(number)
        if number >= 4:
            raise error

    with pytest.raises(type(error)):
        write_segmentation(tmp_path / "a", segmentation, progress=stop, **OPTIONS)
    assert not (tmp_path / "a" / "labels").exists()
    first, again = runs(log), []
    write_segmentation(
        tmp_path / "a", segmentation, progress=lambda n, _: again.append(n), resume=True, **OPTIONS
    )
    # Blocks that were done before are not done again, but counted at the end of their pass.
    assert sum(b - a == 1 for a, b in pairwise([0, *again])) < again[-1]
    assert max(runs(log).values()) <= 2
    assert set(first.values()) == {1}
    check_written(tmp_path, expected)


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as opened,
    ):
        yield opened


@pytest.mark.long
def test_each_task_runs_at_most_once_in_processes(tmp_path):
    labels, expected, log = made("relabelled", tmp_path)
    write_labels(tmp_path / "a", labels, workers=2, **OPTIONS)
    assert set(runs(log).values()) == {1}
    check_written(tmp_path, expected)


@pytest.mark.parametrize("kind", ["alone", "with halo", "relabelled"])
def test_each_task_runs_at_most_once_on_a_cluster(kind, client, tmp_path):
    labels, expected, log = made(kind, tmp_path)
    write_labels(tmp_path / "a", labels, cluster=client, **OPTIONS)
    assert set(runs(log).values()) == {1}
    check_written(tmp_path, expected)
    assert held(client) == set()


def held(client):
    """Keys of results that workers keep, when all that is let go is gone."""
    for _ in range(100):
        gc.collect()
        keys = {key for keys in client.has_what().values() for key in keys}
        if not keys:
            break
        threading.Event().wait(0.1)
    return keys


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("alone", "on its cluster"),
        ("alone", "in threads"),
        ("relabelled", "on its cluster"),
        ("relabelled", "in threads"),
        pytest.param("relabelled", "in processes of another cluster", marks=pytest.mark.long),
    ],
)
def test_labels_that_were_persisted(kind, where, client, tmp_path):
    """All of them, or only what they are made of; neither is computed by a thread of this process."""
    labels, expected, log = made("alone", tmp_path)
    labels = client.persist(labels)
    if kind == "relabelled":
        (tmp_path / "log2").mkdir()
        labels, expected, log = (
            relabelled(labels, tmp_path / "log2"),
            np.where(BASE == 4, 99, BASE),
            tmp_path / "log2",
        )
    executor = {
        "on its cluster": {"cluster": client},
        "in threads": {},
        "in processes of another cluster": {"workers": 1},
    }
    write_labels(tmp_path / "a", labels, **OPTIONS, **executor[where])
    assert set(runs(log).values()) == {1}
    assert set(runs(tmp_path / "log").values()) == {1}
    check_written(tmp_path, expected)


def test_labels_that_were_persisted_on_the_default_client(client, tmp_path):
    labels, expected, log = made("alone", tmp_path)
    with client.as_current():
        write_labels(tmp_path / "a", labels.persist(), **OPTIONS)
    assert set(runs(log).values()) == {1}
    check_written(tmp_path, expected)


def test_an_image_that_was_persisted(client, tmp_path):
    image = client.persist(da.from_array(BASE.astype(np.float32), chunks=16))
    write_labels(tmp_path / "a", BASE, image=image, **OPTIONS)
    check_written(tmp_path, BASE)
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "a" / "s0", mode="r")[:], BASE)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_labels_that_were_persisted_on_a_client_that_is_closed(elsewhere, client, tmp_path):
    with distributed.Client(client.cluster, set_as_default=False) as closed:
        labels = closed.persist(da.ones((30, 30, 30), chunks=16, dtype=np.uint8))
    with pytest.raises(ClusterError, match="its client is closed or has dropped them: keep the client open"):
        write_labels(tmp_path / "a", labels, **OPTIONS, cluster=client if elsewhere else None)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("cluster", [True, False])
def test_a_graph_that_fails_leaves_nothing(cluster, client, tmp_path):
    def broken(block, block_info=None):
        if block_info[0]["chunk-location"] == (1, 2, 1):
            raise ValueError("no labels here")
        return block

    whole = da.from_array(BASE, chunks=16).map_overlap(np.copy, depth=1, boundary="none", dtype=BASE.dtype)
    labels = whole.map_blocks(broken, dtype=BASE.dtype)
    before = threading.active_count()
    with pytest.raises((ValueError, ClusterError), match="no labels here"):
        write_labels(tmp_path / "a", labels, **OPTIONS, cluster=client if cluster else None)
    # On a cluster a job that failed can be resumed; nothing is published.
    assert not (tmp_path / "a" / "labels" if cluster else tmp_path / "a").exists()
    assert threading.active_count() <= before


def test_a_graph_that_gives_other_labels_than_it_told(tmp_path):
    whole = da.from_array(BASE, chunks=16).map_overlap(np.copy, depth=1, boundary="none", dtype=BASE.dtype)
    labels = whole.map_blocks(lambda block: block + 0.5, dtype=np.uint32, meta=np.empty((0, 0, 0), np.uint32))
    with pytest.raises(
        LabelValueError, match="labels came as float64 instead of uint32: convert them exactly"
    ):
        write_labels(tmp_path / "a", labels, **OPTIONS)
    negative = (whole.astype(np.int32) - 1).map_overlap(np.copy, depth=1, boundary="none", dtype=np.int32)
    with pytest.raises(LabelValueError, match=r"label -1 in box .* is negative"):
        write_labels(tmp_path / "a", negative, **OPTIONS)
    assert not (tmp_path / "a").exists()
