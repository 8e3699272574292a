"""NIfTI as nibabel and SimpleITK see it: real labelmaps in and out, names included."""

import gzip
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from ngffseg.errors import FormatError, LabelValueError, LossError
from ngffseg.formats import read_segmentation, read_volume, write_segmentation
from ngffseg.geometry import Geometry
from ngffseg.model import Segment, Segmentation, Volume

REAL = (
    "totalsegmentator/example_seg_dicom.nii.gz",
    "totalsegmentator/example_seg_fast_force_split.nii.gz",
    "monai/anatomical_label.nii.gz",
    "nibabel/example4d.nii.gz",
)


def assert_equal_elsewhere(source, target):
    one, two = nib.load(source), nib.load(target)
    np.testing.assert_array_equal(np.asanyarray(one.dataobj), np.asanyarray(two.dataobj))
    np.testing.assert_array_equal(one.affine, two.affine)
    for get in ("get_sform", "get_qform"):
        np.testing.assert_array_equal(getattr(one, get)(), getattr(two, get)())
    for field in ("sform_code", "qform_code", "xyzt_units", "descrip", "intent_code"):
        assert one.header[field] == two.header[field], field
    assert one.header.extensions == two.header.extensions
    if isinstance(one, nib.Nifti2Image):
        return  # SimpleITK reads NIfTI-1 alone
    first, second = sitk.ReadImage(str(source)), sitk.ReadImage(str(target))
    assert first.GetOrigin() == second.GetOrigin()
    assert first.GetDirection() == second.GetDirection()
    np.testing.assert_array_equal(sitk.GetArrayFromImage(first), sitk.GetArrayFromImage(second))


@pytest.mark.parametrize("name", REAL)
def test_a_real_labelmap_comes_back_equal(name, shared_data, tmp_path):
    source, target = shared_data / "nifti" / name, tmp_path / "back.nii.gz"
    assert write_segmentation(read_segmentation(source), target) == ()
    assert_equal_elsewhere(source, target)


@pytest.mark.filterwarnings("ignore:.* sform and qform place it up to 0.0043 mm apart")
@pytest.mark.parametrize("name", ["example4d.nii.gz", "example_nifti2.nii.gz"])
def test_files_inside_nibabel_come_back_equal(name, tmp_path):
    source = Path(nib.__file__).parent / "tests" / "data" / name
    write_segmentation(read_segmentation(source), tmp_path / name)
    assert_equal_elsewhere(source, tmp_path / name)


def test_names_and_colors_of_totalsegmentator(shared_data):
    read = read_segmentation(shared_data / "nifti" / REAL[1])
    assert len(read.segments) == 117
    by_value = {s.label_value: s for s in read.segments}
    assert (by_value[5].name, by_value[5].color) == ("liver", (0, 255, 255, 255))
    assert {int(v) for v in np.unique(read.layers[0])} - {0} <= set(by_value)


def test_an_edited_name_makes_a_new_table(shared_data, tmp_path):
    read = read_segmentation(shared_data / "nifti" / REAL[1])
    segments = (replace(read.segments[0], name="Milz"), *read.segments[1:])
    write_segmentation(replace(read, segments=segments), tmp_path / "e.nii.gz")
    extensions = nib.load(tmp_path / "e.nii.gz").header.extensions
    assert [e.get_code() for e in extensions] == [30]
    assert b"Milz" in extensions[0].content
    assert b"spleen" not in extensions[0].content
    assert read_segmentation(tmp_path / "e.nii.gz").segments == segments


def nifti(path, data, affine=None, **header):
    image = nib.Nifti1Image(data, np.eye(4) if affine is None else affine, dtype=data.dtype)
    for key, value in header.items():
        image.header[key] = value
    image.to_filename(path)
    return path


def test_a_big_endian_file_becomes_native(tmp_path):
    data = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(np.uint16)
    nib.Nifti1Image(data, np.eye(4), header).to_filename(tmp_path / "b.nii")
    assert (tmp_path / "b.nii").read_bytes()[:4] == (348).to_bytes(4, "big")
    read = read_segmentation(tmp_path / "b.nii")
    assert read.layers[0].dtype.isnative
    np.testing.assert_array_equal(read.layers[0], data.T)
    write_segmentation(read, tmp_path / "c.nii")
    np.testing.assert_array_equal(np.asanyarray(nib.load(tmp_path / "c.nii").dataobj), data)


@pytest.mark.parametrize("ndim", [2, 3, 4, 5])
def test_two_to_five_axes(ndim, tmp_path):
    data = np.arange(2 * 3 * 4 * 2 * 3, dtype=np.uint8)[: np.prod((2, 3, 4, 2, 3)[:ndim])]
    data = data.reshape((2, 3, 4, 2, 3)[:ndim])
    read = read_segmentation(nifti(tmp_path / "a.nii", data))
    assert (
        read.geometry.axes
        == {2: ("y", "x"), 3: ("z", "y", "x"), 4: ("t", "z", "y", "x"), 5: ("t", "c", "z", "y", "x")}[ndim]
    )
    if ndim == 5:  # file: i, j, k, t, u
        assert read.layers[0][1, 2, 3, 1, 0] == data[0, 1, 3, 1, 2]
    write_segmentation(read, tmp_path / "b.nii")
    np.testing.assert_array_equal(np.asanyarray(nib.load(tmp_path / "b.nii").dataobj), data)


def test_the_time_step_and_its_unit(tmp_path):
    image = nib.Nifti1Image(np.ones((2, 2, 2, 3), np.uint8), np.eye(4))
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = 2.5
    image.to_filename(tmp_path / "t.nii")
    geometry = read_segmentation(tmp_path / "t.nii").geometry
    assert (geometry.time_step, geometry.units[0]) == (2.5, "second")


def test_a_new_grid_is_written_to_sform_and_qform(tmp_path):
    affine = np.array([[0, -2, 0, 5], [1, 0, 0, -6], [0, 0, 3, 7], [0, 0, 0, 1]])
    made = Segmentation((np.ones((2, 3, 4), np.uint8),), (), Geometry((2, 3, 4), affine))
    write_segmentation(made, tmp_path / "n.nii.gz")
    image = sitk.ReadImage(str(tmp_path / "n.nii.gz"))
    assert image.GetOrigin() == (5, -6, 7)
    assert image.GetSpacing() == (1, 2, 3)
    np.testing.assert_array_equal(nib.load(tmp_path / "n.nii.gz").affine, np.diag([-1, -1, 1, 1]) @ affine)


def test_sheared_grids_get_no_qform(tmp_path):
    affine = np.array([[1, 0.3, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    made = Segmentation((np.ones((2, 3, 4), np.uint8),), (), Geometry((2, 3, 4), affine, frame="patient"))
    losses = write_segmentation(made, tmp_path / "n.nii")
    assert "only the sform holds them" in losses[0].what
    header = nib.load(tmp_path / "n.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 0)
    np.testing.assert_array_equal(
        header.get_zooms(), np.linalg.norm(affine[:3, :3], axis=0).astype(np.float32)
    )


def test_sizes_beyond_nifti_1_are_written_as_nifti_2(tmp_path):
    labels = np.zeros((1, 2, 40000), np.uint8)
    labels[0, 1, 39999] = 1
    made = Segmentation((labels,), (), Geometry(labels.shape, np.eye(4)))
    write_segmentation(made, tmp_path / "l.nii")
    image = nib.load(tmp_path / "l.nii")
    assert isinstance(image, nib.Nifti2Image)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj).T, labels)


def test_overlapping_layers_are_refused(slicer_files, tmp_path):
    read = read_segmentation(slicer_files / "SegmentationOverlapping.seg.nrrd")
    with pytest.raises(LossError, match=r"use \.seg\.nrrd"):
        write_segmentation(read, tmp_path / "o.nii.gz")
    assert list(tmp_path.iterdir()) == []


def test_what_a_table_has_no_place_for_is_reported(slicer_files, tmp_path):
    read = read_segmentation(slicer_files / "Segmentation.seg.nrrd")
    losses = write_segmentation(read, tmp_path / "o.nii.gz")
    assert [loss.what.split()[0] for loss in losses] == ["NIfTI", "codes", "status"]
    names = [s.name for s in read_segmentation(tmp_path / "o.nii.gz").segments]
    assert names == [s.name for s in read.segments]


@pytest.mark.parametrize(
    ("data", "header", "message"),
    [
        (np.ones((2, 2, 2), np.float32), {}, "float32"),
        (np.ones((2, 2, 2), np.uint8), {"scl_slope": 2, "scl_inter": 0}, "scales its voxels"),
        (np.ones((2, 2, 2), np.uint8), {"scl_slope": 1, "scl_inter": 0.5}, "scales its voxels"),
    ],
)
def test_labels_that_are_no_integers(data, header, message, tmp_path):
    path = nifti(tmp_path / "a.nii", data)
    raw = bytearray(path.read_bytes())
    for key, value in header.items():
        at = {"scl_slope": 112, "scl_inter": 116}[key]
        raw[at : at + 4] = np.float32(value).tobytes()
    path.write_bytes(bytes(raw))
    with pytest.raises(LabelValueError, match=message):
        read_segmentation(path)


def test_an_identity_slope_is_no_scaling(tmp_path):
    path = nifti(tmp_path / "a.nii", np.full((2, 2, 2), 7, np.uint8))
    raw = bytearray(path.read_bytes())
    raw[112:120] = np.array([1, 0], "<f4").tobytes()
    path.write_bytes(bytes(raw))
    assert read_segmentation(path).layers[0].max() == 7


def test_an_image_is_scaled(tmp_path):
    path = nifti(tmp_path / "a.nii", np.full((2, 2, 2), 7, np.int16))
    raw = bytearray(path.read_bytes())
    raw[112:120] = np.array([2, -1], "<f4").tobytes()
    path.write_bytes(bytes(raw))
    volume = read_volume(path)
    assert isinstance(volume, Volume)
    assert float(volume.data.max()) == 13


def test_bytes_behind_the_voxels_contradict_the_header(tmp_path):
    path = nifti(tmp_path / "a.nii", np.ones((2, 2, 2), np.uint8))
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(FormatError, match="12 bytes of voxels, its header says 8: it is 4 bytes longer"):
        read_segmentation(path)


def test_xml_entities_are_refused(tmp_path):
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><CaretExtension><LabelTable><Label Key="1">&a;</Label></LabelTable></CaretExtension>'
    image = nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4))
    image.header.extensions.append(nib.nifti1.Nifti1Extension(30, bomb))
    image.to_filename(tmp_path / "x.nii.gz")
    with pytest.raises(FormatError, match="entities"):
        read_segmentation(tmp_path / "x.nii.gz")


def test_a_broken_table_is_refused(tmp_path):
    image = nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4))
    image.header.extensions.append(
        nib.nifti1.Nifti1Extension(0, b"<LabelTable><Label Key='x'/></LabelTable>")
    )
    image.to_filename(tmp_path / "x.nii.gz")
    with pytest.raises(FormatError, match="label table"):
        read_segmentation(tmp_path / "x.nii.gz")


def test_a_table_written_for_large_values(tmp_path):
    labels = np.full((2, 2, 2), 2**63 + 5, np.uint64)
    made = Segmentation((labels,), (Segment(2**63 + 5, name="a"),), Geometry((2, 2, 2), np.eye(4)))
    write_segmentation(made, tmp_path / "l.nii.gz")
    assert b'Key="9223372036854775813"' in gzip.decompress((tmp_path / "l.nii.gz").read_bytes())
    assert read_segmentation(tmp_path / "l.nii.gz").segments == made.segments
