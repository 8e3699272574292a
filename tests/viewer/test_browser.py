"""What a real browser draws: Chromium, driven by Playwright, without a window."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import numpy as np
import pytest
from matplotlib.image import imread

from ngffseg import Geometry, Segment, write_labels
from ngffseg.cli.main import run
from ngffseg.geometry import along_axes, ngff_origin
from ngffseg.store import metered
from ngffseg.viewer import open_viewer, screenshot
from tests.descendants import left_behind, marked
from tests.napari_plugin import volumes

MAIN = "from ngffseg.cli.main import main; main()"
# Playwright keeps an event loop for as long as it runs.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Browser:
    """A page with one panel that shows a plane of a store."""

    def __init__(self, page, viewing):
        self.page, self.viewing = page, viewing
        with viewing.viewer.txn() as state:
            state.layout = "xy"
            state.selected_layer.visible = False
            state.show_axis_lines = state.show_default_annotations = False
            state.cross_section_scale = 0.01  # a hundred pixels per voxel
        with viewing.viewer.config_state.txn() as shown:
            # The panel is all of the picture, so its middle is that of the picture.
            shown.show_ui_controls = shown.show_panel_borders = False
        page.goto(viewing.address)

    def at(self, position):
        """Red, green and blue drawn at a position of the view, which is moved into its middle."""
        with self.viewing.viewer.txn() as state:
            state.position = position
        # The state reaches the page, and then all that it needs.
        time.sleep(0.5)
        assert self.viewing.drawn(60)
        found = self.viewing.viewer.screenshot().screenshot.image_pixels
        height, width = found.shape[:2]
        return found[height // 2, width // 2, :3].astype(int)


def position(geometry, voxel):
    """Where a voxel is in the view: LPS, in steps along x, y and z."""
    from ngffseg.viewer.transform import output_steps

    z, y, x = voxel
    lps = (geometry.affine @ [x, y, z, 1])[:3]
    steps = output_steps(geometry)
    return [lps[n] / steps[axis] for n, axis in enumerate("xyz")]


@pytest.mark.parametrize(
    ("affine", "options"),
    [
        ("axial", {"ngff": "0.4"}),
        ("axial", {"shards": None}),
        ("sagittal", {}),
        ("oblique", {}),
    ],
)
def test_labels_are_drawn_in_their_colors_where_they_are(page, tmp_path, affine, options):
    """At the LPS place of known voxels, oblique or not, of every form of store."""
    turn = getattr(volumes, affine)()
    volumes.write(tmp_path / "a.zarr", turn, **options)
    geometry = Geometry(volumes.SHAPE, turn)
    with open_viewer(tmp_path / "a.zarr") as viewing:
        browser = Browser(page, viewing)
        seven, nine, nothing = (
            browser.at(position(geometry, voxel)) for voxel in (volumes.SEVEN, volumes.NINE, volumes.NOTHING)
        )
    assert np.argmax(seven) == 0
    assert seven[0] - seven[1:].max() > 60
    assert np.argmax(nine) == 1
    assert nine[1] - nine[[0, 2]].max() > 60
    assert nothing.max() - nothing.min() < 20


@pytest.mark.parametrize("whose", ["ours", "of 0.1"])
def test_a_translation_that_is_the_place_in_the_patient(page, tmp_path, whose):
    """What is along the axes of the patient says its LPS origin; 0.1 said where it lies along its own axes."""
    geometry = Geometry(volumes.SHAPE, volumes.sagittal(), frame="patient")
    write_labels(
        tmp_path / "a.zarr", volumes.two_boxes(), name="a", segments=volumes.SEGMENTS, geometry=geometry
    )
    if whose == "of 0.1":
        file = tmp_path / "a.zarr/labels/a/zarr.json"
        told = json.loads(file.read_text())
        before = np.array([ngff_origin(geometry), along_axes(geometry)])
        for dataset in told["attributes"]["ome"]["multiscales"][0]["datasets"]:
            translation = dataset["coordinateTransformations"][1]["translation"]
            dataset["coordinateTransformations"][1]["translation"] = (
                translation + before[1] - before[0]
            ).tolist()
        file.write_text(json.dumps(told))
    with open_viewer(tmp_path / "a.zarr") as viewing:
        browser = Browser(page, viewing)
        seven, nine = (browser.at(position(geometry, voxel)) for voxel in (volumes.SEVEN, volumes.NINE))
    assert np.argmax(seven) == 0
    assert seven[0] - seven[1:].max() > 60
    assert np.argmax(nine) == 1
    assert nine[1] - nine[[0, 2]].max() > 60


def test_a_voxel_is_drawn_around_its_centre(page, tmp_path):
    """Half a voxel to each side of where LPS has its centre, and no further."""
    labels = np.zeros((8, 9, 10), "uint8")
    labels[3, 4, 5] = 1
    affine = np.diag([1.5, 1.5, 3.0, 1.0])
    affine[:3, 3] = 10, -20, 30
    geometry = Geometry(labels.shape, affine)
    write_labels(
        tmp_path / "a.zarr", labels, name="a", segments=[Segment(1, color=volumes.RED)], geometry=geometry
    )
    with open_viewer(tmp_path / "a.zarr") as viewing:
        browser = Browser(page, viewing)
        for axis in range(3):
            for shift, inside in ((-0.6, False), (-0.4, True), (0.4, True), (0.6, False)):
                place = np.array([5.0, 4.0, 3.0])
                place[axis] += shift
                found = browser.at(position(geometry, place[::-1]))
                assert (found[0] - found[1:].max() > 100) == inside, (axis, shift, found)


def test_segments_are_listed_by_name_and_found(page, tmp_path):
    """The list shows names and exact ids; typing a name finds it."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    with open_viewer(tmp_path / "a.zarr") as viewing:
        page.goto(viewing.address)
        assert viewing.drawn(60)
        page.get_by_text("2 total ids").wait_for(timeout=30_000)
        assert page.get_by_text("seven", exact=True).is_visible()
        assert page.get_by_text(str(2**63 + 5)).first.is_visible()
        page.get_by_placeholder("Enter ID, name prefix").fill("nin")
        page.wait_for_timeout(3000)
        print(page.inner_text("body"))
        assert not page.get_by_text("seven", exact=True).is_visible()


def test_a_store_on_s3_takes_few_requests(page, bucket):
    """Small shards are fetched whole and once, however many parts the page asks for."""
    labels = np.kron(np.arange(1, 513, dtype="uint32").reshape(8, 8, 8), np.ones((32, 32, 32), "uint32"))
    write_labels(f"{bucket.url}/a.zarr", labels, name="cells")
    with metered() as meter, open_viewer(f"{bucket.url}/a.zarr") as viewing:
        page.goto(viewing.address)
        assert viewing.drawn(60)
        page.get_by_text("512 total ids").wait_for(timeout=30_000)
    assert 0 < meter.total < 30, meter.requests


def test_more_axes(page, tmp_path):
    """Time is an axis that can be moved along."""
    labels = np.zeros((3, 16, 24, 24), "uint16")
    labels[0], labels[2] = 1, 2
    geometry = Geometry(labels.shape, np.eye(4), ("t", "z", "y", "x"))
    segments = [Segment(1, color=volumes.RED), Segment(2, color=volumes.GREEN)]
    write_labels(tmp_path / "a.zarr", labels, name="a", segments=segments, geometry=geometry)
    with open_viewer(tmp_path / "a.zarr") as viewing:
        browser = Browser(page, viewing)
        first, second, third = (browser.at([12, 12, 8, t]) for t in range(3))
    assert np.argmax(first) == 0
    assert first[0] > 100
    assert second.max() - second.min() < 20
    assert np.argmax(third) == 1
    assert third[1] > 100


def test_the_command_writes_a_picture_and_ends(tmp_path):
    """One process, one file, nothing left running."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    words = [sys.executable, "-c", MAIN, "view", f"{tmp_path}/a.zarr", "--screenshot", f"{tmp_path}/a.png"]
    environment, mark = marked()
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    picture = imread(tmp_path / "a.png")
    assert picture.shape[:2] == (900, 1400)
    red = (picture[..., 0] - picture[..., 1:3].max(axis=-1)) > 0.3
    assert red.sum() > 500
    assert left_behind(mark) == []


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_stopped(tmp_path, number):
    """It says where, to whom, and until when; then nothing listens any more."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    words = [
        sys.executable,
        "-u",
        "-c",
        MAIN,
        "view",
        f"{tmp_path}/a.zarr",
        "--no-browser",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        address, said = process.stdout.readline().strip(), process.stdout.readline()
        assert address.startswith("http://127.0.0.1:")
        assert "this machine alone" in said
        port = urlsplit(address).port
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        os.kill(process.pid, number)
        _, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (0, "")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.zarr"], "no OME-Zarr store there"),
        (["a.zarr", "--name", "other"], "no label image 'other'"),
        (
            ["a.zarr", "--port", "TAKEN"],
            "of 127.0.0.1 cannot be used (Address already in use): choose another",
        ),
        (["a.zarr", "--port", "99999"], "99999 is not in the range"),
        (["a.zarr", "--screenshot", "no/such/folder/a.png"], "cannot be written"),
    ],
)
def test_bad_input_is_one_line(tmp_path, words, said, monkeypatch, capfd):
    """What, where, what to do; exit code 2. No browser is started for it."""
    monkeypatch.setattr(screenshot, "BROWSERS", ())
    monkeypatch.chdir(tmp_path)
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        given = [port if word == "TAKEN" else word for word in words]
        assert run(["view", *given, "--no-browser"]) == 2
    told = capfd.readouterr().err
    assert said in told
    assert told.count("\n") == 1
