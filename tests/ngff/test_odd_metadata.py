"""Metadata that others left odd or broken: read where that is safe, refused in one line elsewhere."""

import json

import pytest

from ngffseg.errors import MetadataError
from ngffseg.geometry import identity
from ngffseg.model import Segment
from ngffseg.ngff import (
    Dataset,
    Document,
    decode_documents,
    decode_image_label,
    decode_multiscales,
    encode_image_label,
    merge_document,
    validate_attributes,
)

YX = [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]


def decoded(*transforms, **changes):
    first = {
        "axes": YX,
        "datasets": [{"path": "0", "coordinateTransformations": list(transforms)}],
        **changes,
    }
    return decode_multiscales({"multiscales": [first]}, ndim=2)


@pytest.mark.parametrize(
    "transform",
    [
        {"type": "affine", "affine": [[1, 0, 0], [0, 1, 0]]},
        {"type": "rotation", "rotation": [[0, 1], [1, 0]]},
        {"type": "scale", "path": "vector"},
        {"type": "scale", "scale": [10**400, 1]},
        {"type": "scale", "scale": [float("nan"), 1]},
        {"type": "translation", "translation": [1]},
    ],
)
def test_a_place_that_cannot_be_told_is_refused(transform):
    with pytest.raises(MetadataError, match="cannot be understood") as caught:
        decoded(transform)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("changes", [{"datasets": []}, {"axes": [{"name": 5}, {"name": "x"}]}])
def test_an_image_without_levels_or_axis_names_is_refused(changes):
    with pytest.raises(MetadataError, match="cannot be understood"):
        decoded(**changes)


def test_the_identity_is_told_or_not():
    assert decoded({"type": "identity"}) == decoded()


def test_version_0_6_is_read_in_its_intrinsic_system():
    systems = [
        {"name": "world", "axes": [{"name": "b"}, {"name": "a"}]},
        {"name": "intrinsic", "axes": YX},
    ]
    to_world = {"type": "scale", "scale": [10, 10], "input": {"name": "intrinsic"}}
    got = decoded(
        {"type": "scale", "scale": [2, 3], "output": {"name": "intrinsic"}},
        coordinateSystems=systems, coordinateTransformations=[to_world | {"output": {"name": "world"}}],
    )  # fmt: skip
    assert [axis.name for axis in got.axes] == ["y", "x"]
    assert got.datasets == (Dataset("0", (2.0, 3.0), (0.0, 0.0)),)


@pytest.mark.parametrize(
    ("rgba", "color"),
    [
        ([1, 2, 3, 4], (1, 2, 3, 4)),
        ([1.0, 2.0, 3.0, 4.0], (1, 2, 3, 4)),
        ([1, 2, 3], (1, 2, 3, 255)),
        ([300, 0, 0, 0], None),
        ([0.5, 0, 0, 1], None),
        ([1, 2], None),
        ("red", None),
        (None, None),
    ],
)
def test_a_broken_color_does_not_hide_the_labels(rgba, color):
    row = {"label-value": 1, "rgba": rgba}
    assert decode_image_label({"image-label": {"colors": [row]}}) == (Segment(1, color=color),)


@pytest.mark.parametrize("value", [[1], {}, None, "1", float("inf"), float("nan")])
def test_the_judge_survives_any_label_value(value):
    row = {"label-value": value}
    label = {"version": "0.4", "colors": [row, row], "properties": [row, 5]}
    assert "MUST" in {v.severity for v in validate_attributes({"image-label": label})}


@pytest.mark.parametrize("ome", [5, "0.5", [5], None])
def test_the_metadata_of_a_labels_group_may_be_no_object(ome):
    told = [v for v in validate_attributes({"labels": ["a"], "ome": ome}) if v.where == "#/ome"]
    assert [(v.found, v.fix) for v in told] == [(json.dumps(ome), None)]


@pytest.mark.parametrize(("version", "found"), [({}, "none"), ({"version": 5}, "5")])
def test_a_labels_group_gets_the_version_that_it_lacks(version, found):
    (told,) = validate_attributes({"ome": {"labels": ["a"], **version}})
    assert told.found == found
    assert told.fix.attributes["ome"] == {"labels": ["a"], "version": "0.5"}


def test_the_background_is_not_seen():
    (color,) = encode_image_label([Segment(0)], "../../", "0.5")["colors"]
    assert color["rgba"][3] == 0


def test_thousands_of_made_up_colors_are_distinct():
    colors = encode_image_label([Segment(v) for v in range(5000)], "../../", "0.5")["colors"]
    assert len({tuple(c["rgba"]) for c in colors}) == 5000


def document(name):
    return Document(name, (name,), ("a",), "Binary labelmap", identity((4, 4)))


def test_a_document_is_a_value():
    attributes = json.loads(json.dumps(merge_document({}, document("a"))))
    assert decode_documents(attributes) == (document("a"),)


@pytest.mark.parametrize("broken", [5, [5], [{"name": "a"}]])
def test_broken_documents_are_refused(broken):
    with pytest.raises(MetadataError, match="segmentation"):
        decode_documents({"ngffseg": {"segmentations": broken}})


def test_a_document_whose_grid_contradicts_itself_is_refused():
    attributes = json.loads(json.dumps(merge_document({}, document("a"))))
    attributes["ngffseg"]["segmentations"][0]["geometry"]["shape"] = [4, 4, 4]
    with pytest.raises(MetadataError, match="'a'"):
        decode_documents(attributes)


@pytest.mark.parametrize(
    ("attributes", "stored"), [({"labels": ["a"]}, 2), ({"ome": {"version": "0.5", "labels": ["a"]}}, 3)]
)
def test_the_zarr_format_belongs_to_the_version(attributes, stored):
    assert validate_attributes(attributes, zarr_format=stored) == []
    (violation,) = validate_attributes(attributes, zarr_format=5 - stored)
    assert violation.severity == "MUST"
