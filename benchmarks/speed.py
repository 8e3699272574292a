"""How long the main jobs take and how much memory: whole processes, medians.

    python benchmarks/speed.py [--write] [--runs N] [--quick]

``--write`` puts the table into the page of benchmarks; ``--quick`` leaves out the array of two gigavoxels.
"""

import argparse
import statistics
import sys
import tempfile

from process import measure
from tables import put

BARE = "import dask.array, numba, numpy, zarr"
IMPORT = "import ngffseg"
DEMO = """
import sys
from ngffseg.convert import demo_files
from ngffseg.cli.main import run
source, image = demo_files() / "SegmentationOverlapping.seg.nrrd", demo_files() / "CTChest4.nrrd"
words = ["import", str(source), sys.argv[1] + "/a.ome.zarr", "--json"]
sys.exit(run(words + (["--image", str(image)] if WITH_IMAGE else [])))
"""
LARGE = """
import sys
import dask.array as da, numpy as np
from ngffseg import write_labels
rng = np.random.default_rng(0)
tile = np.repeat(np.repeat(np.repeat(rng.integers(1, 2**20, (16, 16, 16)), 16, 0), 16, 1), 16, 2).astype(np.uint32)
labels = da.tile(da.from_array(tile, chunks=128), (8, 4, 4))
assert labels.shape == (2048, 1024, 1024)
write_labels(sys.argv[1] + "/a.ome.zarr", labels, name="a")
"""


def run(code: str) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak memory (MB) of a process."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure([sys.executable, "-c", code, folder])
        return found.wall, found.cpu, found.memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="leave out the array of two gigavoxels")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    jobs = {
        "`import ngffseg`": (IMPORT, options.runs),
        "import dask, numba, zarr alone": (BARE, options.runs),
        "`ngffseg import` of the demo case": ("WITH_IMAGE = False" + DEMO, options.runs),
        "the same with its CT": ("WITH_IMAGE = True" + DEMO, options.runs),
    }
    if not options.quick:
        jobs["write 2048 x 1024 x 1024 uint32 from dask, all levels"] = (LARGE, 1)
    rows = ["| job | wall s | CPU s | peak MB |", "|---|---|---|---|"]
    for name, (code, runs) in jobs.items():
        run(code) if runs > 1 else None  # the first run compiles the kernels
        measured = [
            statistics.median(column) for column in zip(*(run(code) for _ in range(runs)), strict=True)
        ]
        rows.append(f"| {name} | {measured[0]:.2f} | {measured[1]:.2f} | {measured[2]:.0f} |")
        sys.stdout.write(rows[-1] + "\n")
    if options.write:
        put("speed table", rows)


if __name__ == "__main__":
    main()
