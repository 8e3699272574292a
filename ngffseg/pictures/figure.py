"""The one file that knows matplotlib: figures of panels with a legend, and files of them."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ngffseg.errors import MissingExtraError, UsageError
from ngffseg.pictures.plane import Panel
from ngffseg.pictures.tint import LegendEntry
from ngffseg.text import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What is drawn: a figure of matplotlib, which notebooks show.
Drawing: TypeAlias = "Figure"

PANEL_INCHES, LEGEND_INCHES, DPI = 3.2, 2.6, 110
# Places in a panel of the letters at its left, right, top and bottom, and how they are written.
SIDES = ((0.03, 0.5), (0.97, 0.5), (0.5, 0.96), (0.5, 0.04))
LETTERS: dict[str, Any] = {"color": "yellow", "fontsize": 8, "ha": "center", "va": "center"}
# A legend of more names cannot be read.
MOST_NAMES = 20


def new_figure(rows: Sequence[tuple[Sequence[Panel], Sequence[LegendEntry]]]) -> Figure:
    """A figure of rows of panels, each with its legend.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    widest = max(len(panels) for panels, _ in rows)
    size = (PANEL_INCHES * widest + LEGEND_INCHES, (PANEL_INCHES + 0.4) * len(rows))
    figure = _blank()(figsize=size, layout="constrained")
    parts = figure.subfigures(len(rows), 1, squeeze=False)[:, 0] if len(rows) > 1 else [figure]
    for part, (panels, entries) in zip(parts, rows, strict=True):
        _draw_row(part, panels, entries, widest)
    return figure


@functools.cache
def _blank() -> type[Figure]:
    """The class of figures that notebooks show, also where pyplot is not used."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("pictures need matplotlib: pip install 'ngffseg[plot]'") from error

    class NotebookFigure(Figure):
        """A figure without a window."""

        def _repr_png_(self) -> bytes:
            data = io.BytesIO()
            _save(self, data)
            return data.getvalue()

    return NotebookFigure


def _save(figure: Figure, target: Any) -> None:
    # The version of matplotlib is left out, so that equal pictures are equal files.
    figure.savefig(target, dpi=DPI, format="png", metadata={"Software": None})


def _draw_row(part: Any, panels: Sequence[Panel], entries: Sequence[LegendEntry], columns: int) -> None:
    from matplotlib.patches import Patch
    from matplotlib.patheffects import withStroke

    outlined = [withStroke(linewidth=2, foreground="black")]
    for axes, panel in zip(part.subplots(1, columns, squeeze=False)[0], panels, strict=False):
        # In units of the plane, so that voxels have their true proportions.
        axes.imshow(panel.picture, interpolation="nearest", extent=(0, panel.width, panel.height, 0))
        # Names of others: "$" in them is no formula.
        title = "\n".join(map(plain, panel.title.split("\n")))
        axes.set_title(title, fontsize=9, parse_math=False)
        for letter, (x, y) in zip(panel.sides, SIDES, strict=False):
            axes.text(x, y, letter, transform=axes.transAxes, path_effects=outlined, **LETTERS)
    for axes in part.axes:
        axes.set_axis_off()
    shown = [Patch(color=entry.color, label=plain(entry.name)) for entry in entries[:MOST_NAMES]]
    if len(entries) > MOST_NAMES:
        shown.append(Patch(color="none", label=f"and {len(entries) - MOST_NAMES} more"))
    if shown:
        legend = part.legend(handles=shown, loc="outside right center", fontsize=8, frameon=False)
        for text in legend.get_texts():
            text.set_parse_math(False)


def save_picture(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    try:
        _save(figure, path)
    except OSError as error:
        raise UsageError(
            f"{os.fspath(path)} cannot be written ({error.strerror}): choose another file"
        ) from error
