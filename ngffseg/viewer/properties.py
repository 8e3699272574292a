"""Segments as neuroglancer lists them: names, sizes and colors by label."""

from __future__ import annotations

from typing import Any

import numpy as np

from ngffseg.labels import LabelImage, known_segments

# Colors travel with each change of the state of the viewer; with more segments neuroglancer chooses them.
MOST_COLORS = 5_000


def segment_properties(image: LabelImage) -> dict[str, Any]:
    """The list of segments of a label image, as neuroglancer reads it.

    https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/segment_properties.md
    Label values are decimal strings there, so they stay exact. Numbers are float32 at best: voxels and
    volume are for people to sort by.
    """
    names = {segment.label_value: segment.name for segment in image.segments}
    known = known_segments(image)
    if known:
        values = known["label_value"].tolist()
        numbers = {"voxels": known["voxels"]}
        if "volume_mm3" in known:
            numbers["volume (mm³)"] = known["volume_mm3"]
    else:
        values, numbers = sorted(names), {}
    listed: list[dict[str, Any]] = [
        {"id": "label", "type": "label", "values": [names.get(v, str(v)) for v in values]}
    ]
    listed += [
        {"id": name, "type": "number", "data_type": "float32", "values": _rounded(column)}
        for name, column in numbers.items()
    ]
    inline = {"ids": [str(value) for value in values], "properties": listed}
    return {"@type": "neuroglancer_segment_properties", "inline": inline}


def _rounded(column: Any) -> list[float]:
    numbers: list[float] = column.astype(np.float32).tolist()
    return numbers


def segment_colors(image: LabelImage) -> dict[str, str]:
    """Colors by label, as neuroglancer writes them; of large tables none."""
    colored = [(s.label_value, s.color) for s in image.segments if s.color is not None and s.label_value]
    if len(colored) > MOST_COLORS:
        return {}
    return {str(value): "#{:02x}{:02x}{:02x}".format(*color) for value, color in colored}
