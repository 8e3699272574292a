"""Faults at random moments: each trial ends with a store that equals one that nobody disturbed.

``NGFFSEG_FAULT_ROUNDS=50 pytest tests/jobs/test_faults.py`` is the long run (`.ci/full`); with
``NGFFSEG_FAULT_TABLE=FILE`` it leaves the counts of which docs/benchmarks.md shows a table.
"""

import random
import shutil
import subprocess
import time
from dataclasses import dataclass, field

from tests.jobs.processes import Cluster, Writer
from tests.jobs.volume import digests, in_bucket, on_disk

REFERENCES = {}


@dataclass
class Count:
    """What came of all trials of one fault."""

    fault: str
    trials: int = 0
    resumed: int = 0
    blocks_kept: int = 0
    lost: list = field(default_factory=list)

    def add(self, said, *, equal, again):
        """Count one trial: what the last run said, and whether the first had not come to an end."""
        self.trials += 1
        self.resumed += again
        if again and said:
            # Blocks that the last run did not do again: those in all less those that it told of singly.
            singly = sum(1 for before, after in zip([[0, 0], *said], said) if after[0] - before[0] == 1)  # noqa: B905
            self.blocks_kept += max(0, said[-1][1] - singly)
        if not equal:
            self.lost.append(self.trials)


class Place:
    """A local folder or a bucket in which a trial is made."""

    def __init__(self, folder, bucket=None):
        self.folder, self.bucket, self.number = folder, bucket, 0

    def next(self):
        """Address of a store that is not there yet."""
        self.clear()
        self.number += 1
        self.name = f"{self.number}.ome.zarr"
        return f"{self.bucket.url}/{self.name}" if self.bucket else str(self.folder / self.name)

    def contents(self):
        """All objects of the store."""
        return in_bucket(self.bucket, self.name) if self.bucket else on_disk(self.folder / self.name)

    def clear(self):
        """Remove the last store."""
        if self.bucket is None and self.number:
            shutil.rmtree(self.folder / self.name, ignore_errors=True)


def reference(source, place):
    """Digests of the objects that an undisturbed run writes; it is done once for each kind of place."""
    made = source, "disk" if place.bucket is None else "S3"
    if made not in REFERENCES:
        code, _, error = Writer(source, place.next(), slowly=0).end()
        assert code == 0, error
        REFERENCES[made] = digests(place.contents())
    return REFERENCES[made]


def settle(source, store, *, runs=3, **options):
    """Run again until it is done: exit code and words of the last run."""
    for _ in range(runs):
        code, said, error = Writer(source, store, slowly=0, resume=True, **options).end()
        if code == 0:
            return said
    raise AssertionError(error)


def killed_writer(source, place, expected, count, rng):
    """Kill -9 of the process that writes."""
    store = place.next()
    writer = Writer(source, store, resume=True)
    writer.live(rng, 2.4)
    code, _, _ = writer.kill()
    said = settle(source, store)
    count.add(said, equal=digests(place.contents()) == expected, again=code != 0)


def killed_worker(source, place, expected, count, rng, cluster):
    """Kill -9 of a worker of a cluster: the job goes on with the others."""
    store = place.next()
    writer = Writer(source, store, resume=True, cluster=cluster.address)
    writer.live(rng, 2.4)
    cluster.kill_worker(rng.randrange(2))
    code, _, error = writer.end()
    assert code == 0, error
    count.add([], equal=digests(place.contents()) == expected, again=False)


def killed_scheduler(source, place, expected, count, rng, cluster):
    """Kill -9 of the scheduler and all workers: the run fails, the next one goes on."""
    store = place.next()
    writer = Writer(source, store, resume=True, cluster=cluster.address)
    writer.live(rng, 2.4)
    cluster.kill_scheduler()
    code, _, error = writer.end()
    assert code in (0, 3), error
    said = settle(source, store, cluster=cluster.address)
    count.add(said, equal=digests(place.contents()) == expected, again=code != 0)


def stopped_server(source, place, expected, count, rng, server):
    """The S3 server stops and starts again: the run waits for it."""
    store = place.next()
    writer = Writer(source, store, resume=True)
    writer.live(rng, 2.4)
    server.stop()
    time.sleep(rng.uniform(0.2, 3.0))
    server.start()
    code, _, error = writer.end()
    if code != 0:
        # It had not begun when the server stopped, and does not wait long for one that never answered.
        assert "cannot be reached" in error, error
        assert not place.contents()
        settle(source, store)
    count.add([], equal=digests(place.contents()) == expected, again=code != 0)


def full_disk(source, place, expected, count, rng):
    """The disk is full, and then freed."""
    store = place.next()
    ballast, room = place.folder / "ballast", rng.randrange(50_000, 1_500_000)
    free = shutil.disk_usage(place.folder).free
    with ballast.open("wb") as file:
        file.write(bytes(max(0, free - room)))
    code, _, error = Writer(source, store, slowly=0, resume=True).end()
    assert code in (0, 3), error
    assert code == 0 or "disk is full" in error, error
    ballast.unlink()
    said = settle(source, store)
    count.add(said, equal=digests(place.contents()) == expected, again=code != 0)


def two_runs(source, place, expected, count, rng):
    """Two runs of the same job at the same time: one does it, the other is told so or finds it done."""
    store = place.next()
    first = Writer(source, store, resume=True)
    time.sleep(rng.uniform(0, 3.0))
    second = Writer(source, store, resume=True)
    ends = [first.end(), second.end()]
    codes = [code for code, _, _ in ends]
    assert 0 in codes, ends
    for code, _, error in ends:
        assert code == 0 or "another run" in error, error
    count.add([], equal=digests(place.contents()) == expected, again=False)


def small_disk(folder, megabytes):
    """A file system in memory of its own; False where the machine does not allow it."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


__all__ = ["Cluster", "Count", "Place", "random", "reference", "small_disk"]
