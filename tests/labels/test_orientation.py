"""Orientation is never invented, and what others have said of it stays as it is."""

import json
import shutil
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import zarr

from ngffseg import Geometry, check, open_labels, write_labels
from ngffseg.labels import open_image, rebuild_levels
from tests.labels.stores import digest

SHAPE = (4, 8, 8)
VERSIONS = {"0.4": 2, "0.5": 3}


def document(folder, path=""):
    v3 = folder / path / "zarr.json"
    if v3.exists():
        return json.loads(v3.read_text())["attributes"]["ome"]["multiscales"][0]
    return json.loads((folder / path / ".zattrs").read_text())["multiscales"][0]


def change_axes(folder, path, change):
    change_multiscales(folder, path, lambda told: [change(axis) for axis in told["axes"]])


def change_multiscales(folder, path, change):
    v3 = (folder / path / "zarr.json").exists()
    file = folder / path / ("zarr.json" if v3 else ".zattrs")
    told = json.loads(file.read_text())
    metadata = told["attributes"]["ome"] if v3 else told
    change(metadata["multiscales"][0])
    file.write_text(json.dumps(told))


def image_of_others(folder, unit, version="0.5"):
    """An image that ome-zarr-py has written, in this unit, without orientation, on levels that it has rounded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from ome_zarr.format import format_from_version
        from ome_zarr.writer import write_image
    axes = [{"name": axis, "type": "space"} for axis in "zyx"]
    group = zarr.open_group(folder, mode="w", zarr_format=VERSIONS[version])
    write_image(
        np.ones(SHAPE, "u1"),
        group,
        axes=axes,
        fmt=format_from_version(version),
        scale={"z": 2.0, "y": 0.5, "x": 0.5},
        scale_factors=[2],
    )
    if unit:  # which it leaves out
        change_axes(folder, "", lambda axis: axis.update(unit=unit))
    return folder


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("unit", ["micrometer", "millimeter", None])
def test_labels_beside_an_image_without_orientation_get_none(tmp_path, unit, version):
    """Build 3; and rule 6: axes, scale and translation of each level are the image's own."""
    folder = image_of_others(tmp_path / "a.zarr", unit, version)
    # Numbers of level 1 that nobody would work out.
    steps = [{"type": "scale", "scale": [2.0, 1.01, 1.02]}]
    change_multiscales(folder, "", lambda told: told["datasets"][1].update(coordinateTransformations=steps))
    image = document(folder)
    grid = open_image(folder).geometry
    assert grid.frame is None
    labels = np.arange(256).reshape(SHAPE).astype("u2")
    write_labels(folder, labels, name="bare")
    write_labels(folder, labels, name="placed", geometry=grid)
    with pytest.warns(UserWarning, match="index for index"):
        write_labels(folder, labels, name="patient", geometry=Geometry(SHAPE, np.eye(4), frame="patient"))
    rebuild_levels(folder, "placed")
    for name in ("bare", "placed", "patient"):
        told = document(folder, f"labels/{name}")
        assert "orientation" not in json.dumps(told)
        assert [axis.get("unit") for axis in told["axes"]] == [unit] * 3
        assert told["axes"] == image["axes"]
        for mine, theirs in zip(told["datasets"], image["datasets"], strict=True):
            scale, translation = mine["coordinateTransformations"]
            steps = theirs["coordinateTransformations"]
            assert scale["scale"] == steps[0]["scale"]
            assert translation["translation"] == (steps[1]["translation"] if len(steps) > 1 else [0.0] * 3)
        assert open_labels(folder, name).geometry.frame is None


ODD = {
    "a text": "right-to-left",
    "another word": {"type": "anatomical", "value": "dorsal-to-ventral"},
    "another type": {"type": "stage", "value": "up"},
    "a number": 7,
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_orientations_stay_as_they_are(tmp_path, odd):
    """They are taken for no frame, and are there after labels were added and levels were built."""
    folder = image_of_others(tmp_path / "a.zarr", "millimeter")
    write_labels(folder, np.ones(SHAPE, "u1"), name="theirs")
    shutil.rmtree(folder / "ngffseg")
    for path in ("", "labels/theirs"):
        change_axes(
            folder, path, lambda axis: axis.update(orientation=ODD[odd]) if axis["name"] == "x" else None
        )
    file = folder / "labels/theirs/zarr.json"
    told = json.loads(file.read_text())
    del told["attributes"]["ngffseg"]
    file.write_text(json.dumps(told))
    (folder / "labels/zarr.json").write_text(
        json.dumps(
            {
                "zarr_format": 3,
                "node_type": "group",
                "attributes": {"ome": {"version": "0.5", "labels": ["theirs"]}},
            }
        )
    )
    before = document(folder)
    assert open_image(folder).geometry.frame is None
    assert open_labels(folder, "theirs").geometry.frame is None
    write_labels(folder, np.ones(SHAPE, "u1"), name="ours")
    assert document(folder) == before
    kept = {
        k: v for k, v in before["axes"][2].items() if odd in ("a text", "another word") or k != "orientation"
    }
    assert document(folder, "labels/ours")["axes"] == [*before["axes"][:2], kept]
    assert not [v for v in check(folder / "labels/ours") if v.severity == "MUST"]
    rebuild_levels(folder, "ours")
    assert document(folder, "labels/ours")["axes"] == [*before["axes"][:2], kept]
    if odd in ("a text", "another word"):
        rebuild_levels(folder, "theirs")
        assert document(folder, "labels/theirs")["axes"] == before["axes"]


ARCHIVE = Path(__file__).parent.parent / "data" / "stores_0_1_0.zip"


def test_labels_that_are_added_to_a_store_of_0_1_join_its_image(tmp_path):
    """Rule 8: numbers that 0.1 has written stay as it meant them, and labels beside them say the same."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "image.zarr"
    image = document(folder)
    there, before = open_labels(folder, "organs"), digest(folder)
    # As 0.1 has placed data whose axis is reversed: along its axes.
    file = folder / "zarr.json"
    told = json.loads(file.read_text())
    affine = told["attributes"]["ngffseg"]["geometry"]["ijkToLPS"]
    affine[0][0], affine[0][3] = -affine[0][0], -affine[0][3]
    told["attributes"]["ome"]["multiscales"][0]["axes"][2]["orientation"]["value"] = "left-to-right"
    file.write_text(json.dumps(told))
    grid = open_image(folder).geometry
    assert grid.affine[0, 0] < 0
    labels = there.read()
    written = write_labels(folder, labels, name="added", geometry=grid)
    assert written.geometry == grid
    added = document(folder, "labels/added")
    assert [d["coordinateTransformations"] for d in added["datasets"]] == [
        d["coordinateTransformations"] for d in image["datasets"]
    ]
    rebuild_levels(folder, "added")
    assert [d["coordinateTransformations"] for d in document(folder, "labels/added")["datasets"]] == [
        d["coordinateTransformations"] for d in image["datasets"]
    ]
    after = digest(folder)
    assert {key for key in before if before[key] != after.get(key)} <= {
        "zarr.json",
        "labels/zarr.json",
        "ngffseg/zarr.json",
    }
