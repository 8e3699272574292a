"""Segments of a labelmap that names none: one for each label value that occurs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ngffseg.model import ArrayLike, Segment

# More distinct values than this are instances (cells, neurons), not structures with names.
MOST_SEGMENTS = 4096


def unnamed_segments(layers: Sequence[ArrayLike]) -> tuple[Segment, ...]:
    """Segments named ``Segment_<value>``, as Slicer does it; none if there are too many."""
    segments: list[Segment] = []
    for number, layer in enumerate(layers):
        values = np.unique(np.asarray(layer[...]))
        for value in values[values != 0][: MOST_SEGMENTS + 1].tolist():
            tail = f"_layer{number}" if number else ""
            segments.append(Segment(value, id=f"Segment_{value}{tail}", layer=number))
    return tuple(segments) if len(segments) <= MOST_SEGMENTS else ()


def is_unnamed(segment: Segment) -> bool:
    """Return True if a segment says nothing but its label value."""
    plain = Segment(segment.label_value, id=segment.id, layer=segment.layer)
    return segment == plain and segment.id.startswith(f"Segment_{segment.label_value}")
