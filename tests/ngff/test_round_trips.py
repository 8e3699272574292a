"""Model to JSON and back: exactly the same, through real JSON text."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.errors import MetadataError
from ngffseg.geometry import Geometry, identity
from ngffseg.model import Segment, Source
from ngffseg.ngff import (
    Axis,
    Dataset,
    Document,
    Multiscales,
    decode_documents,
    decode_geometry,
    decode_image_label,
    decode_multiscales,
    encode_geometry,
    encode_image_label,
    encode_multiscales,
    merge_document,
    unwrap,
    validate_attributes,
    wrap,
)
from tests.ngff.strategies import grids, json_values, names, segments, some_text, text


def through_json(value):
    return json.loads(json.dumps(value))


@given(st.lists(segments, max_size=5, unique_by=lambda s: s.label_value), st.sampled_from(["0.4", "0.5"]))
def test_segments(drawn, version):
    encoded = through_json(encode_image_label(drawn, "../../", version))
    assert decode_image_label({"image-label": encoded}) == tuple(drawn)
    attributes = wrap(version, {"image-label": encoded})
    assert [v for v in validate_attributes(attributes) if v.severity == "MUST"] == []


@given(
    grids(), names, st.lists(some_text, max_size=4, unique=True),
    st.none() | st.builds(Source, some_text, text, text), st.dictionaries(text, json_values, max_size=2),
)  # fmt: skip
def test_documents(grid, name, ids, source, extra):
    document = Document(name, (name, f"{name}__layer1"), tuple(ids), "Binary labelmap", grid, source, extra)
    (back,) = decode_documents(through_json(merge_document({}, document)))
    assert back.geometry == grid
    assert back.geometry.affine.tobytes() == grid.affine.tobytes()
    assert (back.name, back.layers, back.segment_order) == (name, document.layers, tuple(ids))
    assert (back.source, back.extra) == (source, extra)


def test_merging_keeps_everything_else():
    grid = identity((4, 4))
    first, second = (Document(n, (n,), (), "Binary labelmap", grid) for n in ("a", "b"))
    attributes = merge_document(merge_document({"mine": 1, "ngffseg": {"later": 2}}, first), second)
    again = merge_document(attributes, Document("a", ("a",), ("x",), "Binary labelmap", grid))
    assert [d.name for d in decode_documents(again)] == ["a", "b"]
    assert decode_documents(again)[0].segment_order == ("x",)
    assert again["mine"] == 1
    assert again["ngffseg"]["later"] == 2


def test_a_broken_document_is_refused():
    with pytest.raises(MetadataError, match="schema"):
        decode_documents({"ngffseg": {"segmentations": [{"name": "a"}]}})


def test_multiscales():
    axes = (Axis("z", "space", "millimeter", "inferior-to-superior"), Axis("y"), Axis("x"))
    datasets = (
        Dataset("0", (1.0, 2.0, 3.0), (0.1, 1 / 3, -0.7)),
        Dataset("1", (2.0, 4.0, 6.0), (0.6, 1.0, 1.0)),
    )
    made = Multiscales("m", axes, datasets, "mode", {"tie": "balanced"})
    for version in ("0.4", "0.5"):
        encoded = through_json(encode_multiscales(made, version))
        assert decode_multiscales({"multiscales": [encoded]}, ndim=3) == made
        assert validate_attributes(wrap(version, {"multiscales": [encoded]})) == []


def decoded(first, ndim=3):
    return decode_multiscales({"multiscales": [first]}, ndim=ndim)


def test_version_0_1_has_five_axes_and_no_transformations():
    got = decoded({"version": "0.1", "datasets": [{"path": "0"}, {"path": "1"}]}, ndim=5)
    assert [a.name for a in got.axes] == ["t", "c", "z", "y", "x"]
    assert got.datasets[1] == Dataset("1", (1.0,) * 5, (0.0,) * 5)


def test_version_0_3_names_its_axes():
    got = decoded({"axes": ["c", "y", "x"], "datasets": [{"path": "0"}]})
    assert [(a.name, a.type) for a in got.axes] == [("c", "channel"), ("y", "space"), ("x", "space")]


def test_outer_transformations_come_after_inner_ones():
    got = decoded({
        "axes": [{"name": n, "type": "space"} for n in "yx"],
        "datasets": [{"path": "0", "coordinateTransformations": [
            {"type": "scale", "scale": [2, 3]}, {"type": "translation", "translation": [5, 7]}]}],
        "coordinateTransformations": [{"type": "scale", "scale": [10, 100]}],
    }, ndim=2)  # fmt: skip
    assert got.datasets[0] == Dataset("0", (20.0, 300.0), (50.0, 700.0))


def test_version_0_6_nests_transformations():
    got = decoded({
        "coordinateSystems": [{"name": "intrinsic", "axes": [{"name": n, "type": "space"} for n in "yx"]}],
        "datasets": [{"path": "0", "coordinateTransformations": [{"type": "sequence", "transformations": [
            {"type": "scale", "scale": [2, 3]}, {"type": "translation", "translation": [5, 7]}]}]}],
    }, ndim=2)  # fmt: skip
    assert got.datasets[0] == Dataset("0", (2.0, 3.0), (5.0, 7.0))


@pytest.mark.parametrize("first", [{}, {"datasets": 5}, {"axes": [{}], "datasets": []}, "text"])
def test_hopeless_multiscales_are_refused_in_one_line(first):
    with pytest.raises(MetadataError, match="cannot be understood") as caught:
        decoded(first)
    assert "\n" not in str(caught.value)


def test_foreign_labels():
    label = {
        "colors": [
            {"label-value": 1, "rgba": [9, 9, 9, 9]},
            {"label-value": 1, "rgba": [1, 2, 3, 4]},
            {"label-value": 3.0, "rgba": [5, 6, 7, 8]},
        ],
        "properties": [{"label-value": 7, "class": "foo", "area": 5}],
    }
    got = decode_image_label({"image-label": label})
    assert got == (
        Segment(7, name="foo", properties={"class": "foo", "area": 5}),
        Segment(1, color=(1, 2, 3, 4)),
        Segment(3, color=(5, 6, 7, 8)),
    )


@pytest.mark.parametrize("value", [1.5, 2.0**60, "1", None, True, -1, 2**64])
def test_foreign_labels_that_are_no_labels(value):
    with pytest.raises(MetadataError, match="image-label"):
        decode_image_label({"image-label": {"colors": [{"label-value": value, "rgba": [0, 0, 0, 0]}]}})


def test_scalar_properties_stand_in_the_table_for_other_readers():
    segment = Segment(1, properties={"volume (mm3)": 5.5, "nested": [1], "name": "not the name"})
    (row,) = encode_image_label([segment], "../../", "0.5")["properties"]
    assert row["volume (mm3)"] == 5.5
    assert "nested" not in row
    assert row["name"] == "Segment_1"


def test_made_up_colors_are_distinct_and_not_taken_for_real_ones():
    drawn = [Segment(v) for v in [*range(1, 200), 2**63 + 5, 2**63 + 6]]
    encoded = encode_image_label(drawn, "../../", "0.5")
    colors = {tuple(c["rgba"]) for c in encoded["colors"]}
    assert len(colors) > 190
    assert all(s.color is None for s in decode_image_label({"image-label": encoded}))


def test_unwrap_finds_versions_where_each_writer_puts_them():
    assert unwrap({"ome": {"version": "0.5"}})[0] == "0.5"
    assert unwrap({"ome": {"labels": []}})[0] is None
    assert unwrap({"multiscales": [{"version": "0.4"}]})[0] == "0.4"
    assert unwrap({"image-label": {"version": "0.1"}})[0] == "0.1"
    assert unwrap({"multiscales": "x"})[0] is None


def test_geometry_bits_survive_numpy_scalars():
    affine = np.eye(4) * 0.1
    affine[3, 3] = 1
    grid = Geometry((2, 2, 2), affine)
    assert decode_geometry(through_json(encode_geometry(grid))).affine.tobytes() == grid.affine.tobytes()
