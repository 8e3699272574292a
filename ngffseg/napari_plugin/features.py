"""Features of a layer as names and properties of segments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ngffseg.labels import LabelImage, known_segments, update_segments
from ngffseg.model import Segment
from ngffseg.napari_plugin.layers import KEY
from ngffseg.napari_plugin.painting import Painting

# Name and properties of a segment.
Values = tuple[str, dict[str, Any]]


def layer_features(attributes: Mapping[str, Any]) -> dict[int, Values]:
    """Name and properties of each label of the table of features of a layer, without the background.

    A cell without a value (None, NaN) is no property. Of a layer from a store, columns of the segment index
    are none either.
    """
    table = _table(attributes)
    labels = table.pop("index", range(max(map(len, table.values()), default=0)))
    names = table.pop("name", None)
    if names is None and all(isinstance(text, str) for text in table.get("label", [0])):
        names = table.pop("label")
    image = attributes.get("metadata", {}).get(KEY, {}).get("image")
    for key in _own_columns(image) if image is not None else ():
        table.pop(key, None)
    found: dict[int, Values] = {}
    for number, label in enumerate(labels):
        properties = {key: column[number] for key, column in table.items() if column[number] is not None}
        if int(label) > 0:
            found[int(label)] = (str(names[number] or "") if names is not None else "", properties)
    return found


def _table(attributes: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Columns of features by name; None where a cell has no value."""
    features = attributes.get("features")
    if features is None:
        return {}
    import pandas as pd

    frame = pd.DataFrame(features)
    return {
        str(key): [v if there else None for v, there in zip(frame[key], frame[key].notna(), strict=True)]
        for key in frame
    }


def _own_columns(image: LabelImage) -> set[str]:
    """Columns that tell what the store knows of a segment beside its name and its properties."""
    return {"id", *known_segments(image)}


def save_painting(painting: Painting, attributes: Mapping[str, Any]) -> int:
    """Save what was painted, then names and properties of the table of the layer that differ from the stored ones.

    Returns
    -------
    int
        Number of boxes that were written.

    Raises
    ------
    UsageError
        If a property is none that can be stored; nothing is written then.
    """
    changed = _changed_segments(painting.image, attributes)
    count = painting.save()
    if changed:
        painting.image = update_segments(painting.image, changed)
    return count


def _changed_segments(image: LabelImage, attributes: Mapping[str, Any]) -> list[Segment]:
    # Other programs keep names among the properties: the table has a column for them, which is no property.
    columns = _table(attributes).keys() - _own_columns(image) - {"index", "name"}
    known = {s.label_value: s for s in image.segments}
    changed = []
    for value, (name, values) in layer_features(attributes).items():
        old = known.get(value) or _new_segment(image, value)
        # What the table has no column for, and what is null, is not told by it.
        rest = {
            k: v for k, v in old.properties.items() if k not in columns or (v is None and k not in values)
        }
        new = replace(old, name=name or old.name, properties=rest | values)
        if (new.name, new.properties) != (old.name, old.properties):
            changed.append(new)
    return changed


def _new_segment(image: LabelImage, value: int) -> Segment:
    layer = image.layers.index(image.name)
    return Segment(value, f"{image.name}_{value}" if layer else "", f"Segment_{value}", layer=layer)
