"""The validation suites that the specification publishes, and the same ground in our own cases."""

import json

import pytest

from ngffseg.ngff import validate_attributes


def severities(attributes):
    return [v.severity for v in validate_attributes(attributes)]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("suite", ["image_suite", "label_suite"])
def test_the_published_suites(version, suite, shared_data):
    cases = json.loads((shared_data / "ngff_suites" / version / f"{suite}.json").read_text(encoding="utf-8"))[
        "tests"
    ]
    assert cases
    wrong = [c["formerly"] for c in cases if ("MUST" not in severities(c["data"])) != c["valid"]]
    assert wrong == []


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("suite", ["strict_image_suite", "strict_label_suite"])
def test_the_published_strict_suites(version, suite, shared_data):
    cases = json.loads((shared_data / "ngff_suites" / version / f"{suite}.json").read_text(encoding="utf-8"))[
        "tests"
    ]
    assert cases
    wrong = [c["formerly"] for c in cases if (severities(c["data"]) == []) != c["valid"]]
    assert wrong == []


Y, X = {"name": "y", "type": "space"}, {"name": "x", "type": "space"}
SCALE = {"type": "scale", "scale": [1, 1]}
SHIFT = {"type": "translation", "translation": [0, 0]}


def image(version="0.5", **changes):
    entry = {
        "name": "i",
        "axes": [Y, X],
        "datasets": [{"path": "0", "coordinateTransformations": [SCALE]}],
        **changes,
    }
    if version == "0.4":
        return {"multiscales": [{"version": "0.4", **entry}]}
    return {"ome": {"version": "0.5", "multiscales": [entry]}}


def datasets(*transforms, path="0"):
    return {"datasets": [{"path": path, "coordinateTransformations": list(transforms)}]}


def custom(*types):
    return {
        "axes": [{"name": f"a{n}", **({"type": t} if t else {})} for n, t in enumerate(types)],
        **datasets({"type": "scale", "scale": [1] * len(types)}),
    }


GOOD = {
    "plain": {},
    "translation": datasets(SCALE, SHIFT),
    "outer": {"coordinateTransformations": [SCALE]},
    "units": {"axes": [{**Y, "unit": "micron"}, {**X, "unit": "micrometer"}]},
    "custom axis": custom("custom", "space", "space"),
    "all five": custom("time", "channel", "space", "space", "space"),
}
BAD = {
    "duplicate axes": {"axes": [Y, Y]},
    "one axis": {"axes": [Y]},
    "six axes": custom("time", "channel", "space", "space", "space", "space"),
    "no space": custom("time", "channel"),
    "one space axis": custom("time", "channel", "space"),
    "four space axes": custom("space", "space", "space", "space"),
    "two channels": custom("channel", "custom", "space", "space"),
    "two times": custom("time", "time", "space", "space"),
    "channel before time": custom("channel", "time", "space", "space"),
    "space first": custom("space", "channel", "space"),
    "axis without name": {"axes": [{"type": "space"}, X]},
    "invalid axis type": {"axes": [{"name": "y", "type": "invalid"}, X]},
    "no axes": {"axes": []},
    "no datasets": {"datasets": []},
    "path is a number": datasets(SCALE, path=0),
    "no path": {"datasets": [{"coordinateTransformations": [SCALE]}]},
    "no transformations": {"datasets": [{"path": "0"}]},
    "empty transformations": datasets(),
    "no scale": datasets(SHIFT),
    "two scales": datasets(SCALE, SCALE),
    "translation first": datasets(SHIFT, SCALE),
    "wrong type": datasets({"type": "translation", "scale": [1, 1]}),
    "broken outer": {"coordinateTransformations": [{"type": "scale", "scale": ["a", "b"]}]},
}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("case", GOOD)
def test_good_images(case, version):
    assert severities(image(version, **GOOD[case])) == []


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("case", BAD)
def test_bad_images(case, version):
    assert "MUST" in severities(image(version, **BAD[case]))


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"multiscales": []},
        {"ome": {"version": "0.5", "multiscales": []}},
        {"ome": {"multiscales": image()["ome"]["multiscales"]}},
        {"ome": image("0.4")},
        image("0.4") | {"omero": {"channels": [{"color": 255, "window": {}}]}},
        {"multiscales": [image("0.4")["multiscales"][0] | {"version": "0.3"}]},
    ],
)
def test_other_bad_attributes(attributes):
    assert "MUST" in severities(attributes)


@pytest.mark.parametrize("version", ["0.6", "0.6rc0", "0.5-dev-spatialdata", "0.9"])
def test_an_unknown_version_cannot_be_judged(version):
    assert severities({"ome": {"version": version, "multiscales": 5}}) == ["UNKNOWN"]
    assert severities({"multiscales": [{"version": version, "axes": "?"}]}) == ["UNKNOWN"]


OLD_LEVELS = {"datasets": [{"path": "0"}, {"path": "1"}]}


@pytest.mark.parametrize(
    ("version", "image", "expected"),
    [
        ("0.1", OLD_LEVELS, ["UNKNOWN"]),
        ("0.2", OLD_LEVELS, ["UNKNOWN"]),
        ("0.3", OLD_LEVELS | {"axes": ["y", "x"]}, ["UNKNOWN"]),
        ("0.3", OLD_LEVELS, ["UNKNOWN", "MUST"]),
        ("0.3", OLD_LEVELS | {"axes": [{"name": "y"}, {"name": "x"}]}, ["UNKNOWN", "MUST"]),
        ("0.1", {"datasets": [{"path": 5}]}, ["UNKNOWN", "MUST"]),
        ("0.2", {}, ["UNKNOWN", "MUST"]),
    ],
)
def test_old_versions_are_judged_in_part(version, image, expected):
    assert severities({"multiscales": [{"version": version, **image}]}) == expected


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 0, 10**400])
def test_numbers_that_place_nothing(number):
    for version in ("0.4", "0.5"):
        assert "MUST" in severities(image(version, **datasets({"type": "scale", "scale": [number, 1]})))


def test_vectors_of_another_length():
    bad = datasets({"type": "scale", "scale": [1, 1, 1]})
    assert severities(image("0.5", **bad)) == ["MUST"]
    # The published suite of 0.4 has such a case among the valid ones; in a store it is found.
    assert severities(image("0.4", **bad)) == []


def label(version="0.5", **parts):
    if version == "0.4":
        return {"image-label": {"version": "0.4", **parts}}
    return {"ome": {"version": "0.5", "image-label": {"version": "0.5", **parts}}}


RGBA = [0, 0, 0, 0]
BAD_LABELS = {
    "empty colors": {"colors": []},
    "empty properties": {"colors": [{"label-value": 1}], "properties": []},
    "no value in colors": {"colors": [{"rgba": RGBA}]},
    "no value in properties": {"properties": [{"name": "a"}]},
    "three channels": {"colors": [{"label-value": 1, "rgba": [0, 0, 0]}]},
    "rgba 300": {"colors": [{"label-value": 1, "rgba": [300, 0, 0, 0]}]},
    "rgba text": {"colors": [{"label-value": 1, "rgba": ["0", 0, 0, 0]}]},
    "value 1.5": {"colors": [{"label-value": 1.5, "rgba": RGBA}]},
    "value 2.0": {"colors": [{"label-value": 2.0, "rgba": RGBA}]},
    "value -1": {"colors": [{"label-value": -1, "rgba": RGBA}]},
    "value 2^64": {"colors": [{"label-value": 2**64, "rgba": RGBA}]},
    "value true": {"colors": [{"label-value": True, "rgba": RGBA}]},
    "two colors of one value": {
        "colors": [{"label-value": 1, "rgba": RGBA}, {"label-value": 1, "rgba": [1, 1, 1, 1]}]
    },
    "source is no text": {"colors": [{"label-value": 1}], "source": {"image": 5}},
}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("case", BAD_LABELS)
def test_bad_labels(case, version):
    assert "MUST" in severities(label(version, **BAD_LABELS[case]))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_good_labels(version):
    values = [1, 2**53 + 1, 2**63 + 5, 2**64 - 1]
    colors = [{"label-value": v, "rgba": RGBA} for v in values]
    properties = [{"label-value": v, "class": "x"} for v in values]
    assert severities(label(version, colors=colors, properties=properties)) == []
    assert severities(label(version)) == ["SHOULD"]
    assert severities(label(version, colors=colors, properties=properties[1:])) == ["SHOULD"]


@pytest.mark.parametrize(
    "names", [[], ["a", "a"], [""], ["/a"], ["a/"], ["../a"], ["a/../b"], ["."], [5], "a", None]
)
def test_bad_registers(names):
    assert "MUST" in severities({"ome": {"version": "0.5", "labels": names}})
    assert "MUST" in severities({"labels": names})


def test_good_registers():
    assert severities({"ome": {"version": "0.5", "labels": ["a", "b/c", "..d", "Müller 肝"]}}) == []
    assert severities({"labels": ["a"]}) == []


def test_every_violation_is_one_clear_statement():
    for case in BAD.values():
        for violation in validate_attributes(image(**case)):
            assert violation.rule
            assert violation.expected
            assert violation.found
            assert violation.where.startswith("#/")
