"""Properties of segments, names and all else that is written as JSON, XML or a header: exact, or refused."""

import ast
import datetime
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ngffseg
from ngffseg import Segment, Segmentation, check, export_segmentation, open_labels, write_labels
from ngffseg.cli.answer import print_json
from ngffseg.errors import FormatError, MetadataError, UsageError
from ngffseg.formats import read_segmentation, write_segmentation
from ngffseg.geometry import identity
from ngffseg.labels import write_segmentation as store_segmentation
from ngffseg.ngff import decode_image_label, encode_image_label, encode_json, json_value
from tests.labels.stores import digest

LABELS = np.ones((4, 8, 8), "uint8")
NAN, INFINITY = float("nan"), float("inf")


def strictly(path):
    """A document, by a reader that takes JSON alone."""

    def refuse(word):
        raise AssertionError(f"{path} holds {word}")

    return json.loads(path.read_bytes(), parse_constant=refuse)


def stored(tmp_path, properties, **options):
    """Properties as they come back from a store."""
    segments = [Segment(1, properties=properties)]
    write_labels(tmp_path / "a.zarr", LABELS, name="a", segments=segments, **options)
    for file in tmp_path.rglob("*"):
        if file.name in ("zarr.json", ".zattrs", ".zgroup", ".zarray"):
            strictly(file)
    assert not [v for v in check(tmp_path / "a.zarr") if v.severity == "MUST"]
    return open_labels(tmp_path / "a.zarr").segments[0].properties


TAKEN = {
    "large": (np.uint64(2**63 + 5), 2**63 + 5),
    "small": (np.int8(-3), -3),
    "float64": (np.float64(0.1), 0.1),
    "float32": (np.float32(0.1), float(np.float32(0.1))),
    "float16": (np.float16(0.5), 0.5),
    "truth": (np.bool_(False), False),
    "text": (np.str_("Leber ü"), "Leber ü"),
    "point": (np.array(2.5), 2.5),
    "row": (np.array([1, 2**63 + 5], np.uint64), [1, 2**63 + 5]),
    "matrix": (np.eye(2), [[1.0, 0.0], [0.0, 1.0]]),
    "words": (np.array(["a", "b"]), ["a", "b"]),
    "objects": (np.array(["a", None, 3], object), ["a", None, 3]),
    "day": (np.datetime64("2024-02-29"), "2024-02-29"),
    "days": (np.array(["2024-02-29"], "datetime64[D]"), ["2024-02-29"]),
    "time": (datetime.datetime(2024, 2, 29, 12, 30), "2024-02-29T12:30:00"),
    "nested": ({"a": [np.int64(1), {"b": (np.float64(2.5), None)}]}, {"a": [1, {"b": [2.5, None]}]}),
    "null": (None, None),
    "control": ("a\x00\x07\nb", "a\x00\x07\nb"),
}  # fmt: skip


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_numbers_of_numpy_and_small_arrays_are_taken_exactly(tmp_path, version):
    """They ended in a TypeError of json."""
    found = stored(tmp_path, {key: given for key, (given, _) in TAKEN.items()}, ngff=version)
    assert found == {key: expected for key, (_, expected) in TAKEN.items()}
    for key, (_, expected) in TAKEN.items():
        assert type(found[key]) is type(expected)


REFUSED = {
    "nan": NAN, "infinity": -INFINITY, "nan of numpy": np.float32("nan"), "in a list": [1.0, NAN],
    "in a dict": {"a": {"b": INFINITY}}, "in an array": np.array([1.0, NAN]), "no time": np.datetime64("NaT", "s"),
    "duration": np.timedelta64(3, "s"), "bytes": b"x", "set": {1}, "complex": 1j, "complex of numpy": np.complex64(1),
    "object": object(), "large array": np.zeros(1025), "half a letter": "\ud800", "numbers as keys": {1: 2},
    "half a key": {"\ud800": 1}, "long float": np.nextafter(np.longdouble(1), np.longdouble(2)),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_json_cannot_hold_is_refused_with_segment_and_key(kind):
    """NaN and keys that are numbers were written; all others ended in errors of json."""
    if kind == "long float" and np.finfo(np.longdouble).nmant == np.finfo(np.float64).nmant:
        pytest.skip("a long double of this machine is a double")
    with pytest.raises(UsageError, match=r"^segment 7: property 'area'") as caught:
        Segment(7, properties={"area": REFUSED[kind]})
    assert "\n" not in str(caught.value)
    if kind == "nan":
        assert "use None for null" in str(caught.value)


def test_keys_and_texts_that_are_none():
    for wrong in (
        {"name": 5},
        {"name": "\udfff"},
        {"tags": (("a", "\ud800"),)},
        {"properties": {3: 1}},
        {"properties": [1]},
    ):
        with pytest.raises(UsageError, match=r"^segment 7: "):
            Segment(7, **wrong)


@given(st.dictionaries(st.text(), st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8,
), max_size=4))  # fmt: skip
def test_all_of_json_comes_back_bit_for_bit(properties):
    """Through the document of a label image, floats and integers of any size included."""
    told = encode_image_label([Segment(3, properties=properties)], "../../", "0.5")
    (back,) = decode_image_label(json.loads(encode_json({"image-label": told})))
    assert back.properties == properties
    assert repr(back.properties) == repr(properties)


def test_nan_of_others_hides_nothing(tmp_path):
    """Other programs write NaN into properties: it is read as no value, and stays as it is on disk."""
    store = write_labels(tmp_path / "a.zarr", LABELS, name="a", segments=[Segment(1, name="liver")]).url
    file = tmp_path / "a.zarr" / "labels" / "a" / "zarr.json"
    document = json.loads(file.read_bytes())
    document["attributes"]["ome"]["image-label"]["properties"] = [
        {"label-value": 1, "name": "liv\ud800er", "area": NAN, "volume": 2.5}
    ]
    file.write_text(json.dumps(document), "utf-8")
    before = digest(tmp_path)
    (segment,) = open_labels(store).segments
    assert segment.name == "liv\ufffder"
    assert (segment.properties["area"], segment.properties["volume"]) == (None, 2.5)
    export_segmentation(store, tmp_path / "a.seg.nrrd")
    (tmp_path / "a.seg.nrrd").unlink()
    assert digest(tmp_path) == before


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"x": {"y": [1.0, NAN]}}, "x/y/1 is nan"),
        ({"x": {"y": "\ud800"}}, r"x/y is '\\ud800'"),
        ({"x": {"y": b"z"}}, "x/y is b'z'"),
    ],
)
def test_what_formats_kept_is_judged_before_anything_is_written(tmp_path, extra, said):
    """`extra` of a segmentation: NaN was written, the others ended in errors of json."""
    with pytest.raises(MetadataError, match=said) as caught:
        store_segmentation(
            tmp_path / "a.zarr", Segmentation((LABELS,), (), identity(LABELS.shape), extra=extra), name="a"
        )
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "a.zarr").exists()


def test_json_is_written_with_one_rule():
    """Every call of json that writes rules NaN out, but in the one file that keeps NaN of others.

    Messages of the schema judge are no documents.
    """
    for file in Path(ngffseg.__file__).parent.rglob("*.py"):
        if file.relative_to(Path(ngffseg.__file__).parent).as_posix() in ("ngff/text.py", "ngff/schema.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.dumps", "json.dump"):
                assert {k.arg: ast.unparse(k.value) for k in node.keywords}.get("allow_nan") == "False", file


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_nan_of_others_beside_labels_stays(tmp_path, version):
    """xarray writes a fill value of NaN into attributes: labels can be added beside, and it stays."""
    write_labels(tmp_path / "a.zarr", LABELS, name="a", ngff=version)
    file = tmp_path / "a.zarr" / "labels" / ("zarr.json" if version == "0.5" else ".zattrs")
    document = json.loads(file.read_bytes())
    theirs = {"_FillValue": NAN, "half": "\ud800"}
    (document["attributes"] if version == "0.5" else document)["theirs"] = theirs
    file.write_text(json.dumps(document), "utf-8")
    write_labels(tmp_path / "a.zarr", LABELS, name="b", ngff=version)
    found = json.loads(file.read_bytes())
    found = (found["attributes"] if version == "0.5" else found)["theirs"]
    assert np.isnan(found["_FillValue"])
    assert found["half"] == "\ud800"
    assert open_labels(tmp_path / "a.zarr", "b").read().all()


def test_answers_in_json_are_json(capsys):
    """Where something is not known, it is null."""
    print_json({"a": [NAN, 1.5], "b": "\ud800", "c": 2**63 + 5})
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {
        "a": [None, 1.5], "b": "\ufffd", "c": 2**63 + 5,
    }  # fmt: skip
    assert json_value({"a": "ü𝄞"}) == {"a": "ü𝄞"}


HOSTILE = [
    "a\x00b",
    "a\x07b",
    "a\x1b[31mb",
    "a\x0bb",
    "a\ufffeb",
    "a\uffffb",
    "a]]>b",
    "<a & 'b\">",
    "a\tb",
    "a\nb",
    "a\rb",
    "\r\nb",
    "a\x85b\u2028c",
    "𝄞",
]


@pytest.mark.parametrize("suffix", [".nii.gz", ".seg.nrrd"])
@pytest.mark.parametrize("name", HOSTILE)
def test_names_never_break_a_file(tmp_path, suffix, name):
    """They come back, but for letters that the format cannot hold, which are told as lost.

    NUL and other control characters made an XML table that nothing could read.
    """
    segments = (Segment(1, name=name), Segment(2, name="next"))
    whole = Segmentation((LABELS,), segments, identity(LABELS.shape))
    losses = [loss for loss in write_segmentation(whole, tmp_path / f"a{suffix}") if "U+FFFD" in loss.what]
    back = read_segmentation(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(back.layers[0], LABELS)
    found = {s.label_value: s.name for s in back.segments}
    assert found[2] == "next"
    lost = [a for a, b in zip(name.strip() if suffix == ".nii.gz" else name, found[1], strict=True) if a != b]
    assert bool(lost) == bool(losses)
    assert not losses or set(found[1]) >= {"\ufffd"}
    # In a header, only what ends a text or a line; in XML, what is none of its characters.
    allowed = "\x00\r" if suffix == ".seg.nrrd" else "\x00\x07\x1b\x0b\ufffe\uffff"
    assert set(lost) <= set(allowed)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_name_makes_a_label_table_that_is_xml(name):
    from ngffseg.formats.nifti.caret import format_label_table, parse_label_table

    (found,) = parse_label_table(format_label_table([Segment(1, id="a", name=name)]))
    assert found.label_value == 1


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("keys", {"a:=b": "c"}), ("keys", {"#a": "b"}), ("keys", {"": "b"}), ("keys", {"a": "b\r"}), ("keys", {"a:b": "c"}),
        ("fields", {"content": "a\n\nb"}), ("fields", {"content": "a\rb"}), ("fields", {"a:b": "c"}), ("fields", {"a\nb": "c"}),
    ],
)  # fmt: skip
def test_headers_that_would_be_read_otherwise_are_refused(tmp_path, part, wrong):
    """A newline in a field ended the header: the rest of it was read as voxels."""
    extra = {"nrrd": {part: wrong, "dimension": "3"}}
    whole = Segmentation((LABELS,), (), identity(LABELS.shape), extra=extra)
    with pytest.raises(FormatError, match=r"the NRRD (key|field) .* cannot hold") as caught:
        write_segmentation(whole, tmp_path / "a.seg.nrrd")
    assert "\n" not in str(caught.value)
