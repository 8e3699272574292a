"""The benchmarks run, and what they print of ties has the direction that was measured before."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(*words):
    environment = {**os.environ, "NGFFSEG_TEST_DATA": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]


def test_truth_of_pyramids_on_the_chest_of_the_slicerio_wheel():
    rows = {cells[0]: [cell.split(" / ") for cell in cells[1:]] for cells in run("benchmarks/truth.py")[1:]}
    assert rows["ngffseg smallest"] == rows["tensorstore mode"]
    errors = {name: float(levels[0][0]) for name, levels in rows.items()}
    assert errors["ngffseg balanced (default)"] < 0.5 * errors["ngffseg smallest"]
    assert errors["ngff-zarr mode"] == errors["ngffseg smallest"]
    drifts = {name: float(levels[0][1]) for name, levels in rows.items()}
    assert drifts["ngffseg balanced (default)"] < drifts["ome-zarr-py labels"]
    assert drifts["ngffseg balanced (default)"] < drifts["tinybrain mode"]


def test_speed_of_the_main_jobs():
    rows = run("benchmarks/speed.py", "--quick", "--runs", "1")
    assert next(cells[0] for cells in rows) == "`import ngffseg`"
    assert all(float(cells[1]) > 0 and float(cells[3]) > 1 for cells in rows)
