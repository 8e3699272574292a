"""Voxels of a file in any order: canonical in the store, at their place in every reader, and back as they came."""

import itertools
from typing import NamedTuple

import nibabel as nib
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
import slicerio
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader

from ngffseg import export_segmentation, import_segmentation

SHAPE = (12, 16, 20)
SPACING = np.array([0.7, 0.9, 2.5])  # x, y, z
ORIGIN = np.array([-100.1, 20.3, 1 / 3])
ORDERS = list(itertools.product(itertools.permutations(range(3)), itertools.product((False, True), repeat=3)))
# Where the first voxel of each label is, z, y, x of the canonical order. Each is a block of 2 x 2 x 2, so
# that it is one voxel of level 1, whose centre is that of the block.
BLOCKS = {1: (2, 4, 6), 2: (8, 0, 2), 3: (10, 14, 18)}
FORMATS = ["nii.gz", "nrrd", "seg.nrrd"]
TURN = {
    "straight": np.eye(3),
    "oblique": np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    @ [[1, 0, 0], [0, 0.96, -0.28], [0, 0.28, 0.96]],
}


class Case(NamedTuple):
    """Voxels in the order of a file (z, y, x of the file), and the affine from i, j, k to LPS."""

    labels: np.ndarray
    affine: np.ndarray


def canonical_labels():
    labels = np.zeros(SHAPE, np.uint8)
    for value, (z, y, x) in BLOCKS.items():
        labels[z : z + 2, y : y + 2, x : x + 2] = value
    return labels


def places(turn):
    """The centre of each label in LPS, worked out by hand."""
    middle = {value: np.array(block[::-1]) + 0.5 for value, block in BLOCKS.items()}
    return {value: turn @ (SPACING * index) + ORIGIN for value, index in middle.items()}


def case(axes, flips, turn):
    """The voxels as a scanner could have listed them: axis n of the file is axis ``axes[n]`` of the patient."""
    labels = canonical_labels().transpose(axes)
    columns = (turn * SPACING)[:, ::-1][:, list(axes)]  # of z, y, x of the file
    origin = ORIGIN.copy()
    for n, flip in enumerate(flips):
        if flip:
            labels = np.flip(labels, n)
            origin += columns[:, n] * (labels.shape[n] - 1)
            columns[:, n] *= -1
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = columns[:, ::-1], origin
    return Case(np.ascontiguousarray(labels), affine)


def save(made, path, space="left-posterior-superior"):
    """Write a file with another library than ours."""
    voxels = made.labels.T
    if path.name.endswith(".nii.gz"):
        affine = np.diag([-1, -1, 1, 1]) @ made.affine
        image = nib.Nifti1Image(voxels, affine)
        image.set_sform(affine, 1)
        image.set_qform(affine, 1)
        image.header.set_xyzt_units("mm")
        nib.save(image, path)
        return
    signs = {"left-posterior-superior": (1, 1, 1), "right-anterior-superior": (-1, -1, 1)}[space]
    header = {
        "space": space,
        "space directions": (made.affine[:3, :3] * np.array(signs)[:, None]).T,
        "space origin": made.affine[:3, 3] * signs,
        "kinds": ["domain"] * 3,
        "encoding": "raw",
    }
    if path.name.endswith(".seg.nrrd"):
        header |= segment_keys(made.labels)
    nrrd.write(str(path), voxels, header)


def segment_keys(labels):
    """Keys of Slicer, with the smallest extents and the offset of a reference image."""
    keys = {
        "Segmentation_MasterRepresentation": "Binary labelmap",
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_ReferenceImageExtentOffset": "3 5 7",
    }
    for n, value in enumerate(BLOCKS):
        keys |= {
            f"Segment{n}_ID": f"Segment_{value}",
            f"Segment{n}_Name": f"part {value}",
            f"Segment{n}_Color": "1 0 0",
            f"Segment{n}_LabelValue": str(value),
            f"Segment{n}_Layer": "0",
            f"Segment{n}_Extent": extent(labels, value),
        }
    return keys


def extent(labels, value):
    """The extent of a label as Slicer writes it: i, j, k from and to."""
    bounds = [(found.min(), found.max()) for found in np.nonzero(labels == value)[::-1]]
    return " ".join(str(n) for pair in bounds for n in pair)


def assert_places(labels, affine, turn, atol=1e-9):
    """Each label lies where it was drawn: labels in z, y, x and their affine from i, j, k."""
    for value, place in places(turn).items():
        index = np.mean(np.nonzero(labels == value)[::-1], axis=1)
        np.testing.assert_allclose((affine @ [*index, 1])[:3], place, rtol=0, atol=atol)
    assert set(np.unique(labels)) == {0, *BLOCKS}


def assert_nifti(source, target, turn):
    one, two = nib.load(source), nib.load(target)
    np.testing.assert_array_equal(np.asanyarray(one.dataobj), np.asanyarray(two.dataobj))
    np.testing.assert_array_equal(one.affine, two.affine)
    assert one.header == two.header
    lps = np.diag([-1, -1, 1, 1]) @ two.affine
    assert_places(np.asanyarray(two.dataobj).T, lps, turn, atol=1e-4)


def assert_itk(source, target, turn, atol):
    one, two = sitk.ReadImage(str(source)), sitk.ReadImage(str(target))
    voxels = sitk.GetArrayFromImage(two)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(one), voxels)
    for told in ("GetOrigin", "GetSpacing", "GetDirection"):
        assert getattr(one, told)() == getattr(two, told)()
    for value, place in places(turn).items():
        index = [float(n) for n in np.mean(np.nonzero(voxels == value)[::-1], axis=1)]
        np.testing.assert_allclose(
            two.TransformContinuousIndexToPhysicalPoint(index), place, rtol=0, atol=atol
        )


def assert_nrrd(source, target):
    (mine, one), (theirs, two) = (nrrd.read(str(file)) for file in (source, target))
    np.testing.assert_array_equal(mine, theirs)
    assert one["space"] == two["space"]
    for key in ("space directions", "space origin"):
        np.testing.assert_array_equal(one[key], two[key])
    keys = {key for key in one if key.startswith("Segment")}
    assert {key: two[key] for key in keys} == {key: one[key] for key in keys}


def assert_slicerio(source, target, turn):
    one, two = (slicerio.read_segmentation(str(file)) for file in (source, target))
    np.testing.assert_array_equal(one["voxels"], two["voxels"])
    np.testing.assert_array_equal(one["ijkToLPS"], two["ijkToLPS"])
    assert_places(two["voxels"].T, two["ijkToLPS"], turn)


def assert_same_file(source, target, turn):
    """What came in has come out, as each library sees that reads the format."""
    if source.name.endswith(".nii.gz"):
        assert_nifti(source, target, turn)
    else:
        assert_nrrd(source, target)
    if source.name.endswith(".seg.nrrd"):
        assert_slicerio(source, target, turn)
    assert_itk(source, target, turn, 1e-4 if source.name.endswith(".nii.gz") else 1e-9)


def assert_stored_plainly(store, atol):
    """A reader that knows scale and translation alone finds the labels of levels 0 and 1 at their place."""
    nodes = Reader(parse_url(store / "labels" / "organs"))()
    (node,) = (node for node in nodes if node.zarr.basename() == "organs")
    for level, data in enumerate(node.data):
        scale, translation = (
            np.array(each[each["type"]]) for each in node.metadata["coordinateTransformations"][level]
        )
        voxels = np.asarray(data)
        for value, place in places(np.eye(3)).items():
            index = np.mean(np.nonzero(voxels == value), axis=1)
            np.testing.assert_allclose((index * scale + translation)[::-1], place, rtol=0, atol=atol)


WAYS = [(suffix, version) for suffix in FORMATS for version in ("0.4", "0.5")]
# All orders of one way in each run; of the others each seventh, which has all permutations, and nearly all flips.
SHORT = [(*way, ORDERS if way == ("nii.gz", "0.5") else ORDERS[::7]) for way in WAYS]
LONG = [pytest.param(*way, ORDERS, marks=pytest.mark.long) for way in WAYS if way != ("nii.gz", "0.5")]


@pytest.mark.parametrize(
    ("suffix", "version", "orders"),
    SHORT + LONG,
    ids=lambda value: str(value) if isinstance(value, str) else str(len(value)),
)
def test_orders_are_stored_in_one_and_come_back_as_they_were(suffix, version, orders, tmp_path):
    atol = 1e-4 if suffix == "nii.gz" else 1e-9  # NIfTI has float32
    for number, (axes, flips) in enumerate(orders):
        made = case(axes, flips, TURN["straight"])
        source, target, store = (
            tmp_path / f"{number}.{suffix}",
            tmp_path / f"{number}-back.{suffix}",
            tmp_path / f"{number}.zarr",
        )
        save(made, source, "right-anterior-superior" if number % 2 else "left-posterior-superior")
        image = import_segmentation(source, store, name="organs", ngff=version, levels=2)
        np.testing.assert_array_equal(image.read(), canonical_labels())
        assert_places(image.read(), image.geometry.affine, TURN["straight"], atol)
        np.testing.assert_allclose(image.geometry.affine[:3, :3], np.diag(SPACING), rtol=0, atol=atol)
        assert_stored_plainly(store, atol)
        export_segmentation(store, target)
        assert_same_file(source, target, TURN["straight"])


@pytest.mark.parametrize("suffix", FORMATS)
def test_oblique_scans_come_back_bit_for_bit(suffix, tmp_path):
    turn = TURN["oblique"]
    for number, (axes, flips) in enumerate(ORDERS[::5]):
        source, target = tmp_path / f"{number}.{suffix}", tmp_path / f"{number}-back.{suffix}"
        save(case(axes, flips, turn), source)
        image = import_segmentation(source, tmp_path / f"{number}.zarr", name="organs", levels=1)
        np.testing.assert_array_equal(image.read(), canonical_labels())
        assert_places(image.read(), image.geometry.affine, turn, 1e-4)
        export_segmentation(tmp_path / f"{number}.zarr", target)
        assert_same_file(source, target, turn)
