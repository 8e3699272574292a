"""Labels of another extent than their image: told where boxes differ by more than half a voxel."""

import pytest

from ngffseg.ngff import validate_store
from tests.ngff.stores import changed, replaced, store

RULE = "usually having the same dimensions and coordinate transformations"


def told(nodes):
    return [v for v in validate_store(nodes) if RULE in v.rule]


def moved(nodes, level0, *, path="labels/organs"):
    """The store with other numbers of level 0, as (scale, translation)."""

    def edit(ome):
        steps = ome["multiscales"][0]["datasets"][0]["coordinateTransformations"]
        steps[0]["scale"], steps[1]["translation"] = level0

    return changed(nodes, path, edit)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_half_a_voxel_is_the_limit(version):
    nodes = store(version)
    assert told(nodes) == []
    assert told(moved(nodes, ([1, 1, 1], [0, 0.5, -0.5]))) == []
    (found,) = told(moved(nodes, ([1, 1, 1], [0, 0.6, 0])))
    assert (found.severity, found.where) == (
        "SHOULD",
        "labels/organs#/ome/multiscales/0" if version == "0.5" else "labels/organs#/multiscales/0",
    )
    assert (found.expected, found.found) == ("y from -0.5 to 7.5", "y from 0.1 to 8.1")
    assert told(moved(nodes, ([1, 1, 1.2], [0, 0, 0])))


def test_other_voxels_in_the_same_box():
    """Labels of half the resolution, with and without the shift of binning; one voxel may reach beyond."""
    for start in (0.5, 0.0):
        nodes = moved(store("0.5"), ([2, 2, 2], [start] * 3))
        document = {"segmentations": [{"layers": ["organs"]}]}  # so that its shape is free
        attributes = {**nodes["labels"].attributes, "ngffseg": document}
        nodes = replaced(replaced(nodes, "labels", attributes=attributes), "labels/organs/0", shape=(4, 4, 4))
        assert told(nodes) == []
        assert told(replaced(nodes, "labels/organs/0", shape=(4, 4, 5)))


def test_units_are_compared():
    def edit(unit):
        return lambda ome: [axis.update(unit=unit) for axis in ome["multiscales"][0]["axes"]]

    nodes = moved(changed(store("0.5"), "", edit("millimeter")), ([1000] * 3, [0] * 3))
    assert told(changed(nodes, "labels/organs", edit("micrometer"))) == []
    assert told(changed(nodes, "labels/organs", edit("millimeter")))


def test_where_nothing_is_known_nothing_is_told():
    nodes = moved(store("0.5"), ([1, 1, 1], [0, 90, 0]))
    assert told(nodes)
    blank = {**nodes[""].attributes, "ngffseg": {"placeholder": True}}
    assert told(replaced(nodes, "", attributes=blank)) == []

    def unknown(ome):
        ome["multiscales"][0]["coordinateTransformations"] = [{"type": "affine", "affine": []}]

    assert told(changed(nodes, "", unknown)) == []

    def broken(ome):
        ome["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"] = "large"

    assert told(changed(nodes, "labels/organs", broken)) == []
