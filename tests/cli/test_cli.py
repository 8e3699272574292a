"""The command line as people and programs use it: a process, its output, its exit code."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import zarr

from ngffseg import Segment, open_labels, write_labels
from ngffseg.cli import main, plan_verb
from ngffseg.cli.main import run
from ngffseg.labels.write import fill
from ngffseg.planning import calibration
from tests.labels.stores import digest

LABELS = np.random.default_rng(0).integers(0, 3, (8, 20, 20)).astype(np.uint8)


def ngffseg(*words, **options):
    """Run the program in a process of its own."""
    command = [sys.executable, "-c", "from ngffseg.cli.main import main; main()", *map(str, words)]
    environment = {**os.environ, "PYTHONWARNINGS": "error::UserWarning", "COLUMNS": "200"}
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", check=False, env=environment, **options
    )


def answer(capsys, *words):
    """Run the program here and read its JSON."""
    code = run([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def source(slicer_files):
    return slicer_files / "SegmentationOverlapping.seg.nrrd"


def test_the_main_job_in_a_real_process(source, tmp_path):
    store = tmp_path / "case.ome.zarr"
    done = ngffseg("import", source, store, "--name", "organs")
    assert (done.returncode, done.stderr) == (0, "")
    assert "right lung" in done.stdout
    assert "organs__layer1" in done.stdout
    done = ngffseg("info", store)
    assert done.returncode == 0
    assert "34 x 128 x 128" in done.stdout
    done = ngffseg("check", store)
    assert done.returncode == 0
    assert done.stdout.strip().endswith("valid; 0 MUST, 0 SHOULD")
    done = ngffseg("export", f"{store}/labels/organs", tmp_path / "back.seg.nrrd")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "back.seg.nrrd").stat().st_size > 10000


def test_import_answers_in_json(source, tmp_path, capsys):
    code, got = answer(
        capsys,
        "import",
        source,
        tmp_path / "a.zarr",
        "--name",
        "organs",
        "--chunks",
        "16,32,32",
        "--shards",
        "none",
        "--levels",
        3,
    )
    assert code == 0
    assert got["layers"] == ["organs", "organs__layer1"]
    assert len(got["levels"]) == 3
    assert got["segments"][4] == {
        "label_value": 5,
        "id": "Segment_5",
        "name": "right lung",
        "color": [22, 197, 71, 255],
        "layer": 0,
    }
    code, got = answer(capsys, "info", tmp_path / "a.zarr")
    assert got["version"] == "0.5"
    assert got["image"]["placeholder"]
    assert got["labels"][0]["levels"][0]["chunks"] == [16, 32, 32]
    assert got["labels"][0]["levels"][0]["shards"] is None


def test_info_of_one_label_image(source, tmp_path, capsys):
    answer(capsys, "import", source, tmp_path / "a.zarr", "--name", "organs")
    for words in (
        [f"{tmp_path}/a.zarr/labels/organs__layer1"],
        [f"{tmp_path}/a.zarr", "--name", "organs__layer1"],
    ):
        _, got = answer(capsys, "info", *words)
        assert [label["name"] for label in got["labels"]] == ["organs__layer1"]


def test_large_labels_in_json_are_exact(tmp_path, capsys):
    labels = np.full((4, 4), 2**63 + 5, np.uint64)
    write_labels(tmp_path / "a.zarr", labels, name="a", segments=[Segment(2**63 + 5)])
    _, got = answer(capsys, "info", tmp_path / "a.zarr")
    assert got["labels"][0]["segments"][0]["label_value"] == 9223372036854775813


def test_a_dry_run_writes_nothing(source, tmp_path, capsys):
    code, got = answer(capsys, "import", source, tmp_path / "a.zarr", "--dry-run")
    assert code == 0
    assert [level["shape"] for level in got["levels"]] == [[34, 128, 128], [34, 64, 64]]
    assert list(tmp_path.iterdir()) == []
    assert run(["import", str(source), str(tmp_path / "a.zarr"), "--dry-run"]) == 0
    assert "nothing was written" in capsys.readouterr().out


def test_check_exits_1_on_faults_and_mends_them(tmp_path, capsys):
    write_labels(tmp_path / "a.zarr", LABELS, name="a", segments=[Segment(1), Segment(2)])
    file = tmp_path / "a.zarr/labels/zarr.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    del content["attributes"]["ome"]["version"]
    file.write_text(json.dumps(content))
    code, got = answer(capsys, "check", tmp_path / "a.zarr")
    assert (code, got["valid"]) == (1, False)
    (violation,) = got["violations"]
    assert violation["severity"] == "MUST"
    assert violation["where"] == "labels#/ome"
    assert violation["fix"] == 'add "version": "0.5"'
    assert run(["check", str(tmp_path / "a.zarr")]) == 1
    assert "--fix would add" in capsys.readouterr().out
    code, got = answer(capsys, "check", tmp_path / "a.zarr", "--fix")
    assert (code, got["valid"]) == (0, True)


def test_conformance_answers_the_driver_of_the_specification(tmp_path, capsys):
    write_labels(tmp_path / "a.zarr", LABELS, name="a")
    good = json.loads((tmp_path / "a.zarr/labels/a/zarr.json").read_text(encoding="utf-8"))["attributes"]
    (tmp_path / "good.json").write_text(json.dumps(good))
    good["ome"]["multiscales"][0]["axes"].pop()
    (tmp_path / "bad.json").write_text(json.dumps(good))
    (tmp_path / "text.json").write_text("[1")
    (tmp_path / "list.json").write_text("[1]")

    def said(path):
        code = run(["conformance", str(tmp_path / path)])
        return code, json.loads(capsys.readouterr().out)

    assert said("good.json") == said("a.zarr") == (0, {"valid": True, "message": ""})
    code, answered = said("bad.json")
    assert (code, answered["valid"]) == (0, False)
    assert "same as the length" in answered["message"]
    for path in ("text.json", "list.json", "nothing.json"):
        assert run(["conformance", str(tmp_path / path)]) == 2


def said(capsys, path):
    """What the conformance driver is told."""
    code = run(["conformance", str(path)])
    return code, json.loads(capsys.readouterr().out)


def test_what_cannot_be_judged_is_neither_valid_nor_a_fault(tmp_path, capsys):
    attributes = {"ome": {"version": "0.6rc0", "multiscales": [{"coordinateSystems": []}]}}
    (tmp_path / "new.json").write_text(json.dumps(attributes))
    code, got = said(capsys, tmp_path / "new.json")
    assert (code, got["valid"]) == (2, None)
    assert "cannot be judged" in got["message"]
    zarr.create_group(tmp_path / "new.zarr", attributes=attributes)
    code, got = answer(capsys, "check", tmp_path / "new.zarr")
    assert (code, got["valid"], got["judged"]) == (0, True, False)
    assert [v["severity"] for v in got["violations"]] == ["UNKNOWN"]
    assert run(["check", str(tmp_path / "new.zarr")]) == 0
    assert "cannot be judged in all parts; 0 MUST, 0 SHOULD, 1 not judged" in capsys.readouterr().out


def test_fixes_are_shown_with_their_copies(tmp_path, capsys):
    write_labels(tmp_path / "a.zarr", LABELS, name="a", segments=[Segment(1), Segment(2)])
    file = tmp_path / "a.zarr/labels/zarr.json"
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace('"version":"0.5",', "").replace(',"version":"0.5"', ""))
    broken = file.read_bytes()
    assert run(["check", str(tmp_path / "a.zarr"), "--fix"]) == 0
    told = capsys.readouterr().out
    assert 'labels#/ome/version: add "version": "0.5"' in told
    assert 'nothing -> "0.5"' in told
    file.write_bytes(broken)
    code, got = answer(capsys, "check", tmp_path / "a.zarr", "--fix")
    assert code == 0
    (change,), (copy,) = got["fixed"], got["copies"]
    assert change == {
        "where": "labels#/ome/version",
        "what": 'add "version": "0.5"',
        "before": None,
        "after": '"0.5"',
    }
    assert (tmp_path / "a.zarr" / copy).read_bytes() == broken


def test_a_crash_is_never_exit_code_1(tmp_path, capsys, monkeypatch):
    def crash(_url):
        raise ZeroDivisionError("by\nnothing")

    monkeypatch.setattr("ngffseg.cli.check_verb.check", crash)
    assert run(["check", str(tmp_path)]) == 70
    (line,) = capsys.readouterr().err.splitlines()
    assert "ZeroDivisionError: by nothing" in line
    assert "--debug" in line
    assert run(["check", str(tmp_path)], debug=True) == 70
    assert "Traceback" in capsys.readouterr().err


def test_export_reports_losses(source, tmp_path, capsys):
    write_labels(tmp_path / "a.zarr", LABELS, name="a", segments=[Segment(1, id="x", name="liver")])
    code, got = answer(capsys, "export", tmp_path / "a.zarr", tmp_path / "a.nii.gz")
    assert code == 0
    assert got["losses"] == [
        {
            "where": "geometry",
            "what": "it lies in no patient, which NIfTI cannot say and keep its place: the codes are 2 (aligned)",
        },
        {"where": "segments", "what": "ids of 1 segments: NIfTI has no place for them"},
    ]
    assert run(["export", str(tmp_path / "a.zarr"), str(tmp_path / "b.nii.gz"), "--strict"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("ngffseg: b.nii.gz would lose something")
    assert not (tmp_path / "b.nii.gz").exists()
    assert run(["import", str(source), str(tmp_path / "o.zarr"), "--name", "o"]) == 0
    assert run(["export", str(tmp_path / "o.zarr"), str(tmp_path / "o.nii.gz")]) == 2


def bad_words(tmp_path, source):
    good = tmp_path / "good.zarr"
    write_labels(good, LABELS, name="a")
    (tmp_path / "float.nrrd").write_bytes(
        b"NRRD0004\ntype: float\ndimension: 3\nsizes: 1 1 1\nencoding: raw\nendian: little\n\n" + bytes(4)
    )
    (tmp_path / "cut.nrrd").write_bytes(source.read_bytes()[:9000])
    (tmp_path / "text.zarr").write_text("x")
    new = tmp_path / "new.zarr"
    return {
        "no words": ["import"],
        "unknown verb": ["frobnicate"],
        "unknown option": ["info", good, "--colour"],
        "missing file": ["import", tmp_path / "none.nrrd", new],
        "unknown suffix": ["import", tmp_path / "text.zarr", new],
        "float labels": ["import", tmp_path / "float.nrrd", new],
        "truncated": ["import", tmp_path / "cut.nrrd", new],
        "name leaves the folder": ["import", source, new, "--name", "../x"],
        "absolute name": ["import", source, new, "--name", "/x"],
        "empty name": ["import", source, new, "--name", ""],
        "nested name": ["import", source, new, "--name", "a/b"],
        "existing": ["import", source, good, "--name", "a"],
        "chunks": ["import", source, new, "--chunks", "a,b"],
        "levels": ["import", source, new, "--levels", "0"],
        "store is a file": ["import", source, tmp_path / "text.zarr"],
        "no store": ["info", tmp_path / "nothing.zarr"],
        "no label": ["info", good, "--name", "zzz"],
        "unknown protocol": ["info", "gopher://x/y"],
        "check nothing": ["check", tmp_path / "nothing.zarr"],
        "export nothing": ["export", tmp_path / "nothing.zarr", tmp_path / "x.nii"],
        "export suffix": ["export", good, tmp_path / "x.docx"],
        "image missing": ["import", source, new, "--image", tmp_path / "none.nrrd"],
    }


BAD = (
    "no words", "unknown verb", "unknown option", "missing file", "unknown suffix", "float labels", "truncated",
    "name leaves the folder", "absolute name", "empty name", "nested name", "existing", "chunks", "levels",
    "store is a file", "no store", "no label", "unknown protocol", "check nothing", "export nothing",
    "export suffix", "image missing",
)  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_code_2(case, tmp_path, source, capsys):
    words = bad_words(tmp_path, source)
    assert set(words) == set(BAD)
    words = words[case]
    before = digest(tmp_path)
    assert run([str(word) for word in words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("ngffseg: ")
    assert error.count("\n") == 1
    assert digest(tmp_path) == before
    assert not (tmp_path / "new.zarr").exists()


def test_a_failing_store_is_exit_code_3(tmp_path, source, capsys, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fill, "build_pyramid", full)
    assert run(["import", str(source), str(tmp_path / "a.zarr")]) == 3
    error = capsys.readouterr().err
    assert "disk is full" in error
    assert error.count("\n") == 1


def test_debug_shows_where_an_error_comes_from(tmp_path):
    done = ngffseg("info", tmp_path / "nothing.zarr", "--debug")
    assert "Traceback" in done.stderr
    assert done.returncode == 2  # as without it


def test_help_names_every_verb():
    """The list is made without a verb, and says what the help of each begins with."""
    loaded = "import sys; from ngffseg.cli.main import run; run(['--help']); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")
    files = {path.stem.removesuffix("_verb") for path in Path(main.__file__).parent.glob("*_verb.py")}
    assert files == set(main.VERBS)
    for verb, told in main.VERBS.items():
        assert f"\n  {verb} " in done.stdout
        command = main.app.get_command(None, verb)
        assert command.name == verb
        assert command.help.split()[0] == told.split()[0]
    assert run(["import", "--help"]) == 0
    assert run(["no-verb"]) == 2


ABANDONED = """
import asyncio, os, signal
from zarr.core.sync import sync
from ngffseg.cli.main import app, main

async def wait():
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.gather(asyncio.sleep(1000), asyncio.sleep(1000))

app.get_command(None, "demo").callback = lambda **_: sync(wait())
main(["demo"])
"""


@pytest.mark.usefixtures("interruptible")
def test_requests_that_are_dropped_by_an_interruption_say_nothing():
    done = subprocess.run([sys.executable, "-c", ABANDONED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "ngffseg: interrupted: nothing was published\n")


@pytest.mark.usefixtures("interruptible")
def test_control_c(tmp_path):
    labels = np.random.default_rng(0).integers(0, 2**16, (64, 512, 512), dtype=np.uint16)
    path = tmp_path / "big.nrrd"
    head = b"NRRD0004\ntype: uint16\ndimension: 3\nsizes: 512 512 64\nencoding: raw\nendian: little\n\n"
    path.write_bytes(head + labels.tobytes())
    command = [
        sys.executable,
        "-c",
        "from ngffseg.cli.main import main; main()",
        "import",
        str(path),
        str(tmp_path / "a.zarr"),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    while not (tmp_path / "a.zarr").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (130, "ngffseg: interrupted: nothing was published\n")
    assert not (tmp_path / "a.zarr").exists()


def test_progress_is_plain_lines_away_from_a_terminal():
    code = (
        "from ngffseg.cli.progress import progress\n"
        "with progress('import') as report:\n"
        "    [report(n + 1, 200) for n in range(200)]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False
    )
    lines = done.stderr.splitlines()
    assert re.fullmatch(r"import: 20 of 200 blocks, [\d.e+]+ per second, 0 s left", lines[0])
    assert lines[-1] == "import: 200 of 200 blocks"
    assert len(lines) == 10


def test_the_demo(tmp_path, capsys):
    code, got = answer(capsys, "demo", tmp_path / "demo")
    assert (code, got["violations"]) == (0, [])
    assert [label["name"] for label in got["labels"]] == ["organs", "organs__layer1"]
    from matplotlib.image import imread

    picture = imread(got["picture"])
    assert picture.shape[1] > 1000
    # The green of the right lung is in the picture, mixed with the gray under it.
    green = (picture[..., 1] > picture[..., 0] + 0.3) & (picture[..., 1] > picture[..., 2] + 0.2)
    assert green.sum() > 5000
    code, again = answer(capsys, "demo", tmp_path / "demo")
    assert (code, again["labels"]) == (0, got["labels"])
    assert run(["demo", str(tmp_path / "demo")]) == 0
    text = capsys.readouterr().out
    assert "overlapping sphere" in text
    assert "valid; 0 MUST, 0 SHOULD" in text


def test_long_lines_are_never_broken_away_from_a_terminal(tmp_path):
    store = tmp_path / ("x" * 120) / "a.zarr"
    write_labels(store, LABELS, name="a", segments=[Segment(1), Segment(2)])
    assert ngffseg("check", store).stdout == f"{store}: valid; 0 MUST, 0 SHOULD\n"


def test_segments_in_a_table_and_in_json(source, tmp_path, capsys):
    store = tmp_path / "case.ome.zarr"
    assert run(["import", str(source), str(store), "--name", "organs", "--json"]) == 0
    capsys.readouterr()
    code, rows = answer(capsys, "segments", store, "--name", "organs")
    assert code == 0
    (lung,) = (row for row in rows if row["name"] == "right lung")
    labels = open_labels(store, lung["layer"])._arrays[0][:]
    where = np.argwhere(labels == lung["label_value"])
    assert lung["voxels"] == len(where)
    assert lung["box"] == [[int(a), int(b) + 1] for a, b in zip(where.min(0), where.max(0), strict=True)]
    assert lung["centroid"] == pytest.approx(where.mean(0))
    assert {row["layer"] for row in rows} == {"organs", "organs__layer1"}
    assert run(["segments", str(store), "--name", "organs", "--label", str(lung["label_value"])]) == 0
    assert "right lung" in capsys.readouterr().out
    assert run(["segments", str(store), "--name", "organs", "--label", "4711"]) == 2
    assert "4711" in capsys.readouterr().err


def test_pyramid_rebuilds_all_labels_of_a_store(source, tmp_path, capsys):
    store = tmp_path / "case.ome.zarr"
    assert run(["import", str(source), str(store), "--name", "organs", "--json", "--codec", "gzip-1"]) == 0
    before = digest(store / "labels" / "organs" / "0")
    capsys.readouterr()
    code, got = answer(capsys, "pyramid", store, "--method", "sparse", "--codec", "zstd-1", "--chunks", "16")
    assert (code, [image["name"] for image in got]) == (0, ["organs", "organs__layer1"])
    assert digest(store / "labels" / "organs" / "0") == before
    image = open_labels(store, "organs")
    assert image._arrays[1].chunks == (16, 16, 16)
    assert run(["check", str(store)]) == 0
    assert run(["pyramid", str(store), "--name", "nobody"]) == 2
    assert "nobody" in capsys.readouterr().err.splitlines()[-1]


def test_plan_tells_what_a_job_takes(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(plan_verb, "rates_file", lambda: tmp_path / "rates.json")
    code, got = answer(
        capsys, "plan", "--shape", "100000,100000,100000", "--dtype", "uint64", "--workers", "1000"
    )
    assert code == 0
    assert got["estimate"]["objects"] > 5 * 10**7
    assert "run with --calibrate" in got["rates"]
    assert (
        run(["plan", "--shape", "1000,1000,1000", "--in-place", "--shards", "none", "--latency", "20"]) == 0
    )
    out = capsys.readouterr().out
    assert "blocks (tasks)" in out
    assert "2 min" in out or " min" in out or " s " in out
    assert run(["plan", "--shape", "10"]) == 2
    assert "--shape 10: give 2 to 5 sizes" in capsys.readouterr().err
    assert run(["plan", "--shape", "10,x,3"]) == 2
    assert "give whole numbers parted by commas" in capsys.readouterr().err
    assert run(["plan", "--shape", "10,10", "--codec", "lzma"]) == 2


def test_rates_are_measured_once_and_kept(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(plan_verb, "rates_file", lambda: tmp_path / "deep" / "rates.json")
    monkeypatch.setattr(calibration, "EDGE", 80)
    monkeypatch.setattr(calibration, "LAYOUTS", ((16, None), (8, None), (16, 32), (8, 16)))
    words = ("plan", "--shape", "500,500,500", "--dtype", "uint16")
    _, first = answer(capsys, *words, "--calibrate")
    _, again = answer(capsys, *words)
    assert first == again
    assert "measured on this machine" in again["rates"]
    _, other = answer(capsys, *words, "--codec", "gzip-1")
    assert "run with --calibrate" in other["rates"]


def test_what_was_decided_is_one_line_beside_the_answer(shared_data, tmp_path, capsys):
    """A real file without codes; the answer in JSON stays JSON."""
    file = shared_data / "odd" / "minimal.nii.gz"
    assert run(["import", str(file), str(tmp_path / "a.zarr"), "--json"]) == 0
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert line.startswith("ngffseg: minimal.nii.gz: sform_code and qform_code are 0")
    assert json.loads(told.out)["name"] == "minimal"


def test_warnings_of_others_stay_warnings(monkeypatch, capsys):
    def warns(*_arguments, **_options):
        warnings.warn("theirs", RuntimeWarning, stacklevel=1)

    monkeypatch.setattr("ngffseg.cli.check_verb.check", warns)
    with pytest.warns(RuntimeWarning, match="theirs"):
        run(["check", "nowhere"])
    assert "theirs" not in capsys.readouterr().err.split("ngffseg:")[0]
