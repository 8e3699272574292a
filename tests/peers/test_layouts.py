"""Images with channels and time of other programs, labels without channels beside them: the four actions, and theirs.

Each program writes a store per layout; we open, index, extend, update and export its labels, and import ours; then it
opens the result, and finds all that was its own, and our labels at the place of its image.
"""

import json

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from ngffseg import check, export_segmentation, open_labels, segment_index, update_labels, write_labels
from ngffseg.cli.main import run
from ngffseg.errors import FormatError
from ngffseg.labels import open_image, rebuild_levels
from tests.peers.environments import call, has_python
from tests.peers.kept import documents, not_kept, stale
from tests.peers.layouts import SCALE, digest, image, labels, named
from tests.peers.test_peers import long

CASES = [
    ("ngio", "0.5"),
    ("ome-zarr", "0.5"),
    ("bioio", "0.5"),
    ("ngff-zarr", "0.4"),
    long("ngio", "0.4"),
    long("ome-zarr", "0.4"),
    long("bioio", "0.4"),
    long("ngff-zarr", "0.5"),
    long("ome-zarr-0.10", "0.4"),
    long("ome-zarr-old", "0.4"),
    long("ome-zarr-0.21", "0.4"),
    long("ome-zarr-0.21", "0.5"),
]


def without(layout, axis):
    """A layout without an axis."""
    return layout.replace(f"{axis}1", "").replace(axis, "")


def edited(layout):
    """Labels after our update of their first half along each axis."""
    changed = labels(layout)
    changed[box_of(changed.shape)] = 5
    return changed


def box_of(shape):
    return tuple(slice(0, n // 2 + 1) for n in shape)


def edit(opened, layout):
    box = box_of(opened.geometry.shape)
    written = update_labels(opened, box, np.full([part.stop for part in box], 5, "uint32"))
    np.testing.assert_array_equal(written.read(), edited(layout))


def answer(capsys, *words):
    """What the shell answers as JSON."""
    assert run([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def counts_of(values):
    """Voxels of each label."""
    found, counts = np.unique(values[values > 0], return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def index_and_update(store, layout, capsys):
    """Their labels: counted without an index, with levels and an index of ours, and changed."""
    np.testing.assert_array_equal(open_labels(store, "cells").read(), labels(layout))
    rows = answer(capsys, "segments", store, "--name", "cells")
    assert {row["label_value"]: row["voxels"] for row in rows} == counts_of(labels(layout))
    edit(rebuild_levels(store, "cells"), layout)
    table = segment_index(open_labels(store, "cells")).table()
    assert dict(zip(table["label_value"], table["voxels"], strict=True)) == counts_of(edited(layout))


def extend(store, layouts):
    """Labels of ours, of which nobody says where they lie: without channels, and without time."""
    whole = open_image(store).geometry
    for name, layout in layouts.items():
        written = write_labels(store, labels(layout), name=name)
        axes, grid = tuple(named(layout)[0]), written.geometry
        units = dict(zip(whole.axes, whole.units, strict=True))
        assert (grid.axes, grid.units) == (axes, tuple(units[axis] for axis in axes))
        np.testing.assert_array_equal(grid.affine, whole.affine)
        assert grid.time_step == (whole.time_step if "t" in axes else 1.0)
        edit(written, layout)


def hand_on(store, folder, layout, capsys):
    """Labels of ours as a file that others read, and back from it beside their image."""
    file, axes = folder / f"{store.stem}.nii.gz", named(layout)[0]
    export_segmentation(store, file, name="ours")
    seen = nibabel.load(file)
    # Time is the fourth axis of a file, whatever is missing before.
    whole = edited(layout)[:, np.newaxis] if axes == "tyx" else edited(layout)
    np.testing.assert_array_equal(np.asarray(seen.dataobj).T, whole)
    steps = [SCALE[axis] for axis in ("x", "y", "z", "t")[: whole.ndim]]
    steps = [1.0 if axes == "tyx" and n == 2 else step for n, step in enumerate(steps)]
    assert [float(step) for step in seen.header.get_zooms()] == steps
    other = folder / f"{store.stem}.nrrd"
    if "t" in axes:
        with pytest.raises(FormatError, match=r"no axis of time.*use \.nii\.gz"):
            export_segmentation(store, other, name="ours")
    else:
        export_segmentation(store, other, name="ours")
        np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(other))), edited(layout))
    for name, path in (("nifti", file), ("nrrd", other)):
        if path.exists():
            assert run(["import", str(path), str(store), "--name", name]) == 0
            # .nrrd tells no patient, so that they lie where they lay; NIfTI cannot leave it open.
            assert ("index for index" in capsys.readouterr().err) == (name == "nifti")
            opened = open_labels(store, name)
            assert opened.geometry == open_labels(store, "ours").geometry
            np.testing.assert_array_equal(opened.read(), edited(layout))


def faults(store):
    """What MUST not be, or cannot be judged."""
    return {(v.severity, str(v.where), v.rule) for v in check(store) if v.severity != "SHOULD"}


@pytest.mark.parametrize(("peer", "version"), CASES)
def test_stores_of_others(tmp_path, capsys, peer, version):
    """ "Existing stores are indexed, extended, updated and remain readable by their writers": issue 15, item 1."""
    if not has_python(peer):
        pytest.skip(f"{peer} needs a Python that is not installed")
    before = json.loads(call(peer, "write", tmp_path, version, script="layouts"))
    told, ours = {}, {}
    for store in map(tmp_path.joinpath, before):
        picture, _, theirs = store.stem.partition("-")
        told[store], known, old = documents(store), faults(store), stale(store)
        ours[store] = {"ours": without(picture, "c"), "still": without(without(picture, "c"), "t")}
        if theirs:
            index_and_update(store, theirs, capsys)
        extend(store, ours[store])
        hand_on(store, tmp_path, ours[store]["ours"], capsys)
        assert faults(store) <= known
        names = [found["name"] for found in answer(capsys, "info", store)["labels"]]
        assert {"ours", "still", "nifti", *(["cells"] if theirs else [])} <= set(names)
        np.testing.assert_array_equal(np.asarray(open_image(store).data[...]), image(picture))
        assert not_kept(told[store], documents(store)) == []
        assert set(stale(store)) <= set(old)
    after = json.loads(call(peer, "read", tmp_path, script="layouts"))
    for store in told:
        theirs = store.stem.partition("-")[2]
        compare(before[store.name], after[store.name], theirs, ours[store])


def compare(before, after, theirs, ours):
    """What a program finds, before and after."""
    whole = before[""]
    assert after.pop("") == whole
    if theirs:
        was, now = before.pop("cells"), after.pop("cells")
        assert (was.pop("data"), now.pop("data")) == (digest(labels(theirs)), digest(edited(theirs)))
        # Levels that we have built are of our shapes.
        assert len(was.pop("levels", ())) == len(now.pop("levels", ()))
        assert now == was
    steps = dict(zip(whole["axes"], whole["scale"], strict=True))
    for name, layout in {**ours, "nifti": ours["ours"]}.items():
        found, axes = after.pop(name), named(layout)[0]
        assert found["data"] == digest(edited(layout))
        assert found["axes"] == axes
        assert found["scale"] == [steps[axis] for axis in axes]
        assert len(found.get("levels", ())) == len(whole.get("levels", ()))
    assert set(after) <= {"nrrd"}
