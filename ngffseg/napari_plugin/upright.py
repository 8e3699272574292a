"""The patient the right way round in a viewer of napari, with letters that say which side is which."""

from __future__ import annotations

import sys
import weakref
from typing import Any

import numpy as np

from ngffseg.napari_plugin.sides import LEFT, POSTERIOR, SUPERIOR, course_of, is_patient, letters, orientation

# Where on the canvas letters are, by the names that napari has for it.
EDGES = ("middle_left", "middle_right", "top_center", "bottom_center")
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
        course, camera, order = course_of(viewer), _camera(viewer), tuple(viewer.dims.order)
        if len(order) != len(self._made):
            self._meant = self._made = order
        if not any(map(is_patient, viewer.layers)):
            if self._before is not None and tuple(camera.orientation) == self._turned:
                camera.orientation = self._before
            self._before = None
        elif self._before is None and all(map(is_patient, viewer.layers)):
            self._before = tuple(camera.orientation)
        if course is not None and self._before is not None:
            camera.orientation = orientation(course, order)
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
        if len(order) != len(self._made):  # layers with other numbers of axes came or went
            self.update()
            return
        if order == _rolled(viewer.dims, self._made):
            order = _rolled(viewer.dims, self._meant)
        turned, course = order, course_of(viewer)
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
        course = course_of(viewer) if viewer.dims.ndisplay == 2 else None
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


def _rolled(dims: Any, order: tuple[int, ...]) -> tuple[int, ...]:
    """What napari makes of an order of axes when it rolls it."""
    axes = np.array(order)
    free = np.logical_and(dims.rollable, np.array(dims.nsteps) > 1)[axes]
    axes[free] = np.roll(axes[free], shift=1)
    return tuple(axes.tolist())


def _camera(viewer: Any) -> Any:
    """The camera, which napari 0.9 has moved."""
    return viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
