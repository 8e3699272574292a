"""Environments of other programs: each has one of its own, so that no version of theirs holds back ours."""

import fcntl
import functools
import hashlib
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parent.parent.parent
FOLDER = Path(os.environ.get("NGFFSEG_PEERS", ROOT / ".peers"))
# What is installed for each program. ITK's packages are those that its writer of OME-Zarr loads, and no others.
PACKAGES = {
    "ome-zarr": ["ome-zarr==0.18.0"],
    "ome-zarr-old": ["ome-zarr==0.11.1"],
    "ome-zarr-0.10": ["ome-zarr==0.10.3"],
    "ome-zarr-0.21": ["ome-zarr==0.21.0"],
    "ngff-zarr": ["ngff-zarr==0.50.0"],
    "ngio": ["ngio==1.1.3"],
    "bioio": ["bioio==3.6.0", "bioio-ome-zarr==3.8.1"],
    "spatialdata": ["spatialdata==0.7.3"],
    # Where it is installed, dask imports it, and pandas, in every process.
    "xarray": ["--no-deps", "xarray==2026.9.0"],
    "itk": ["--no-deps", "itk-core==5.4.7", "itk-io==5.4.7", "itk-ioomezarrngff==0.3.0", "numpy==2.4.6"],
}
# What needs another Python than that of the tests.
PYTHONS = {"ome-zarr-0.21": "3.12"}


def has_python(peer: str) -> bool:
    """Return True if the Python that a program needs is installed."""
    return peer not in PYTHONS or find_python(PYTHONS[peer]) is not None


def find_python(version: str) -> str | None:
    """Path of an installed Python of a version such as "3.12"; None if there is none."""
    command = [program(), "python", "find", "--system", "--no-python-downloads", version]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def python_of(peer: str) -> Path:
    """The Python of the environment of a program, which is made if it is not there."""
    wanted = hashlib.sha256("\n".join(PACKAGES[peer]).encode()).hexdigest()
    folder, done = FOLDER / peer, FOLDER / f"{peer}.done"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{peer}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not done.exists() or done.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            uv("venv", "--quiet", "--python", PYTHONS.get(peer, sys.executable), str(folder))
            uv("pip", "install", "--quiet", "--python", str(folder / "bin/python"), *PACKAGES[peer])
            done.write_text(wanted)
    return folder / "bin/python"


def imported(package: str) -> ModuleType:
    """A package that is not in the environment of the tests; what it depends on is."""
    folder = python_of(package).parent.parent / f"lib/python3.{sys.version_info.minor}/site-packages"
    sys.path.append(str(folder))
    try:
        return importlib.import_module(package)
    finally:
        sys.path.remove(str(folder))


def program() -> str:
    """Path of uv."""
    # `uv run` tells where it is.
    return os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".uv/bin/uv")


@functools.cache
def _environment() -> dict[str, str]:
    """The variables for uv: nothing of the environment of the tests, and all Pythons that pyenv has."""
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    if shutil.which("pyenv"):
        # pyenv shows only the Pythons that this variable names.
        command = ["pyenv", "versions", "--bare"]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
        environment["PYENV_VERSION"] = ":".join(found)
    return environment


def uv(*arguments: str) -> str:
    """What a call of uv prints, which must not fail."""
    done = subprocess.run(
        [program(), *arguments], cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"uv {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def call(peer: str, action: str, folder: Path, *version: str, script: str = "programs") -> str:
    """What a program prints that does something with a store: see `programs`, `layouts`."""
    command = [
        python_of(peer),
        "-W",
        "ignore",
        Path(__file__).parent / f"{script}.py",
        peer,
        action,
        folder,
        *version,
    ]
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{peer} cannot {action} {folder}: {done.stderr[-2000:]}"
    return done.stdout
