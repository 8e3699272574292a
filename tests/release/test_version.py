"""The version stands in pyproject.toml alone; the changelog and the tags of git agree with it."""

import json
import re
import shutil
import subprocess
from importlib.metadata import version

import numpy as np
import pytest

import ngffseg
from ngffseg.cli.main import run
from tests.release.distributions import PROJECT, ROOT
from tests.release.test_lanes import LANES

HEAD = re.compile(r"^## (\d+\.\d+\.\d+)(?: \((unreleased|\d{4}-\d\d-\d\d)\))?$", re.M)


def numbers(text):
    return tuple(int(part) for part in text.split("."))


def faults(project, changelog, tags, here):
    """What is wrong with a version, its changelog, all tags, and the tags of the commit that is checked out."""
    sections = HEAD.findall(changelog)
    versions = [name for name, _ in sections]
    if not versions or versions[0] != project:
        yield f"the first section of CHANGELOG.md is not {project}"
    if versions != sorted(versions, key=numbers, reverse=True) or len(set(versions)) < len(versions):
        yield "the sections of CHANGELOG.md are not in the order of versions"
    yield from (
        f"{name} is not the newest, and unreleased" for name, when in sections[1:] if when == "unreleased"
    )
    for tag in tags:
        name = tag.removeprefix("v")
        if name not in versions:
            yield f"{tag} has no section in CHANGELOG.md"
        elif dict(sections)[name] == "unreleased":
            yield f"{tag} is unreleased in CHANGELOG.md"
    yield from (f"{tag} marks a commit of version {project}" for tag in here if tag != f"v{project}")


def test_the_tree_has_no_such_fault():
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    tags, here = [], []
    if shutil.which("git") and (ROOT / ".git").exists():
        tags, here = (
            subprocess.run(
                ["git", "tag", "--list", "v[0-9]*", *more],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            ).stdout.split()
            for more in ([], ["--points-at", "HEAD"])
        )
    assert list(faults(PROJECT["project"]["version"], changelog, tags, here)) == []


GOOD = "# Changes\n\n## 0.2.0 (2026-12-01)\n\nNew.\n\n## 0.1.0\n"


@pytest.mark.parametrize(
    ("project", "changelog", "tags", "here", "fault"),
    [
        ("0.2.0", GOOD, ["v0.1.0", "v0.2.0"], ["v0.2.0"], []),
        ("0.2.0", GOOD.replace("2026-12-01", "unreleased"), ["v0.1.0"], [], []),
        ("0.3.0", GOOD, [], [], ["the first section of CHANGELOG.md is not 0.3.0"]),
        ("0.2.0", GOOD.replace("2026-12-01", "unreleased"), ["v0.2.0"], ["v0.2.0"], ["v0.2.0 is unreleased in CHANGELOG.md"]),
        ("0.2.0", GOOD, ["v0.1.5"], [], ["v0.1.5 has no section in CHANGELOG.md"]),
        ("0.2.0", GOOD, ["v0.1.0"], ["v0.1.0"], ["v0.1.0 marks a commit of version 0.2.0"]),
        ("0.2.0", GOOD + "\n## 0.1.1\n", [], [], ["the sections of CHANGELOG.md are not in the order of versions"]),
        ("0.2.0", GOOD + "\n## 0.0.9 (unreleased)\n", [], [], ["0.0.9 is not the newest, and unreleased"]),
    ],
)  # fmt: skip
def test_faults_are_found(project, changelog, tags, here, fault):
    assert list(faults(project, changelog, tags, here)) == fault


def test_all_tell_the_version_of_pyproject(tmp_path, capsys):
    """Where it is another one, the package has to be installed again: ``uv sync``."""
    told = PROJECT["project"]["version"]
    assert (ngffseg.__version__, version("ngffseg")) == (told, told)
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"ngffseg, version {told}\n"
    ngffseg.write_labels(tmp_path / "a.zarr", np.ones((2, 2, 2), np.uint8), name="a")
    (document,) = (tmp_path / "a.zarr/labels/a").glob("zarr.json")
    attributes = json.loads(document.read_text("utf-8"))["attributes"]
    assert attributes["ome"]["multiscales"][0]["metadata"]["version"] == told


def test_the_classifiers_name_the_pythons_of_the_lanes():
    head = "Programming Language :: Python :: 3."
    named = {c.removeprefix(head) for c in PROJECT["project"]["classifiers"] if c.startswith(head)}
    assert named == {name.removeprefix("3.") for name, _ in LANES}
    assert PROJECT["project"]["requires-python"].startswith(f">=3.{min(map(int, named))}")
