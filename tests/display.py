"""A display that nobody sees, for programs with windows."""

import contextlib
import os
import shutil
import subprocess


@contextlib.contextmanager
def display():
    """Start an X server of its own and give its name; it ends with the block."""
    assert shutil.which("Xvfb"), (
        "Xvfb is missing: apt-get install xvfb libgl1-mesa-dri libxcb-cursor0 (.ci/run)"
    )
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        try:
            with os.fdopen(read, encoding="ascii") as number:
                yield f":{number.readline().strip()}"
        finally:
            server.terminate()
