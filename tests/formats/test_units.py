"""Units of length and time: what goes in micrometres comes out at its place in millimetres, in every reader."""

from dataclasses import replace
from decimal import Decimal

import nibabel as nib
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
import slicerio

from ngffseg.errors import FormatError, NgffsegWarning
from ngffseg.formats import read_segmentation, write_segmentation
from ngffseg.formats.nrrd.header import read_header
from ngffseg.geometry import Geometry
from ngffseg.model import Segment, Segmentation

# Powers of ten that lead to millimetres.
UNITS = {
    "angstrom": -7, "nanometer": -6, "micrometer": -3, "millimeter": 0, "centimeter": 1, "meter": 3, "kilometer": 6,
}  # fmt: skip
OF_NIBABEL = {"meter": 1e3, "mm": 1.0, "micron": 1e-3}
PLACE = (3, 1, 2)
STEPS, ORIGIN = (4, 0.7, 40), (0.3, -2.5, 1000.1)


def made(unit, ndim=3, frame="patient"):
    """One voxel of one label on a turned grid: i leads to posterior, j to the right."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]) * STEPS
    affine[:3, 3] = ORIGIN
    labels = np.zeros((4, 5, 6)[-ndim:], np.uint8)
    labels[PLACE[-ndim:]] = 1
    units = (unit,) * ndim
    return Segmentation((labels,), (Segment(1),), Geometry(labels.shape, affine, units=units, frame=frame))


def expected(unit, ndim):
    """Millimetres of the voxel, by hand and in decimals."""
    k, j, i = PLACE if ndim == 3 else (0, *PLACE[-2:])
    x = Decimal(str(ORIGIN[0])) - Decimal(str(STEPS[1])) * j
    y = Decimal(str(ORIGIN[1])) + Decimal(str(STEPS[0])) * i
    z = Decimal(str(ORIGIN[2])) + Decimal(str(STEPS[2])) * k
    return [float(v.scaleb(UNITS[unit])) for v in (x, y, z)][:ndim]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    ("suffix", "ndim"), [(".nrrd", 2), (".nrrd", 3), (".seg.nrrd", 3), (".nii.gz", 2), (".nii.gz", 3)]
)
def test_simpleitk_sees_a_voxel_at_its_place_in_millimetres(unit, suffix, ndim, tmp_path):
    path = tmp_path / f"a{suffix}"
    write_segmentation(made(unit, ndim), path)
    image = sitk.ReadImage(str(path))
    assert image.GetDimension() == ndim
    voxels = sitk.GetArrayFromImage(image)
    assert [tuple(each) for each in np.argwhere(voxels)] == [PLACE[-ndim:]]
    found = image.TransformIndexToPhysicalPoint(PLACE[-ndim:][::-1])
    np.testing.assert_allclose(found, expected(unit, ndim), rtol=1e-6 if suffix == ".nii.gz" else 1e-12)


@pytest.mark.parametrize("unit", ["nanometer", "micrometer", "meter"])
def test_simpleitk_sees_it_there_at_each_time(unit, tmp_path):
    still = made(unit)
    labels = np.stack([np.zeros_like(still.layers[0]), still.layers[0]])
    geometry = Geometry(
        labels.shape, still.geometry.affine, units=("minute", *(unit,) * 3), frame="patient", time_step=2.0
    )
    write_segmentation(Segmentation((labels,), (), geometry), tmp_path / "a.nii")
    image = sitk.ReadImage(str(tmp_path / "a.nii"))
    assert [tuple(each) for each in np.argwhere(sitk.GetArrayFromImage(image))] == [(1, *PLACE)]
    found = image.TransformIndexToPhysicalPoint((*PLACE[::-1], 1))
    np.testing.assert_allclose(found, [*expected(unit, 3), 120], rtol=1e-6)


@pytest.mark.parametrize("unit", UNITS)
def test_nibabel_sees_it_there(unit, tmp_path):
    write_segmentation(made(unit), tmp_path / "a.nii")
    image = nib.load(tmp_path / "a.nii")
    k, j, i = PLACE
    place = (image.affine @ (i, j, k, 1))[:3] * OF_NIBABEL[image.header.get_xyzt_units()[0]] * (-1, -1, 1)
    np.testing.assert_allclose(place, expected(unit, 3), rtol=1e-6)


@pytest.mark.parametrize("unit", UNITS)
def test_slicerio_and_pynrrd_see_it_there(unit, tmp_path):
    k, j, i = PLACE
    write_segmentation(made(unit), tmp_path / "a.seg.nrrd")
    seen = slicerio.read_segmentation(str(tmp_path / "a.seg.nrrd"))
    np.testing.assert_allclose((seen["ijkToLPS"] @ (i, j, k, 1))[:3], expected(unit, 3), rtol=1e-12)
    write_segmentation(made(unit), tmp_path / "a.nrrd")
    _, header = nrrd.read(str(tmp_path / "a.nrrd"))
    place = np.array([i, j, k]) @ header["space directions"] + header["space origin"]
    np.testing.assert_allclose(place, expected(unit, 3), rtol=1e-12)
    assert "space units" not in header


def test_four_nanometres_are_four_millionths_of_a_millimetre(tmp_path):
    affine = np.diag([40.0, 4.0, 30.0, 1.0])
    segmentation = replace(made("nanometer"), geometry=Geometry((4, 5, 6), affine, units=("nanometer",) * 3))
    assert write_segmentation(segmentation, tmp_path / "a.nrrd") == ()
    fields = read_header(tmp_path / "a.nrrd")[0].fields
    # 40 * 1e-6 is 3.9999999999999996e-05 in doubles.
    assert fields["space directions"] == "(4e-05,0,0) (0,4e-06,0) (0,0,3e-05)"


@pytest.mark.parametrize(
    ("unit", "word"), [("meter", "meter"), ("micrometer", "micron"), ("millimeter", "mm")]
)
def test_units_that_nifti_knows_are_kept(unit, word, tmp_path):
    write_segmentation(made(unit), tmp_path / "a.nii")
    assert nib.load(tmp_path / "a.nii").header.get_xyzt_units()[0] == word
    back = read_segmentation(tmp_path / "a.nii").geometry
    assert set(back.units) == {unit}
    np.testing.assert_allclose(back.affine, made(unit).geometry.affine, rtol=1e-6)


@pytest.mark.parametrize("suffix", [".nrrd", ".nii"])
def test_a_unit_that_is_no_length_is_a_loss(suffix, tmp_path):
    losses = write_segmentation(made("pixel"), tmp_path / f"a{suffix}")
    assert "unit pixel of space" in losses[0].what


@pytest.mark.parametrize("word", ["um", "micron", "microns", "µm", "micrometre"])
@pytest.mark.parametrize("suffix", [".nrrd", ".nii"])
def test_words_of_others_in_ome_zarr(word, suffix, tmp_path):
    write_segmentation(made(word), tmp_path / f"a{suffix}")
    found = sitk.ReadImage(str(tmp_path / f"a{suffix}")).TransformIndexToPhysicalPoint(PLACE[::-1])
    np.testing.assert_allclose(found, expected("micrometer", 3), rtol=1e-6)


@pytest.mark.parametrize("size", [1e-60, 1e60])
def test_numbers_that_float32_cannot_hold_are_refused(size, tmp_path):
    geometry = Geometry((4, 5, 6), np.diag([size, size, size, 1]), frame="patient")
    with pytest.raises(FormatError, match="float32, which cannot hold"):
        write_segmentation(replace(made("meter"), geometry=geometry), tmp_path / "a.nii")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".nrrd", ".nii"])
def test_axes_of_different_units(suffix, tmp_path):
    straight = Geometry((4, 5, 6), np.diag([2.0, 3, 40, 1]), units=("nanometer", "micrometer", "micrometer"))
    path = tmp_path / f"a{suffix}"
    write_segmentation(replace(made("meter"), geometry=straight), path)
    np.testing.assert_allclose(sitk.ReadImage(str(path)).GetSpacing(), (2e-3, 3e-3, 4e-5), rtol=1e-6)
    turned = replace(made("meter").geometry, units=("nanometer", "micrometer", "micrometer"))
    with pytest.raises(FormatError, match="different units and are turned"):
        write_segmentation(replace(made("meter"), geometry=turned), tmp_path / f"b{suffix}")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("unit", "step", "word", "stored"),
    [("minute", 1.5, "sec", 90), ("nanosecond", 2048, "sec", 2.048e-6), ("millisecond", 250, "msec", 250)],
)
def test_units_of_time(unit, step, word, stored, tmp_path):
    affine, units = np.eye(4), (unit, *("millimeter",) * 3)
    geometry = Geometry((2, 2, 2, 2), affine, units=units, frame="patient", time_step=step)
    write_segmentation(Segmentation((np.ones((2, 2, 2, 2), np.uint8),), (), geometry), tmp_path / "a.nii")
    header = nib.load(tmp_path / "a.nii").header
    assert header.get_xyzt_units() == ("mm", word)
    assert header["pixdim"][4] == np.float32(stored)


def write_nrrd(path, fields, labels=None):
    labels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) if labels is None else labels
    head = {
        "type": "uint8", "dimension": labels.ndim, "sizes": " ".join(map(str, labels.shape[::-1])), **fields,
        "encoding": "raw",
    }  # fmt: skip
    lines = "".join(f"{key}: {value}\n" for key, value in head.items())
    path.write_bytes(f"NRRD0005\n{lines}\n".encode() + labels.tobytes())


SPACE = {
    "space dimension": 3, "space directions": "(2,0,0) (0,3,0) (0,0,40.1)", "space origin": "(0.1,-7,1e3)",
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        ('"mm" "mm" "mm"', "millimeter"),
        ('"microns" "microns" "microns"', "micrometer"),
        ('"um" "um" "um"', "micrometer"),
        ('"µm" "μm" "µm"', "micrometer"),
        ('" um" "um " "um"', "micrometer"),
        ("um um um", "micrometer"),
        ('"nm" "nm" "nm"', "nanometer"),
        ('"m" "meters" "metre"', "meter"),
        ('"Millimetres" "mm" "MM"', "millimeter"),
        ('"" "" ""', "millimeter"),
    ],
)
def test_words_of_nrrd(words, unit, tmp_path):
    write_nrrd(tmp_path / "a.nrrd", SPACE | {"space units": words})
    read = read_segmentation(tmp_path / "a.nrrd").geometry
    assert read.units == (unit,) * 3
    assert np.diag(read.affine).tolist() == [2, 3, 40.1, 1]


def test_a_file_goes_out_in_the_units_in_which_it_came(tmp_path):
    write_nrrd(tmp_path / "a.nrrd", SPACE | {"space units": '"microns" "microns" "microns"'})
    read = read_segmentation(tmp_path / "a.nrrd")
    assert write_segmentation(read, tmp_path / "b.nrrd") == ()
    fields = read_header(tmp_path / "b.nrrd")[0].fields
    assert fields["space directions"] == SPACE["space directions"]
    assert fields["space origin"] == "(0.1,-7,1000)"
    assert fields["space units"] == '"microns" "microns" "microns"'
    assert read_segmentation(tmp_path / "b.nrrd").geometry == read.geometry
    write_segmentation(read, tmp_path / "b.nii")
    np.testing.assert_allclose(
        sitk.ReadImage(str(tmp_path / "b.nii")).GetSpacing(), (2e-3, 3e-3, 40.1e-3), rtol=1e-6
    )


@pytest.mark.parametrize("word", ["millimeter", "mm"])
def test_a_grid_that_was_edited_goes_out_in_the_units_of_its_file(word, tmp_path):
    write_nrrd(tmp_path / "a.nrrd", SPACE | {"space units": '"um" "um" "um"'})
    read = read_segmentation(tmp_path / "a.nrrd")
    edited = Geometry(read.geometry.shape, np.diag([4e-3, 0.7, 1, 1]), units=(word,) * 3)
    write_segmentation(replace(read, geometry=edited), tmp_path / "b.nrrd")
    assert read_header(tmp_path / "b.nrrd")[0].fields["space directions"] == "(4,0,0) (0,700,0) (0,0,1000)"


def test_what_0_1_read_as_millimetres_goes_out_as_it_came(tmp_path):
    write_nrrd(tmp_path / "a.nrrd", SPACE | {"space units": '"um" "um" "um"'})
    read = read_segmentation(tmp_path / "a.nrrd")
    kept = {key: value for key, value in read.extra["nrrd"].items() if key != "unit"}
    old = replace(read, geometry=replace(read.geometry, units=()), extra={"nrrd": kept})
    write_segmentation(old, tmp_path / "b.nrrd")
    fields = read_header(tmp_path / "b.nrrd")[0].fields
    assert (fields["space directions"], fields["space units"]) == (
        SPACE["space directions"],
        '"um" "um" "um"',
    )


def test_directions_of_different_units_become_millimetres(tmp_path):
    write_nrrd(tmp_path / "a.nrrd", SPACE | {"space units": '"um" "mm" "nm"'})
    with pytest.warns(
        NgffsegWarning, match=r"^a\.nrrd: its directions have different units .*converted to milli"
    ):
        read = read_segmentation(tmp_path / "a.nrrd")
    assert read.geometry.affine.tolist() == [
        [2e-3, 0, 0, 1e-4],
        [0, 3, 0, -7],
        [0, 0, 40.1e-6, 1e-3],
        [0, 0, 0, 1],
    ]
    write_segmentation(read, tmp_path / "b.nrrd")
    np.testing.assert_allclose(
        sitk.ReadImage(str(tmp_path / "b.nrrd")).GetSpacing(), (2e-3, 3, 40.1e-6), rtol=1e-12
    )


def test_a_word_that_is_no_length_is_told(tmp_path):
    write_nrrd(tmp_path / "a.nrrd", SPACE | {"space units": '"mm" "mm" "parrots"'})
    with pytest.warns(NgffsegWarning, match="'parrots', which is no unit of length: taken for millimetres"):
        assert set(read_segmentation(tmp_path / "a.nrrd").geometry.units) == {"millimeter"}


def test_as_many_words_as_directions(tmp_path):
    write_nrrd(tmp_path / "a.nrrd", SPACE | {"space units": '"mm" "mm"'})
    with pytest.raises(FormatError, match="3 directions of space, but 2 space units"):
        read_segmentation(tmp_path / "a.nrrd")


def test_units_of_axes_without_a_space(tmp_path):
    write_nrrd(tmp_path / "a.nrrd", {"spacings": "0.5 2 3", "units": '"um" "um" "um"'})
    assert set(read_segmentation(tmp_path / "a.nrrd").geometry.units) == {"micrometer"}
    write_segmentation(read_segmentation(tmp_path / "a.nrrd"), tmp_path / "b.nrrd")
    assert sitk.ReadImage(str(tmp_path / "b.nrrd")).GetSpacing() == (0.5e-3, 2e-3, 3e-3)


def test_a_real_file_in_microns(shared_data, tmp_path):
    read = read_segmentation(shared_data / "odd" / "microns.nrrd")
    assert read.geometry.units == ("micrometer",) * 3
    write_segmentation(read, tmp_path / "a.nii.gz")
    assert sitk.ReadImage(str(tmp_path / "a.nii.gz")).GetSpacing() == pytest.approx((2e-3,) * 3, rel=1e-6)
