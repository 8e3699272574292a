"""LPS, RAS, NRRD, NIfTI and DICOM: every bit comes back, and others see the same place."""

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.errors import FormatError
from ngffseg.geometry import from_dicom, from_nifti, from_nrrd, to_nifti, to_nrrd
from tests.geometry.strategies import affines


def bits(array):
    return np.asarray(array, np.float64).tobytes()


@given(affines(shear=True))
def test_nifti_round_trip_keeps_every_bit(affine):
    assert bits(to_nifti(from_nifti(affine))) == bits(affine)


@given(affines(shear=True), st.sampled_from(["LPS", "RAS", "LAS", "left-posterior-superior", ""]))
def test_nrrd_round_trip_keeps_every_bit(affine, space):
    directions, origin = to_nrrd(affine, space)
    assert bits(from_nrrd(space, directions, origin)) == bits(affine)


@given(affines())
def test_ras_is_lps_with_two_signs_turned(affine):
    np.testing.assert_array_equal(from_nifti(affine), np.diag([-1, -1, 1, 1]) @ affine)


def test_unknown_spaces_are_refused():
    with pytest.raises(FormatError, match="left-posterior-inferior"):
        from_nrrd("left-posterior-inferior", np.eye(3), (0, 0, 0))


def lps(image):
    """Affine of a SimpleITK image."""
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return affine


@given(affines())
def test_nifti_is_where_simpleitk_sees_it(tmp_path_factory, affine):
    path = tmp_path_factory.mktemp("nifti") / "a.nii"
    nib.Nifti1Image(np.zeros((2, 3, 4), np.uint8), affine).to_filename(path)
    ours = from_nifti(nib.load(path).affine)
    np.testing.assert_allclose(ours, lps(sitk.ReadImage(str(path))), rtol=1e-4, atol=2e-3)


def series(folder):
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute(), [sitk.ReadImage(name) for name in reader.GetFileNames()]


def test_an_oblique_dicom_series_is_where_simpleitk_sees_it(shared_data):
    image, planes = series(shared_data / "dicom" / "oblique" / "ct")
    tag = {name: [p.GetMetaData(t).split("\\") for p in planes] for name, t in
           {"orientation": "0020|0037", "position": "0020|0032", "spacing": "0028|0030"}.items()}  # fmt: skip
    affine = from_dicom(
        [float(v) for v in tag["orientation"][0]],
        [float(v) for v in tag["spacing"][0]],
        [float(v) for v in tag["position"][0]],
        [float(v) for v in tag["position"][1]],
    )
    np.testing.assert_allclose(affine, lps(image), rtol=0, atol=1e-6)


def test_dicom_by_hand_with_a_wrong_slice_thickness():
    affine = from_dicom([1, 0, 0, 0, 0, -1], [0.5, 2], [10, 20, 30], [10, 22, 30])
    assert affine.tolist() == [[2, 0, 0, 10], [0, 0, 2, 20], [0, -0.5, 0, 30], [0, 0, 0, 1]]
