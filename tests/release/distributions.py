"""Build the sdist and the wheel, and install a wheel into an environment of its own."""

import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.peers.environments import uv

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@dataclass(frozen=True)
class Distributions:
    """The two files of a release."""

    sdist: Path
    wheel: Path


def build(folder: Path, tree: Path = ROOT) -> Distributions:
    """Build both from a tree, by the hatchling of this environment."""
    targets = ["-t", "sdist", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", *targets],
        cwd=tree, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Distributions(sdist, wheel)


def lowest(folder: Path, python: str) -> Path:
    """Write the lowest versions of what pyproject.toml declares, those of extras too, as constraints."""
    file = folder / "lowest.txt"
    uv(
        *("pip", "compile", "--quiet", "--no-header", "--no-annotate", "--python", python),
        *("--resolution", "lowest-direct", "--all-extras", "pyproject.toml", "--output-file", str(file)),
    )
    return file


def install(folder: Path, python: str, *packages: str) -> Path:
    """Make an environment with these packages, and nothing else; return its Python."""
    uv("venv", "--quiet", "--python", python, str(folder))
    uv("pip", "install", "--quiet", "--python", str(folder / "bin/python"), *packages)
    return folder / "bin/python"
