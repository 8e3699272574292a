"""Rules that need a whole store: each fault is found, and nothing in a good store."""

import pytest

from ngffseg.geometry import identity
from ngffseg.ngff import Document, merge_document, unwrap, validate_store
from tests.ngff.stores import changed, image, replaced, rooted, store, without

VERSIONS = ["0.4", "0.5"]
ORGANS = "labels/organs"


def label(nodes, edit):
    return changed(nodes, ORGANS, lambda metadata: edit(metadata["image-label"]))


def levels(nodes, edit):
    return changed(nodes, ORGANS, lambda metadata: edit(metadata["multiscales"][0]))


def again(rows):
    rows += [{"label-value": rows[0]["label-value"], "rgba": [9, 9, 9, 9]}]


def set_value(rows, value):
    rows[0]["label-value"] = value


# What is wrong: how it came to be, severity, and where it is found ("@" is the OME metadata).
FAULTS = {
    "float labels": (lambda n: replaced(n, f"{ORGANS}/0", dtype="float32"), "MUST", f"{ORGANS}/0"),
    "float labels of one byte order": (lambda n: replaced(n, f"{ORGANS}/0", dtype=">f4"), "MUST", f"{ORGANS}/0"),
    "truth values": (lambda n: replaced(n, f"{ORGANS}/1", dtype="bool"), "MUST", f"{ORGANS}/1"),
    "listed but missing": (lambda n: without(n, ORGANS), "MUST", "labels@/labels/0"),
    "empty list": (lambda n: changed(n, "labels", lambda m: m["labels"].clear()), "MUST", "labels@/labels"),
    "no list": (lambda n: changed(n, "labels", lambda m: m.pop("labels")), "MUST", "labels@"),
    "unlisted": (lambda n: changed(n, "labels", lambda m: m.update(labels=["liver"])), "SHOULD", ORGANS),
    "fewer levels than the image": (
        lambda n: levels(n, lambda m: m["datasets"].pop()), "MUST", f"{ORGANS}@/multiscales/0/datasets"),
    "one value, two colors": (
        lambda n: label(n, lambda m: again(m["colors"])), "MUST", f"{ORGANS}@/image-label/colors/0"),
    "one value, two properties": (
        lambda n: label(n, lambda m: again(m["properties"])), "SHOULD", f"{ORGANS}@/image-label/properties/0"),
    "label value 1.5": (
        lambda n: label(n, lambda m: set_value(m["colors"], 1.5)), "MUST",
        f"{ORGANS}@/image-label/colors/0/label-value"),
    "label value 5.0": (
        lambda n: label(n, lambda m: set_value(m["properties"], 5.0)), "MUST",
        f"{ORGANS}@/image-label/properties/0/label-value"),
    "rgba 300": (
        lambda n: label(n, lambda m: m["colors"][0].update(rgba=[300, 0, 0, 0])), "MUST",
        f"{ORGANS}@/image-label/colors/0/rgba/0"),
    "empty colors": (
        lambda n: label(n, lambda m: m["colors"].clear()), "MUST", f"{ORGANS}@/image-label/colors"),
    "empty properties": (
        lambda n: label(n, lambda m: m["properties"].clear()), "MUST", f"{ORGANS}@/image-label/properties"),
    "dangling source": (
        lambda n: label(n, lambda m: m["source"].update(image="../../nowhere")), "MUST",
        f"{ORGANS}@/image-label/source/image"),
    "source is no image": (
        lambda n: label(n, lambda m: m["source"].update(image="../")), "MUST",
        f"{ORGANS}@/image-label/source/image"),
    "no image-label": (lambda n: changed(n, ORGANS, lambda m: m.pop("image-label")), "SHOULD", f"{ORGANS}@"),
    "different values": (
        lambda n: label(n, lambda m: set_value(m["colors"], 7)), "SHOULD", f"{ORGANS}@/image-label"),
    "level missing": (lambda n: without(n, f"{ORGANS}/1"), "MUST", f"{ORGANS}/1"),
    "level of the image missing": (lambda n: without(n, "1"), "MUST", "1"),
    "fewer dimensions than axes": (
        lambda n: replaced(n, f"{ORGANS}/0", shape=(8, 8)), "MUST", f"{ORGANS}/0"),
    "growing levels": (lambda n: replaced(n, f"{ORGANS}/1", shape=(4, 4, 9)), "MUST", f"{ORGANS}/1"),
    "short scale": (
        lambda n: levels(n, lambda m: m["datasets"][0]["coordinateTransformations"][0]["scale"].pop()), "MUST",
        f"{ORGANS}@/multiscales/0/datasets/0/coordinateTransformations/0/scale"),
    "other shape than the image": (
        lambda n: replaced(n, f"{ORGANS}/0", shape=(8, 8, 5)), "SHOULD", f"{ORGANS}/0"),
    "array of another Zarr format": (
        lambda n: replaced(n, f"{ORGANS}/0", zarr_format=5 - n[""].zarr_format), "MUST", f"{ORGANS}/0"),
    "group of another Zarr format": (
        lambda n: replaced(n, "labels", zarr_format=5 - n[""].zarr_format), "MUST", "labels#"),
    "image with nothing of OME-Zarr": (lambda n: without(replaced(n, "", attributes={}), "labels"), "MUST", "#"),
}  # fmt: skip


def where(nodes, address):
    """Address with the place of OME metadata filled in."""
    path, at, pointer = address.partition("@")
    return address if not at else f"{path}#{'/ome' if 'ome' in nodes[''].attributes else ''}{pointer}"


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_wrong_with_a_good_store(version):
    nodes = store(version, ["organs", "nested/vessels"])
    assert validate_store(nodes) == []
    assert validate_store(rooted(nodes, "labels")) == []
    assert validate_store(rooted(nodes, ORGANS)) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_where_it_is(fault, version):
    good = store(version)
    broken, severity, address = FAULTS[fault]
    found = {(v.severity, v.where) for v in validate_store(broken(good))}
    assert (severity, where(good, address)) in found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "fault", ["no list", "empty list", "one value, two colors", "label value 5.0", "empty colors", "empty properties"]
)  # fmt: skip
def test_a_fix_mends_its_fault_and_breaks_nothing(fault, version):
    nodes = FAULTS[fault][0](store(version))
    for _ in range(5):
        violations = validate_store(nodes)
        fixes = [v for v in violations if v.fix is not None]
        if not fixes:
            break
        nodes = replaced(nodes, fixes[0].fix.group, attributes=fixes[0].fix.attributes)
    assert [v for v in violations if v.severity == "MUST"] == []


def test_the_last_color_is_kept():
    nodes = FAULTS["one value, two colors"][0](store("0.4"))
    (violation,) = validate_store(nodes)
    (color,) = violation.fix.attributes["image-label"]["colors"]
    assert color == {"label-value": 2**63 + 5, "rgba": [9, 9, 9, 9]}


def test_an_unlisted_label_image_is_listed_beside_the_others():
    nodes = store("0.5", ["organs", "vessels"])
    nodes = changed(nodes, "labels", lambda m: m["labels"].remove("organs"))
    (violation,) = validate_store(nodes)
    assert unwrap(violation.fix.attributes) == ("0.5", {"labels": ["vessels", "organs"], "version": "0.5"})


def test_a_labels_group_without_version_gets_one():
    nodes = changed(store("0.5"), "labels", lambda m: m.pop("version"))
    (violation,) = validate_store(nodes)
    assert violation.severity == "MUST"
    assert unwrap(violation.fix.attributes) == ("0.5", {"labels": ["organs"], "version": "0.5"})


@pytest.mark.parametrize("names", [None, ("x", "y", "z"), (None, "y", "x")])
def test_dimension_names_match_the_axes_since_0_5(names):
    nodes = replaced(store("0.5"), "0", dimension_names=names)
    assert [(v.severity, v.where) for v in validate_store(nodes)] == [("MUST", "0")]


@pytest.mark.parametrize("version", VERSIONS)
def test_versions_of_one_store_are_the_same(version):
    other = {"0.4": "0.5", "0.5": "0.4"}[version]
    nodes = store(version) | {p: n for p, n in store(other).items() if p.startswith("labels")}
    found = [v for v in validate_store(nodes) if "consistent within a hierarchy" in v.rule]
    assert {v.where.partition("#")[0] for v in found} == {"labels", ORGANS}


def test_old_labels_groups_tell_no_version_and_need_none():
    nodes = changed(store("0.4"), "", lambda m: m["multiscales"][0].update(version="0.3"))
    rules = [v.rule for v in validate_store(nodes) if v.where.startswith("labels#")]
    assert rules == []


@pytest.mark.parametrize("dtype", ["int8", "uint64", ">u2", "<i4"])
def test_every_integer_dtype_holds_labels_in_any_byte_order(dtype):
    nodes = store("0.4")
    for level in (0, 1):
        nodes = replaced(nodes, f"{ORGANS}/{level}", dtype=dtype)
    assert validate_store(nodes) == []


def test_a_group_between_holds_no_metadata():
    nodes = store("0.5", ["nested/vessels"])
    between = {
        "labels/nested": replaced(nodes, "labels", path="labels/nested", attributes={"a": 1})["labels"]
    }
    (violation,) = validate_store(nodes | between)
    assert (violation.severity, violation.where) == ("MUST", "labels/nested#")


def test_a_singleton_dimension_may_stand_for_any():
    nodes = replaced(store("0.5"), f"{ORGANS}/0", shape=(1, 8, 8))
    assert validate_store(replaced(nodes, f"{ORGANS}/1", shape=(1, 4, 4))) == []


def test_a_document_may_place_its_label_image_elsewhere():
    nodes = replaced(store("0.5"), f"{ORGANS}/0", shape=(8, 8, 5))
    document = Document("organs", ("organs",), (), "Binary labelmap", identity((8, 8, 5)))
    attributes = merge_document(nodes["labels"].attributes, document)
    (found,) = validate_store(replaced(nodes, "labels", attributes=attributes))
    assert found.severity == "SHOULD"
    assert "coordinate transformations" in found.rule  # its extent alone is told


def test_a_source_may_be_any_image_of_the_store():
    nodes = store("0.5") | image("0.5", "other", "uint8", ())
    nodes = label(nodes, lambda m: m["source"].update(image="../../other"))
    assert validate_store(nodes) == []


@pytest.mark.parametrize("nodes", [{}, {"": store("0.5")["0"]}])
def test_what_is_no_group_is_one_fault(nodes):
    if nodes:
        nodes = replaced(nodes, "", path="")
    (violation,) = validate_store(nodes)
    assert violation.severity == "MUST"
