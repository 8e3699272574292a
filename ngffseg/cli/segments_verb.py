"""``ngffseg segments``: which segments a label image holds, how large they are and where."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import click
from rich.table import Table

# What only some stores or options need is loaded for them alone.
from ngffseg import labels
from ngffseg.cli.answer import console, print_json, verification_json
from ngffseg.cli.hints import worded
from ngffseg.cli.options import link_options, store_options
from ngffseg.cli.tables import patch
from ngffseg.labels import index_group, open_labels, segment_index

if TYPE_CHECKING:
    from ngffseg.labels import LabelImage, SegmentEntry, SegmentIndex
    from ngffseg.model import Segment

MOST_ROWS = 100
SegmentRow: TypeAlias = "tuple[LabelImage, SegmentEntry, Segment | None]"


@click.command("segments")
@click.argument("store")
@click.option("--name", help="Which label image; needless where there is only one.")
@click.option("--label", type=int, help="Only this label value.")
@click.option(
    "--verify", is_flag=True, help="Compare the index with level 0 first; exit code 1 if it is stale."
)
@store_options
@link_options
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, with all segments.")
def run(store: str, *, name: str | None, label: int | None, verify: bool, as_json: bool) -> int:
    """Print the segments of a label image in STORE, from its index; where it has none, they are counted."""
    first = open_labels(store, name)
    layers = first.layers if name in (None, first.layers[0]) else (first.name,)
    images = [first if layer == first.name else open_labels(store, layer) for layer in layers]
    found = (
        [labels.verify_index(image) for image in images if index_group(image) is not None] if verify else []
    )
    for one in found:
        sys.stderr.write(f"{worded(one.text, one.hints)}\n")
    stale = any(one.stale for one in found)
    rows, total = ([], 0) if stale else _rows(images, label, None if as_json else MOST_ROWS)
    if as_json:
        table = [_row_json(*row) for row in rows]
        print_json(
            {"verified": [verification_json(one) for one in found], "segments": table} if verify else table
        )
    elif not stale:
        console().print(_table(rows, total if label is None else len(rows)))
    return 1 if stale else 0


def _rows(images: list[LabelImage], label: int | None, most: int | None) -> tuple[list[SegmentRow], int]:
    """Rows of one label or of all, as many as are to be shown; and how many segments there are."""
    rows: list[SegmentRow] = []
    total = 0
    indices = [_index(image) for image in images]
    for image, index in zip(images, indices, strict=True):
        known = {segment.label_value: segment for segment in image.segments}
        total += len(index)
        if label is not None:
            rows += [(image, index[label], known.get(label))] if label in index else []
            continue
        for entry in index:
            if len(rows) == most:
                break
            rows.append((image, entry, known.get(entry.label_value)))
    if label is not None and not rows:
        indices[0][label]  # says which label there is not
    return rows, total


def _index(image: LabelImage) -> SegmentIndex:
    """The index of a label image; counted where it has none, which is said."""
    if index_group(image) is not None:
        return segment_index(image)
    message = f"{image.url}: {image.name or 'the label image'} has no segment index: counted from level 0"
    if labels.can_build(image):
        message += f"; ngffseg pyramid {image.url} --name {image.name} writes one"
    sys.stderr.write(f"{message}\n")
    return labels.count_segments(image)


def _row_json(image: LabelImage, entry: SegmentEntry, segment: Segment | None) -> dict[str, Any]:
    return {
        "label_value": entry.label_value,
        "layer": image.name,
        "id": segment.id if segment else None,
        "name": segment.name if segment else None,
        "color": list(segment.color) if segment and segment.color else None,
        "voxels": entry.voxels,
        "volume_mm3": entry.volume,
        "box": [list(edge) for edge in entry.box],
        "centroid": [None if c != c else c for c in entry.centroid],
        "chunks": entry.chunk_count,
    }


def _table(rows: list[SegmentRow], total: int) -> Table:
    shown = f"{total} segments" if len(rows) == total else f"{total} segments, the first {len(rows)}"
    table = Table(
        "value", "", "id", "name", "voxels", "mm³", "box", "centroid", "chunks",
        title=shown, title_justify="left",
    )  # fmt: skip
    for _, entry, segment in rows:
        table.add_row(
            str(entry.label_value),
            patch(segment.color if segment else None),
            segment.id if segment else "-",
            segment.name if segment else "-",
            str(entry.voxels),
            "-" if entry.volume is None else f"{entry.volume:.6g}",
            ", ".join(f"{a}:{b}" for a, b in entry.box),
            ", ".join(f"{c:.1f}" for c in entry.centroid),
            str(entry.chunk_count),
        )
    return table
