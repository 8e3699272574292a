"""The README is true: each of its commands and examples runs."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ngffseg import open_labels
from ngffseg.geometry import on_axes, scales
from ngffseg.labels import open_image
from tests.display import display
from tests.napari_plugin import volumes

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def environment():
    programs = Path(sys.executable).parent
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def ran(command, folder):
    """What a command printed, which must not fail."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_the_shell_example(slicer_files, tmp_path):
    for name in ("Segmentation.seg.nrrd", "CTChest4.nrrd"):
        shutil.copy(slicer_files / name, tmp_path)
    (example,) = (block for block in blocks("sh") if "--image CTChest4.nrrd" in block)
    done = ran(["bash", "-ec", example], tmp_path)
    assert "valid; 0 MUST, 0 SHOULD" in done.stdout
    assert (tmp_path / "organs.nii.gz").exists()
    assert "right lung" in (tmp_path / "organs.csv").read_text()
    assert "0 segments changed" in done.stdout


def test_the_example_of_a_bucket(bucket, slicer_files, tmp_path):
    shutil.copy(slicer_files / "Segmentation.seg.nrrd", tmp_path)
    (example,) = (block for block in blocks("sh") if "s3://bucket/" in block)
    example = example.replace("s3://bucket", bucket.url)
    done = ran(["bash", "-ec", example], tmp_path)
    assert "valid; 0 MUST, 0 SHOULD" in done.stdout
    assert "1 GET" in done.stdout


@pytest.mark.usefixtures("interruptible")
def test_the_example_of_looking(tmp_path):
    """All but the windows, which are opened, looked at and closed."""
    volumes.write(tmp_path / "case.ome.zarr", volumes.axial())
    (example,) = (block for block in blocks("sh") if "napari --plugin" in block)
    view, *rest, napari = example.strip().splitlines()
    ran(["bash", "-ec", "\n".join(rest)], tmp_path)
    assert (tmp_path / "browser.png").exists()
    assert (tmp_path / "case.png").exists()
    with subprocess.Popen(
        view.split(), cwd=tmp_path, env={**environment(), "BROWSER": "true"}, stdout=subprocess.PIPE
    ) as shown:
        assert shown.stdout.readline().startswith(b"http://127.0.0.1:")
        shown.send_signal(signal.SIGINT)
    assert shown.returncode == 0
    with display() as screen:
        log = tmp_path / "log"
        with log.open("wb") as file:
            window = subprocess.Popen(
                napari.split(),
                cwd=tmp_path,
                env={**environment(), "DISPLAY": screen},
                stdout=file,
                stderr=file,
            )
        with window:
            time.sleep(20)
            assert window.poll() is None, log.read_text("utf-8")
            window.terminate()
    assert "Error" not in log.read_text("utf-8")


def test_the_example_of_long_jobs(slicer_files, tmp_path):
    shutil.copy(slicer_files / "Segmentation.seg.nrrd", tmp_path)
    (example,) = (block for block in blocks("sh") if "ngffseg batch" in block)
    done = ran(["bash", "-ec", example], tmp_path)
    assert "all of it is there already, and equal; nothing was written" in done.stdout
    assert "2 done, 0 skipped, 0 failed" in done.stdout


@pytest.mark.parametrize("number", range(4))
def test_the_python_examples(number, tmp_path):
    assert len(blocks("python")) == 4
    (tmp_path / "example.py").write_text(blocks("python")[number], encoding="utf-8")
    # dask warns where another cluster of this machine has its usual port.
    ran([sys.executable, *(["-W", "error"] if number else []), "example.py"], tmp_path)
    if "stack" in blocks("python")[number]:
        nuclei, wound = (open_labels(tmp_path / "experiment.ome.zarr", name) for name in ("nuclei", "wound"))
        assert nuclei.geometry.axes == ("t", "y", "x")
        assert wound.geometry == on_axes(open_image(tmp_path / "experiment.ome.zarr").geometry, "yx")
        assert (wound.geometry.units, scales(wound.geometry)) == (("micrometer",) * 2, (0.65, 0.65))


def test_the_two_commands_are_those_of_ci():
    first, second, *_ = blocks("sh")
    assert first.startswith("python3 -m venv .uv && .uv/bin/pip install -q uv && ")
    assert second.strip() in CI
    # What the first command ends with runs here too; that it installs is for a bare machine.
    assert first.strip().endswith("ngffseg demo")


def test_options_and_verbs_that_the_readme_names_exist():
    from ngffseg.cli.main import VERBS, app

    commands = [app.get_command(None, name) for name in VERBS]
    known = {option for verb in commands for p in verb.params for option in p.opts}
    named = set(re.findall(r"`(--[a-z-]+)", README))
    assert named - known - {"--debug"} == set()
    verbs = set(re.findall(r"^ngffseg (\w+)", README, re.MULTILINE))
    assert verbs <= set(VERBS)


@pytest.mark.parametrize("link", re.findall(r"\]\(((?!http)[^)]+)\)", README))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()
