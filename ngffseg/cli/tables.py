"""What verbs answer to people: tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ngffseg.geometry import anatomical_code

if TYPE_CHECKING:
    from ngffseg.geometry import Geometry, SourceGrid
    from ngffseg.labels import LevelSummary, SourceLink
    from ngffseg.model import Channel, Segment
    from ngffseg.planning import Cost

UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def size_text(count: float | None) -> str:
    """Bytes in the unit that people read best."""
    if count is None:
        return "?"
    value = float(count)
    for unit in UNITS[:-1]:
        if value < 1000:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} {UNITS[-1]}"


def levels_table(title: str, levels: tuple[LevelSummary, ...]) -> Table:
    """Levels as a table."""
    table = Table(
        "level", "shape", "chunks", "shards", "dtype", "voxel", "stored", title=title, title_justify="left"
    )
    for level in levels:
        table.add_row(
            level.path,
            sizes_text(level.shape),
            sizes_text(level.chunks),
            sizes_text(level.shards) if level.shards else "-",
            level.dtype,
            " x ".join(f"{s:.4g}" for s in level.scale),
            size_text(level.stored_bytes),
        )
    return table


def channels_table(title: str, channels: tuple[Channel, ...]) -> Table:
    """Channels of an image as a table, each with a patch of its color."""
    table = Table("channel", "", "name", "window", title=title, title_justify="left")
    for number, channel in enumerate(channels):
        window = "{:g} to {:g}".format(*channel.window) if channel.window else "-"
        color = (*channel.color, 255) if channel.color else None
        table.add_row(str(number), patch(color), Text(channel.name), window)
    return table


def source_text(source: SourceLink) -> str:
    """Where the source of a label image leads."""
    if source.path is None:
        return f"source {source.link}: outside of the store, not looked at"
    there = "an image" if source.exists else "no image there"
    return f"source {source.link}: {source.path or 'the image of the store'}, {there}"


def order_text(geometry: Geometry, source: SourceGrid | None) -> str:
    """The order of stored voxels, and that of their source where it is another one."""
    axes = ",".join(geometry.axes)
    code = anatomical_code(geometry)
    line = f"order {code}+ ({axes})" if code else f"order {axes}, not known to lie in the patient"
    if source is None or source.order.is_identity:
        return line
    theirs = f"{anatomical_code(source.geometry)}+ ({','.join(source.geometry.axes)})"
    named = zip(geometry.axes, source.order.axes, source.order.flipped, strict=True)
    if source.order.axes == tuple(range(len(geometry.axes))):
        return f"{line}; source {theirs}, flipped {' '.join(axis for axis, _, flip in named if flip)}"
    moved = ",".join(("-" if flip else "") + source.geometry.axes[axis] for _, axis, flip in named)
    return f"{line}; source {theirs}, whose {moved} are stored as {axes}"


def costs_table(title: str, costs: tuple[Cost, ...]) -> Table:
    """Requests as a table."""
    table = Table("step", "requests", "read", title=title, title_justify="left")
    for cost in costs:
        verbs = ", ".join(f"{count} {verb}" for verb, count in sorted(cost.requests.items())) or "none"
        table.add_row(cost.step, verbs, size_text(cost.read_bytes))
    return table


def segments_table(title: str, segments: tuple[Segment, ...]) -> Table:
    """Segments as a table, each with a patch of its color."""
    table = Table("value", "", "id", "name", "status", "type", title=title, title_justify="left")
    for segment in segments:
        kind = segment.codes.type.meaning if segment.codes and segment.codes.type else ""
        table.add_row(
            str(segment.label_value), patch(segment.color), segment.id, segment.name, segment.status, kind
        )
    return table


def patch(color: tuple[int, int, int, int] | None) -> Text:
    """A patch of a color."""
    return Text("■", style="rgb({},{},{})".format(*color[:3])) if color else Text("-")


def sizes_text(sizes: tuple[int, ...]) -> str:
    """Sizes along the axes."""
    return " x ".join(str(n) for n in sizes)
