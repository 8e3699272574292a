"""What napari is told of segments: a table of features, and colors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.labels import LabelImage, known_segments
from ngffseg.ngff import made_up_color

# napari takes seconds to take in more colors; it then shows 49 of its own in turn.
MOST_COLORS = 20_000
# What is painted anew has a color of its own up to this label, above it the same as all others.
MOST_NEW = 255
OTHER = (1.0, 0.6, 0.1, 1.0)
CLEAR = (0.0, 0.0, 0.0, 0.0)


def features_of(image: LabelImage) -> dict[str, npt.NDArray[Any]]:
    """The table of a label image by column: ``index`` is the label, as napari wants it, then ``name``.

    It tells what the store names, what the segment index knows of each, and the stored properties; where
    there is no index, which other programs do not write, only the former and the last.
    """
    known = known_segments(image)
    values = known.pop("label_value", np.empty(0, np.uint64))
    named = {segment.label_value: segment for segment in image.segments}
    missing = np.setdiff1d(np.array(sorted(named), np.uint64), values)
    order = np.argsort(labels := np.concatenate([values, missing]))
    segments = [named.get(value) for value in labels[order].tolist()]
    columns: dict[str, npt.NDArray[Any]] = {
        "index": labels[order],
        "name": np.array([s.name if s is not None else "" for s in segments], object),
        "id": np.array([s.id if s is not None else "" for s in segments], object),
    }
    for name, column in known.items():
        # Segments that the index does not know have no voxel.
        empty = np.full(len(missing), np.nan if column.dtype.kind == "f" else 0, column.dtype)
        columns[name] = np.concatenate([column, empty])[order]
    keys = dict.fromkeys(key for s in image.segments for key in s.properties)
    for key in keys:
        stored = [None if s is None else s.properties.get(key) for s in segments]
        columns.setdefault(key, _column(stored))
    return columns


def _column(values: list[Any]) -> npt.NDArray[Any]:
    """Values of a property: a column of numbers where all are of one kind and fit, else of objects."""
    kinds = {type(value) for value in values}
    if kinds <= {bool} or kinds <= {float} or (kinds <= {int} and all(abs(v) < 2**63 for v in values)):
        return np.array(values)
    column = np.empty(len(values), object)
    column[:] = values
    return column


def colors_of(image: LabelImage, values: npt.NDArray[np.uint64]) -> dict[int | None, Any] | None:
    """Red, green, blue and alpha from 0 to 1 by label; None where there are too many for napari.

    Labels of the table that have no color get one made up, which is always the same.
    """
    if not 0 < len(values) <= MOST_COLORS:
        return None
    own = {segment.label_value: segment.color for segment in image.segments}
    listed = dict.fromkeys([*range(1, MOST_NEW + 1), *values.tolist()])
    table = np.array([own.get(v) or made_up_color(v) for v in listed], np.float32) / 255
    return {None: OTHER, 0: CLEAR} | dict(zip(listed, table, strict=True))
