"""ngff-zarr's orientation of RFC-4, and its way to ITK: known voxels at known places, both ways."""

import itertools
import json

import numpy as np
import pytest
import SimpleITK as sitk

from ngffseg import Geometry, check, export_segmentation, import_segmentation, open_labels, write_labels
from ngffseg.geometry import Order, reordered
from ngffseg.labels import open_image
from ngffseg.model import Volume
from tests.peers.environments import call
from tests.peers.programs import GROWTH, SHAPE, START, STEPS, blocks

AXES = {"L": (1, 0, 0), "P": (0, 1, 0), "S": (0, 0, 1), "R": (-1, 0, 0), "A": (0, -1, 0), "I": (0, 0, -1)}
# Where z, y, x grow to: some of the 48, all of them in the long lane; as an object, or as a text.
SOME = (("SAR", "object"), ("IPR", "text"))
ALL = ["".join(c) for t in itertools.permutations(("SI", "PA", "LR")) for c in itertools.product(*t)]
CASES = [
    pytest.param(*case, marks=[] if case in SOME else pytest.mark.long)
    for case in itertools.product(ALL, ("object", "text"))
]


def wanted(codes):
    """The middles of the blocks of a store of ngff-zarr, in LPS: the definition."""
    turn = np.column_stack(
        [np.multiply(AXES[code], STEPS[axis]) for axis, code in zip("zyx", codes, strict=True)]
    )
    start = np.array([START[axis] for axis in "xyz"])
    return {n: start + turn @ np.argwhere(blocks() == n).mean(axis=0) for n in (1, 2, 3)}


def middles(labels, geometry):
    """The middles of labels, by the affine of their grid."""
    found = {}
    for value in (1, 2, 3):
        index = np.argwhere(np.asarray(labels) == value).mean(axis=0)
        found[value] = (geometry.affine @ [*index[::-1], 1])[:3]
    return found


def seen_by_itk(file):
    image = sitk.ReadImage(str(file))
    array = sitk.GetArrayFromImage(image)
    return {
        value: np.array(
            image.TransformContinuousIndexToPhysicalPoint(
                np.argwhere(array == value).mean(axis=0)[::-1].tolist()
            )
        )
        for value in (1, 2, 3)
    }


def same(found, there):
    for value in (1, 2, 3):
        np.testing.assert_allclose(found[value], there[value], rtol=0, atol=1e-4)


def as_text(folder):
    """Write orientations as the first draft of RFC-4 has them."""
    for path in ("", "labels/cells"):
        file = folder / path / "zarr.json"
        told = json.loads(file.read_text())
        for axis in told["attributes"]["ome"]["multiscales"][0]["axes"]:
            axis["orientation"] = axis["orientation"]["value"]
        file.write_text(json.dumps(told))


def axes_of(folder, path=""):
    told = json.loads((folder / path / "zarr.json").read_text())["attributes"]["ome"]["multiscales"][0]
    return told["axes"], [d["coordinateTransformations"] for d in told["datasets"]]


@pytest.mark.parametrize(("codes", "form"), CASES)
def test_their_orientation_is_read_and_exported(tmp_path, codes, form):
    """Rule 8, and "the RFC-4 stores of ngff-zarr 0.50, as object and as string, are read and re-exported right"."""
    folder = tmp_path / "theirs.zarr"
    call("ngff-zarr", "orient", folder, codes)
    there = wanted(codes)
    itk = json.loads(call("ngff-zarr", "places", folder))["cells"][0]
    same({int(value): place for value, place in itk.items()}, there)
    if form == "text":
        as_text(folder)
    cells = open_labels(folder, "cells")
    assert cells.geometry.frame == "patient"
    assert open_image(folder).geometry == cells.geometry
    same(middles(cells.read(), cells.geometry), there)
    for suffix in (".nii.gz", ".nrrd", ".seg.nrrd"):
        export_segmentation(folder, tmp_path / f"out{suffix}", name="cells")
        same(seen_by_itk(tmp_path / f"out{suffix}"), there)
    # Labels of ours, in the canonical order, join their image.
    order = Order((0, 1, 2), (True, False, True))
    ours = write_labels(folder, order.apply(blocks()), name="ours", geometry=reordered(cells.geometry, order))
    np.testing.assert_array_equal(ours.read(), blocks())
    same(middles(ours.read(), ours.geometry), there)
    assert axes_of(folder, "labels/ours") == axes_of(folder)
    assert not [v for v in check(folder) if v.where.startswith("labels/ours") and v.severity == "MUST"]
    if form == "object":
        itk = json.loads(call("ngff-zarr", "places", folder))["ours"][0]
        same({int(value): place for value, place in itk.items()}, there)


@pytest.mark.parametrize("version", [pytest.param("0.4", marks=pytest.mark.long), "0.5"])
def test_ours_lie_where_they_should_in_itk(tmp_path, version):
    """In the canonical order, levels 0 and 1; in another one level 0, since theirs shifts coarser ones wrongly."""
    grid = Geometry(SHAPE, np.diag([0.7, 0.9, 2.5, 1.0]), frame="patient")
    affine = grid.affine.copy()
    affine[:3, 3] = -120.125, 40.5, -310.25
    grid = Geometry(SHAPE, affine, frame="patient")
    data = Volume(np.ones(SHAPE, "u1"), grid)
    there = middles(blocks(), grid)
    folder = tmp_path / "ours.zarr"
    write_labels(folder, blocks(), name="a", geometry=grid, image=data, levels=2, ngff=version)
    order = Order((0, 1, 2), (True, True, False))
    write_labels(folder, order.apply(blocks()), name="b", geometry=reordered(grid, order))
    found = json.loads(call("ngff-zarr", "places", folder))
    for name, level in itertools.product("ab", (0, 1)):
        same({int(value): place for value, place in found[name][level].items()}, there)
    for number, order in enumerate(
        (Order((0, 1, 2), (True, True, True)), Order((2, 0, 1), (False, True, False)))
    ):
        kept = tmp_path / f"kept{number}.zarr"
        write_labels(kept, order.apply(blocks()), name="a", geometry=reordered(grid, order), ngff=version)
        found = json.loads(call("ngff-zarr", "places", kept))["a"][0]
        same({int(value): place for value, place in found.items()}, there)


@pytest.mark.long
@pytest.mark.parametrize(
    "order",
    [
        Order(a, f)
        for a in itertools.permutations(range(3))
        for f in itertools.product((False, True), repeat=3)
    ],
    ids=str,
)
def test_any_order_that_is_kept_lies_where_it_should(tmp_path, order):
    """All 48, at level 0: rule 8."""
    affine = np.diag([0.7, 0.9, 2.5, 1.0])
    affine[:3, 3] = -120.125, 40.5, -310.25
    grid = Geometry(SHAPE, affine, frame="patient")
    write_labels(tmp_path / "a.zarr", order.apply(blocks()), name="a", geometry=reordered(grid, order))
    found = json.loads(call("ngff-zarr", "places", tmp_path / "a.zarr"))["a"][0]
    same({int(value): place for value, place in found.items()}, middles(blocks(), grid))


def test_a_file_of_another_order_joins_their_image(tmp_path):
    """RAS labels of NIfTI, imported into a store of others."""
    folder = tmp_path / "theirs.zarr"
    call("ngff-zarr", "orient", folder, "SPL")
    cells = open_labels(folder, "cells")
    order = Order((2, 0, 1), (False, True, True))
    image = sitk.GetImageFromArray(order.apply(blocks()))
    grid = reordered(cells.geometry, order)
    steps = np.linalg.norm(grid.affine[:3, :3], axis=0)
    image.SetSpacing(steps.tolist())
    image.SetDirection((grid.affine[:3, :3] / steps).ravel().tolist())
    image.SetOrigin(grid.affine[:3, 3].tolist())
    sitk.WriteImage(image, str(tmp_path / "ras.nii.gz"))
    import_segmentation(tmp_path / "ras.nii.gz", folder, name="ras")
    found = json.loads(call("ngff-zarr", "places", folder))["ras"]
    for level in found:
        same({int(value): place for value, place in level.items()}, wanted("SPL"))


def test_every_word_is_known():
    assert set(GROWTH) == set(AXES)
