"""The core tests on the lowest declared versions, and on newer Pythons with the newest versions of everything.

A lane has an environment of its own, in which the wheel is installed; tests are copied away from the tree, so that
what they import is what people get. Lanes whose Python is not installed skip, and the report counts them.
"""

import json
import os
import re
import shutil
import subprocess

import pytest

from tests.peers.environments import find_python, program
from tests.release.distributions import PROJECT, ROOT, install, lowest

LOWEST, NEWEST = "lowest", "newest"
LANES = [("3.11", LOWEST), ("3.12", NEWEST), ("3.13", NEWEST)]
# Each verb of a label image, on disk and on S3 through both clients: values and their JSON, options, write, open,
# read, update, rebuild, check, import and export of each format. No more than fits into a minute of CPU.
SHORT = [
    "tests/model",
    "tests/test_keywords.py::test_the_command_line_names_the_nearest_too",
    "tests/ngff/test_round_trips.py",
    "tests/formats/test_conformance.py",
    "tests/formats/test_seg_nrrd.py",
    "tests/formats/test_nifti.py",
    "tests/convert/test_convert.py",
    "tests/labels/test_write.py",
    "tests/labels/test_open.py",
    "tests/labels/test_rebuild.py::test_rebuilding_replaces_levels_and_leaves_nothing_behind",
    "tests/labels/test_update.py::test_any_number_of_axes",
    "tests/labels/test_update.py::test_only_objects_that_cover_the_box_are_written",
    "tests/labels/test_update.py::test_a_stale_image_is_refused",
    "tests/labels/test_fixes.py::test_a_copy_of_each_changed_document_is_kept",
    "tests/storage/test_stores.py::test_objects_and_parts_of_them",
    "tests/storage/test_stores.py::test_writing_and_removing",
]
# All rooms, but for tests of another program that is of the lock alone, and of files that no wheel holds.
WHOLE = [
    *("tests/model", "tests/geometry", "tests/ngff", "tests/chunks", "tests/pyramid", "tests/formats"),
    *("tests/convert", "tests/labels", "tests/storage", "tests/batch", "tests/cli", "tests/test_keywords.py"),
    *("--ignore=tests/convert/test_ozx.py", "--ignore=tests/cli/test_completion.py"),
    *("--ignore=tests/cli/test_hints.py", "--ignore=tests/ngff/test_schema.py"),
    *("--ignore=tests/storage/test_requests.py", "--ignore=tests/pyramid/test_compilation.py"),
    *("-n", "2", "--dist", "worksteal"),
]


def require(version):
    """Path of a Python, or a skip that says which one is missing."""
    python = find_python(version)
    if python is None:
        pytest.skip(f"no lane of Python {version}: it is not installed on this machine")
    return python


def environment(folder, version, which, wheel, extras, group):
    """The Python of a lane, with a group of tools."""
    python = require(version)
    constraints = ["-c", str(lowest(folder, python))] if which == LOWEST else []
    return install(folder / "environment", python, f"{wheel}[{extras}]", *tools_of(group), *constraints)


def tools_of(group):
    """What a group of pyproject.toml asks for, but for the package itself."""
    for entry in PROJECT["dependency-groups"][group]:
        if isinstance(entry, dict):
            yield from tools_of(entry["include-group"])
        elif not entry.startswith("ngffseg["):
            yield entry


def run(python, folder, tests, *options):
    """Run tests outside of the tree; what was printed."""
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    data = os.environ.get("NGFFSEG_TEST_DATA", str((ROOT / "../shared/data").resolve()))
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "VIRTUAL_ENV", "PYTHONPATH"))}
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", folder / "temporary", *options, *tests],
        cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False,
        # Programs for another Python than that of the lane are of no use to it.
        env={**kept, "NGFFSEG_TEST_S3": "moto", "NGFFSEG_TEST_DATA": data, "NGFFSEG_PEERS": str(folder / "peers"),
             "UV": program()},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return done.stdout


def versions(python):
    """The version of each package of an environment."""
    code = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    return {name.lower().replace("_", "-"): version for name, version in json.loads(done.stdout).items()}


@pytest.mark.parametrize(("version", "which"), LANES)
def test_the_core(version, which, distributions, tmp_path):
    python = environment(tmp_path, version, which, distributions.wheel, "nifti,s3,demo", "test")
    told = run(python, tmp_path, SHORT)
    assert int(re.search(r"(\d+) passed", told)[1]) > 400


def declared(requirement):
    """Name and lowest version of a requirement such as ``zarr>=3.1.6``."""
    name, bound = re.fullmatch(r"([A-Za-z0-9-]+)(?:\[[a-z,]+\])?>=([0-9.]+)", requirement).groups()
    return name.lower(), bound


def test_each_declared_bound_can_be_had_with_all_others(tmp_path):
    """Bounds that no set of versions meets would be tested by nobody."""
    project = PROJECT["project"]
    wanted = {*project["dependencies"]}
    wanted |= {r for rs in project["optional-dependencies"].values() for r in rs if "ngffseg[" not in r}
    found = dict(re.findall(r"^([a-z0-9-]+)==([0-9.]+)", lowest(tmp_path, require("3.11")).read_text(), re.M))
    higher = {name: found[name] for name, bound in map(declared, wanted) if not is_equal(found[name], bound)}
    assert higher == {}


def is_equal(version, bound):
    """Return True if two versions are one, as 3.1 and 3.1.0 are."""
    return version.removesuffix(".0").removesuffix(".0") == bound.removesuffix(".0").removesuffix(".0")


@pytest.mark.long
@pytest.mark.parametrize(("version", "which"), [*LANES, ("3.12", LOWEST), ("3.11", NEWEST)])
def test_the_whole_core(version, which, distributions, tmp_path):
    python = environment(tmp_path, version, which, distributions.wheel, "all", "dev")
    # napari 0.6.2 uses what the newest pydantic warns of, and pynrrd what Python 3.12 does.
    others = (
        "ignore::pydantic.PydanticDeprecatedSince212",
        "ignore:datetime.datetime.utcnow:DeprecationWarning",
    )
    run(python, tmp_path, WHOLE, *(word for warning in others for word in ("-W", warning)))
