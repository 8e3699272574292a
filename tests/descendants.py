"""Processes that a process leaves behind, whatever they do to get away."""

import os
import time
import uuid
from pathlib import Path

NAME = "NGFFSEG_TEST_FAMILY"


def marked():
    """An environment by which a process and all that come from it are known, and its mark."""
    mark = uuid.uuid4().hex
    return {**os.environ, NAME: mark}, mark


def left_behind(mark, patience=5.0):
    """Commands of processes with a mark that are still there after a while."""
    end = time.monotonic() + patience
    while (found := _marked(f"{NAME}={mark}".encode())) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def _marked(entry):
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if entry in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except (OSError, UnicodeDecodeError):
                continue  # it has just ended, or is somebody else's
    return [command for command in found if command]
