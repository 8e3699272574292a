"""What a label table says is put over segments, row by row."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ngffseg.errors import FormatError, NgffsegWarning, UsageError
from ngffseg.formats import LabelTable, Row, is_unnamed, listed, plain_codes, segment_fields
from ngffseg.model import Segment, Segmentation

# Label values of a layer, by its number.
Held = Mapping[int, Collection[int]]


def with_table(segmentation: Segmentation, table: LabelTable) -> tuple[Segmentation, LabelTable]:
    """A segmentation with what a table says of its label values, and the rows of the table that were put in.

    Values that no segment has become segments of the first layer; those that its dtype cannot hold are left
    out, with a warning.
    """
    largest = [int(np.iinfo(layer.dtype).max) for layer in segmentation.layers]
    fits = [row for row in table.rows if row["label_value"] <= max(largest)]
    left = [row["label_value"] for row in table.rows if row["label_value"] > max(largest)]
    if left:
        dtype = max((layer.dtype for layer in segmentation.layers), key=lambda dtype: np.iinfo(dtype).max)
        warn_of(f"{table.file}: {len(left)} of its values do not fit {dtype} ({listed(left)}): left out")
    kept = replace(table, rows=tuple(fits))
    segments = put_over(segmentation.segments, kept, held_values(segmentation.segments, range(len(largest))))
    return replace(segmentation, segments=tuple(segments)), kept


def put_over(segments: Sequence[Segment], table: LabelTable, held: Held) -> list[Segment]:
    """Segments with what a table says of them, in their order; then those that are new.

    Parameters
    ----------
    segments
        Those of all layers.
    table
        What is said of them.
    held
        Label values of each layer: a row that names no layer belongs to the one that holds its value.

    Raises
    ------
    FormatError
        If several layers hold it, or there is no such layer.
    UsageError
        If an id is another than that of the segment.
    """
    found = {(segment.layer, segment.label_value): segment for segment in segments}
    ids = {segment.id for segment in segments}
    for row in table.rows:
        layer = _layer(row, table.file, held)
        key = layer, row["label_value"]
        if key in found:
            found[key] = _changed(found[key], row, table.file)
        else:
            new: Row = {**row, "layer": layer, "id": row.get("id") or _free_id(*key, ids)}
            found[key] = Segment(**segment_fields(new, 255))
        ids.add(found[key].id)
    return list(found.values())


def _layer(row: Row, file: str, held: Held) -> int:
    """The layer that a row speaks of."""
    value, first = row["label_value"], next(iter(held))
    found = holders(row, held)
    if len(found) > 1:
        layers = " and ".join(map(str, found))
        raise FormatError(
            f"{file}: label value {value} is in layers {layers}: say which in a column 'layer' of the table"
        )
    layer = found[0] if found else row.get("layer", first)
    if layer not in held:
        raise FormatError(f"{file}: label value {value} is to be in layer {layer}, which there is not")
    return layer


def holders(row: Row, held: Held) -> list[int]:
    """Layers that hold the value of a row, of those that it may speak of."""
    return [n for n, values in held.items() if row.get("layer", n) == n and row["label_value"] in values]


def _changed(segment: Segment, row: Row, file: str) -> Segment:
    """A segment with what a row says; what it cannot say, as the opacity of ``#rrggbb``, stays."""
    fields: dict[str, Any] = {**segment_fields(row, segment.color[3] if segment.color else 255)}
    fields = {key: value for key, value in fields.items() if key not in ("label_value", "layer")}
    if fields.get("id", segment.id) != segment.id:
        if not is_unnamed(segment):
            raise UsageError(
                f"{file}: label value {segment.label_value} has the id {segment.id!r}, not {fields['id']!r}: ids of"
                " segments stay, so take the column out"
            )
        fields.setdefault("name", "")  # which was made of the id
    if segment.codes is not None and fields.get("codes") == plain_codes(segment.codes):
        fields.pop("codes", None)
    return replace(segment, **{**fields, "properties": {**segment.properties, **row.get("properties", {})}})


def _free_id(layer: int, value: int, taken: Collection[str]) -> str:
    names = [f"Segment_{value}"] if layer == 0 else []
    names += [f"Segment_{value}_layer{layer}"]
    further = (f"Segment_{value}_layer{layer}_{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain(names, further) if name not in taken)


def held_values(segments: Iterable[Segment], layers: Iterable[int]) -> dict[int, set[int]]:
    """Label values that segments have, by their layer."""
    held: dict[int, set[int]] = {n: set() for n in layers}
    for segment in segments:
        held.setdefault(segment.layer, set()).add(segment.label_value)
    return held


def warn_of(line: str) -> None:
    """Warn of what was decided about a table."""
    warnings.warn(line, NgffsegWarning, stacklevel=4)
