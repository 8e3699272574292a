"""``ngffseg segments``: which segments a label image holds, how large they are and where."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table

from ngffseg.cli.answer import console, print_json
from ngffseg.cli.options import link_options, store_options
from ngffseg.cli.tables import patch
from ngffseg.labels import LabelImage, open_labels
from ngffseg.model import Segment
from ngffseg.segments import SegmentEntry, segment_index

MOST_ROWS = 100


@click.command("segments")
@click.argument("store")
@click.option("--name", help="Which label image; needless where there is only one.")
@click.option("--label", type=int, help="Only this label value.")
@store_options
@link_options
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, with all segments.")
def run(store: str, *, name: str | None, label: int | None, as_json: bool) -> None:
    """Print the segments of a label image in STORE, from its index; no label is read."""
    first = open_labels(store, name)
    rows: list[tuple[LabelImage, SegmentEntry, Segment | None]] = []
    total = 0
    for layer in first.layers if name in (None, first.layers[0]) else (first.name,):
        image = first if layer == first.name else open_labels(store, layer)
        index = segment_index(image)
        known = {segment.label_value: segment for segment in image.segments}
        total += len(index)
        if label is not None:
            rows += [(image, index[label], known.get(label))] if label in index else []
            continue
        for entry in index:
            if not as_json and len(rows) == MOST_ROWS:
                break
            rows.append((image, entry, known.get(entry.label_value)))
    if label is not None and not rows:
        segment_index(first)[label]  # says which label there is not
    if as_json:
        print_json([_row_json(*row) for row in rows])
        return
    console().print(_table(rows, total if label is None else len(rows)))


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


def _table(rows: list[tuple[LabelImage, SegmentEntry, Segment | None]], total: int) -> Table:
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
