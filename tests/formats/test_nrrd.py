"""NRRD details: encodings, byte orders, spaces, plain labelmaps."""

import bz2
import gzip

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.formats import read_segmentation, write_segmentation
from ngffseg.formats.nrrd.header import TYPES, Header, header_bytes, read_header

LABELS = np.arange(24).reshape(2, 3, 4)


def write(path, labels, encoding, endian="little", spelling=None, **fields):
    dtype = labels.dtype.newbyteorder("<" if endian == "little" else ">")
    raw = labels.astype(dtype).tobytes()
    data = {
        "raw": lambda: raw,
        "gzip": lambda: gzip.compress(raw),
        "bzip2": lambda: bz2.compress(raw),
        "ascii": lambda: " ".join(map(str, labels.ravel().tolist())).encode(),
    }[encoding]()
    head = {
        "type": spelling or labels.dtype.name, "dimension": labels.ndim,
        "sizes": " ".join(map(str, labels.shape[::-1])), "encoding": encoding, "endian": endian, **fields,
    }  # fmt: skip
    lines = "\n".join(f"{k}: {v}" for k, v in head.items())
    path.write_bytes(f"NRRD0005\n{lines}\n\n".encode() + data)


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
@pytest.mark.parametrize("endian", ["little", "big"])
def test_encodings_and_byte_orders(encoding, endian, tmp_path):
    labels = LABELS.astype(np.uint64) + (2**63 + 5)
    write(tmp_path / "a.nrrd", labels, encoding, endian)
    read = read_segmentation(tmp_path / "a.nrrd")
    assert read.layers[0].dtype == np.uint64
    assert read.layers[0].dtype.isnative
    np.testing.assert_array_equal(read.layers[0], labels)


@pytest.mark.parametrize(
    ("dtype", "spelling"), [(d, s) for d, ss in TYPES.items() for s in ss if d[0] in "iu"]
)
def test_every_spelling_of_every_type(dtype, spelling, tmp_path):
    labels = LABELS.astype(dtype)
    write(tmp_path / "a.nrrd", labels, "raw", spelling=spelling)
    np.testing.assert_array_equal(read_segmentation(tmp_path / "a.nrrd").layers[0], labels)


def test_spacings_without_a_space_are_read_as_itk_does(tmp_path):
    write(tmp_path / "a.nrrd", LABELS.astype(np.uint8), "raw", spacings="0.5 2 3")
    read = read_segmentation(tmp_path / "a.nrrd")
    image = sitk.ReadImage(str(tmp_path / "a.nrrd"))
    assert image.GetSpacing() == (0.5, 2, 3)
    assert np.diag(read.geometry.affine).tolist() == [0.5, 2, 3, 1]


@pytest.mark.parametrize("space", ["right-anterior-superior", "RAS", "left-anterior-superior", "LPS"])
def test_spaces_are_placed_as_itk_does_and_given_back(space, tmp_path):
    fields = {"space": space, "space directions": "(1.5,2,0) (-2,1.5,0) (0,0,3)", "space origin": "(1,2,3)"}
    write(tmp_path / "a.nrrd", LABELS.astype(np.uint8), "raw", **fields)
    read = read_segmentation(tmp_path / "a.nrrd")
    image = sitk.ReadImage(str(tmp_path / "a.nrrd"))
    np.testing.assert_allclose(read.geometry.affine[:3, 3], image.GetOrigin(), rtol=0, atol=1e-12)
    write_segmentation(read, tmp_path / "b.nrrd")
    assert read_header(tmp_path / "b.nrrd")[0].fields["space"] == space
    assert read_segmentation(tmp_path / "b.nrrd").geometry == read.geometry


def test_two_dimensions(tmp_path):
    labels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    fields = {"space dimension": 2, "space directions": "(0.5,0) (0,2)", "space origin": "(7,8)"}
    write(tmp_path / "a.nrrd", labels, "raw", **fields)
    read = read_segmentation(tmp_path / "a.nrrd")
    assert read.geometry.axes == ("y", "x")
    assert read.geometry.affine[:2, 3].tolist() == [7, 8]
    write_segmentation(read, tmp_path / "b.nrrd")
    back = read_segmentation(tmp_path / "b.nrrd")
    np.testing.assert_array_equal(back.layers[0], labels)
    assert back.geometry == read.geometry


def test_unnamed_labels_get_segments_unless_they_are_too_many(tmp_path):
    write(tmp_path / "a.nrrd", LABELS.astype(np.uint8) % 3, "raw")
    assert [s.name for s in read_segmentation(tmp_path / "a.nrrd").segments] == ["Segment_1", "Segment_2"]
    many = np.arange(5000, dtype=np.uint16).reshape(5, 10, 100)
    write(tmp_path / "b.nrrd", many, "raw")
    assert read_segmentation(tmp_path / "b.nrrd").segments == ()


def test_unknown_fields_and_keys_come_back(tmp_path):
    head = (
        "NRRD0004\n# comment\ntype: uchar\ndimension: 3\nspace: LPS\nsizes: 4 3 2\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n"
        'encoding: raw\nspace origin: (0,0,0)\nspace units: "mm" "mm" "mm"\ncontent: liver\nmodality:=CT\nodd key:=a := b: c\n\n'
    )
    (tmp_path / "a.nrrd").write_bytes(head.encode() + LABELS.astype(np.uint8).tobytes())
    write_segmentation(read_segmentation(tmp_path / "a.nrrd"), tmp_path / "b.nrrd")
    header, _ = read_header(tmp_path / "b.nrrd")
    assert header.fields["space units"] == '"mm" "mm" "mm"'
    assert header.fields["content"] == "liver"
    assert header.keys == {"modality": "CT", "odd key": "a := b: c"}


def test_latin_1_headers_of_old_files_are_read(tmp_path):
    head = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 3 2\nencoding: raw\nname:=Müller\n\n"
    (tmp_path / "a.nrrd").write_bytes(head.encode("latin-1") + LABELS.astype(np.uint8).tobytes())
    assert read_header(tmp_path / "a.nrrd")[0].keys == {"name": "Müller"}


text = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=30)


@given(st.dictionaries(text.filter(lambda k: k and ":" not in k and k[0] not in "#\n"), text, max_size=4))
def test_any_text_survives_the_header(tmp_path_factory, keys):
    path = tmp_path_factory.mktemp("header") / "h.nrrd"
    path.write_bytes(header_bytes(Header({"type": "uchar"}, keys)))
    assert read_header(path)[0].keys == keys
