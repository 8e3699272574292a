"""The wheel and the sdist: what is in them, and that the wheel works in an empty environment."""

import email
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import ngffseg
from tests.release.distributions import PROJECT, ROOT, build, install

ROOM = "ngffseg/schemas"


@pytest.fixture(scope="session")
def wheel(distributions):
    with zipfile.ZipFile(distributions.wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="session")
def sdist(distributions):
    with tarfile.open(distributions.sdist) as archive:
        return {
            m.name.partition("/")[2]: archive.extractfile(m).read()
            for m in archive.getmembers()
            if m.isfile()
        }


def files(folder):
    """Files of a folder of the tree and their bytes, by name."""
    found = [
        path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in found}


def test_the_wheel_holds_the_package_the_schemas_and_nothing_else(wheel):
    schemas = {f"ngffseg/{name}": data for name, data in files("schemas").items()}
    assert {"ngffseg/py.typed", "ngffseg/napari_plugin/napari.yaml", "ngffseg/cli/completion.json"} <= set(
        wheel
    )
    assert len(schemas) >= 19
    held = {name: data for name, data in wheel.items() if ".dist-info/" not in name}
    assert held == files("ngffseg") | schemas


def test_the_sdist_holds_what_builds_and_tests_it(sdist):
    tree = files("ngffseg") | files("schemas") | files("tests")
    alone = {"README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "PKG-INFO", ".gitignore"}
    assert set(sdist) == set(tree) | alone
    assert {name: data for name, data in sdist.items() if name in tree} == tree


def test_the_sdist_builds_the_same_wheel(distributions, tmp_path):
    with tarfile.open(distributions.sdist) as archive:
        archive.extractall(tmp_path / "tree", filter="data")
    (tree,) = (tmp_path / "tree").iterdir()
    (tmp_path / "dist").mkdir()
    assert build(tmp_path / "dist", tree).wheel.read_bytes() == distributions.wheel.read_bytes()


def test_the_metadata(wheel):
    (name,) = [name for name in wheel if name.endswith(".dist-info/METADATA")]
    told = email.message_from_bytes(wheel[name])
    assert told["Version"] == ngffseg.__version__
    assert told["Requires-Python"] == PROJECT["project"]["requires-python"]
    assert told["License-Expression"] == "MIT"
    assert set(told.get_all("Provides-Extra")) == {"all", "demo", "napari", "nifti", "plot", "s3", "view"}
    # `all` is all of the others.
    every = next(r for r in PROJECT["project"]["optional-dependencies"]["all"])
    assert set(every.partition("[")[2].rstrip("]").split(",")) == set(told.get_all("Provides-Extra")) - {
        "all"
    }
    (name,) = [name for name in wheel if name.endswith(".dist-info/entry_points.txt")]
    assert "ngffseg = ngffseg.cli.main:main" in wheel[name].decode()


@pytest.fixture(scope="module")
def bare(distributions, tmp_path_factory):
    """Run `bare.py` in an environment that holds the wheel, and what it depends on."""
    place = tmp_path_factory.mktemp("bare")
    python = install(place / "environment", sys.executable, str(distributions.wheel))
    shutil.copy(Path(__file__).parent / "bare.py", place)

    def ran(*words):
        done = subprocess.run(
            [python, "-W", "error::UserWarning", "bare.py", *words],
            cwd=place, capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout.splitlines()[-1])
        assert found["there"] == []
        assert Path(found["package"]).is_relative_to(place)
        return found

    return ran


NIFTI = "{} needs nibabel: pip install 'ngffseg[nifti]'"
BROWSER = "the browser needs neuroglancer: pip install 'ngffseg[view]'"


def test_each_missing_extra_says_what_to_install(bare, tmp_path):
    found = bare(str(tmp_path))
    lines = {
        "import": f"{tmp_path}/a.nii.gz: " + NIFTI.format(".nii.gz"),
        "image": f"{tmp_path}/a.nii.gz: " + NIFTI.format(".nii.gz"),
        "export": f"{tmp_path}/b.nii: " + NIFTI.format(".nii"),
        "picture": "pictures need matplotlib: pip install 'ngffseg[plot]'",
        "demo": "the demo needs the files inside slicerio: pip install 'ngffseg[demo]'",
        "view": BROWSER,
        "screenshot": BROWSER,
        "layers": "layers need napari: pip install 'ngffseg[napari]' 'napari[all]'",
    }
    assert found["said"] == {name: [2, f"ngffseg: {line}\n"] for name, line in lines.items()}
    assert found["left"] == ["a.nii.gz", "a.nrrd", "a.ome.zarr"]
    assert found["check"] == [0, ""]


def test_s3fs_alone_serves_s3(bare, bucket, tmp_path):
    assert bare(str(tmp_path), f"{bucket.url}/a.ome.zarr")["client"] == "FsspecClient"
    keys = bucket.keys()
    assert "a.ome.zarr/labels/b/zarr.json" in keys


def test_a_screenshot_without_playwright(monkeypatch, tmp_path):
    from ngffseg.errors import MissingExtraError
    from ngffseg.viewer.screenshot import take_screenshot

    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(
        MissingExtraError, match=r"^screenshots need Playwright: pip install 'ngffseg\[view\]'$"
    ):
        take_screenshot(None, tmp_path / "a.png")
