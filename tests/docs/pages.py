"""Pages of README and docs, and their code blocks, which are run as a reader runs them: in order, in one folder.

A comment before a block says what is different about it: ``<!-- not run: WHY -->``. A block of ``text`` after
another one holds lines that the blocks before it have printed.
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path

from tests import forks

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"(?:^<!-- not run: (?P<why>[^>]+) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)
# What bash has to do; all else are commands of ngffseg, one a line.
SHELL = set("|&;<>$`")


@dataclass(frozen=True)
class Block:
    """A code block, and why it is not run, if it is not."""

    language: str
    text: str
    why: str | None


def all_pages():
    """The README and all pages of docs, by name."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in pages}


def blocks_of(page):
    """Its code blocks, in order."""
    return [Block(found["language"], found["text"], found["why"]) for found in FENCE.finditer(page)]


def run_page(blocks, folder):
    """Run all blocks of a page in a folder and return what they printed.

    A process forked from one that has imported ngffseg does all of them: to start a program for each line would
    take most of the time.
    """
    log = folder / "printed"
    process = forks.start(_run, blocks, str(folder), out=log, error=log, COLUMNS="200")
    process.join()
    printed = log.read_text(encoding="utf-8")
    assert process.exitcode == 0, printed
    return printed


def _run(blocks, folder):
    os.chdir(folder)
    names = {"__name__": "page"}
    printed = ""
    for block in blocks:
        if block.language == "text":
            for line in filter(None, map(str.strip, block.text.splitlines())):
                assert line in printed, f"not printed: {line!r}"
            continue
        told = io.StringIO()
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            try:
                _run_block(block, names)
            except BaseException:
                traceback.print_exc()
                _end(f"{block.text}\n{told.getvalue()}")
        printed += told.getvalue()
    sys.stdout.write(printed)
    sys.stdout.flush()


def _end(told):
    """End the process with what a failed block has printed."""
    os.write(2, told.encode())
    os._exit(1)


def _run_block(block, names):
    from ngffseg.cli.main import run

    if block.language == "python":
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            if "__main__" in block.text:
                # Workers of a cluster import the script that makes it, so it has to be one.
                Path("script.py").write_text(block.text, encoding="utf-8")
                _shell(f"{sys.executable} script.py")
            else:
                exec(compile(block.text, "block", "exec"), names)
        return
    for line in block.text.splitlines():
        if line.startswith("ngffseg ") and not SHELL & set(line):
            code = run(shlex.split(line)[1:])
            assert code == 0, f"{line} ends with {code}"
        elif line.strip():
            _shell(line)


def _shell(line):
    """Have bash run a line, with the programs of this environment."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", line],
        env={**os.environ, "PATH": programs},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0, f"{line} ends with {done.returncode}"
