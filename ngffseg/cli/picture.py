"""Pictures: slices of an image with the labels over it, in their colors, with a legend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import MissingExtraError
from ngffseg.geometry import anatomical_orientation
from ngffseg.labels import LabelImage
from ngffseg.model import Segment, Volume

OPACITY = 0.55
# Anatomical directions that people expect to the right and downwards on a screen.
EXPECTED = {"x": "right-to-left", "y": "anterior-to-posterior"}


def save_slices(path: Path, layers: Sequence[LabelImage], image: Volume | None, panels: int = 4) -> None:
    """Write a PNG of axial slices of level 0; only the chunks of those slices are read.

    Parameters
    ----------
    path
        File to write.
    layers
        Label images of one segmentation, drawn over one another.
    image
        Image under the labels, of the same grid.
    panels
        Number of slices, spread evenly over the z axis.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.patches import Patch
    except ImportError as error:
        raise MissingExtraError("pictures need matplotlib: pip install 'ngffseg[plot]'") from error
    geometry = layers[0].geometry
    depth = geometry.shape[0]
    figure = Figure(figsize=(3.2 * panels + 2.6, 3.6), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    aspect = float(np.linalg.norm(geometry.affine[:3, 1]) / np.linalg.norm(geometry.affine[:3, 0]))
    for panel, number in zip(
        axes, np.linspace(0, depth - 1, panels + 2)[1:-1].round().astype(int), strict=True
    ):
        panel.imshow(_slice(layers, image, int(number)), aspect=aspect, interpolation="nearest")
        panel.set_title(f"z = {number}", fontsize=9)
        panel.set_axis_off()
    segments = [s for layer in layers for s in layer.segments]
    patches = [Patch(color=_rgb(s), label=s.name) for s in segments]
    figure.legend(handles=patches, loc="outside right center", fontsize=8, frameon=False)
    figure.savefig(path, dpi=110)


def _slice(layers: Sequence[LabelImage], image: Volume | None, number: int) -> npt.NDArray[Any]:
    """One slice as red, green and blue from 0 to 1, turned as people expect it."""
    box = (slice(number, number + 1), *(slice(0, n) for n in layers[0].geometry.shape[1:]))
    gray = np.zeros(layers[0].geometry.shape[1:])
    if image is not None:
        values = np.asarray(image.data[box])[0].astype(np.float64)
        # The smallest value is what lies outside of the field of view.
        seen = values[values > values.min()]
        low, high = np.percentile(seen if seen.size else values, (1, 99))
        gray = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    picture = np.repeat(gray[..., np.newaxis], 3, axis=2)
    for layer in layers:
        labels = layer.read(box)[0]
        for segment in layer.segments:
            inside = labels == segment.label_value
            picture[inside] = (1 - OPACITY) * picture[inside] + OPACITY * np.asarray(_rgb(segment))
    found = anatomical_orientation(layers[0].geometry)
    for axis, name in enumerate(("y", "x")):
        if found.get(name) == "-to-".join(reversed(EXPECTED[name].split("-to-"))):
            picture = np.flip(picture, axis=axis)
    return picture


def _rgb(segment: Segment) -> tuple[float, float, float]:
    red, green, blue, _ = segment.color or (255, 255, 255, 255)
    return red / 255, green / 255, blue / 255
