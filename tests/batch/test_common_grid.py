"""Organs in one folder: one grid for files that differ by rounding, whole voxels, flips or a trailing axis."""

import itertools

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from ngffseg import import_segmentation
from ngffseg.convert import study
from ngffseg.errors import NgffsegWarning, UsageError
from ngffseg.geometry import from_nifti
from ngffseg.labels import open_segmentation

AFFINE = np.array([[-0.8, 0.05, 0, 4], [0.05, 0.8, 0, -3], [0, 0, 2.5, 7], [0, 0, 0, 1]])
SHAPE = (6, 5, 4)


def organ(seed, shape=SHAPE):
    mask = np.random.default_rng(seed).random(shape) < 0.3
    mask[0, 0, 0] = mask[-1, -1, -1] = True
    return mask


def save(folder, name, mask, affine=AFFINE):
    folder.mkdir(exist_ok=True)
    image = nib.Nifti1Image(np.asarray(mask, np.uint8), affine)
    image.set_qform(affine, 1)
    image.set_sform(affine, 1)
    image.to_filename(folder / name)


def places(read):
    """By name of a segment, the places of its voxels in millimetres, rounded and sorted."""
    found = {}
    for segment in read.segments:
        index = np.argwhere(np.asarray(read.layers[segment.layer][...]) == segment.label_value)[:, ::-1]
        place = index @ read.geometry.affine[:3, :3].T + read.geometry.affine[:3, 3]
        found[segment.name] = sorted(map(tuple, np.round(place, 3) + 0.0))
    return found


def placed(mask, affine):
    place = np.argwhere(mask) @ from_nifti(affine)[:3, :3].T + from_nifti(affine)[:3, 3]
    return sorted(map(tuple, np.round(place, 3) + 0.0))


def read(folder):
    return study.read_study(folder, study.study_files(folder))


def test_files_that_simpleitk_has_rewritten(tmp_path):
    a, b = 0.31, -0.72
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn @ tilt @ np.diag([0.7, 0.7, 2.5]), (-123.4, 1 / 3, 77.7)
    save(tmp_path / "s", "a.nii.gz", organ(1), affine)
    save(tmp_path / "s", "b.nii.gz", organ(2), affine)
    path = str(tmp_path / "s" / "b.nii.gz")
    sitk.WriteImage(sitk.ReadImage(path), path)
    assert not np.array_equal(nib.load(path).affine, nib.load(tmp_path / "s" / "a.nii.gz").affine)
    with pytest.warns(
        NgffsegWarning, match=r"^s: 2 files on one grid, that of a\.nii\.gz: the largest difference is .*e-0"
    ) as told:
        found = read(tmp_path / "s")
    assert len(told) == 1
    assert found.geometry.shape == SHAPE[::-1]
    np.testing.assert_array_equal((found.layers[0] == 1).T, organ(1))


def test_boxes_are_put_on_one_grid(tmp_path):
    save(tmp_path / "s", "a.nii.gz", organ(1))
    offset = np.array([-2, 3, 1])
    moved = AFFINE.copy()
    moved[:3, 3] += AFFINE[:3, :3] @ offset
    save(tmp_path / "s", "b.nii.gz", organ(2, (3, 4, 5)), moved)
    with pytest.warns(NgffsegWarning, match="1 in a box of its own"):
        found = read(tmp_path / "s")
    assert found.geometry.shape == (6, 7, 8)  # z 0 to 5, y 0 to 6, x -2 to 5
    assert places(found) == {"a": placed(organ(1), AFFINE), "b": placed(organ(2, (3, 4, 5)), moved)}


@pytest.mark.parametrize(
    "columns", [*itertools.permutations(range(3))][1:], ids=lambda columns: "".join(map(str, columns))
)
@pytest.mark.parametrize("flips", [*itertools.product((1, -1), repeat=3)][1:], ids=str)
def test_other_orders_of_axes(columns, flips, tmp_path):
    save(tmp_path / "s", "a.nii.gz", organ(1))
    orientation = np.array(list(zip(columns, flips, strict=True)), float)
    source = nib.Nifti1Image(organ(2).astype(np.uint8), AFFINE)
    turned = source.as_reoriented(orientation)
    save(tmp_path / "s", "b.nii.gz", np.asanyarray(turned.dataobj), turned.affine)
    with pytest.warns(NgffsegWarning, match="1 with flipped or swapped axes"):
        found = read(tmp_path / "s")
    assert found.geometry.shape == SHAPE[::-1]
    for number, segment in enumerate(found.segments, 1):
        np.testing.assert_array_equal((found.layers[segment.layer] == segment.label_value).T, organ(number))


def test_a_trailing_axis_of_one_is_no_axis(tmp_path):
    save(tmp_path / "s", "a.nii.gz", organ(1)[..., np.newaxis])
    save(tmp_path / "s", "b.nii.gz", organ(2))
    found = read(tmp_path / "s")
    assert found.geometry.axes == ("z", "y", "x")
    np.testing.assert_array_equal((found.layers[0] == 1).T, organ(1))
    save(tmp_path / "t", "a.nii.gz", np.stack([organ(1), organ(2)], -1))
    save(tmp_path / "t", "b.nii.gz", organ(2))
    with pytest.raises(
        UsageError, match=r"b\.nii\.gz does not lie on the grid .*: it has the axes z, y, x, not t, z"
    ):
        read(tmp_path / "t")


def test_hidden_files_are_none(tmp_path):
    save(tmp_path / "s", "liver.nii.gz", organ(1))
    (tmp_path / "s" / "._liver.nii.gz").write_bytes(b"\0\5\x16\7 what macOS leaves")
    (tmp_path / "s" / ".x.nrrd").write_bytes(b"")
    assert [s.name for s in read(tmp_path / "s").segments] == ["liver"]
    files = study.study_files(tmp_path / "*" / "*.nii.gz")
    assert [file.name for file in files] == ["liver.nii.gz"]


def test_organs_without_voxels_stay(tmp_path):
    for number in range(5):
        save(tmp_path / "s", f"organ_{number}.nii.gz", organ(number) if number in (1, 3) else np.zeros(SHAPE))
    with pytest.warns(NgffsegWarning, match="^s: 3 of 5 files hold no voxels: their segments are kept"):
        import_segmentation(tmp_path / "s", tmp_path / "a.zarr")
    stored = open_segmentation(tmp_path / "a.zarr")
    assert [s.name for s in stored.segments] == [f"organ_{n}" for n in range(5)]
    assert [s.label_value for s in stored.segments] == [1, 2, 3, 4, 5]
    labels = [np.asarray(layer[:]) for layer in stored.layers]
    counts = [int((labels[s.layer] == s.label_value).sum()) for s in stored.segments]
    assert counts == [0, organ(1).sum(), 0, organ(3).sum(), 0]


def test_a_folder_of_empty_files(tmp_path):
    save(tmp_path / "s", "a.nii.gz", np.zeros(SHAPE))
    with pytest.warns(NgffsegWarning, match="1 of 1 files"):
        found = read(tmp_path / "s")
    assert ([s.name for s in found.segments], int(found.layers[0].max())) == (["a"], 0)


def shifted(*by):
    moved = AFFINE.copy()
    moved[:3, 3] += AFFINE[:3, :3] @ by
    return moved


@pytest.mark.parametrize(
    ("affine", "reason"),
    [
        (shifted(0.5, 0, 0), r"its voxels lie up to 0\.5 voxels beside those"),
        (shifted(3, 0, 2e-3), r"its voxels lie up to 0\.002 voxels"),
        (AFFINE @ np.diag([2, 2, 1, 1]), "its voxels lie up to 5 voxels"),
        (shifted(1400, 1400, 1200), "one grid for both would have"),
    ],
)
def test_other_grids_are_refused(affine, reason, tmp_path):
    save(tmp_path / "s", "a.nii.gz", organ(1))
    save(tmp_path / "s", "b.nii.gz", organ(2), affine)
    with pytest.raises(UsageError, match=rf"b\.nii\.gz .*a\.nii\.gz: {reason}"):
        import_segmentation(tmp_path / "s", tmp_path / "a.zarr")
    assert not (tmp_path / "a.zarr").exists()


def test_what_does_not_say_that_it_is_in_the_patient_is_not_joined(tmp_path):
    save(tmp_path / "s", "a.nii.gz", organ(1), np.diag([-1.0, -1, 1, 1]))
    head = "NRRD0004\ntype: uint8\ndimension: 3\nspace dimension: 3\nsizes: 6 5 4\n"
    head += "space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nencoding: raw\n\n"
    (tmp_path / "s" / "b.nrrd").write_bytes(head.encode() + bytes(120))
    with pytest.raises(UsageError, match="one of them lies in a patient, the other one does not say so"):
        read(tmp_path / "s")


def test_labels_that_are_no_segments_are_not_left_out(tmp_path):
    head = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n\n"
    (tmp_path / "a.seg.nrrd").write_bytes(head.encode() + bytes(7) + b"\1")
    with pytest.raises(UsageError, match=r"a\.seg\.nrrd holds labels that are no segments"):
        read(tmp_path)


def test_what_all_files_have_in_common_is_told_once(tmp_path):
    for number in range(3):
        image = nib.Nifti1Image(organ(number).astype(np.uint8), AFFINE)
        image.set_sform(None, 0)
        image.set_qform(None, 0)
        (tmp_path / "s").mkdir(exist_ok=True)
        image.to_filename(tmp_path / "s" / f"{number}.nii.gz")
    with pytest.warns(
        NgffsegWarning, match=r"^0\.nii\.gz and 2 more: sform_code and qform_code are 0"
    ) as told:
        read(tmp_path / "s")
    assert len(told) == 1


def test_files_on_other_grids_are_resampled_where_it_is_asked_for(tmp_path):
    """As SimpleITK takes the nearest voxels; the grid grows to where they lie."""
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]
    other = turn @ np.diag([0.55, 0.61, 1.3, 1])
    other[:3, 3] = 2.2, -4.1, 5.3
    save(tmp_path / "s", "a.nii.gz", organ(1))
    save(tmp_path / "s", "b.nii.gz", organ(2, (9, 12, 8)), other)
    with pytest.raises(UsageError, match=r"beside those: resample .*resample='nearest'"):
        read(tmp_path / "s")
    with pytest.warns(NgffsegWarning, match="of 1 on another grid the nearest voxels were taken"):
        found = import_segmentation(
            tmp_path / "s", tmp_path / "a.zarr", name="a", resample="nearest", order="keep"
        )
    assert any(a > b for a, b in zip(found.geometry.shape, SHAPE[::-1], strict=True))
    segmentation = open_segmentation(tmp_path / "a.zarr", "a")
    assert places(segmentation)["a"] == placed(organ(1), AFFINE)
    (b,) = (segment for segment in segmentation.segments if segment.name == "b")
    mine = np.asarray(segmentation.layers[b.layer][...]) == b.label_value
    grid = sitk.GetImageFromArray(np.zeros(mine.shape, np.uint8))
    affine = found.geometry.affine
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    grid.SetSpacing(steps.tolist())
    grid.SetOrigin(affine[:3, 3].tolist())
    grid.SetDirection((affine[:3, :3] / steps).ravel().tolist())
    theirs = sitk.Resample(
        sitk.ReadImage(str(tmp_path / "s" / "b.nii.gz")), grid, sitk.Transform(), sitk.sitkNearestNeighbor
    )
    expected = sitk.GetArrayFromImage(theirs) > 0
    if b.layer == 0:
        expected &= ~(np.asarray(segmentation.layers[0][...]) == 1)
    np.testing.assert_array_equal(mine, expected)
    assert mine.sum() > 20
