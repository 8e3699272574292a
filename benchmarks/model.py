"""What ``ngffseg plan`` says beside what a job really takes, at 1, 2 and 4 gigavoxels.

    python benchmarks/model.py [--write] [--edge N]

The machine is calibrated first, and that is kept as by ``ngffseg plan --calibrate``. ``--write``
puts the table into the page of benchmarks, with a row of a petavoxel that only the model tells.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from inputs import STEP, tile
from process import measure
from tables import put

from ngffseg import write_labels
from ngffseg.planning import calibration

COMMAND = [sys.executable, "-c", "from ngffseg.cli.main import main; main()"]
PETAVOXEL = ["--shape", "100000,100000,100000", "--dtype", "uint32", "--workers", "1000"]


def plan(*words: str) -> dict[str, float]:
    """What the verb says."""
    done = subprocess.run([*COMMAND, "plan", *words, "--json"], capture_output=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)["estimate"]
    return found


def shifted(labels: np.ndarray, offset: int) -> np.ndarray:
    """Other ids; background stays."""
    return np.where(labels == 0, labels, labels + np.uint32(offset))


def level0(folder: Path, edge: int, depth: int) -> None:
    """A label image of one level: depth tiles of a real segmentation along z, 2 x 2 across."""
    import dask.array as da

    _, labels = tile()
    labels = labels[:edge, :edge, :edge]
    lazy = da.from_array(labels, chunks=calibration.EDGE, name=False)
    tiles = [
        lazy.map_blocks(shifted, offset=number * STEP % 2**32, dtype="u4", name=f"tile-{number}")
        for number in range(4 * depth)
    ]
    rows = [
        da.block([[tiles[n], tiles[n + 1]], [tiles[n + 2], tiles[n + 3]]]) for n in range(0, 4 * depth, 4)
    ]
    write_labels(folder / "a.ome.zarr", da.concatenate(rows), name="a", levels=1)


def row(folder: Path, edge: int, depth: int) -> str:
    """One line: model and reality."""
    shape = (depth * edge, 2 * edge, 2 * edge)
    said = plan("--shape", ",".join(map(str, shape)), "--dtype", "uint32", "--in-place")
    level0(folder, edge, depth)
    store = folder / "a.ome.zarr"
    before = time.time_ns()
    run = measure([*COMMAND, "pyramid", str(store), "--json"])
    size = sum(
        file.stat().st_size
        for n in "123456789"
        for file in (store / "labels/a" / n).rglob("c/**/*")
        if file.is_file()
    )
    made = sum(1 for file in store.rglob("*") if file.is_file() and file.stat().st_mtime_ns >= before)
    shutil.rmtree(store)
    memory = (said["memory"] + 2 * said["memory_per_thread"]) / 1e6
    return (
        f"| {np.prod(shape) / 2**30:.3g} Gvoxel | {said['blocks']:,} | {said['objects']:,} / {made:,} "
        f"| {said['written_bytes'] / 1e6:.0f} / {size / 1e6:.0f} MB | {memory:.0f} / {run.memory:.0f} MB "
        f"| {said['seconds']:.1f} / {run.wall:.1f} s | - |"
    )


def petavoxel() -> str:
    said = plan(*PETAVOXEL)
    memory = said["memory_per_thread"] / 1e6
    return (
        f"| 10^15 voxels, level 0 too, 1000 threads | {said['blocks']:,} | {said['objects']:,} "
        f"| {said['written_bytes'] / 1e12:.0f} TB | {memory:.0f} MB per thread | {said['seconds'] / 3600:.1f} h "
        f"| ${said['dollars']:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--edge", type=int, default=512, help="edge of a tile")
    options = parser.parse_args()
    plan("--shape", "64,64,64", "--dtype", "uint32", "--calibrate")
    rows = [
        "Said / found, levels above a stored level 0, default chunks and shards, two threads:",
        "",
        "| job | blocks | objects | written | peak memory | time | requests on S3 |",
        "|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory(prefix="ngffseg-") as folder:
        rows += [row(Path(folder), options.edge, depth) for depth in (2, 4, 8)]
    rows.append(petavoxel())
    sys.stdout.write("\n".join(rows) + "\n")
    if options.write:
        put("model table", rows)


if __name__ == "__main__":
    main()
