"""A person at napari, on a display that nobody sees."""

import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.descendants import left_behind, marked
from tests.display import display

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Screen:
    """A display, and the process that people at napari are forked from."""

    name: str
    server: subprocess.Popen
    folder: Path

    def attend(self, steps, environment):
        """What is answered to each step, None if it ended in an error; and what it printed."""
        log, answers = (self.folder / f"{uuid.uuid4().hex}.{kind}" for kind in ("log", "json"))
        print(json.dumps([steps, environment, str(log), str(answers)]), file=self.server.stdin, flush=True)
        code = self.server.stdout.readline().strip()
        found = json.loads(answers.read_text("utf-8")) if code == "0" else None
        return found, log.read_text("utf-8", errors="replace")


@pytest.fixture(scope="session")
def screen(tmp_path_factory):
    words = [sys.executable, "-W", "ignore", "-m", "tests.napari_plugin.session"]
    with display() as name:
        with subprocess.Popen(
            words, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as server:
            yield Screen(name, server, tmp_path_factory.mktemp("napari"))
            server.stdin.close()


def session(screen, *steps, failing=False):
    """Answers to the steps of a person at napari, who leaves no process behind."""
    environment, mark = marked()
    answers, log = screen.attend(steps, {**environment, "DISPLAY": screen.name, "QT_QPA_PLATFORM": "xcb"})
    assert answers is not None, log
    failed = [a for a in answers if isinstance(a, dict) and "error" in a]
    assert bool(failed) == failing, failed
    assert left_behind(mark) == []
    return answers
