"""`label_segments`: what is stored of segments becomes what a label table says."""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ngffseg.convert.table_rows import held_values, holders, put_over, warn_of
from ngffseg.errors import FormatError, MetadataError, StoreNotFoundError
from ngffseg.formats import LabelTable, listed, read_table
from ngffseg.keywords import strict
from ngffseg.labels import LabelImage, count_segments, open_labels, segment_index, update_segments
from ngffseg.model import Segment


@strict()
def label_segments(
    url: str | os.PathLike[str], table: str | os.PathLike[str], *, name: str | None = None
) -> tuple[Segment, ...]:
    """Change names, colors, codes and properties of stored segments to what a table says; no label is touched.

    What the table does not say stays as it is. All segments of all layers are changed, or none.

    Parameters
    ----------
    url
        Address of the store, or ``STORE/labels/NAME``.
    table
        A label table: CSV, TSV, ``.ctbl``, a ``.txt`` of ITK-SNAP or FreeSurfer, or JSON.
    name
        Which label image; needless where there is only one segmentation. Of a further layer, only that one.

    Returns
    -------
    tuple of Segment
        Those that were changed or added, as they are now.

    Raises
    ------
    FormatError
        If the table is none, or names label values that neither the labels nor the segments have.
    UsageError
        If an id is another than the stored one, or there is no such file.
    StoreError, MetadataError
        If the store cannot be read or written.

    Warns
    -----
    NgffsegWarning
        If labels have values that the table does not name.
    """
    found, image = read_table(table), open_labels(url, name)
    whole = image.name == image.layers[0]
    layers = {n: layer for n, layer in enumerate(image.layers) if whole or layer == image.name}
    images = {
        n: image if layer == image.name else open_labels(image.url, layer) for n, layer in layers.items()
    }
    known = [segment for one in images.values() for segment in one.segments]
    counted = {n: _indexed(one) for n, one in images.items()}
    held = held_values(known, images)
    if any(not holders(row, held) for row in found.rows):
        counted = {n: _counted(one) if counted[n] is None else counted[n] for n, one in images.items()}
        held = {n: {*values, *_values(counted[n])} for n, values in held.items()}
    strange = [row["label_value"] for row in found.rows if not holders(row, held)]
    if strange:
        raise FormatError(
            f"{found.file}: the labels do not have {len(strange)} of its {len(found.rows)} values"
            f" ({listed(strange)}): take them out of it"
        )
    old = {(segment.layer, segment.label_value): segment for segment in known}
    new = put_over(known, found, held)
    changed = tuple(segment for segment in new if old.get((segment.layer, segment.label_value)) != segment)
    if changed:
        update_segments(image, changed)
    _tell_of_others(found, counted.values())
    return changed


def tell_of_values(table: LabelTable, image: LabelImage) -> None:
    """Warn of values of a table that labels which were written do not have, and of those that it does not name."""
    counted = [_indexed(open_labels(image.url, layer)) for layer in image.layers]
    present = {value for values in counted for value in _values(values)}
    missing = [row["label_value"] for row in table.rows if row["label_value"] not in present]
    if missing and all(values is not None for values in counted):
        warn_of(
            f"{table.file}: the labels do not have {len(missing)} of its {len(table.rows)} values"
            f" ({listed(missing)}): kept as segments without voxels"
        )
    _tell_of_others(table, counted)


def _tell_of_others(table: LabelTable, counted: Iterable[npt.NDArray[np.uint64] | None]) -> None:
    named = {row["label_value"] for row in table.rows}
    others = sorted({value for values in counted for value in _values(values)} - named)
    if others:
        warn_of(
            f"{table.file}: it does not name {len(others)} values of the labels ({listed(others)}): they stay as they are"
        )


def _indexed(image: LabelImage) -> npt.NDArray[np.uint64] | None:
    """Label values of an image as its index tells them; None where it has none that holds."""
    try:
        return segment_index(image).labels()
    except (StoreNotFoundError, MetadataError):
        return None


def _counted(image: LabelImage) -> npt.NDArray[np.uint64]:
    return count_segments(image).labels()


def _values(counted: npt.NDArray[np.uint64] | None) -> list[int]:
    return [] if counted is None else counted.tolist()
