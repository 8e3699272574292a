"""Real .seg.nrrd files go in and come out equal, as slicerio and SimpleITK see them."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import slicerio

from ngffseg.errors import FormatError, LabelValueError
from ngffseg.formats import read_segmentation, read_volume, write_segmentation
from ngffseg.geometry import Geometry
from ngffseg.model import Code, CodedRegion, Codes, Segment, Segmentation

REAL = ("Segmentation.seg.nrrd", "SegmentationOverlapping.seg.nrrd")


def raw_keys(path):
    """Key/value pairs of a file, read as plainly as possible."""
    head = path.read_bytes().split(b"\n\n")[0].decode()
    pairs = (line.split(":=", 1) for line in head.split("\n") if ":=" in line)
    return dict(pairs)


@pytest.mark.parametrize("name", REAL)
def test_a_real_file_comes_back_equal(name, slicer_files, tmp_path):
    source, target = slicer_files / name, tmp_path / name
    assert write_segmentation(read_segmentation(source), target) == ()
    before, after = slicerio.read_segmentation(str(source)), slicerio.read_segmentation(str(target))
    np.testing.assert_array_equal(before["voxels"], after["voxels"])
    np.testing.assert_array_equal(before["ijkToLPS"], after["ijkToLPS"])
    assert before["segments"] == after["segments"]
    assert {k for k in raw_keys(source) if k.startswith("Segment")} == set(raw_keys(target))
    assert raw_keys(source) == raw_keys(target)
    one, two = sitk.ReadImage(str(source)), sitk.ReadImage(str(target))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(one), sitk.GetArrayFromImage(two))
    assert one.GetOrigin() == two.GetOrigin()
    assert one.GetSpacing() == two.GetSpacing()
    assert one.GetDirection() == two.GetDirection()


def test_segments_of_a_real_file(slicer_files):
    read = read_segmentation(slicer_files / REAL[1])
    assert len(read.layers) == 2
    assert read.geometry.shape == (34, 128, 128)
    lung = next(s for s in read.segments if s.name == "right lung")
    assert (lung.label_value, lung.id, lung.color, lung.status) == (
        5,
        "Segment_5",
        (22, 197, 71, 255),
        "inprogress",
    )
    assert lung.codes.type == Code("39607008", "SCT", "Lung")
    assert lung.codes.type_modifiers == (Code("24028007", "SCT", "Right"),)
    sphere = read.segments[-1]
    assert (sphere.name, sphere.layer) == ("overlapping sphere", 1)
    both = (read.layers[0] > 0) & (read.layers[1] > 0)
    assert int(both.sum()) == 15514


def test_only_what_was_edited_changes(slicer_files, tmp_path):
    read = read_segmentation(slicer_files / REAL[0])
    renamed = replace(read.segments[0], name="Rippen")
    target = tmp_path / "edited.seg.nrrd"
    write_segmentation(replace(read, segments=(renamed, *read.segments[1:])), target)
    before, after = raw_keys(slicer_files / REAL[0]), raw_keys(target)
    assert {k for k in before if before[k] != after[k]} == {"Segment0_Name"}


def test_a_new_color_is_not_overruled_by_the_old_text(slicer_files, tmp_path):
    read = read_segmentation(slicer_files / REAL[0])
    repainted = replace(read.segments[0], color=(255, 0, 0, 255))
    target = tmp_path / "edited.seg.nrrd"
    write_segmentation(replace(read, segments=(repainted, *read.segments[1:])), target)
    assert raw_keys(target)["Segment0_Color"] == "1 0 0"


def test_an_extent_that_became_too_small_is_widened(slicer_files, tmp_path):
    read = read_segmentation(slicer_files / REAL[0])
    labels = read.layers[0].copy()
    labels[33, 127, 127] = 1  # x 127 lies outside the extent that came in, 0 to 124
    target = tmp_path / "painted.seg.nrrd"
    write_segmentation(replace(read, layers=(labels,)), target)
    i0, i1, j0, j1, k0, k1 = map(int, raw_keys(target)["Segment0_Extent"].split())
    k, j, i = np.nonzero(labels == 1)
    assert (i0, i1, j0, j1, k0, k1) == (i.min(), i.max(), j.min(), j.max(), k.min(), k.max())


def test_text_with_newlines_bars_and_backslashes(tmp_path):
    tags = (("a", "one\ntwo"), ("b", r"C:\new"), ("c", "x|y"))
    made = Segmentation(
        (np.ones((2, 2, 2), np.uint8),),
        (Segment(1, id="s", name="Müller 肝\n2", tags=tags),),
        Geometry((2, 2, 2), np.eye(4), frame="patient"),
    )
    losses = write_segmentation(made, tmp_path / "t.seg.nrrd")
    assert [(loss.where, "%7C" in loss.what) for loss in losses] == [("s", True)]
    back = read_segmentation(tmp_path / "t.seg.nrrd").segments[0]
    assert back.name == "Müller 肝\n2"
    assert back.tags == (("a", "one\ntwo"), ("b", r"C:\new"), ("c", "x%7Cy"))
    meta = sitk.ReadImage(str(tmp_path / "t.seg.nrrd"))
    assert meta.GetMetaData("Segment0_Name") == "Müller 肝\n2"


def test_codes_that_do_not_fit_are_reported(tmp_path):
    left, right = Code("1", "SCT", "Left"), Code("2", "SCT", "Right")
    codes = Codes(
        Code("3", "SCT", "Tissue"),
        Code("4", "SCT", "Lung"),
        (left, right),
        (CodedRegion(left), CodedRegion(right)),
    )
    made = Segmentation(
        (np.ones((2, 2, 2), np.uint8),),
        (Segment(1, codes=codes),),
        Geometry((2, 2, 2), np.eye(4), frame="patient"),
    )
    (loss,) = write_segmentation(made, tmp_path / "t.seg.nrrd")
    assert "one modifier" in loss.what


def test_layers_of_different_dtypes_get_one_that_holds_both(tmp_path):
    layers = (np.full((2, 2, 2), 2**63 + 5, np.uint64), np.full((2, 2, 2), 3, np.int64))
    segments = (Segment(2**63 + 5, id="a"), Segment(3, id="b", layer=1))
    made = Segmentation(layers, segments, Geometry((2, 2, 2), np.eye(4)))
    write_segmentation(made, tmp_path / "t.seg.nrrd")
    back = read_segmentation(tmp_path / "t.seg.nrrd")
    assert [int(layer.max()) for layer in back.layers] == [2**63 + 5, 3]
    assert back.segments == segments


def test_the_oldest_files_without_ids(tmp_path):
    # As printed in NA-MIC's notes: neither ID nor Name, Layer nor LabelValue.
    head = (
        "NRRD0004\ntype: unsigned char\ndimension: 4\nspace: left-posterior-superior\n"
        "sizes: 2 3 2 2\nspace directions: none (1,0,0) (0,1,0) (0,0,1)\nkinds: list domain domain domain\n"
        "encoding: raw\nspace origin: (0,0,0)\nSegment0_Color:=0.5 0.5 0.5\nSegment1_Color:=1 0 0\n\n"
    )
    path = tmp_path / "old.seg.nrrd"
    path.write_bytes(head.encode() + bytes([1, 0, 0, 1] * 6))
    read = read_segmentation(path)
    assert [(s.id, s.label_value, s.layer) for s in read.segments] == [
        ("Segment_1", 1, 0),
        ("Segment_2", 1, 1),
    ]
    assert [int(layer.sum()) for layer in read.layers] == [6, 6]


def test_the_legacy_layout_becomes_layers(shared_data, tmp_path):
    path = shared_data / "seg_nrrd" / "legacy_4d_spatial.seg.nrrd"
    read = read_segmentation(path)
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    np.testing.assert_array_equal(read.layers[0], voxels[0])
    # Slicer takes the origin as RAS, for index 0; voxel 0 lies at (223, 199, 9) of the reference.
    ras = np.array([250 - 0.976562 * 223, 250 - 0.976562 * 199, -122.5 + 2.5 * 9])
    np.testing.assert_allclose(read.geometry.affine[:3, 3], ras * [-1, -1, 1], rtol=0, atol=1e-9)
    write_segmentation(read, tmp_path / "new.seg.nrrd")
    modern = slicerio.read_segmentation(str(tmp_path / "new.seg.nrrd"))
    np.testing.assert_array_equal(modern["voxels"].T, voxels[0])
    np.testing.assert_array_equal(modern["ijkToLPS"], read.geometry.affine)


def test_an_image(slicer_files):
    volume = read_volume(slicer_files / "CTChest4.nrrd")
    image = sitk.ReadImage(str(slicer_files / "CTChest4.nrrd"))
    np.testing.assert_array_equal(volume.data, sitk.GetArrayFromImage(image))
    assert tuple(volume.geometry.affine[:3, 3]) == image.GetOrigin()
    assert volume.name == "CTChest4"


GOOD = {
    "type": "unsigned char", "dimension": "3", "space": "LPS", "sizes": "2 2 2",
    "space directions": "(1,0,0) (0,1,0) (0,0,1)", "encoding": "raw", "space origin": "(0,0,0)",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sizes": "2 2 3"}, "8 bytes of voxels, its header says 12: it is truncated"),
        ({"sizes": "2 2 1"}, "8 bytes of voxels, its header says 4: it is 4 bytes longer"),
        ({"dimension": "4"}, "contradicts sizes"),
        ({"type": "block"}, "type 'block' is not known"),
        ({"type": "short"}, "endian"),
        ({"encoding": "zip"}, "encoding 'zip' is not known"),
        ({"encoding": "gzip"}, "broken or truncated"),
        ({"space": "left-posterior-inferior"}, "space 'left-posterior-inferior' is not known"),
        ({"space directions": "(1,0,0) (0,1,0)"}, "2 space directions"),
        ({"space directions": "(1,0,0) (0,1,0) (0,0,a)"}, "no vector"),
        ({"space directions": "(1,0,0) (1,0,0) (0,0,1)"}, "singular"),
        ({"sizes": "2 2 0"}, "hold no voxels"),
        ({"data file": "voxels.raw"}, "in another file"),
        ({"byte skip": "4"}, "byte skip"),
    ],
)
def test_a_header_that_contradicts_its_data(changed, message, tmp_path):
    lines = [f"{k}: {v}" for k, v in (GOOD | changed).items()]
    path = tmp_path / "bad.seg.nrrd"
    path.write_bytes(("NRRD0004\n" + "\n".join(lines) + "\n\n").encode() + bytes(8))
    with pytest.raises(ValueError, match=message):
        read_segmentation(path)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("Segment0_LabelValue:=x", "no whole number"),
        ("Segment0_Color:=red", "no color"),
        ("nonsense", "neither field"),
    ],
)
def test_broken_keys(key, message, tmp_path):
    lines = [f"{k}: {v}" for k, v in GOOD.items()]
    path = tmp_path / "bad.seg.nrrd"
    path.write_bytes(("NRRD0004\n" + "\n".join([*lines, "Segment0_ID:=a", key]) + "\n\n").encode() + bytes(8))
    with pytest.raises(FormatError, match=message):
        read_segmentation(path)


def test_fractional_labels_are_refused(tmp_path):
    head = "\n".join(f"{k}: {v}" for k, v in (GOOD | {"type": "float", "endian": "little"}).items())
    path = tmp_path / "f.seg.nrrd"
    path.write_bytes(f"NRRD0004\n{head}\n\n".encode() + np.zeros(8, "<f4").tobytes())
    with pytest.raises(LabelValueError, match="float32"):
        read_segmentation(path)
