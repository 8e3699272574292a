"""`Summary`: what a label image says of itself on one screen, as text and for notebooks; nothing is read for it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from ngffseg.geometry import Geometry, scales
from ngffseg.model import Segment
from ngffseg.ngff import made_up_color
from ngffseg.text import plain

# Segments that are listed, and characters of a text of others that are shown.
LISTED, LONGEST = 20, 60
LISTED_AS_TEXT = 12


@dataclass(frozen=True, slots=True)
class Summary:
    """What is shown of a label image.

    Parameters
    ----------
    title
        Its name and address.
    shape, geometry, dtype, chunks, shards
        Of level 0.
    level_count, layer_count
        Number of levels, and of label images of its segmentation.
    segments
        All segments, of which the first are listed.
    """

    title: str
    shape: tuple[int, ...]
    geometry: Geometry
    dtype: str
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    level_count: int
    layer_count: int
    segments: Sequence[Segment]

    def facts(self) -> dict[str, str]:
        """What is known of the arrays, by words."""
        grid, of_shards = self.geometry, "" if self.shards is None else f" in shards of {_sizes(self.shards)}"
        found = {
            "shape": f"{_sizes(self.shape)} ({', '.join(grid.axes)}), {self.dtype}",
            "voxel": " x ".join(map(_length, scales(grid), grid.units)),
            "levels": str(self.level_count),
            "chunks": f"{_sizes(self.chunks)}{of_shards}",
        }
        if self.layer_count > 1:
            found["layers"] = str(self.layer_count)
        return found | {"segments": f"{len(self.segments):,}"}


def text_summary(summary: Summary) -> str:
    """A summary as lines of text."""
    lines = [f"<LabelImage {_short(summary.title, 2 * LONGEST)}>"]
    lines += [f"  {word:<9} {text}" for word, text in summary.facts().items()]
    shown = summary.segments[:LISTED_AS_TEXT]
    width = max((len(str(segment.label_value)) for segment in shown), default=0)
    lines += [f"    {segment.label_value:>{width}}  {_short(segment.name)}" for segment in shown]
    return "\n".join(lines + [f"    {more}" for more in _more(summary, LISTED_AS_TEXT)])


def html_summary(summary: Summary) -> str:
    """A summary for notebooks: a table of facts and one of segments, each with its color."""
    facts = "".join(
        f"<tr><th style='text-align:left'>{word}</th><td style='text-align:left'>{html.escape(text)}</td></tr>"
        for word, text in summary.facts().items()
    )
    rows = "".join(_html_row(segment) for segment in summary.segments[:LISTED])
    more = "".join(f"<div>{text}</div>" for text in _more(summary, LISTED))
    title = html.escape(_short(summary.title, 2 * LONGEST))
    return f"<div><b>LabelImage</b> {title}<table>{facts}</table><table>{rows}</table>{more}</div>"


def _html_row(segment: Segment) -> str:
    red, green, blue, alpha = segment.color or made_up_color(segment.label_value)
    color = f"background:rgba({red},{green},{blue},{alpha / 255:.3g})"
    swatch = f"<span style='display:inline-block;width:1em;height:1em;border:1px solid #888;{color}'></span>"
    name = html.escape(_short(segment.name))
    return f"<tr><td>{swatch}</td><td>{segment.label_value}</td><td style='text-align:left'>{name}</td></tr>"


def _more(summary: Summary, listed: int) -> list[str]:
    left = len(summary.segments) - listed
    return [f"… {left:,} more"] if left > 0 else []


def _sizes(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))


def _length(step: float, unit: str | None) -> str:
    return f"{step:.4g} {unit}" if unit else f"{step:.4g}"


def _short(text: str, longest: int = LONGEST) -> str:
    shown = plain(text[: longest + 1])
    return shown if len(text) <= longest else f"{shown[:longest]}…"
