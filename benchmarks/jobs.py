"""What clusters, resuming and updates cost, on a gigavoxel of a real segmentation.

    python benchmarks/jobs.py [--write] [--edge N] [--runs N] [--blocks N]

Threads and a cluster (a scheduler and two workers of one thread each, all processes of this machine)
take turns at the same job. ``--write`` puts the table into the page of benchmarks.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import zarr

sys.path.insert(0, str(Path(__file__).parent.parent))

from inputs import STEP, tile
from tables import put

from ngffseg import open_labels, update_labels, write_labels
from tests.jobs.processes import Cluster

CHUNK = 64
THREADS = 2


def source(folder: Path, edge: int) -> zarr.Array:
    """The tiles as one stored array."""
    _, labels = tile()
    array = zarr.create_array(
        folder / "source", shape=(edge,) * 3, chunks=(CHUNK,) * 3, shards=(4 * CHUNK,) * 3, dtype="uint32"
    )
    size = min(edge, labels.shape[0])
    for number, corner in enumerate(np.ndindex(*(-(-edge // size),) * 3)):
        part = labels[:size, :size, :size]
        box = tuple(slice(c * size, min((c + 1) * size, edge)) for c in corner)
        array[box] = np.where(part == 0, 0, part + np.uint32(number * STEP % 2**32))[
            tuple(slice(b.stop - b.start) for b in box)
        ]
    return array


def seconds(call) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def turns(folder: Path, labels: zarr.Array, runs: int) -> tuple[float, float]:
    """Medians of the job in threads and on a cluster that is up, in turn."""
    found: dict[str, list[float]] = {"threads": [], "cluster": []}
    with Cluster(folder, workers=THREADS, nanny=False) as cluster:
        ways = {
            "threads": {"cluster": "threads", "workers": THREADS},
            "cluster": {"cluster": cluster.address},
        }
        for run in range(runs + 1):
            for name, options in ways.items():
                store = folder / "job.ome.zarr"
                shutil.rmtree(store, ignore_errors=True)
                took = seconds(
                    lambda s=store, o=options: write_labels(s, labels, name="a", chunks=CHUNK, **o)
                )
                if run:  # the first one loads kernels
                    found[name].append(took)
    return statistics.median(found["threads"]), statistics.median(found["cluster"])


def again(folder: Path) -> float:
    """A second run of a finished job, as a whole process."""
    program = (
        "import sys, zarr\nfrom ngffseg import write_labels\n"
        "write_labels(sys.argv[2], zarr.open_array(sys.argv[1], mode='r'), name='a', chunks=64,"
        " cluster='threads', workers=2, resume=True)"
    )
    words = [sys.executable, "-c", program, str(folder / "source"), str(folder / "job.ome.zarr")]
    return seconds(lambda: subprocess.run(words, check=True))


def stroke(folder: Path, labels: zarr.Array) -> tuple[float, int, int]:
    """An update of 64³: seconds, objects of labels that were written, and those of them that do not cover it."""
    store = folder / "update.ome.zarr"
    image = write_labels(store, labels, name="a", chunks=CHUNK, shards=None)
    start = [n // 3 for n in image._arrays[0].shape]
    box = [(a, a + 64) for a in start]
    new = np.full((64, 64, 64), 5, np.uint32)
    before = time.time_ns()
    took = seconds(lambda: update_labels(image, box, new))
    wrong = count = 0
    for number, array in enumerate(open_labels(store, "a")._arrays):
        factor = 2**number
        for file in (store / array.path / "c").rglob("*"):
            if file.is_file() and file.stat().st_mtime_ns >= before:
                count += 1
                index = [int(part) for part in file.relative_to(store / array.path / "c").parts]
                covers = all(
                    i * CHUNK * factor < b and a < (i + 1) * CHUNK * factor
                    for i, (a, b) in zip(index, box, strict=True)
                )
                wrong += not covers
    return took, count, wrong


MANY = """
import resource, sys, time
import dask.array as da
from ngffseg import plan_pyramid, write_labels
from ngffseg.workers import dask_executor

blocks, address, store = int(sys.argv[1]), sys.argv[2], sys.argv[3]
edge = round(blocks ** (1 / 3)) * 512
labels = da.zeros((edge,) * 3, chunks=512, dtype="uint32")
plan = plan_pyramid((edge,) * 3, "uint32")
real, count = dask_crew._Running.begin, [0]
class Full(Exception):
    pass
def begin(self, *words):
    real(self, *words)
    count[0] += 1
    if count[0] == dask_crew.LEAST:
        raise Full
dask_crew._Running.begin = begin
start = time.perf_counter()
try:
    write_labels(store, labels, name="a", cluster=address)
except Full:
    pass
took = time.perf_counter() - start
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(plan.block_count, took, peak / 1000)
"""


def many(folder: Path, blocks: int) -> tuple[int, float, float]:
    """Blocks of a very large plan, seconds until the cluster is busy with it, and megabytes of the client."""
    with Cluster(folder, workers=1, nanny=False) as cluster:
        words = [sys.executable, "-c", MANY, str(blocks), cluster.address, str(folder / "large.ome.zarr")]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
    count, took, peak = done.stdout.split()
    return int(count), float(took), float(peak)


def main() -> None:
    """Run all, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--edge", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--blocks", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        labels = source(folder, asked.edge)
        threads, cluster = turns(folder, labels, asked.runs)
        finished = again(folder)
        took, count, wrong = stroke(folder, labels)
        blocks, begun, peak = many(folder, asked.blocks)
    size = f"{asked.edge**3 / 2**30:.3g} Gvoxel"
    lines = [
        "| job | found |",
        "|---|---|",
        f"| {size}, all levels and index: threads / cluster, two cores | {threads:.2f} / {cluster:.2f} s: {100 * (cluster / threads - 1):+.0f} % |",
        f"| a plan of {blocks:,} blocks: until the cluster is busy / memory of the client | {begun:.2f} s / {peak:.0f} MB |",
        f"| the same {size} again with `resume`, as a process | {finished:.2f} s |",
        f"| update of 64³ in {size}: time / objects written / of these not over the box | {took:.2f} s / {count} / {wrong} |",
    ]
    print("\n".join(lines))
    if asked.write:
        put("jobs table", lines)


if __name__ == "__main__":
    main()
