"""Batches: every row once, whatever becomes of the others; running again does the rest."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import nibabel
import numpy as np
import pytest

from ngffseg import open_labels
from ngffseg.batch import read_rows, run_batch
from ngffseg.cli.main import run
from ngffseg.errors import ClusterError, UsageError
from tests.jobs.processes import Cluster
from tests.labels.stores import digest

ROOT = Path(__file__).parents[2]


def table(folder, rows, columns=("source", "store", "name")):
    path = folder / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def results(path):
    with path.with_suffix(".results.csv").open(encoding="utf-8", newline="") as file:
        return [(row["line"], row["status"], row["reason"]) for row in csv.DictReader(file)]


@pytest.fixture
def cases(slicer_files, tmp_path):
    """Real files and made ones, one of which is damaged."""
    for name in ("Segmentation.seg.nrrd", "SegmentationOverlapping.seg.nrrd", "CTChest.nrrd"):
        if (slicer_files / name).exists():
            shutil.copy(slicer_files / name, tmp_path)
    labels = np.random.default_rng(0).integers(0, 4, (30, 20, 10)).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), tmp_path / "made.nii.gz")
    (tmp_path / "broken.nii.gz").write_bytes(b"not a file at all")
    return table(
        tmp_path,
        [
            ("Segmentation.seg.nrrd", "out/1.ome.zarr", ""),
            ("SegmentationOverlapping.seg.nrrd", "out/2.ome.zarr", "organs"),
            ("made.nii.gz", "out/2.ome.zarr", ""),
            ("broken.nii.gz", "out/3.ome.zarr", ""),
            ("", "", ""),
            ("gone.nii.gz", "out/4.ome.zarr", "x"),
        ],
    )


@pytest.mark.parametrize("workers", [None, pytest.param(2, marks=pytest.mark.long)])
def test_rows_are_done_once(workers, cases, tmp_path, capsys):
    words = ["batch", str(cases), *(["--workers", str(workers)] if workers else [])]
    assert run(words) == 1
    assert "3 done, 0 skipped, 2 failed" in capsys.readouterr().out.replace("\n", " ")
    told = results(cases)
    assert [status for _, status, _ in told] == ["done", "done", "done", "failed", "failed"]
    assert "there is no such file" in told[4][2]
    assert "broken.nii.gz" in told[3][2]
    assert len(open_labels(tmp_path / "out" / "1.ome.zarr").segments) == 7
    assert open_labels(tmp_path / "out" / "2.ome.zarr", "organs").layers == ("organs", "organs__layer1")
    before = digest(tmp_path / "out")
    labels = np.random.default_rng(0).integers(0, 4, (30, 20, 10)).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), tmp_path / "broken.nii.gz")
    assert run([*words, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [row["status"] for row in told] == ["skipped", "skipped", "skipped", "done", "failed"]
    after = digest(tmp_path / "out")
    assert {k: d for k, d in after.items() if not k.startswith("3.")} == before


def test_a_source_that_changed_and_overwrite(tmp_path):
    for value in (1, 2):
        nibabel.save(
            nibabel.Nifti1Image(np.full((8, 8, 8), value, np.uint8), np.eye(4)), tmp_path / "a.nii.gz"
        )
        if value == 1:
            path = table(
                tmp_path,
                [("a.nii.gz", "a.zarr", "x", "4", "no")],
                ("source", "store", "name", "chunks", "overwrite"),
            )
            assert [r.status for r in run_batch(read_rows(path))] == ["done"]
    (result,) = run_batch(read_rows(path))
    assert result.status == "failed"
    assert "made from other labels or with other options" in result.reason
    path = table(
        tmp_path,
        [("a.nii.gz", "a.zarr", "x", "4", "yes")],
        ("source", "store", "name", "chunks", "overwrite"),
    )
    assert [r.status for r in run_batch(read_rows(path))] == ["done"]
    assert [r.status for r in run_batch(read_rows(path))] == ["skipped"]
    assert (open_labels(tmp_path / "a.zarr").read() == 2).all()


BAD = {
    "no store": ("source,name\na,b\n", r"has no column 'store': it needs source and store"),
    "unknown": ("source,store,colour\na,b,c\n", r"unknown column 'colour' \(known: source, store"),
    "twice": ("source,store,store\na,b,c\n", "has a column twice"),
    "two rows, one target": (
        "source,store,name\na.nii,o.zarr,x\nb.nii,./o.zarr,x\n",
        r"line 3: 'x' in .*o.zarr is the target of line 2 too",
    ),
    "no number": ("source,store,levels\na.nii,b.zarr,many\n", r"line 2: levels 'many' is no whole number"),
    "no word": ("source,store,tie\na.nii,b.zarr,coin\n", r"line 2: tie 'coin' is none of balanced, smallest"),
    "too many cells": (
        "source,store\na.nii,b.zarr,c\n",
        "line 2: it has not as many cells as there are columns",
    ),
    "too few cells": ("source,store\na.nii\n", "line 2: it has not as many cells"),
    "no source": ("source,store\n,b.zarr\n", "line 2: source is empty"),
    "empty": ("", "has no column 'source'"),
    "no text": (b"source,store\n\xff\xfe,b\n", "cannot be read as a CSV file"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_tables(kind, tmp_path, capsys):
    text, message = BAD[kind]
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError, match=message):
        read_rows(path)
    assert run(["batch", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


def test_a_table_that_is_not_there(tmp_path, capsys):
    assert run(["batch", str(tmp_path / "t.csv")]) == 2
    assert "cannot be read as a CSV file" in capsys.readouterr().err


def test_paths_start_at_the_table_and_options_are_values(tmp_path):
    path = table(
        tmp_path,
        [
            ("a/x.nii.gz", "s3://b/c.zarr", "", "8,8,8", "none", "smallest", "i.nrrd"),
            ("/d/y.nii", "e", "n", "16", "", "", ""),
        ],
        ("source", "store", "name", "chunks", "shards", "tie", "image"),
    )
    first, second = read_rows(path)
    assert first.source == str(tmp_path / "a" / "x.nii.gz")
    assert (first.store, first.name, first.image) == ("s3://b/c.zarr", "x", str(tmp_path / "i.nrrd"))
    assert first.options == {"chunks": (8, 8, 8), "shards": None, "tie": "smallest"}
    assert (second.source, second.store, second.name) == ("/d/y.nii", str(tmp_path / "e"), "n")
    assert second.options == {"chunks": 16}


def test_labels_that_join_an_image(tmp_path):
    """Columns of what may be done to labels that do not lie on the image of their store."""
    for name, size, start in (("scan", 10, 0), ("organ", 4, 8), ("far", 4, 500)):
        affine = np.diag([-1.0, -1.0, 2.0, 1.0])
        affine[0, 3] = -start
        nibabel.save(nibabel.Nifti1Image(np.ones((size, 10, 10), "u1"), affine), tmp_path / f"{name}.nii.gz")
    rows = [("scan.nii.gz", "a.zarr", "scan", "scan.nii.gz", "", "")]
    rows += [("organ.nii.gz", "a.zarr", "organ", "", crop, "") for crop in ("no", "yes")]
    rows += [("far.nii.gz", "a.zarr", f"far{n}", "", "", force) for n, force in enumerate(("no", "yes"))]
    columns = ("source", "store", "name", "image", "crop", "force_place")
    for row in rows:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of what was done
            (result,) = run_batch(read_rows(table(tmp_path, [row], columns)))
        refused = "no" in row
        assert result.status == ("failed" if refused else "done"), result.reason
        assert ("crop" in result.reason or "overlap" in result.reason) is refused
    assert open_labels(tmp_path / "a.zarr", "organ").read()[:, :, 8:].all()


def test_a_batch_that_is_killed_goes_on(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for number in range(6):
        labels = np.kron(rng.integers(0, 9, (16, 16, 16)), np.ones((10, 10, 10))).astype(np.uint8)
        nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), tmp_path / f"{number}.nii.gz")
        rows.append((f"{number}.nii.gz", f"out/{number}.ome.zarr", "a"))
    path = table(tmp_path, rows)
    command = [sys.executable, "-c", "from ngffseg.cli.main import main; main()", "batch", str(path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not path.with_suffix(".results.csv").exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    found = run_batch(read_rows(path))
    assert {result.status for result in found} <= {"done", "skipped"}
    assert "skipped" in {result.status for result in found}
    again = run_batch(read_rows(path))
    assert {result.status for result in again} == {"skipped"}
    assert not list((tmp_path / "out").rglob("jobs"))


def test_a_batch_on_a_cluster(cases, tmp_path):
    with Cluster(tmp_path, nanny=False) as cluster:
        found = run_batch(read_rows(cases), cluster=cluster.address)
    assert sorted(result.status for result in found) == ["done", "done", "done", "failed", "failed"]


@pytest.mark.usefixtures("cases")
def test_stores_that_workers_do_not_share(tmp_path):
    if subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("a file system of one's own needs root")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    path = table(tmp_path, [("made.nii.gz", "hidden/a.zarr", "a")])
    alone = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs tmpfs {hidden} && exec "$@"', "sh"]
    with Cluster(tmp_path, nanny=False, workers=1, run=([], alone)) as cluster:
        with pytest.raises(ClusterError, match=r"worker tcp://.* does not share .*hidden with this machine"):
            run_batch(read_rows(path), cluster=cluster.address)
    assert list(hidden.iterdir()) == []


@pytest.mark.usefixtures("cases")
def test_a_batch_to_s3(bucket, tmp_path):
    path = table(tmp_path, [("made.nii.gz", f"{bucket.url}/a.ome.zarr", "a")])
    assert [r.status for r in run_batch(read_rows(path))] == ["done"]
    assert [r.status for r in run_batch(read_rows(path))] == ["skipped"]


def test_tables_of_labels_are_a_column(tmp_path):
    """Each row has its own; another one makes another import."""
    labels = np.arange(60, dtype=np.uint8).reshape(3, 4, 5) % 3
    nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), tmp_path / "made.nii.gz")
    (tmp_path / "names.tsv").write_text("index\tname\n1\tliver\n2\tspleen\n")
    rows = [("made.nii.gz", "a.zarr", "names.tsv"), ("made.nii.gz", "b.zarr", "")]
    path = table(tmp_path, rows, ("source", "store", "table"))
    assert run(["batch", str(path)]) == 0
    assert [s.name for s in open_labels(tmp_path / "a.zarr").segments] == ["liver", "spleen"]
    assert [s.name for s in open_labels(tmp_path / "b.zarr").segments] == ["Segment_1", "Segment_2"]
    assert {result.status for result in run_batch(read_rows(path))} == {"skipped"}
    (tmp_path / "names.tsv").write_text("index\tname\n1\tliver\n2\tliver\n")
    (failed,) = (result for result in run_batch(read_rows(path)) if result.status == "failed")
    assert (failed.line, failed.reason) == (
        2,
        "names.tsv: name 'liver' stands there twice: keep one row for each",
    )
