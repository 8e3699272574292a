"""A person at napari, on a display that nobody sees."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.descendants import left_behind, marked
from tests.display import display

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def screen():
    with display() as name:
        yield name


def session(screen, *steps, failing=False):
    """Answers to the steps of a person at napari, who leaves no process behind."""
    words = [sys.executable, "-W", "ignore", "-m", "tests.napari_plugin.session", json.dumps(steps)]
    environment, mark = marked()
    ended = subprocess.run(
        words, cwd=ROOT, env={**environment, "DISPLAY": screen, "QT_QPA_PLATFORM": "xcb"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    lines = [line for line in ended.stdout.splitlines() if line.startswith("ANSWERS ")]
    assert lines, ended.stdout + ended.stderr
    assert ended.returncode == 0, ended.stderr
    answers = json.loads(lines[0].removeprefix("ANSWERS "))
    failed = [a for a in answers if isinstance(a, dict) and "error" in a]
    assert bool(failed) == failing, failed
    assert left_behind(mark) == []
    return answers
