"""The patient in the browser: the right way up in every panel, whatever the order of the voxels."""

import time

import numpy as np
import pytest

from ngffseg import Geometry, write_labels
from ngffseg.viewer import open_viewer
from tests.napari_plugin import volumes
from tests.viewer.conftest import SIZE

# Playwright keeps an event loop for as long as it runs.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
# Middles of the panels in a window of 1000 x 800 pixels: column and row.
MIDDLES = {"axial": (248, 198), "coronal": (752, 198), "sagittal": (248, 602)}
# What runs to the right and down, as radiologists see it: axis of LPS, and whether it grows.
SEEN = {"axial": ((0, 1), (1, 1)), "coronal": ((0, 1), (2, -1)), "sagittal": ((1, 1), (2, -1))}
# Letters at the left, the right, the top and the bottom.
SIDES = {"axial": "RLAP", "coronal": "RLSI", "sagittal": "APSI"}
BITMAPS = {
    "L": ["#....", "#....", "#....", "#....", "#....", "#....", "#####"],
    "R": ["####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#"],
    "A": [".###.", "#...#", "#...#", "#####", "#...#", "#...#", "#...#"],
    "P": ["####.", "#...#", "#...#", "####.", "#....", "#....", "#...."],
    "S": [".####", "#....", "#....", ".###.", "....#", "....#", "####."],
    "I": [".###.", "..#..", "..#..", "..#..", "..#..", "..#..", ".###."],
}
COLORS = {7: 0, 2**63 + 5: 1}


def shown(page, viewing, **changes):
    """All panels, without what lies beside and over them, after changes of the state."""
    with viewing.viewer.txn() as state:
        state.selected_layer.visible = False
        state.show_axis_lines = state.show_default_annotations = False
        for name, value in changes.items():
            setattr(state, name, value)
    with viewing.viewer.config_state.txn() as config:
        config.show_ui_controls = config.show_panel_borders = False
    page.goto(viewing.address)
    time.sleep(0.5)
    assert viewing.drawn(60)
    pixels = viewing.viewer.screenshot().screenshot.image_pixels
    assert pixels.shape[:2] == (SIZE["height"], SIZE["width"])
    return pixels[..., :3].astype(int)


def is_letter(pixel):
    """Whether it is as yellow as letters."""
    return (pixel[..., :2].min(axis=-1) > 200) & (pixel[..., 2] < 60)


@pytest.mark.parametrize("order", volumes.ORDERS)
def test_each_panel_shows_the_patient_upright(page, tmp_path, order):
    """Each pixel of a raster has the color of the label at its place in the patient, in three panels."""
    affine = volumes.ORDERS[order]()
    volumes.write(tmp_path / "a.zarr", affine, frame="patient")
    labels = volumes.two_boxes()
    step = np.linalg.norm(affine[:3, :3], axis=0).min()
    for voxel in ((28, 17, 12), (12, 48, 52)):  # near a corner of a box: each flip moves something
        lps = (affine @ [*voxel[::-1], 1])[:3]
        with open_viewer(tmp_path / "a.zarr") as viewing:
            units = viewing.viewer.state.dimensions.scales * 1000
            picture = shown(page, viewing, position=lps / units, cross_section_scale=0.15)
        seen = set()
        for panel, (right, down) in SEEN.items():
            for across in range(-180, 181, 20):
                for along in range(-160, 161, 20):
                    place = lps.copy()
                    place[right[0]] += right[1] * across * 0.15 * step
                    place[down[0]] += down[1] * along * 0.15 * step
                    label = volumes.label_at(labels, affine, place)
                    column, row = MIDDLES[panel]
                    found = picture[row + along, column + across]
                    if label is None or (label == 0 and is_letter(found)):
                        continue
                    seen.add((panel, label))
                    strong = np.ptp(found) > 60
                    assert strong == (label != 0), (panel, across, along, label, found)
                    assert not label or np.argmax(found) == COLORS[label], (panel, across, along, found)
        assert {label != 0 for _, label in seen} == {True, False}
        assert len({panel for panel, label in seen if label}) == 3


@pytest.mark.parametrize("order", ["ras", "oblique"])
def test_letters_tell_the_sides(page, tmp_path, order):
    """As written here cell by cell, at the four edges of each panel, in every plane of it."""
    volumes.write(tmp_path / "a.zarr", volumes.ORDERS[order](), frame="patient")
    with open_viewer(tmp_path / "a.zarr") as viewing:
        pictures = [shown(page, viewing)]
        state = viewing.viewer.state
        middle, scale = np.array(state.position), state.cross_section_scale
        pictures.append(shown(page, viewing, position=middle + 3, cross_section_scale=1.2 * scale))
    for picture in pictures:
        assert {panel: letters(picture, *MIDDLES[panel]) for panel in SIDES} == SIDES


def letters(picture, column, row):
    """Letters at the left, the right, the top and the bottom of a panel."""
    panel = np.argwhere(is_letter(picture)[row - 190 : row + 190, column - 240 : column + 240])
    first, last = panel.min(axis=0), panel.max(axis=0)
    found = ""
    for axis, edge, sign in ((1, first, 1), (1, last, -1), (0, first, 1), (0, last, -1)):
        near = panel[(panel[:, axis] - edge[axis]) * sign < 24]
        cells = near - near.min(axis=0)
        drawn = np.zeros(cells.max(axis=0) + 1, bool)
        drawn[tuple(cells.T)] = True
        found += read(drawn)
    return found


def read(drawn):
    """The letter that a bitmap shows, by its cells."""
    fits = {}
    for letter, lines in BITMAPS.items():
        expected = np.array([[cell == "#" for cell in line] for line in lines])
        expected = expected[:, expected.any(axis=0)]
        rows, columns = (
            ((np.arange(n) + 0.5) * m / n).astype(int)
            for n, m in zip(expected.shape, drawn.shape, strict=True)
        )
        fits[letter] = (drawn[np.ix_(rows, columns)] == expected).mean()
    best = max(fits, key=fits.get)
    return best if fits[best] > 0.9 else "?"


def test_nobody_is_a_patient_who_is_not_said_to_be(tmp_path):
    """Of a microscope there are no letters, and panels as neuroglancer has them."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    with open_viewer(tmp_path / "a.zarr") as viewing:
        state = viewing.viewer.state.to_json()
    assert state["layout"] == "4panel"
    assert [layer["type"] for layer in state["layers"]] == ["image", "segmentation"]


def test_layers_of_one_name_are_told_apart(tmp_path):
    """Panels list layers by name; a label image may be called as its image, or as the letters of a plane."""
    geometry = Geometry((4, 8, 8), np.eye(4), frame="patient")
    for name in ("axial", "labels"):
        write_labels(tmp_path / "a.zarr", np.ones((4, 8, 8), "uint8"), name=name, geometry=geometry)
    with open_viewer(tmp_path / "a.zarr") as viewing:
        state = viewing.viewer.state.to_json()
    names = [layer["name"] for layer in state["layers"]]
    assert names == ["axial (2)", "labels", "axial", "coronal", "sagittal"]
    assert state["selectedLayer"]["layer"] == "axial (2)"
    first = state["layout"]["children"][0]["children"][0]
    assert first["layers"] == ["axial (2)", "labels", "axial"]
