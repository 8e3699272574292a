"""Where a NIfTI file lies: codes, matrices that contradict each other, and what is told of it."""

import gzip
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from ngffseg.errors import FormatError, NgffsegWarning
from ngffseg.formats import read_segmentation, read_volume, write_segmentation
from ngffseg.geometry import Geometry, from_nifti
from ngffseg.model import Segmentation

LABELS = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
TURNED = np.array([[0, -2, 0, 5], [1, 0, 0, -6], [0, 0, 3, 7], [0, 0, 0, 1]], float)
NO_CODE = "sform_code and qform_code are 0"
# Bytes of fields in a header of NIfTI-1.
AT = {
    "pixdim": 76,
    "vox_offset": 108,
    "xyzt_units": 123,
    "qform_code": 252,
    "sform_code": 254,
    "quatern": 256,
    "srow": 280,
}


def save(path, affine=TURNED, labels=LABELS, codes=(1, 1), **raw):
    image = nib.Nifti1Image(labels, affine)
    image.set_sform(affine, codes[0])
    image.set_qform(affine, codes[1])
    content = bytearray(image.to_bytes())
    for field, value in raw.items():
        content[AT[field] : AT[field] + len(value)] = value
    path.write_bytes(content)
    return path


def floats(*values):
    return np.array(values, "<f4").tobytes()


def seen_by_itk(path):
    image = sitk.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return affine


def test_without_codes_it_lies_where_itk_puts_it(tmp_path):
    path = save(tmp_path / "a.nii", codes=(0, 0))
    with pytest.warns(NgffsegWarning, match=NO_CODE) as told:
        read = read_segmentation(path)
    assert len(told) == 1
    np.testing.assert_array_equal(read.geometry.affine, seen_by_itk(path))
    assert read.geometry.frame is None
    assert write_segmentation(read, tmp_path / "b.nii") == ()
    assert (tmp_path / "b.nii").read_bytes() == path.read_bytes()


def test_a_real_file_without_codes(shared_data, tmp_path):
    path = shared_data / "odd" / "minimal.nii.gz"
    with pytest.warns(NgffsegWarning, match=NO_CODE):
        read = read_segmentation(path)
    np.testing.assert_array_equal(read.geometry.affine, seen_by_itk(path))
    write_segmentation(read, tmp_path / "b.nii.gz")
    header = nib.load(tmp_path / "b.nii.gz").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)


def test_what_0_1_placed_as_nibabel_does_goes_out_as_it_came(tmp_path):
    path = save(tmp_path / "a.nii", codes=(0, 0))
    with pytest.warns(NgffsegWarning):
        read = read_segmentation(path)
    affine = from_nifti(nib.load(path).affine)
    old = replace(read, geometry=replace(read.geometry, affine=affine, frame="patient"))
    write_segmentation(old, tmp_path / "b.nii")
    assert (tmp_path / "b.nii").read_bytes() == path.read_bytes()


def test_a_header_beyond_its_axes_comes_back(shared_data, tmp_path):
    path = shared_data / "odd" / "lesion.nii.gz"
    write_segmentation(read_segmentation(path), tmp_path / "b.nii")
    assert (tmp_path / "b.nii").read_bytes() == gzip.decompress(path.read_bytes())


@pytest.mark.parametrize("matrix", [[0.0] * 12, [np.nan] * 12, [np.inf, *[1.0] * 11]])
def test_a_broken_sform_gives_way_to_the_qform(matrix, tmp_path):
    path = save(tmp_path / "a.nii", srow=floats(*matrix))
    with pytest.warns(NgffsegWarning, match="sform is singular or not finite: the qform is taken"):
        read = read_segmentation(path)
    np.testing.assert_allclose(read.geometry.affine, from_nifti(TURNED), rtol=0, atol=1e-6)
    write_segmentation(read, tmp_path / "b.nii")
    assert nib.load(tmp_path / "b.nii").header["sform_code"] == 1


def test_a_broken_qform_is_told(tmp_path):
    path = save(tmp_path / "a.nii", quatern=floats(np.nan, 0, 0))
    with pytest.warns(NgffsegWarning, match="qform is singular or not finite: the sform is taken"):
        read = read_segmentation(path)
    np.testing.assert_array_equal(read.geometry.affine, from_nifti(TURNED))


@pytest.mark.parametrize("codes", [(1, 0), (1, 1), (0, 1)])
def test_no_matrix_that_places_it_is_refused(codes, tmp_path):
    path = save(tmp_path / "a.nii", codes=codes, srow=bytes(48), quatern=floats(np.nan, 0, 0))
    with pytest.raises(
        FormatError, match=r"^a\.nii: the .*form of the NIfTI file are singular or not finite"
    ):
        read_segmentation(path)


def test_a_qform_elsewhere_is_told_with_the_distance(tmp_path):
    path = save(tmp_path / "a.nii")
    image = nib.load(path)
    moved = TURNED.copy()
    moved[:3, 3] += (3, 4, 0)
    image.set_qform(moved, 1)
    image.to_filename(tmp_path / "b.nii")
    with pytest.warns(NgffsegWarning, match="sform and qform place it up to 5 mm apart: the sform is taken"):
        read = read_segmentation(tmp_path / "b.nii")
    np.testing.assert_array_equal(read.geometry.affine, from_nifti(TURNED))


def test_a_distance_in_microns_is_told_in_millimetres(tmp_path):
    image = nib.load(save(tmp_path / "a.nii", xyzt_units=b"\x03"))
    moved = TURNED.copy()
    moved[0, 3] += 20
    image.set_qform(moved, 1)
    image.to_filename(tmp_path / "b.nii")
    with pytest.warns(NgffsegWarning, match=r"up to 0\.02 mm apart"):
        read_volume(tmp_path / "b.nii")


def test_rounding_of_a_quaternion_is_not_told(tmp_path):
    a, b = 0.3, -0.7
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn @ tilt @ np.diag([0.7, 0.9, 2.5]), (-1234.567, 1 / 3, 77.7)
    read_segmentation(save(tmp_path / "a.nii", affine))


@pytest.mark.parametrize("code", [4, 5, 7, 12, 28, 56, 64, 128, 255])
def test_codes_of_units_without_meaning_are_told(code, tmp_path):
    path = save(tmp_path / "a.nii", xyzt_units=bytes([code]))
    with pytest.warns(NgffsegWarning, match=f"xyzt_units {code} means nothing"):
        read = read_segmentation(path)
    assert (
        read.geometry.units
        == ({3: "micrometer", 2: "millimeter", 1: "meter"}.get(code & 7, "millimeter"),) * 3
    )
    write_segmentation(read, tmp_path / "b.nii")
    assert (tmp_path / "b.nii").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("code", [0, 2, 8, 10, 16, 24, 32, 40, 48, 50])
def test_codes_of_units_with_a_meaning_are_not_told(code, tmp_path):
    assert (
        read_segmentation(save(tmp_path / "a.nii", xyzt_units=bytes([code]))).geometry.units
        == ("millimeter",) * 3
    )


@pytest.mark.parametrize("offset", [np.inf, -np.inf, np.nan, -1, 1e30])
def test_an_offset_that_is_none(offset, tmp_path):
    path = save(tmp_path / "a.nii", vox_offset=floats(offset))
    with pytest.raises(FormatError, match=r"a\.nii") as caught:
        read_segmentation(path)
    assert "\n" not in str(caught.value)


def test_a_grid_that_lies_in_no_patient_keeps_its_place(tmp_path):
    geometry = Geometry(LABELS.shape, from_nifti(TURNED))
    (loss,) = write_segmentation(Segmentation((LABELS,), (), geometry), tmp_path / "a.nii")
    assert "no patient" in loss.what
    header = nib.load(tmp_path / "a.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (2, 2)
    np.testing.assert_array_equal(nib.load(tmp_path / "a.nii").affine, TURNED)
    np.testing.assert_array_equal(seen_by_itk(tmp_path / "a.nii"), geometry.affine)


def test_shear_is_kept_exactly_and_told_both_ways(tmp_path):
    affine = TURNED.copy()
    affine[0, 0] = 0.25
    path = save(tmp_path / "a.nii", affine, codes=(1, 0))
    with pytest.warns(NgffsegWarning, match=r"^a\.nii: its axes are not at right angles \(cosine 0\.24\)"):
        read = read_segmentation(path)
    np.testing.assert_array_equal(read.geometry.affine, from_nifti(affine))
    assert write_segmentation(read, tmp_path / "b.nii") == ()  # the header that came in
    (loss,) = write_segmentation(replace(read, extra={}), tmp_path / "c.nii")
    assert "only the sform holds them, ITK refuses the file" in loss.what
    np.testing.assert_array_equal(nib.load(tmp_path / "c.nii").affine, affine)
    with pytest.raises(RuntimeError, match="orthonormal"):
        sitk.ReadImage(str(tmp_path / "c.nii"))


def test_a_plane_without_a_third_step(tmp_path):
    path = save(tmp_path / "a.nii", np.diag([2.0, 3, 1, 1]), LABELS[0], codes=(1, 1))
    content = bytearray(path.read_bytes())
    content[AT["pixdim"] + 12 : AT["pixdim"] + 16] = floats(0)
    for row in range(3):
        content[AT["srow"] + 16 * row + 8 : AT["srow"] + 16 * row + 12] = floats(0)
    path.write_bytes(content)
    assert np.diag(read_segmentation(path).geometry.affine).tolist() == [-2, -3, 1, 1]


def test_the_far_corner_tells_of_rounding(tmp_path):
    geometry = Geometry(LABELS.shape, np.diag([1 / 3, 1, 1, 1]), units=("meter",) * 3, frame="patient")
    (loss,) = write_segmentation(Segmentation((LABELS,), (), geometry), tmp_path / "a.nii")
    moved = abs(float(np.float32(1 / 3)) - 1 / 3) * 4 * 1000
    assert f"up to {moved:.2g} mm" in loss.what
