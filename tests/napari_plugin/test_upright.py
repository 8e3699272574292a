"""The patient in napari: the right way round in each plane, whatever the order of the voxels, and not mirrored."""

import itertools

import numpy as np
import pytest

from ngffseg import Geometry, Segment, write_labels
from ngffseg.napari_plugin.sides import letters, orientation
from tests.napari_plugin import volumes
from tests.napari_plugin.conftest import session

# Axis of LPS across which a plane lies, and the letters at its left, right, top and bottom.
SIDES = {2: "RLAP", 0: "APSI", 1: "RLSI"}
# What runs to the right and down, as radiologists see it: axis of LPS, and whether it grows.
SEEN = {2: ((0, 1), (1, 1)), 1: ((0, 1), (2, -1)), 0: ((1, 1), (2, -1))}
# Axes of the world, which are those of the array, in LPS.
WORLD = {"lps": (2, 1, 0), "ras": (2, 1, 0), "pir": (0, 2, 1), "oblique": (2, 1, 0)}
COLORS = {7: 0, 2**63 + 5: 1}
# A turn of the table in the plane: napari draws no turns out of it.
TURNED = np.array([[0.8, -0.6, 0, -50], [0.6, 0.8, 0, 20], [0, 0, 2.5, -300], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    "order", [pytest.param("lps", marks=pytest.mark.long), "ras", pytest.param("pir", marks=pytest.mark.long)]
)
def test_each_plane_shows_the_patient_upright(screen, tmp_path, order):
    """Each pixel of a raster has the color of the label at its place in the patient, in the three planes of a roll."""
    affine, labels = volumes.ORDERS[order](), volumes.two_boxes()
    volumes.write(tmp_path / "a.zarr", affine, frame="patient")
    voxel = (28, 17, 12)  # near a corner of a box: each flip moves something
    opened, _, *answers, again = session(
        screen,
        ["open", f"{tmp_path}/a.zarr"],
        ["go", "boxes", voxel],
        *[["raster", 20], ["roll"]] * 3,
        ["raster", 100],
    )
    assert opened["requests"] > 0
    across = [validate(found, affine, labels, WORLD[order]) for found in answers[::2]]
    assert sorted(across) == [0, 1, 2]
    assert again["order"] == answers[0]["order"]


def validate(found, affine, labels, world):
    """Compare a raster with the labels, and return the axis of LPS across which its plane lies."""
    lps = np.empty(3)
    lps[list(world)] = found["world"]
    across = world[found["order"][0]]
    right, down = SEEN[across]
    seen = set()
    for row, line in zip(found["rows"], found["colors"], strict=True):
        for column, color in zip(found["columns"], line, strict=True):
            place = lps.copy()
            place[right[0]] += right[1] * column * found["pixel"]
            place[down[0]] += down[1] * row * found["pixel"]
            label = volumes.label_at(labels, affine, place)
            # Letters are gray, as the image is.
            if label is not None:
                assert (np.ptp(color) > 60) == (label != 0), (across, row, column, label, color)
                assert not label or np.argmax(color) == COLORS[label]
                seen.add(label)
    assert len(seen) > 1
    assert found["letters"] in (SIDES[across], None)
    return across


@pytest.mark.long
def test_an_oblique_scan(screen, tmp_path):
    """The axial plane of a patient who lies turned is exact; letters are those of the closest axes."""
    labels = volumes.two_boxes()
    volumes.write(tmp_path / "a.zarr", TURNED, frame="patient")
    _, _, found = session(
        screen, ["open", f"{tmp_path}/a.zarr"], ["go", "boxes", [28, 17, 12]], ["raster", 20]
    )
    assert validate(found, TURNED, labels, (2, 1, 0)) == 2


@pytest.mark.parametrize("order", [pytest.param("lps", marks=pytest.mark.long), "ras"])
def test_three_dimensions_are_not_mirrored(screen, tmp_path, order):
    """With the left at the right and the back below, what is at the front is closer to the feet."""
    labels = np.zeros(volumes.SHAPE, "uint8")
    labels[5:10, 20:40, 30:50], labels[25:30, 20:40, 30:50] = 7, 9
    segments = [Segment(7, color=volumes.RED), Segment(9, color=volumes.GREEN)]
    geometry = Geometry(volumes.SHAPE, volumes.ORDERS[order](), frame="patient")
    write_labels(tmp_path / "a.zarr", labels, name="boxes", segments=segments, geometry=geometry)
    _, _, words, _, found = session(
        screen,
        ["size", 600, 500],
        ["open", f"{tmp_path}/a.zarr"],
        ["three"],
        ["go", "boxes", [20, 30, 40]],
        ["raster", 4],
    )
    assert words == ["away", "down", "right"]
    assert found["letters"] in ("", None)
    colors = np.array(found["colors"]).reshape(-1, 3)
    assert (colors[:, 0] > colors[:, 1] + 60).sum() > 100
    assert not (colors[:, 1] > colors[:, 0] + 60).any()


def test_viewers_with_other_layers_and_without_a_patient_are_left_alone(screen, tmp_path):
    """Somebody's layer was there first; nobody said that it is a patient; all layers of patients went again."""
    volumes.write(tmp_path / "a.zarr", volumes.axial(), frame="patient")
    volumes.write(tmp_path / "b.zarr", volumes.axial())
    default = ["towards", "down", "right"]
    answers = session(
        screen,
        ["photo"],
        ["open", f"{tmp_path}/a.zarr"],
        ["letters"],
        ["remove", "photo", "ct", "boxes"],
        ["open", f"{tmp_path}/b.zarr"],
        ["letters"],
        ["remove", "ct", "boxes"],
        ["open", f"{tmp_path}/a.zarr"],
        ["transpose"],
        ["letters"],
        ["remove", "ct", "boxes"],
        ["letters"],
    )
    assert answers[2] in ("RLAP", None)
    assert answers[3] == default
    assert not answers[5]
    assert answers[6] == default
    assert answers[9] in ("APRL", None)
    assert answers[10] == default
    assert not answers[11]


def test_nothing_is_mirrored_however_the_world_lies():
    """What napari is told leads right, up and to the viewer as a right-handed turn of L, P, S; letters follow."""
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            course = dict(enumerate(zip(axes, signs, strict=True)))
            for order in itertools.permutations(range(3)):
                words = orientation(course, order)
                turn = np.zeros((3, 3))
                for axis, word, row in zip(order, words, (2, 1, 0), strict=True):
                    lps, sign = course[axis]
                    turn[row, lps] = sign * (1 if word in ("towards", "up", "right") else -1)
                assert np.linalg.det(turn) > 0, (course, order)
                told = letters(course[order[1]], course[order[2]], words[1:])
                assert told[1] in "LPS"
                assert told[3] in "LPI"


@pytest.mark.long
def test_painting_on_an_oblique_scan_keeps_it_upright(screen, tmp_path):
    """Its layers are turned to lie along the axes of the scan, which lead to the right and to anterior here."""
    volumes.write(tmp_path / "a.zarr", volumes.oblique() @ np.diag([-1.0, -1, 1, 1]), frame="patient")
    _, before, _, after = session(
        screen,
        ["open", f"{tmp_path}/a.zarr"],
        ["raster", 200],
        ["widget", "Paint on stored labels", {"layer": "boxes"}],
        ["raster", 200],
    )
    assert before["orientation"] == ["away", "down", "right"]
    assert after["orientation"] == ["away", "up", "left"]
    assert {before["letters"], after["letters"]} <= {"RLAP", None}
