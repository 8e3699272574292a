"""The two commands of the README, and what opens windows: all other code blocks run in `tests.docs`."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.display import display
from tests.docs.pages import ROOT, all_pages, blocks_of
from tests.napari_plugin import volumes

CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
PAGES = all_pages()
BROWSER, NAPARI = (blocks_of(PAGES[f"docs/guides/{name}.md"]) for name in ("browser", "napari"))


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


@pytest.mark.usefixtures("interruptible")
def test_the_example_of_looking(tmp_path):
    """All but the windows, which are opened, looked at and closed."""
    volumes.write(tmp_path / "case.ome.zarr", volumes.axial())
    (browser,) = (block.text for block in BROWSER if "--screenshot" in block.text)
    (window,) = (block.text for block in NAPARI if "napari --plugin" in block.text)
    (view, *rest), napari = browser.strip().splitlines(), window.strip().splitlines()[-1]
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
            shown = subprocess.Popen(
                napari.split(),
                cwd=tmp_path,
                env={**environment(), "DISPLAY": screen},
                stdout=file,
                stderr=file,
            )
        with shown:
            time.sleep(20)
            assert shown.poll() is None, log.read_text("utf-8")
            shown.terminate()
    assert "Error" not in log.read_text("utf-8")


def test_the_two_commands_are_those_of_ci():
    first, second = [block.text for block in blocks_of(PAGES["README.md"]) if block.language == "sh"][:2]
    assert first.startswith("python3 -m venv .uv && .uv/bin/pip install -q uv && ")
    assert second.strip() in CI
    # What the first command ends with runs here too; that it installs is for a bare machine.
    assert first.strip().endswith("ngffseg demo")


def test_the_short_lane_names_tests_that_are_there():
    (lane,) = re.findall(r"pytest -n 2 (.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
    paths = lane.replace("\\", " ").split()
    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_options_and_verbs_that_pages_name_exist(page):
    from ngffseg.cli.main import VERBS, app

    commands = [app.get_command(None, name) for name in VERBS]
    known = {option for verb in commands for p in verb.params for option in p.opts}
    named = set(re.findall(r"`(--[a-z-]+)", PAGES[page]))
    assert named - known - {"--debug", "--write"} == set()  # the last one is of benchmarks
    shell = "".join(block.text for block in blocks_of(PAGES[page]) if block.language == "sh")
    verbs = set(re.findall(r"^ngffseg (\w+)", shell, re.MULTILINE))
    assert verbs <= set(VERBS)
