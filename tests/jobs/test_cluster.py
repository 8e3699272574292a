"""The same plan on threads, processes and clusters; and what is said where a cluster cannot do it."""

import os
import shutil
import site
import subprocess
import sys
import time
import uuid
from pathlib import Path

import dask.array as da
import distributed
import numpy as np
import pytest
import zarr

from ngffseg import open_labels, segment_index, write_labels
from ngffseg.errors import ClusterError, JobError, LabelValueError, UsageError
from ngffseg.labels import rebuild_levels
from ngffseg.workers import dask_executor, opening
from tests.jobs.processes import Cluster
from tests.jobs.volume import digests, in_bucket, make_source, on_disk

SMALL = np.random.default_rng(0).integers(0, 5, (100, 90, 80)).astype(np.uint16)
# dask warns where its own connections end as they are torn down.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("cluster"), nanny=False) as started:
        yield started


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source") / "labels"
    make_source(folder)
    return zarr.open_array(folder, mode="r")


def test_threads_processes_and_a_cluster_write_the_same(cluster, source, tmp_path):
    stores = {
        "threads": {},
        "one thread": {"cluster": "threads", "workers": 1},
        "processes": {"workers": 2},
        "address": {"cluster": cluster.address},
    }
    for name, options in stores.items():
        write_labels(tmp_path / name, source, name="a", **options)
    with distributed.Client(cluster.address, set_as_default=False) as client:
        write_labels(tmp_path / "client", source, name="a", cluster=client)
    found = {name: digests(on_disk(tmp_path / name)) for name in [*stores, "client"]}
    assert all(found["threads"] == there for there in found.values())
    assert len(found["threads"]) > 20


def test_level_0_that_has_no_level_above_it_is_counted_on_a_cluster(cluster, tmp_path):
    image = write_labels(tmp_path / "a", SMALL, name="a", levels=1, chunks=16, shards=32)
    index = segment_index(image)
    entries, digests_before = (
        list(index),
        zarr.open_array(f"{image.url}/ngffseg/index/a/digests", mode="r")[:],
    )
    image = rebuild_levels(tmp_path / "a", cluster=cluster.address)
    form = segment_index(image).layout
    assert list(segment_index(image)) == entries
    found = zarr.open_array(f"{image.url}/ngffseg/index/a/{form.digests}", mode="r")[:]
    np.testing.assert_array_equal(found, digests_before)


def test_a_cluster_and_a_real_s3_server(source, bucket, tmp_path):
    url = f"{bucket.url}/a.ome.zarr"
    with Cluster(tmp_path, nanny=False) as cluster:  # its workers have the credentials
        image = write_labels(url, source, name="a", cluster=cluster.address)
        box = [(90, 170), (190, 290), (0, 64)]
        np.testing.assert_array_equal(image.read(box), source[90:170, 190:290, :64])
        before = digests(in_bucket(bucket, "a.ome.zarr"))
        rebuild_levels(url, "a", cluster=cluster.address)
    after = digests(in_bucket(bucket, "a.ome.zarr"))
    assert sorted(d for k, d in before.items() if "/c/" in k) == sorted(
        d for k, d in after.items() if "/c/" in k
    )


@pytest.mark.parametrize("kind", ["memory", "dask of memory", "dask of zarr", "zarr"])
def test_sources_travel_or_are_read_here(kind, cluster, tmp_path):
    stored = zarr.create_array(tmp_path / "source", data=SMALL, chunks=(40, 40, 40))
    source = {
        "memory": SMALL,
        "dask of memory": da.from_array(SMALL, chunks=50),
        "dask of zarr": da.from_zarr(stored),
        "zarr": stored,
    }[kind]
    image = write_labels(
        tmp_path / "a.zarr", source, name="a", chunks=16, shards=None, cluster=cluster.address
    )
    here = write_labels(tmp_path / "b.zarr", SMALL, name="a", chunks=16, shards=None)
    for ours, theirs in zip(image._arrays, here._arrays, strict=True):
        np.testing.assert_array_equal(ours[:], theirs[:])
    again = write_labels(
        tmp_path / "a.zarr", source, name="a", chunks=16, shards=None, cluster=cluster.address, resume=True
    )
    assert again.name == "a"


def test_masks_are_read_here(cluster, tmp_path):
    """Level 0 of each layer is written by this process, the rest by the cluster."""
    masks = {"a": SMALL < 3, "b": da.from_array(SMALL > 1, chunks=50), "c": SMALL == 4}
    form = {"name": "a", "chunks": 16, "shards": None}
    image = write_labels(tmp_path / "a.zarr", masks=masks, cluster=cluster.address, **form)
    write_labels(tmp_path / "b.zarr", masks=masks, **form)
    assert image.layers == ("a", "a__layer1")
    for layer in image.layers:
        ours, theirs = (open_labels(tmp_path / store, layer) for store in ("a.zarr", "b.zarr"))
        for one, other in zip(ours._arrays, theirs._arrays, strict=True):
            np.testing.assert_array_equal(one[:], other[:])
        assert list(segment_index(ours)) == list(segment_index(theirs))


def test_large_arrays_do_not_travel_with_the_graph(cluster, tmp_path):
    wide = np.zeros((256, 256, 256), np.uint32)
    wide[100:200] = 7
    image = write_labels(
        tmp_path / "a.zarr", da.from_array(wide, chunks=128), name="a", cluster=cluster.address
    )
    np.testing.assert_array_equal(image.read(), wide)


def boom(_block):
    raise ZeroDivisionError("a bug")


def once(block, folder=None):
    """Fails once per folder."""
    try:
        Path(folder, "failed").touch(exist_ok=False)
    except FileExistsError:
        return block
    raise OSError("a passing fault")


def test_what_fails_is_named(cluster, tmp_path):
    store = tmp_path / "a.zarr"
    labels = da.full((64, 64, 64), -1, chunks=32, dtype="int32")
    with pytest.raises(
        LabelValueError, match=r"block 0/0/0 of level 0 \(voxels .*\) failed on worker tcp:.* negative"
    ):
        write_labels(store, labels, name="a", chunks=16, cluster=cluster.address)
    labels = da.ones((64, 64, 64), chunks=32, dtype="int32")
    with pytest.raises(ClusterError, match=r"failed on worker tcp:.*ZeroDivisionError: a bug"):
        write_labels(
            store, labels.map_blocks(boom, dtype="int32"), name="a", chunks=16, cluster=cluster.address
        )
    assert not store.exists()
    image = write_labels(
        store, labels.map_blocks(once, folder=str(tmp_path), dtype="int32"), name="a", cluster=cluster.address
    )
    assert (tmp_path / "failed").exists()
    assert (image.read() == 1).all()


class Doubling:
    """Work that is quickly done."""

    def __call__(self, task):
        return 2 * task

    def name(self, task):
        return str(task)

    def stop(self):
        pass


@pytest.mark.parametrize("pause", [0, 1.5])
def test_results_that_died_with_their_worker_are_made_again(tmp_path, pause):
    with Cluster(tmp_path, workers=1, nanny=True) as cluster:
        with distributed.Client(cluster.address, set_as_default=False) as client:
            done = dask_executor.DaskExecutor(client).run(Doubling(), range(80))
            first = next(done)
            time.sleep(1)  # a window of them is done meanwhile, and nobody has asked for the results
            cluster.kill_worker(0)
            time.sleep(pause)
            assert dict([first, *done]) == {number: 2 * number for number in range(80)}


def test_no_scheduler(tmp_path, monkeypatch):
    assert opening.ANSWER < 10
    monkeypatch.setattr(opening, "ANSWER", 1.0)
    with pytest.raises(
        ClusterError, match=r"tcp://127.0.0.1:9: no dask scheduler answers there .*check the address"
    ):
        write_labels(tmp_path / "a.zarr", SMALL, name="a", cluster="tcp://127.0.0.1:9")
    assert not (tmp_path / "a.zarr").exists()
    with pytest.raises(ClusterError, match="nonsense: no dask scheduler answers there"):
        write_labels(tmp_path / "a.zarr", SMALL, name="a", cluster="nonsense")
    with pytest.raises(UsageError, match="the cluster has its own workers"):
        write_labels(tmp_path / "a.zarr", SMALL, name="a", cluster="tcp://127.0.0.1:9", workers=2)


def test_no_worker(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_executor, "APPEAR", 1.0)
    with (
        Cluster(tmp_path, workers=0) as empty,
        pytest.raises(ClusterError, match="has no worker: start some"),
    ):
        write_labels(tmp_path / "a.zarr", SMALL, name="a", cluster=empty.address)


def other_installation(folder, version):
    """The packages of this environment but ngffseg; or with another version of it."""
    packages = Path(site.getsitepackages()[0])
    folder.mkdir()
    for entry in packages.iterdir():
        if "ngffseg" not in entry.name:
            (folder / entry.name).symlink_to(entry)
    if version:
        told = folder / f"ngffseg-{version}.dist-info"
        told.mkdir()
        (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: ngffseg\nVersion: {version}\n")
        (folder / "ngffseg").symlink_to(Path(__file__).parents[2] / "ngffseg")
    return folder


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, r"worker tcp://.* lacks ngffseg: there, pip install ngffseg=="),
        ("0.0.9", "has ngffseg 0.0.9, not"),
    ],
)
def test_workers_without_ngffseg_or_with_another_one(version, message, tmp_path):
    packages = other_installation(tmp_path / "packages", version)
    with Cluster(tmp_path, workers=0) as foreign:
        with (tmp_path / "log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-S", "-m", "distributed.cli.dask_worker", foreign.address, "--no-nanny", "--no-dashboard"],
                cwd=tmp_path, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(packages)},
            )  # fmt: skip
        foreign.processes.append(worker)
        with pytest.raises(ClusterError, match=message):
            write_labels(tmp_path / "a.zarr", SMALL, name="a", cluster=foreign.address)
    assert not (tmp_path / "a.zarr").exists()


def allowed(*command):
    """Whether the machine lets us do this, which root may; a program that is missing is a fault."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_store_that_workers_cannot_see(tmp_path):
    if not allowed("unshare", "-m", "true"):
        pytest.skip("a file system of one's own needs root")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    alone = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs tmpfs {hidden} && exec "$@"', "sh"]
    with Cluster(tmp_path, nanny=False, workers=1, run=([], alone)) as cluster:
        with pytest.raises(
            ClusterError, match=r"worker tcp://.* cannot see .*hidden/a.zarr, which is on the disk of this"
        ):
            write_labels(hidden / "a.zarr", SMALL, name="a", cluster=cluster.address)
        assert list(hidden.iterdir()) == []
        stored = zarr.create_array(hidden / "source", data=SMALL)
        with pytest.raises(ClusterError, match=r"cannot see .*hidden/source"):
            write_labels(tmp_path / "a.zarr", stored, name="a", cluster=cluster.address)
        with pytest.raises(ClusterError, match=r"cannot see memory://.* which is in this process"):
            write_labels(f"memory://{uuid.uuid4()}/a.zarr", SMALL, name="a", cluster=cluster.address)


@pytest.fixture
def networks():
    """Two networks of their own, for the scheduler and for a worker, with a way between them."""
    if not (allowed("ip", "netns", "add", "ngffseg-s") and allowed("ip", "netns", "add", "ngffseg-w")):
        pytest.skip("networks of one's own need root")
    steps = []
    for name, number in (("s", 1), ("w", 2)):
        net = f"10.213.{number}"
        steps += [
            f"ip link add ngff{name}0 type veth peer name ngff{name}1 netns ngffseg-{name}",
            f"ip addr add {net}.1/24 dev ngff{name}0", f"ip link set ngff{name}0 up",
            f"ip -n ngffseg-{name} addr add {net}.2/24 dev ngff{name}1",
            f"ip -n ngffseg-{name} link set ngff{name}1 up", f"ip -n ngffseg-{name} link set lo up",
            f"ip -n ngffseg-{name} route add default via {net}.1",
        ]  # fmt: skip
    forward = Path("/proc/sys/net/ipv4/ip_forward")
    before = forward.read_text("ascii")
    try:
        for step in steps:
            if not allowed(*step.split()):
                pytest.skip(f"this machine does not allow: {step}")
        forward.write_text("1", encoding="ascii")
        yield [["ip", "netns", "exec", "ngffseg-s"], ["ip", "netns", "exec", "ngffseg-w"]]
    finally:
        forward.write_text(before, encoding="ascii")
        for name in ("s", "w"):
            allowed("ip", "netns", "del", f"ngffseg-{name}")


def test_networks_of_their_own(networks, source, tmp_path):
    with Cluster(tmp_path, nanny=False, workers=1, run=networks, host="10.213.1.2") as apart:
        image = write_labels(tmp_path / "a.zarr", source, name="a", cluster=apart.address)
    np.testing.assert_array_equal(image.read(), source[:])


def test_a_source_that_changes_is_not_published(tmp_path):
    stored = zarr.create_array(tmp_path / "source", data=SMALL, chunks=(20, 20, 20))

    def vanish(_done, _blocks):
        shutil.rmtree(tmp_path / "source" / "c" / "4", ignore_errors=True)

    from ngffseg.geometry import identity
    from ngffseg.labels import write_segmentation
    from ngffseg.model import Segmentation

    with pytest.raises(JobError, match="have changed while they were read: nothing was published"):
        write_segmentation(
            tmp_path / "a.zarr", Segmentation((stored,), (), identity(SMALL.shape)), name="a", chunks=20,
            shards=None, progress=vanish,
        )  # fmt: skip
    assert not (tmp_path / "a.zarr").exists()
    with pytest.raises(OSError, match="no OME-Zarr store"):
        open_labels(tmp_path / "a.zarr")
