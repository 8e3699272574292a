"""People at real napari viewers: ``python -m tests.napari_plugin.session`` forks a process for each of them.

What takes longest is the same for all: it is imported, and compiled by numba, before the first of them comes. There
are no windows and no threads by then, so that nobody sees anything of another one.
"""

import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path

import napari
import npe2
import numba
import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from ngffseg.store import metered

# What each of them loads sooner or later.
LOADED = (
    *("napari.window", "napari._qt.layer_controls.qt_layer_controls_container", "pandas", "scipy.ndimage"),
    *("skimage.morphology", "ngffseg.napari_plugin.layers", "ngffseg.napari_plugin.saving"),
)


class Session:
    """Steps, each of which gives an answer."""

    def __init__(self):
        npe2.PluginManager.instance().discover()
        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(1200, 900)
        QApplication.processEvents()

    def open(self, url, plugin="ngffseg"):
        """Open an address, as with File > Open, and wait for the picture."""
        begin = time.monotonic()
        with metered() as meter:
            layers = self.viewer.open(url, plugin=plugin)
            self.picture()
        seconds = time.monotonic() - begin
        told = [
            {
                "name": layer.name, "visible": layer.visible, "multiscale": layer.multiscale,
                "shape": list(layer.data.shape), "dtype": str(layer.dtype), "editable": layer.editable,
            }
            for layer in layers
        ]  # fmt: skip
        return {"layers": told, "requests": meter.total, "seconds": seconds}

    def sample(self, key):
        """Open a sample of the plugin."""
        return [layer.name for layer in self.viewer.open_sample("ngffseg", key)]

    def size(self, width, height):
        """Make the window smaller: volumes are drawn without a graphics card, pixel by pixel."""
        self.viewer.window.resize(width, height)

    def go(self, layer, voxel):
        """Move the plane to a voxel of a layer."""
        world, ndim = self.viewer.layers[layer].data_to_world(voxel), self.viewer.dims.ndim
        self.viewer.dims.set_point(range(ndim - len(world), ndim), world)
        return list(world)

    def picture(self, path=None):
        """The canvas as it is drawn."""
        QApplication.processEvents()
        found = self.viewer.screenshot(path, canvas_only=path is None, flash=False)
        return found if path is None else None

    def place(self, layer, voxel):
        """Where on the canvas a voxel of a layer is: x and y in pixels."""
        # A layer of fewer axes has the last ones of the viewer.
        world = np.array(self.viewer.layers[layer].data_to_world(voxel))
        world = world[[axis - self.viewer.dims.ndim for axis in self.viewer.dims.displayed]]
        center, zoom = np.array(self.viewer.camera.center)[-2:], self.viewer.camera.zoom
        signs = [1 if word in ("down", "right") else -1 for word in self.viewer.camera.orientation2d]
        canvas = self.viewer.window._qt_viewer.canvas.native
        y, x = signs * (world - center) * zoom + np.array([canvas.height(), canvas.width()]) / 2
        return x, y

    def color(self, layer, voxel):
        """Red, green and blue that are drawn at a voxel."""
        x, y = self.place(layer, voxel)
        return self.picture()[round(y), round(x), :3].tolist()

    def raster(self, step):
        """Colors that are drawn at pixels so far from one another, with what tells where they are.

        The middle of the canvas shows the point; a pixel is so long in millimetres.
        """
        self.viewer.layers.selection = set()
        picture = self.picture()
        height, width = picture.shape[:2]
        camera, shown = self.viewer.camera, list(self.viewer.dims.displayed)
        world = np.array(self.viewer.dims.point)
        camera.center = (0, *world[shown])
        picture = self.picture()
        rows, columns = (np.arange(-n // 2 // step + 1, n // 2 // step) * step for n in (height, width))
        colors = picture[np.ix_(rows + height // 2, columns + width // 2)][..., :3]
        return {
            "order": list(self.viewer.dims.order), "world": world.tolist(), "pixel": 1 / camera.zoom,
            "rows": rows.tolist(), "columns": columns.tolist(), "colors": colors.tolist(),
            "orientation": [str(word) for word in camera.orientation], "letters": self.letters(),
        }  # fmt: skip

    def letters(self):
        """What is written at the left, the right, the top and the bottom; None before napari 0.9."""
        overlays = getattr(getattr(self.viewer, "canvas", None), "overlays", None)
        if overlays is None:
            return None
        names = [f"ngffseg_{edge}" for edge in ("middle_left", "middle_right", "top_center", "bottom_center")]
        return "".join(overlays[n].text for n in names if n in overlays and overlays[n].visible)

    def roll(self):
        """Press the button that rolls the axes."""
        self.viewer.dims.roll()

    def transpose(self):
        """Press the button that exchanges the axes of the plane."""
        self.viewer.dims.transpose()

    def three(self):
        """Show three dimensions."""
        self.viewer.dims.ndisplay = 3
        return [str(word) for word in self.viewer.camera.orientation]

    def photo(self):
        """A layer of somebody else."""
        self.viewer.add_image(np.zeros((8, 8, 8)), name="photo")

    def remove(self, *names):
        """Remove layers."""
        for name in names:
            self.viewer.layers.remove(name)
        return [str(word) for word in self.viewer.camera.orientation]

    def contour(self, layer, width):
        """Show labels as outlines so many voxels wide."""
        self.viewer.layers[layer].contour = width

    def hide(self, layer):
        """Hide a layer."""
        self.viewer.layers[layer].visible = False

    def value(self, layer, voxel):
        """The label that napari tells of a voxel, and what the status bar says."""
        shown = self.viewer.layers[layer]
        world = shown.data_to_world(voxel)
        found = shown.get_value(world, world=True)
        status = shown.get_status(world, world=True)["value"]
        return [int(found[1] if isinstance(found, tuple) else found), status]

    def widget(self, name, **values):
        """Fill in a widget of the plugin and press its button."""
        _, widget = self.viewer.window.add_plugin_dock_widget("ngffseg", name)
        for key, value in values.items():
            getattr(widget, key).value = self.viewer.layers[value] if key == "layer" else value
        begin = time.monotonic()
        answer = widget()
        return {"answer": answer if isinstance(answer, str) else None, "seconds": time.monotonic() - begin}

    def stroke(self, layer, start, stop, label, size):
        """Paint with the mouse from one voxel to another."""
        shown = self.viewer.layers[layer]
        self.viewer.layers.selection = {shown}
        shown.mode, shown.brush_size, shown.selected_label = "paint", size, label
        QApplication.processEvents()
        canvas = self.viewer.window._qt_viewer.canvas.native
        points = [QPoint(*(round(v) for v in self.place(layer, voxel))) for voxel in (start, stop)]
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        QTest.mouseMove(canvas, points[0])
        QTest.mousePress(canvas, left, none, points[0])
        for part in range(1, 11):
            QTest.mouseMove(canvas, points[0] + (points[1] - points[0]) * part / 10)
            QApplication.processEvents()
        QTest.mouseRelease(canvas, left, none, points[1])
        QApplication.processEvents()
        return {"changed": len(shown._undo_history)}

    def undo(self, layer):
        """Take the last stroke back."""
        self.viewer.layers[layer].undo()

    def new_labels(self, like, name):
        """A new layer of labels over a layer, with a block of label 3 in it."""
        under = self.viewer.layers[like]
        data = np.zeros(under.data.shape, "uint16")
        data[tuple(slice(n // 4, n // 2) for n in data.shape)] = 3
        layer = self.viewer.add_labels(data, name=name, affine=under.affine.affine_matrix, units=under.units)
        return layer.name

    def draw_new(self, over, name):
        """Press the button for a new layer of labels over a layer; a block of label 3 in it."""
        self.viewer.layers.selection = {self.viewer.layers[over]}
        self.viewer._new_labels()
        layer = self.viewer.layers[-1]
        layer.name, layer.data[tuple(slice(n // 4, n // 4 + 10) for n in layer.data.shape)] = name, 3
        return [list(layer.axis_labels), list(layer.data.shape)]

    def clear(self):
        """Remove all layers."""
        self.viewer.layers.clear()

    def save(self, path, *names):
        """Save layers, as with File > Save."""
        self.viewer.layers.selection = {self.viewer.layers[name] for name in names}
        return self.viewer.layers.save(path, selected=True, plugin="ngffseg")

    def table(self, layer):
        """The table of features."""
        features = self.viewer.layers[layer].features
        return {key: [str(v) for v in features[key]][:50] for key in features}


def answer(steps):
    """Do steps, and return what is answered to each."""
    session, answers = Session(), []
    for name, *arguments in steps:
        options = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
        try:
            found = getattr(session, name)(*arguments, **options)
        except Exception as error:  # told to the test, as napari tells it to people
            found = {"error": f"{type(error).__name__}: {error}"}
        answers.append(found)
    session.viewer.close()
    return answers


def attend(steps, environment, log, answers):
    """Do steps in this process, which ends; what it prints goes into one file, the answers into another."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update(environment)
        output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for number in (1, 2):
            os.dup2(output, number)
        Path(answers).write_text(json.dumps(answer(steps)), encoding="utf-8")
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main():
    """Attend to each line of the input in a process of its own, and print its exit code when it has ended."""
    prepare()
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            attend(*json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


def prepare():
    """Load what all need, and have compiled by what napari finds the colors of labels: numba keeps none of it."""
    for name in LOADED:
        importlib.import_module(name)
    for kind in ("uint32", "uint64"):
        colors = numba.typed.Dict.empty(getattr(numba.types, kind), numba.types.uint8)
        colors[np.dtype(kind).type(1)] = np.uint8(1)


if __name__ == "__main__":
    main()
