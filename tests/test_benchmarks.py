"""The benchmarks run, and what they print of ties has the direction that was measured before."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr

from ngffseg.pyramid import Reduction, downsample

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


@pytest.mark.long
def test_speed_of_the_main_jobs():
    rows = run("benchmarks/speed.py", "--quick", "--runs", "1")
    assert next(cells[0] for cells in rows) == "`import ngffseg`"
    # The first one is so short that a busy machine may not come to look at its memory.
    assert all(float(cells[1]) > 0 and float(cells[3]) > 1 for cells in list(rows)[1:])


@pytest.mark.long
def test_access_on_s3_takes_fewer_requests_than_that_of_peers():
    rows = run("benchmarks/access.py", "--edge", "128", "--runs", "1", "--latency", "0")
    counts = {cells[0]: [int(cell.split()[0]) for cell in cells[1:]] for cells in rows if len(cells) == 5}
    assert len(counts) == 8
    for task, (ours, tensorstore, zarr_python, ome_zarr) in counts.items():
        assert ours <= tensorstore, task
        assert ours < zarr_python < ome_zarr, task


@pytest.mark.long
def test_the_engine_and_its_peers():
    rows = run("benchmarks/engine.py", "--alone", "--edge", "128", "--runs", "1")
    programs = {cells[0]: cells[1:] for cells in rows if len(cells) == 7 and cells[1]}
    for title in (
        "tensorstore by hand",
        "ngff-zarr, mode",
        "ome-zarr-py, nearest",
        "**ngffseg**, levels alone",
    ):
        wall, cpu, memory = (float(cell) for cell in programs[title][:3])
        assert wall > 0.1
        assert cpu > 0.1
        assert memory > 50
    assert not any("igneous" in title or "webknossos" in title for title in programs)


@pytest.mark.long
def test_what_long_jobs_cost():
    rows = run("benchmarks/jobs.py", "--edge", "128", "--runs", "1", "--blocks", "1000")
    found = dict(cells for cells in rows[1:])
    assert len(found) == 4
    (update,) = (cell for name, cell in found.items() if name.startswith("update of"))
    _, written, wrong = update.split(" / ")
    assert int(written) > 0
    assert wrong == "0"


@pytest.mark.long
def test_the_programs_of_that_benchmark_do_the_same_work(tmp_path):
    """Each makes the same level 1, but for the tie rule; shapes of chunks too."""
    code = "from inputs import *; import sys; make_inputs(Path(sys.argv[1]), 128)"
    environment = {**os.environ, "NGFFSEG_TEST_DATA": "/nonexistent"}
    folder = ROOT / "benchmarks"
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=folder, env=environment, check=True)
    shutil.copytree(tmp_path / "plain.ome.zarr", tmp_path / "pyramid")
    paths = {
        "engine": "1",
        "dask_blocks": "1",
        "pyramid": "labels/a/1",
        "write_labels": "labels/a/1",
        "write_labels_anew": "labels/a/1",
        "tensorstore": "1",
        "ngff_zarr": "scale1/image",
        "ome_zarr": "labels/a/s1",
    }
    found = {}
    for name, path in paths.items():
        words = [sys.executable, "programs.py", name, tmp_path, tmp_path / name]
        subprocess.run(words, cwd=folder, check=True, capture_output=True)
        found[name] = zarr.open_array(tmp_path / name / path, mode="r")
    level0 = zarr.open_array(tmp_path / "plain", mode="r")[:]
    smallest = downsample(level0, (2, 2, 2), Reduction(tie="smallest"))
    for name, array in found.items():
        want = {"ome_zarr": None, "tensorstore": smallest, "ngff_zarr": smallest}.get(
            name, downsample(level0, (2, 2, 2))
        )
        if want is not None:
            np.testing.assert_array_equal(array[:], want, err_msg=name)
        assert array.shape == smallest.shape
        assert array.dtype == np.uint32


@pytest.mark.long
def test_speed_of_kernels():
    rows = run("benchmarks/kernels.py", "--edge", "64", "--runs", "1")
    speeds = {cells[0]: cells[1:] for cells in rows[1:]}
    assert set(speeds) >= {"ngffseg mode", "ngffseg sparse", "tensorstore mode", "tinybrain mode"}
    assert all(float(cell) > 0 for cell in speeds["ngffseg mode"])


@pytest.mark.long
def test_the_model_of_a_job_and_the_job():
    rows = run("benchmarks/model.py", "--edge", "64")[1:]
    for cells in rows[:-1]:
        said, found = (int(number) for number in cells[2].split(" / "))
        assert abs(said - found) <= 8
    assert rows[-1][0].startswith("10^15 voxels")
