"""The patient the right way round in a viewer of napari, with letters that say which side is which."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from ngffseg.geometry import SPACE, Geometry
from ngffseg.napari_plugin.layers import KEY

# Letters of the two ends of each axis of LPS.
ENDS = ("RL", "AP", "IS")
LEFT, POSTERIOR, SUPERIOR = range(3)
# Where on the canvas letters are, by the names that napari has for it.
EDGES = ("middle_left", "middle_right", "top_center", "bottom_center")
# For axes of the world by number, the axis of LPS that each is closest to, and 1 or -1 as it leads there or away.
Course = dict[int, tuple[int, int]]
_watched: weakref.WeakKeyDictionary[Any, Upright] = weakref.WeakKeyDictionary()


def keep_upright() -> None:
    """Turn the viewer that is in use when layers of patients come into it; nothing else is ever turned.

    napari tells no reader which viewer it reads for; where it is another one, that stays as it is.
    """
    viewers = sys.modules.get("napari.viewer")
    viewer = viewers.current_viewer() if viewers is not None else None
    if viewer is not None and viewer not in _watched:
        _watched[viewer] = Upright(viewer)


def turn_anew(viewer: Any) -> None:
    """Look at the layers of a viewer again, which now lie elsewhere."""
    if viewer in _watched:
        _watched[viewer].update()


class Upright:
    """Turns the camera of a viewer as radiologists see a patient, and keeps letters at its edges.

    In slices the head is up, the front is up or at the left, and the left of the patient is at the right; in
    three dimensions nothing is mirrored. The camera is left alone where layers of others were there first.

    Parameters
    ----------
    viewer
        The viewer; it is not kept alive.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = weakref.ref(viewer)
        # How the camera was turned before, and by this; None where it is left alone.
        self._before: tuple[Any, ...] | None = None
        self._turned: tuple[Any, ...] | None = None
        # The order of axes that napari thinks of, and the one that was made of it.
        self._meant = self._made = tuple(viewer.dims.order)
        viewer.layers.events.inserted.connect(self.update)
        viewer.layers.events.removed.connect(self.update)
        viewer.dims.events.order.connect(self._order_changed)
        viewer.dims.events.ndisplay.connect(self.update)
        _camera(viewer).events.orientation.connect(self._tell)

    def update(self, _: object = None) -> None:
        """Turn the camera to what is there now."""
        viewer = self._viewer()
        if viewer is None:
            return
        course, camera = _course(viewer), _camera(viewer)
        if not any(map(_is_patient, viewer.layers)):
            if self._before is not None and tuple(camera.orientation) == self._turned:
                camera.orientation = self._before
            self._before = None
        elif self._before is None and all(map(_is_patient, viewer.layers)):
            self._before = tuple(camera.orientation)
        if course is not None and self._before is not None:
            camera.orientation = orientation(course, viewer.dims.order)
            self._turned = tuple(camera.orientation)
        self._tell()

    def _order_changed(self, _: object = None) -> None:
        """Lay planes so that the head can be up: napari's roll gives the coronal one on its side."""
        viewer = self._viewer()
        if viewer is None:
            return
        order = tuple(viewer.dims.order)
        if order == self._made:
            return
        if len(order) != len(self._made):  # layers of other numbers of axes came or went
            self._meant = self._made = order
            return
        if order == _rolled(viewer.dims, self._made):
            order = _rolled(viewer.dims, self._meant)
        turned, course = order, _course(viewer)
        # Who exchanges the two axes of a plane wants it so.
        exchanged = set(order[-2:]) == set(self._made[-2:])
        if self._before is not None and course is not None and viewer.dims.ndisplay == 2 and not exchanged:
            first, second = (course[axis][0] for axis in order[-2:])
            if second == SUPERIOR or (first, second) == (LEFT, POSTERIOR):
                turned = (*order[:-2], order[-1], order[-2])
        self._meant, self._made = order, turned
        viewer.dims.order = turned
        self.update()

    def _tell(self, _: object = None) -> None:
        """Put letters at the edges of the canvas; none in space, or where nobody knows the sides."""
        viewer = self._viewer()
        overlays = getattr(getattr(viewer, "canvas", None), "overlays", None)
        if viewer is None or overlays is None:  # before napari 0.9 there is one text, which is the user's
            return
        course = _course(viewer) if viewer.dims.ndisplay == 2 else None
        if course is None:
            texts = ("",) * len(EDGES)
        else:
            down, right = (course[axis] for axis in viewer.dims.order[-2:])
            texts = letters(down, right, [str(word) for word in _camera(viewer).orientation[1:]])
        for edge, text in zip(EDGES, texts, strict=True):
            _write(overlays, edge, text)


def _write(overlays: Any, edge: str, text: str) -> None:
    from napari.components.overlays import TextOverlay

    name = f"ngffseg_{edge}"
    if name not in overlays:
        overlays[name] = TextOverlay(position=edge, font_size=16)
    overlays[name].text, overlays[name].visible = text, bool(text)


def orientation(course: Course, order: Sequence[int]) -> tuple[str, str, str]:
    """Where the axes of the world have to lead: depth, vertical and horizontal, in the words of napari.

    The head is up or at the right, the left at the right or below, the back at the right or below; depth is what
    mirrors nothing.
    """
    vertical, horizontal = order[-2:]
    (depth,) = set(course) - {vertical, horizontal}
    (deep, far), (steep, high), (flat, right) = (course[axis] for axis in (depth, vertical, horizontal))
    rises = 1 if steep == SUPERIOR else -1
    # L, P, S is right-handed, and so are right, up and towards the viewer.
    nears = rises * round(np.linalg.det(np.eye(3)[[flat, steep, deep]]))
    return (
        "towards" if nears * far > 0 else "away",
        "up" if rises * high > 0 else "down",
        "right" if right > 0 else "left",
    )


def letters(down: tuple[int, int], right: tuple[int, int], words: list[str]) -> tuple[str, str, str, str]:
    """Letters at the left, the right, the top and the bottom of a plane, as the camera shows it now."""
    row, column = (
        ENDS[axis][:: sign if word in ("right", "down") else -sign]
        for (axis, sign), word in ((right, words[1]), (down, words[0]))
    )
    return row[0], row[1], column[0], column[1]


def _is_patient(layer: Any) -> bool:
    geometry: Geometry | None = layer.metadata.get(KEY, {}).get("geometry")
    return geometry is not None and geometry.frame == "patient" and len(geometry.spatial_axes) == len(SPACE)


def _course(viewer: Any) -> Course | None:
    """Where the axes of the world lead in the patient, by number; None where layers differ or there is none.

    It is told by where the layers lie now: people turn them, and so does painting on oblique planes.
    """
    found = [_course_of(layer, viewer.dims.ndim) for layer in viewer.layers if _is_patient(layer)]
    if not found or any(course != found[0] for course in found):
        return None
    return found[0] if set(viewer.dims.displayed) <= set(found[0]) else None


def _course_of(layer: Any, ndim: int) -> Course:
    geometry: Geometry = layer.metadata[KEY]["geometry"]
    axes = [axis for axis in geometry.axes if axis != "c" or layer.ndim == len(geometry.axes)]
    places = [axes.index(axis) for axis in SPACE]
    zero = np.asarray(layer.data_to_world(np.zeros(layer.ndim)))
    steps = np.stack([layer.data_to_world(np.eye(layer.ndim)[place]) - zero for place in places], axis=1)
    # Directions in the patient of steps along the axes of the world.
    turn = geometry.affine[:3, 2::-1] @ np.linalg.inv(steps[places])
    turn /= np.linalg.norm(turn, axis=0)
    closest = np.abs(turn).argmax(axis=0).tolist()
    if len(set(closest)) < len(SPACE):
        return {}
    shift = ndim - layer.ndim
    return {
        shift + place: (row, 1 if turn[row, column] > 0 else -1)
        for column, (place, row) in enumerate(zip(places, closest, strict=True))
    }


def _rolled(dims: Any, order: tuple[int, ...]) -> tuple[int, ...]:
    """What napari makes of an order of axes when it rolls it."""
    axes = np.array(order)
    free = np.logical_and(dims.rollable, np.array(dims.nsteps) > 1)[axes]
    axes[free] = np.roll(axes[free], shift=1)
    return tuple(axes.tolist())


def _camera(viewer: Any) -> Any:
    """The camera, which napari 0.9 has moved."""
    return viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
