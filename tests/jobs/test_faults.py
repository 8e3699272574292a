"""Nothing is lost, whenever what dies; see `tests.jobs.trials` for the long run."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from tests.jobs import trials
from tests.jobs.processes import Cluster
from tests.jobs.volume import make_source
from tests.storage.server import server_kind

ROUNDS = int(os.environ.get("NGFFSEG_FAULT_ROUNDS", "1"))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source") / "labels"
    make_source(folder)
    return folder


def run(fault, source, place, *more, name=None):
    """All rounds of one fault; the counts go to a file where one is named."""
    expected = trials.reference(source, place)
    count = trials.Count(name or fault.__doc__.split(":")[0].rstrip("."))
    rng = random.Random(f"{ROUNDS} {fault.__name__}")
    for _ in range(ROUNDS):
        fault(source, place, expected, count, rng, *more)
    assert count.lost == []
    assert count.trials == ROUNDS
    table = os.environ.get("NGFFSEG_FAULT_TABLE")
    if table:
        path = Path(table)
        known = json.loads(path.read_text("utf-8")) if path.exists() else {}
        known[count.fault] = [count.trials, count.resumed, count.blocks_kept, len(count.lost)]
        path.write_text(json.dumps(known, indent=1), encoding="utf-8")


def test_kill_9_of_the_writer(source, tmp_path):
    run(trials.killed_writer, source, trials.Place(tmp_path), name="kill -9 of the writer, local disk")


def test_kill_9_of_the_writer_to_s3(source, tmp_path, bucket):
    run(trials.killed_writer, source, trials.Place(tmp_path, bucket), name="kill -9 of the writer, S3")


def test_kill_9_of_a_worker_with_a_nanny(source, tmp_path):
    with Cluster(tmp_path, nanny=True) as cluster:
        run(
            trials.killed_worker,
            source,
            trials.Place(tmp_path),
            cluster,
            name="kill -9 of a worker with a nanny",
        )


def test_kill_9_of_a_worker_without_a_nanny(source, tmp_path, bucket):
    with Cluster(tmp_path, nanny=False) as cluster:
        place = trials.Place(tmp_path, bucket)
        run(trials.killed_worker, source, place, cluster, name="kill -9 of a worker without a nanny, S3")


def test_kill_9_of_the_scheduler(source, tmp_path):
    with Cluster(tmp_path, nanny=False) as cluster:
        place = trials.Place(tmp_path)
        run(trials.killed_scheduler, source, place, cluster, name="kill -9 of the scheduler and all workers")


@pytest.mark.skipif(server_kind() == "moto", reason="moto keeps its objects in its process")
def test_the_server_stops_and_starts(source, tmp_path, bucket):
    run(
        trials.stopped_server,
        source,
        trials.Place(tmp_path, bucket),
        bucket.server,
        name="the S3 server stopped and started",
    )


def test_a_full_disk_that_is_freed(source, tmp_path):
    disk = tmp_path / "disk"
    if not trials.small_disk(disk, 64):
        pytest.skip("mounting a small disk needs root")
    try:
        run(trials.full_disk, source, trials.Place(disk), name="the disk full, then freed")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("kind", ["local disk", "S3"])
def test_two_runs_of_one_job(kind, source, tmp_path, request):
    bucket = request.getfixturevalue("bucket") if kind == "S3" else None
    place = trials.Place(tmp_path, bucket)
    run(trials.two_runs, source, place, name=f"two runs of one job at the same time, {kind}")
