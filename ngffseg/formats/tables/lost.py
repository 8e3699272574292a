"""What a table does not hold of segments: all that reading it back does not give."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ngffseg.formats.tables.table import Row, segment_of
from ngffseg.model import Loss, Segment

# What is compared, as people call it.
PARTS: dict[str, Callable[[Segment], object]] = {
    "ids": lambda segment: segment.id,
    "names": lambda segment: segment.name,
    "layers": lambda segment: segment.layer,
    "codes": lambda segment: segment.codes,
    "status": lambda segment: segment.status,
    "algorithms": lambda segment: segment.algorithm,
    "tags": lambda segment: segment.tags,
}


def lost_of(segments: Sequence[Segment], rows: Sequence[Row]) -> tuple[Loss, ...]:
    """What differs between segments and the rows that were written of them, in the same order, and read back."""
    back = [segment_of(row, "table") for row in rows if row["label_value"]]
    pairs = list(zip(segments, back, strict=True))
    lost = []
    for what, part in PARTS.items():
        count = sum(part(old) != part(new) for old, new in pairs)
        if count:
            lost.append(f"{what} of {count} segments: the format has no place for all of them")
    made_up = sum(old.color is None and new.color is not None for old, new in pairs)
    if made_up:
        lost.append(f"colors of {made_up} segments: they have none, so those that viewers show were written")
    faded = sum(old.color is not None and old.color != new.color for old, new in pairs)
    if faded:
        lost.append(f"colors of {faded} segments: the format has no place for all of their opacity")
    differing = {
        key
        for old, new in pairs
        for key in old.properties.keys() | new.properties.keys()
        if key not in old.properties
        or key not in new.properties
        or repr(old.properties[key]) != repr(new.properties[key])
    }
    if differing:
        lost.append(f"properties {', '.join(sorted(differing))}: the format cannot hold them as they are")
    return tuple(Loss("table", line) for line in lost)
