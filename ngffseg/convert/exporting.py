"""From a store to a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ngffseg.convert.ozx import write_archive
from ngffseg.errors import Hint, LossError, StoreError, UsageError
from ngffseg.formats import format_of, table_format, table_text, write_segmentation
from ngffseg.keywords import strict
from ngffseg.labels import open_segmentation, source_order
from ngffseg.model import Loss, Segment, Segmentation
from ngffseg.ngff import made_up_color

# One file that holds the whole store, whatever is in it.
ARCHIVE = ".ozx"


@strict()
def export_segmentation(
    url: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    name: str | None = None,
    table: str | os.PathLike[str] | None = None,
    strict: bool = False,
) -> tuple[Loss, ...]:
    """Export a segmentation, all its layers, to a file, in the order of voxels that its source had.

    Parameters
    ----------
    url
        Address of the store, or ``STORE/labels/NAME``.
    target
        File to write; its suffix chooses the format. It is replaced in one step. ``.ozx`` is the
        whole store in one file, which all verbs read as they read a store.
    name
        Name of the label image, where the store has several.
    table
        Label table to write with it, of names, colors, codes and properties; the end of its name chooses the
        format: ``.csv`` (3D Slicer), ``.tsv`` (BIDS), ``.ctbl``, ``.txt`` (ITK-SNAP), ``lut.txt`` (FreeSurfer),
        ``.json`` (all of it).
    strict
        Write nothing if anything would be lost.

    Returns
    -------
    tuple of Loss
        What the files do not hold; a table that holds all of the segments makes up for what their file lacks.

    Raises
    ------
    LossError
        If the format would change voxels or label values, or with ``strict`` lose anything.
    UnknownFormatError
        If the end of a name tells no format.
    """
    path, beside = Path(target), None if table is None else Path(table)
    whole = path.name.lower().endswith(ARCHIVE)
    if not whole:
        format_of(path)
    if beside is not None:
        table_format(beside)
    for file in (path, beside):
        if file is not None and not file.parent.is_dir():
            raise UsageError(f"{file}: the folder {file.parent} is not there: make it first")
    if whole:
        if name is not None:
            raise UsageError(f"{path} would hold the whole store: leave the name out")
        if beside is not None:
            raise UsageError(f"{path} would hold the whole store, names of segments too: leave the table out")
        write_archive(url, path)
        return ()
    segmentation = source_order(open_segmentation(url, name))
    if beside is None and not strict:
        return write_segmentation(segmentation, path)
    return _write(segmentation, path, beside, strict)


def _write(segmentation: Segmentation, path: Path, table: Path | None, strict: bool) -> tuple[Loss, ...]:
    """Write all files aside, then put them into their places; none of them if one cannot be written."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ngffseg-") as folder:
        trial = Path(folder) / path.name
        try:
            losses = write_segmentation(segmentation, trial)
        except StoreError as error:
            raise StoreError(str(error).replace(str(trial), str(path))) from error
        if table is None:
            _check_losses(losses, path, strict)
        else:
            text, lost = table_text(segmentation.segments, table, made_up_color)
            losses = (*(losses if lost else _without_segments(losses, segmentation.segments)), *lost)
            _check_losses(losses, path, strict)
            _write_text(text, table)
        trial.replace(path)
    return losses


def _without_segments(losses: Sequence[Loss], segments: Sequence[Segment]) -> tuple[Loss, ...]:
    """Losses but those that a table, which holds all that there is to say of the segments, makes up for."""
    held = {"segments", *(segment.id for segment in segments)} - {"geometry"}
    return tuple(loss for loss in losses if loss.where not in held)


def _write_text(text: str, path: Path) -> None:
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ngffseg-") as folder:
            aside = Path(folder) / path.name
            aside.write_bytes(text.encode())
            aside.replace(path)
    except OSError as error:
        raise StoreError(
            f"{path} was not written ({error.strerror or error}): check the disk and run again"
        ) from error


def _check_losses(losses: Sequence[Loss], path: Path, strict: bool) -> None:
    if strict and losses:
        report, hint = "; ".join(f"{loss.where}: {loss.what}" for loss in losses), Hint("lose")
        message = f"{path.name} would lose something ({report}): export {hint}, or to another format"
        raise LossError(message, hints=[hint], strict=True)
