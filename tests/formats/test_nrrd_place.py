"""Where a NRRD file lies: vectors as ITK reads them, planes, spaces that are no patient's, broken fields."""

import re

import nrrd
import numpy as np
import pytest
import SimpleITK as sitk

from ngffseg.errors import FormatError, NgffsegWarning
from ngffseg.formats import read_segmentation, write_segmentation
from ngffseg.formats.nrrd.header import read_header
from ngffseg.geometry import Geometry
from ngffseg.model import Segment, Segmentation
from tests.formats.test_units import write_nrrd

LABELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
GOOD = {"space": "LPS", "space directions": "(1,0,0) (0,2,0) (0,0,3)", "space origin": "(5,6,7)"}


def seen_by_itk(path):
    image = sitk.ReadImage(str(path))
    n = image.GetDimension()
    affine = np.eye(4)
    affine[:n, :n] = np.reshape(image.GetDirection(), (n, n)) @ np.diag(image.GetSpacing())
    affine[:n, 3] = image.GetOrigin()
    return affine


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"space directions": "(1,0,0) (0,2,0) (0,0,2,5)"},
            "vector of 4 numbers, (0,0,2,5), in a space of 3",
        ),
        ({"space directions": "(1,0) (0,2) (0,0)"}, "vector of 2 numbers"),
        ({"space directions": "(1,0,0) (0,2,0)"}, "3 axes, but 2 space directions"),
        ({"space directions": "(1,0,0) (0,2,0) 0,0,3"}, "something that is no vector"),
        ({"space directions": "(1,0,0) (0,2,0) (0,0,3"}, "something that is no vector"),
        ({"space directions": "(1,0,0) (0,2,0) (0,0,)"}, "no vector: '0,0,'"),
        ({"space directions": "none none (0,0,1)"}, "2 axes that are not space"),
        ({"space directions": "(1,0,0) (2,0,0) (0,0,3)"}, "singular"),
        ({"space directions": "(1,0,0) (0,nan,0) (0,0,3)"}, "finite"),
        ({"space directions": "(1,0,0) (0,inf,0) (0,0,3)"}, "finite"),
        ({"space origin": "(5,6,7,8)"}, "vector of 4 numbers"),
        ({"space origin": "(5,6)"}, "vector of 2 numbers"),
        ({"space origin": ""}, "'space origin' is one vector"),
        ({"space origin": "none"}, "'space origin' is one vector"),
        ({"space origin": "(5,6,7) (5,6,7)"}, "'space origin' is one vector"),
        ({"space": "left-posterior-superior-time"}, "vector of 3 numbers, (1,0,0), in a space of 4"),
        ({"space": "RAI"}, "space 'RAI' is not known"),
        ({"sizes": "2 " * 70, "dimension": 70}, "70 axes: at most 16"),
        ({"byte skip": "4"}, "'byte skip' are not supported"),
    ],
)
def test_broken_fields_are_told_in_one_line(changed, message, tmp_path):
    path = tmp_path / "a.nrrd"
    write_nrrd(path, GOOD | changed, LABELS)
    with pytest.raises(FormatError, match=r"^a\.nrrd: .*" + re.escape(message)) as caught:
        read_segmentation(path)
    assert "\n" not in str(caught.value)


def test_a_real_file_with_decimal_commas(shared_data):
    path = shared_data / "odd" / "decimal_comma.nrrd"
    with pytest.raises(RuntimeError, match="seem to have 4 coefficients"):
        sitk.ReadImage(str(path))
    with pytest.raises(FormatError, match="are there decimal commas"):
        read_segmentation(path)


@pytest.mark.parametrize(
    "changed",
    [
        {"space directions": "( 1, 0, 0 ) ( 0 , 2,0) (0,\t0,3)", "space origin": "( 5, 6, 7 )"},
        {"space directions": "(1,0,0)(0,2,0)(0,0,3)"},
        {"byte skip": ""},
        {"byte skip": "0", "line skip": "0"},
        {"space": "Left-Posterior-Superior"},
        {"kinds": "domain domain domain"},
    ],
)
def test_other_ways_to_write_the_same(changed, tmp_path):
    write_nrrd(tmp_path / "a.nrrd", GOOD | changed, LABELS)
    affine = read_segmentation(tmp_path / "a.nrrd").geometry.affine
    assert affine.tolist() == [[1, 0, 0, 5], [0, 2, 0, 6], [0, 0, 3, 7], [0, 0, 0, 1]]


@pytest.mark.parametrize("encoding", ["ASCII", "Text", "RAW", "GZIP", "gz", "BZip2"])
def test_encodings_in_any_case(encoding, tmp_path):
    import bz2
    import gzip

    raw = LABELS.astype("<u2").tobytes()
    text = " ".join(map(str, LABELS.ravel())).encode()
    kinds = {"a": text, "t": text, "r": raw, "g": gzip.compress(raw), "b": bz2.compress(raw)}
    endian = "" if encoding[0] in "AT" else "endian: Little\n"
    head = f"NRRD0004\ntype: unsigned short\ndimension: 3\nsizes: 4 3 2\n{endian}encoding: {encoding}\n\n"
    (tmp_path / "a.nrrd").write_bytes(head.encode() + kinds[encoding[0].lower()])
    np.testing.assert_array_equal(read_segmentation(tmp_path / "a.nrrd").layers[0], LABELS)


def test_a_real_plane_in_ascii(shared_data, tmp_path):
    path = shared_data / "odd" / "test2d_ascii.nrrd"
    read = read_segmentation(path)
    np.testing.assert_array_equal(read.layers[0], sitk.GetArrayFromImage(sitk.ReadImage(str(path))))
    np.testing.assert_array_equal(read.geometry.affine, seen_by_itk(path))
    assert write_segmentation(read, tmp_path / "b.nrrd") == ()
    np.testing.assert_array_equal(seen_by_itk(tmp_path / "b.nrrd"), seen_by_itk(path))
    assert read_segmentation(tmp_path / "b.nrrd").geometry == read.geometry


def plane(affine, frame):
    return Segmentation((LABELS[0],), (), Geometry((3, 4), affine, frame=frame))


def test_a_plane_is_read_by_itk_and_pynrrd(tmp_path):
    affine = np.array([[0, -2, 0, 5], [1, 0, 0, 6], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    assert write_segmentation(plane(affine, None), tmp_path / "a.nrrd") == ()
    np.testing.assert_array_equal(seen_by_itk(tmp_path / "a.nrrd"), affine)
    voxels, header = nrrd.read(str(tmp_path / "a.nrrd"), index_order="C")
    np.testing.assert_array_equal(voxels, LABELS[0])
    assert header["space directions"].tolist() == [[0, 1], [-2, 0]]


def test_a_plane_of_a_patient_loses_its_height(tmp_path):
    affine = np.diag([2.0, 3, 1, 1])
    affine[:3, 3] = 5, 6, 77
    (loss,) = write_segmentation(plane(affine, "patient"), tmp_path / "a.nrrd")
    assert "in a patient, at 77 along superior, is lost" in loss.what
    found = seen_by_itk(tmp_path / "a.nrrd")
    assert (found[:2, :2].tolist(), found[:2, 3].tolist()) == ([[2, 0], [0, 3]], [5, 6])


def test_a_plane_that_is_tilted_keeps_three_directions(tmp_path):
    affine = np.array([[2, 0, 0, 5], [0, 0, 1, 6], [0, -3, 0, 7], [0, 0, 0, 1.0]])  # coronal
    assert write_segmentation(plane(affine, "patient"), tmp_path / "a.nrrd") == ()
    back = read_segmentation(tmp_path / "a.nrrd").geometry
    assert back.frame == "patient"
    np.testing.assert_array_equal(back.affine[:, [0, 1, 3]], affine[:, [0, 1, 3]])


@pytest.mark.parametrize("space", ["scanner-xyz", "3D-right-handed", "3D-left-handed"])
def test_spaces_that_are_no_patients(space, tmp_path):
    write_nrrd(tmp_path / "a.nrrd", GOOD | {"space": space}, LABELS)
    read = read_segmentation(tmp_path / "a.nrrd")
    assert read.geometry.frame is None
    np.testing.assert_array_equal(read.geometry.affine, seen_by_itk(tmp_path / "a.nrrd"))
    assert write_segmentation(read, tmp_path / "b.nrrd") == ()
    assert read_header(tmp_path / "b.nrrd")[0].fields["space"] == space


def test_slicer_is_given_a_space_that_nobody_has_named(tmp_path):
    made = Segmentation((LABELS,), (Segment(1),), Geometry(LABELS.shape, np.diag([1.0, 2, 3, 1])))
    (loss,) = write_segmentation(made, tmp_path / "a.seg.nrrd")
    assert "lies in no patient" in loss.what
    assert write_segmentation(made, tmp_path / "a.nrrd") == ()


@pytest.mark.parametrize("centers", ["", "cell cell cell", "node cell node"])
def test_axis_mins_without_a_space_are_read_as_itk_does(centers, tmp_path):
    fields = {"spacings": "1 2 3", "axis mins": "5 6 7"} | ({"centerings": centers} if centers else {})
    write_nrrd(tmp_path / "a.nrrd", fields, LABELS)
    np.testing.assert_array_equal(
        read_segmentation(tmp_path / "a.nrrd").geometry.affine, seen_by_itk(tmp_path / "a.nrrd")
    )
    write_segmentation(read_segmentation(tmp_path / "a.nrrd"), tmp_path / "b.nrrd")
    np.testing.assert_array_equal(seen_by_itk(tmp_path / "b.nrrd"), seen_by_itk(tmp_path / "a.nrrd"))


def test_shear_is_kept_and_told(tmp_path):
    write_nrrd(tmp_path / "a.nrrd", GOOD | {"space directions": "(1,0,0) (0.5,2,0) (0,0,3)"}, LABELS)
    with pytest.warns(NgffsegWarning, match="not at right angles"):
        read = read_segmentation(tmp_path / "a.nrrd")
    assert write_segmentation(read, tmp_path / "b.nrrd") == ()
    assert read_header(tmp_path / "b.nrrd")[0].fields["space directions"] == "(1,0,0) (0.5,2,0) (0,0,3)"


@pytest.mark.parametrize("color", ["inf 0 0", "nan 0 0", "1e999 0 0", "0 0", "x" * 5000])
def test_colours_that_are_none(color, tmp_path):
    head = "".join(
        f"{k}: {v}\n" for k, v in {"type": "uint8", "dimension": 3, "sizes": "4 3 2", **GOOD}.items()
    )
    path = tmp_path / "a.seg.nrrd"
    path.write_bytes(
        f"NRRD0004\n{head}encoding: raw\nSegment0_Color:={color}\n\n".encode() + LABELS.tobytes()
    )
    with pytest.raises(FormatError, match="Segment0_Color is no color") as caught:
        read_segmentation(path)
    assert len(str(caught.value)) < 200


def test_a_segment_number_of_thousands_of_digits_is_a_key_like_others(tmp_path):
    head = "".join(
        f"{k}: {v}\n" for k, v in {"type": "uint8", "dimension": 3, "sizes": "4 3 2", **GOOD}.items()
    )
    key = f"Segment{'1' * 5000}_Name"
    path = tmp_path / "a.seg.nrrd"
    path.write_bytes(f"NRRD0004\n{head}encoding: raw\n{key}:=x\n\n".encode() + LABELS.tobytes())
    read = read_segmentation(path)
    assert read.segments == ()
    write_segmentation(read, tmp_path / "b.seg.nrrd")
    assert read_header(tmp_path / "b.seg.nrrd")[0].keys[key] == "x"
