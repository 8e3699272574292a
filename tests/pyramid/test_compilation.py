"""Kernels where nothing can be written: containers and clusters with read-only packages and home."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ngffseg.pyramid import Reduction, downsample, kernels, label_statistics, runs, windows

ROOT = Path(__file__).parents[2]
COUNT = (
    "import numpy as np; from ngffseg.pyramid.kernels import is_background;"
    "import ngffseg.pyramid; print(is_background(np.zeros(9, np.uint8)), is_background(np.ones(9, np.uint8)))"
)
# The package is mounted anew, so that nobody can write to it, root neither.
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && cd "$1" && exec "$2" -c "$3"'


def run(**environment):
    """Run kernels in a process whose package and home are read-only."""
    words = ["unshare", "--map-root-user", "--mount"] if os.getuid() else ["unshare", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*words, "true"], check=False).returncode:
        pytest.skip("this machine does not let us make a mount namespace (unshare --mount)")
    known = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA", "XDG"))}
    return subprocess.run(
        [*words, "sh", "-c", READ_ONLY, "sh", str(ROOT), sys.executable, COUNT],
        env=known | {"HOME": "/proc", "PYTHONDONTWRITEBYTECODE": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_private_folder_takes_what_is_compiled(tmp_path):
    done = run(TMPDIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "True False\n"), done.stderr
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.rglob("kernels.is_background-*.nbi"))


def test_a_folder_of_somebody_else_is_not_trusted(tmp_path):
    folder = tmp_path / "ngffseg-numba-0"  # root there, whoever runs the test
    folder.mkdir()
    folder.chmod(0o777)
    done = run(TMPDIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "True False\n"), done.stderr
    assert list(folder.iterdir()) == []


def test_the_folder_that_numba_is_told_is_used(tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "temporary").mkdir()
    done = run(NUMBA_CACHE_DIR=str(tmp_path / "cache"), TMPDIR=str(tmp_path / "temporary"))
    assert (done.returncode, done.stdout) == (0, "True False\n"), done.stderr
    assert list((tmp_path / "cache").rglob("kernels.is_background-*.nbi"))
    assert list((tmp_path / "temporary").iterdir()) == []


def test_one_kernel_serves_all_labels_of_a_size():
    """Signs, and flags that say whether somebody may write, do not make it compile again."""
    used = (
        kernels.mode_2x2x2, kernels.mode_1x2x2, windows.mode_of_windows, windows.foreground_of_windows,
        runs.count_labels,
    )  # fmt: skip

    def use(labels):
        for factors in ((2, 2, 2), (1, 2, 2), (3, 3, 3)):
            downsample(labels, factors, Reduction("sparse"))
        label_statistics._counted(labels, label_statistics.Room())
        return [len(kernel.dispatcher.signatures) for kernel in used]

    labels = np.arange(6**3, dtype="uint16").reshape(6, 6, 6)
    before = use(labels)
    constant = labels.copy()
    constant.flags.writeable = False
    for other in (labels.astype("int16"), constant, constant.view("int16")):
        assert use(other) == before
