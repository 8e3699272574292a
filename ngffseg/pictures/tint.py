"""Labels in their colors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.labels import LabelImage
from ngffseg.ngff import made_up_color

OPACITY = 0.55
Picture = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A line of a legend: a name, and red, green and blue from 0 to 1."""

    name: str
    color: tuple[float, float, float]


def tinted(
    picture: Picture, labels: npt.NDArray[Any], colors: Mapping[int, Any], opacity: float = OPACITY
) -> Picture:
    """A picture (red, green, blue from 0 to 1) with labels of its shape over it; 0 is left as it is."""
    values, places = np.unique(labels, return_inverse=True)
    table = np.array([rgba(int(value), colors) for value in values], np.float64)
    chosen = table[places.reshape(labels.shape)]
    alpha = chosen[..., 3:] * opacity
    return np.asarray((1 - alpha) * picture + alpha * chosen[..., :3])


def rgba(label_value: int, colors: Mapping[int, Any]) -> tuple[float, float, float, float]:
    """Red, green, blue and alpha from 0 to 1; made up for a label without a color, clear for 0."""
    color = colors.get(label_value) if label_value != 0 else None
    red, green, blue, alpha = color or made_up_color(label_value)
    return red / 255, green / 255, blue / 255, alpha / 255


def colors_of(image: LabelImage) -> dict[int, Any]:
    """The colors that a label image tells."""
    return {segment.label_value: segment.color for segment in image.segments}


def legend(layers: Sequence[LabelImage], seen: Sequence[set[int]]) -> list[LegendEntry]:
    """A line for each named segment of which something is seen, in the order of the tables."""
    return [
        LegendEntry(segment.name, rgba(segment.label_value, {segment.label_value: segment.color})[:3])
        for layer, values in zip(layers, seen, strict=True)
        for segment in layer.segments
        if segment.label_value in values
    ]
