"""Real and made files, placed by ngffseg as SimpleITK and nibabel place them."""

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.geometry import Geometry, anatomical_orientation, from_dicom, from_nifti, from_nrrd, to_nrrd
from tests.examples import examples
from tests.geometry.strategies import affines

NIBABEL = Path(nib.__file__).parent / "tests" / "data"
NIFTI = ["anatomical.nii", "example4d.nii.gz", "functional.nii", "reoriented_anat_moved.nii"]
LETTERS = {"left": "L", "right": "R", "posterior": "P", "anterior": "A", "superior": "S", "inferior": "I"}


def seen_by_itk(image):
    """Affine to LPS of the first three axes of a SimpleITK image."""
    n = image.GetDimension()
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (n, n))[:3, :3] @ np.diag(image.GetSpacing()[:3])
    affine[:3, 3] = image.GetOrigin()[:3]
    return affine


def vectors(text):
    return [[float(v) for v in group.split(",")] for group in re.findall(r"\((.*?)\)", text)]


@pytest.mark.parametrize("name", ["CTChest4.nrrd", "Segmentation.seg.nrrd"])
def test_nrrd_inside_slicerio(name, slicer_files):
    header = (slicer_files / name).read_bytes().split(b"\n\n", 1)[0].decode()
    fields = dict(line.split(": ", 1) for line in header.splitlines() if ": " in line)
    (origin,) = vectors(fields["space origin"])
    ours = from_nrrd(fields["space"], vectors(fields["space directions"]), origin)
    # ITK splits directions into unit vectors and spacing, which rounds.
    np.testing.assert_allclose(ours, seen_by_itk(sitk.ReadImage(slicer_files / name)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("space", ["space: left-posterior-superior", "space: RAS", "space: LAS",
                                   "space: right-anterior-superior", "space dimension: 3"])  # fmt: skip
@examples(12)
@given(affine=affines())
def test_every_space_of_nrrd(tmp_path_factory, space, affine):
    name = space.removeprefix("space: ") if space.startswith("space: ") else ""
    directions, origin = to_nrrd(affine, name)
    rows = ["(" + ",".join(map(repr, row)) + ")" for row in [*directions.tolist(), origin.tolist()]]
    path = tmp_path_factory.mktemp("nrrd") / "a.nrrd"
    path.write_text(
        f"NRRD0004\ntype: uint8\ndimension: 3\n{space}\nsizes: 1 1 2\n"
        f"space directions: {' '.join(rows[:3])}\nspace origin: {rows[3]}\nencoding: ascii\n\n0 1\n"
    )
    np.testing.assert_allclose(affine, seen_by_itk(sitk.ReadImage(path)), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", NIFTI)
def test_nifti_inside_nibabel(name):
    ours = from_nifti(nib.load(NIBABEL / name).affine)
    # The header is float32, and ITK rebuilds the directions from its quaternion.
    np.testing.assert_allclose(ours, seen_by_itk(sitk.ReadImage(NIBABEL / name)), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", NIFTI)
def test_orientation_of_nifti_inside_nibabel(name):
    affine = nib.load(NIBABEL / name).affine
    found = anatomical_orientation(Geometry((2, 2, 2), from_nifti(affine)))
    assert tuple(LETTERS[found[a].split("-to-")[1]] for a in "xyz") == nib.aff2axcodes(affine)


def dicom_series(folder):
    """The volume as ITK places it, and the affine that the headers of its planes give."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    reader.MetaDataDictionaryArrayUpdateOn()
    image = reader.Execute()

    def numbers(plane, tag):
        return [float(v) for v in reader.GetMetaData(plane, tag).split("\\")]

    ours = from_dicom(
        numbers(0, "0020|0037"), numbers(0, "0028|0030"), numbers(0, "0020|0032"), numbers(1, "0020|0032")
    )
    return image, ours, numbers(0, "0018|0050")[0]


@pytest.mark.parametrize("name", ["oblique/ct", "totalsegmentator_ct", "dcmqi/ct-3slice"])
def test_real_dicom_series(name, shared_data):
    image, ours, _ = dicom_series(shared_data / "dicom" / name)
    np.testing.assert_allclose(ours, seen_by_itk(image), rtol=0, atol=1e-9)


def test_a_real_slice_thickness_is_wrong(shared_data):
    _, ours, thickness = dicom_series(shared_data / "dicom" / "totalsegmentator_ct")
    assert thickness == 3
    assert ours.tolist() == [
        [0.9765625, 0, 0, -249.51171875], [0, 0.9765625, 0, -437.51171875], [0, 0, 2, -804.5], [0, 0, 0, 1]
    ]  # fmt: skip


def write_dicom_series(folder, affine):
    """Three planes of 5 rows and 4 columns, of any spacing, with a wrong SliceThickness."""
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    across, down = (affine[:3, :2] / steps[:2]).T
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for number in range(3):
        plane = sitk.Image(4, 5, sitk.sitkInt16)
        plane.SetSpacing(steps[:2].tolist())
        position = affine[:3, 3] + number * affine[:3, 2]
        for tag, value in {
            "0008|0060": "CT",
            "0020|000d": "1.2.3",
            "0020|000e": "1.2.3.4",
            "0008|0018": f"1.2.3.4.{number + 1}",
            "0020|0013": str(number + 1),
            "0018|0050": "9",
            "0020|0032": "\\".join(f"{v:.10g}" for v in position),
            "0020|0037": "\\".join(f"{v:.10g}" for v in (*across, *down)),
        }.items():
            plane.SetMetaData(tag, value)
        writer.SetFileName(folder / f"{number}.dcm")
        writer.Execute(plane)


@examples(10)
@given(turn=st.floats(-0.7, 0.7), tilt=st.floats(-0.7, 0.7), steps=st.tuples(*[st.floats(0.3, 5)] * 3))
def test_dicom_series_of_unequal_spacing(tmp_path_factory, turn, tilt, steps):
    a, b, c, d = np.cos(turn), np.sin(turn), np.cos(tilt), np.sin(tilt)
    rotation = np.array([[a, -b, 0], [b, a, 0], [0, 0, 1]]) @ [[1, 0, 0], [0, c, -d], [0, d, c]]
    affine = np.eye(4)
    affine[:3, :3] = rotation * steps
    affine[:3, 3] = (-100, 20, 3.5)
    folder = tmp_path_factory.mktemp("dicom")
    write_dicom_series(folder, affine)
    image, ours, thickness = dicom_series(folder)
    assert thickness == 9
    # DICOM holds decimal strings of 16 characters.
    np.testing.assert_allclose(ours, seen_by_itk(image), rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours, affine, rtol=0, atol=1e-6)
