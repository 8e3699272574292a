"""Images with channels and time in the browser: their layers lie over one another by the names of their axes."""

import json

import numpy as np
import pytest

from ngffseg import Segment, write_labels
from ngffseg.geometry import described_grid
from ngffseg.labels import open_contents
from ngffseg.model import Volume
from ngffseg.viewer import open_viewer
from ngffseg.viewer.state import viewer_state
from tests.napari_plugin import volumes
from tests.viewer.test_browser import Browser

# Playwright keeps an event loop for as long as it runs.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
SIZES = {"t": 2, "c": 2, "z": 6, "y": 24, "x": 20}
SCALE = {"t": 3.0, "z": 2.0, "y": 0.5, "x": 0.5}
# Of three places: the first is in channel 0, the second in channel 1, the third in the labels.
PLACES = ({"z": 1, "y": 4, "x": 3}, {"z": 4, "y": 12, "x": 9}, {"z": 2, "y": 20, "x": 15})


def grid(axes):
    scale = {axis: SCALE[axis] for axis in axes if axis != "c"}
    return described_grid([SIZES[axis] for axis in axes], axes=axes, scale=scale, translation={"y": 5})


def marked(axes, dtype, *marks):
    """An array with values around places."""
    found = np.zeros([SIZES[axis] for axis in axes], dtype)
    for place, value in marks:
        box = [slice(place[a] - 1, place[a] + 2) if a in "zyx" else place.get(a, slice(None)) for a in axes]
        found[tuple(box)] = value
    return found


def microscope(folder, layout, labels, version):
    """A red channel, and a green one that is bright at the last time alone; blue labels at all times, or the first."""
    late = {"t": 1} if "t" in layout else {}
    first = {"t": 0} if "t" in labels else {}
    image = marked(layout, "uint16", (PLACES[0] | {"c": 0}, 200), (PLACES[1] | late | {"c": 1}, 200))
    cells = marked(labels, "uint8", (PLACES[2] | first, 7))
    write_labels(
        folder, cells, name="cells", geometry=grid(labels), image=Volume(image, grid(layout)), ngff=version,
        segments=[Segment(7, name="seven", color=(0, 0, 255, 255))],
    )  # fmt: skip
    file = folder / (".zattrs" if version == "0.4" else "zarr.json")
    document = json.loads(file.read_text())
    told = document if version == "0.4" else document["attributes"]["ome"]
    window = {"start": 0, "end": 200}
    told["omero"] = {
        "channels": [
            {"label": "A", "color": "FF0000", "window": window},
            {"label": "B", "color": "00FF00", "window": window},
        ]
    }
    file.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("layout", "labels", "version"),
    [
        ("tczyx", "tzyx", "0.5"),
        ("tczyx", "zyx", "0.4"),
        pytest.param("cyx", "yx", "0.5", marks=pytest.mark.long),
    ],
)
def test_channels_and_labels_lie_over_one_another(page, tmp_path, layout, labels, version):
    """Colors of omero at known voxels of each time, labels where they are, and nowhere else."""
    microscope(tmp_path / "a.zarr", layout, labels, version)
    names = [axis for axis in "xyzt" if axis in layout]
    with open_viewer(tmp_path / "a.zarr") as viewing:
        assert [layer.name for layer in viewing.viewer.state.layers] == ["A", "B", "cells"]
        browser = Browser(page, viewing)
        for t in range(SIZES["t"] if "t" in layout else 1):
            start = {"y": 5 / 0.5}
            red, green, blue = (
                browser.at([(place | {"t": t})[axis] + start.get(axis, 0) for axis in names])
                for place in PLACES
            )
            assert (red[0], *red[1:]) == (255, 0, 0)
            assert tuple(green) == ((0, 255, 0) if t == 1 or "t" not in layout else (0, 0, 0))
            shown = t == 0 or "t" not in labels
            assert (blue[2] > 100) == shown, (t, blue)
            assert max(blue[:2]) < 20


def test_the_place_of_layers_along_channels_is_their_own(tmp_path):
    """Of an image and of labels that have channels; hidden and inverted channels are as omero says."""
    microscope(tmp_path / "a.zarr", "tczyx", "tczyx", "0.5")
    file = tmp_path / "a.zarr" / "zarr.json"
    document = json.loads(file.read_text())
    document["attributes"]["ome"]["omero"]["channels"][1] |= {"active": False, "inverted": True}
    file.write_text(json.dumps(document))
    state = viewer_state(open_contents(tmp_path / "a.zarr"), "http://data/", "http://told/")
    layers = state["layers"]
    assert [layer["name"] for layer in layers] == ["A", "B", "cells: A", "cells: B"]
    assert [layer["localPosition"] for layer in layers] == [[0], [1], [0], [1]]
    assert [layer.get("visible", True) for layer in layers] == [True, False, True, True]
    assert [layer["shaderControls"]["normalized"]["range"] for layer in layers[:2]] == [[0, 200], [200, 0]]
    assert list(state["dimensions"]) == ["x", "y", "z", "t"]


def test_an_image_without_channels_is_gray(tmp_path):
    """Its layer is as it always was."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    state = viewer_state(open_contents(tmp_path / "a.zarr"), "http://data/", "http://told/")
    assert state["layers"][0]["name"] == "ct"
    assert {"shader", "blend", "localPosition"} & set(state["layers"][0]) == set()
