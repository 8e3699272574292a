"""Pictures show labels in their colors where they are; judged pixel by pixel."""

import json
import subprocess
import sys

import numpy as np
import pytest
import zarr
from matplotlib.image import imread

from ngffseg import Geometry, Segment, Segmentation, plot_levels, plot_slices, write_labels
from ngffseg.cli.main import run
from ngffseg.errors import StoreNotFoundError, UsageError
from ngffseg.labels import write_segmentation
from ngffseg.ngff import made_up_color
from ngffseg.pictures import plot_store
from ngffseg.store import metered
from tests.napari_plugin import volumes


def panels(figure):
    """The pictures of a figure, as they were handed to matplotlib."""
    return [axes.images[0].get_array() for axes in figure.axes if axes.images]


def titles(figure):
    return [axes.get_title() for axes in figure.axes if axes.images]


def letters(figure):
    """Letters at the left, the right, the top and the bottom of each panel."""
    return ["".join(text.get_text() for text in axes.texts) for axes in figure.axes if axes.images]


def legend(figure):
    """Names and colors of the legend."""
    found = figure.legends[0]
    return {
        text.get_text(): tuple(round(c * 255) for c in patch.get_facecolor()[:3])
        for text, patch in zip(found.get_texts(), found.get_patches(), strict=True)
    }


def test_slices_are_in_colors_over_the_image(tmp_path):
    """A known voxel of each segment, of the image, and of nothing."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    figure = plot_slices(tmp_path / "a.zarr")
    # There are labels from 10 to 30.
    assert titles(figure) == ["z = 14", "z = 18", "z = 21", "z = 25"]
    first, last = panels(figure)[0], panels(figure)[-1]
    assert first.shape == (60, 80, 3)
    np.testing.assert_allclose(last[14, 19] - last[14, 19].min(), [0.55, 0, 0], atol=1e-6)
    np.testing.assert_allclose(first[44, 59] - first[44, 59].min(), [0, 0.55, 0], atol=1e-6)
    assert np.ptp(first[14, 19]) == 0
    assert np.ptp(first[50, 70]) == 0
    assert first[0, 0].tolist() == [0, 0, 0]
    assert legend(figure) == {"seven": (255, 0, 0), "nine": (0, 255, 0)}


@pytest.mark.parametrize("order", volumes.ORDERS)
@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_planes_are_turned_as_people_expect(tmp_path, order, axis):
    """Of every order of voxels: front or head up, left or back at the right, and letters that say so."""
    affine, labels = volumes.ORDERS[order](), volumes.two_boxes()
    volumes.write(tmp_path / "a.zarr", affine, frame="patient")
    figure = plot_slices(tmp_path / "a.zarr", axis=axis, panels=12)
    place = "zyx".index(axis)
    directions = affine[:3, 2::-1] / np.linalg.norm(affine[:3, 2::-1], axis=0)
    shown = [n for n in range(3) if n != place]
    # The axis of LPS that each is closest to: left to the right, the others down, but for the head.
    closest = {n: int(np.abs(directions[:, n]).argmax()) for n in range(3)}
    right, down = sorted(shown, key=closest.get)
    for title, picture in zip(titles(figure), panels(figure), strict=True):
        plane = np.take(labels, int(title.removeprefix(f"{axis} = ")), axis=place)
        if shown != [down, right]:
            plane = plane.T
        for side, (axis_seen, grows) in enumerate(((down, closest[down] != 2), (right, True))):
            if (directions[closest[axis_seen], axis_seen] > 0) != grows:
                plane = np.flip(plane, axis=side)
        assert picture.shape[:2] == plane.shape
        for value, channel in ((7, 0), (2**63 + 5, 1)):
            others = np.delete(picture, channel, axis=-1).max(axis=-1)
            np.testing.assert_array_equal(picture[..., channel] - others > 0.5, plane == value)
    sides = {(0, 1): "RLAP", (0, 2): "RLSI", (1, 2): "APSI"}[closest[right], closest[down]]
    assert letters(figure) == [sides] * len(panels(figure))


def test_other_images_have_no_letters_and_are_not_turned(tmp_path):
    """Nobody has said that it is a patient."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    figure = plot_slices(tmp_path / "a.zarr", axis="y", panels=12)
    assert any(picture[24, 19, 0] - picture[24, 19, 1:].max() > 0.5 for picture in panels(figure))
    assert letters(figure) == [""] * len(panels(figure))


def test_levels_side_by_side_are_those_of_the_store(tmp_path):
    """The same place at each level, every voxel in the color of its label."""
    image = volumes.write(tmp_path / "a.zarr", volumes.axial())
    figure = plot_levels(tmp_path / "a.zarr")
    found = panels(figure)
    assert len(found) == len(image._arrays) == 2
    table = {0: (0, 0, 0), 7: (255, 0, 0), 2**63 + 5: (0, 255, 0)}
    for level, picture in enumerate(found):
        plane = image.levels[level][20 * image._arrays[level].shape[0] // 40].compute()
        expected = np.array([[table[int(v)] for v in row] for row in plane]) / 255
        np.testing.assert_allclose(picture, expected)
    assert titles(figure)[1] == "level 1: 40 x 30 x 40\n2.5 x 2.4 x 2"


def test_overlaps_and_colors_that_nobody_gave(tmp_path):
    """A second layer lies over the first; what has no color gets one that is always the same."""
    labels = np.full((4, 8, 8), 3, "uint16")
    over = np.zeros_like(labels)
    over[:, :4] = 5
    segments = (Segment(3, name="below"), Segment(5, id="o", name="above", layer=1, color=(0, 0, 255, 255)))
    write_segmentation(
        tmp_path / "a.zarr",
        Segmentation((labels, over), segments, Geometry(labels.shape, np.eye(4))),
        name="a",
    )
    figure = plot_slices(tmp_path / "a.zarr", panels=1)
    (picture,) = panels(figure)
    below = 0.55 * np.array(made_up_color(3)[:3]) / 255
    np.testing.assert_allclose(picture[6, 1], below)
    np.testing.assert_allclose(picture[2, 1], 0.45 * below + [0, 0, 0.55])
    assert list(legend(figure)) == ["below", "above"]


def test_two_dimensions_and_time(tmp_path):
    """A plane is one panel; of time, the first."""
    labels = np.zeros((2, 6, 7), "uint8")
    labels[0, 2, 3], labels[1] = 4, 9
    geometry = Geometry(labels.shape, np.eye(4), ("t", "y", "x"))
    write_labels(
        tmp_path / "a.zarr", labels, name="a", segments=[Segment(4, color=volumes.RED)], geometry=geometry
    )
    (picture,) = panels(plot_slices(tmp_path / "a.zarr"))
    assert np.argwhere(picture.any(axis=-1)).tolist() == [[2, 3]]
    with pytest.raises(UsageError, match="leave out the axis"):
        plot_slices(tmp_path / "a.zarr", axis="z")


def test_channels_are_drawn_in_their_colors(tmp_path):
    """Under labels that have no channels, each where it is; one that omero hides is left out."""
    image = np.zeros((2, 3, 4, 16, 18), "uint16")
    image[0, 0, 2, 3, 5], image[0, 1, 2, 9, 9], image[0, 2] = 100, 50, 100
    labels = np.zeros(image.shape[2:], "uint8")
    labels[2, 12, 15] = 4
    store, red = tmp_path / "a.zarr", Segment(4, color=volumes.RED)
    write_labels(store, labels, name="a", segments=[red], axes="zyx", image=image, scale=(3, 1, 1))
    document = json.loads((store / "zarr.json").read_text())
    window = {"window": {"start": 0, "end": 100}}
    channels = [{"color": "0000FF"}, {"color": "00FF00"}, {"color": "FF0000", "active": False}]
    document["attributes"]["ome"]["omero"] = {"channels": [channel | window for channel in channels]}
    (store / "zarr.json").write_text(json.dumps(document))
    (picture,) = panels(plot_slices(store, panels=1))
    expected = np.zeros((16, 18, 3))
    expected[3, 5, 2], expected[9, 9, 1], expected[12, 15, 0] = 1, 0.5, 0.55
    np.testing.assert_allclose(picture, expected)


def test_large_images_are_drawn_from_coarse_levels(tmp_path):
    """No more voxels than a screen shows, and no more chunks than those planes."""
    labels = zarr.zeros(shape=(64, 2048, 2048), chunks=(64, 256, 256), dtype="uint8")
    labels[:, 100:1900, 100:1900] = 1
    write_labels(tmp_path / "a.zarr", labels, name="a", chunks=128)
    with metered() as meter:
        figure = plot_slices(tmp_path / "a.zarr")
    assert {picture.shape for picture in panels(figure)} == {(1024, 1024, 3)}
    assert meter.total < 40, meter.requests


def test_bad_input_is_told(tmp_path):
    """No labels, several, a wrong axis."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    with pytest.raises(UsageError, match="choose one of z, y, x"):
        plot_slices(tmp_path / "a.zarr", axis="t")
    geometry = Geometry(volumes.SHAPE, volumes.axial())
    write_labels(tmp_path / "a.zarr", volumes.two_boxes("uint8"), name="more", geometry=geometry)
    with pytest.raises(UsageError, match="name one of boxes, more"):
        plot_levels(tmp_path / "a.zarr")
    assert len(panels(plot_store(tmp_path / "a.zarr"))) == 2 * (4 + 2)
    with pytest.raises(StoreNotFoundError, match="no OME-Zarr store"):
        plot_slices(tmp_path / "b.zarr")


def test_info_writes_a_picture(tmp_path, capsys):
    """Beside the tables, and with them in JSON; a file that cannot be written is one line."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    assert run(["info", f"{tmp_path}/a.zarr", "--png", f"{tmp_path}/a.png", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["labels"][0]["name"] == "boxes"
    picture = imread(tmp_path / "a.png")
    assert ((picture[..., 0] - picture[..., 1:3].max(axis=-1)) > 0.5).sum() > 1000
    again = (tmp_path / "a.png").read_bytes()
    assert run(["info", f"{tmp_path}/a.zarr", "--png", f"{tmp_path}/a.png"]) == 0
    assert (tmp_path / "a.png").read_bytes() == again
    assert run(["info", f"{tmp_path}/a.zarr", "--png", f"{tmp_path}/no/a.png"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_without_matplotlib(tmp_path):
    """The line says how to install it."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    program = (
        "import sys; sys.modules['matplotlib'] = sys.modules['matplotlib.figure'] = None\n"
        "from ngffseg.cli.main import main; main(['info', sys.argv[1], '--png', 'a.png'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, f"{tmp_path}/a.zarr"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == "ngffseg: pictures need matplotlib: pip install 'ngffseg[plot]'\n"
