"""From a store to a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ngffseg.errors import LossError, UsageError
from ngffseg.formats import format_of, write_segmentation
from ngffseg.keywords import strict
from ngffseg.labels import open_segmentation, source_order, write_archive
from ngffseg.model import Loss

# One file that holds the whole store, whatever is in it.
ARCHIVE = ".ozx"


@strict()
def export_segmentation(
    url: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    name: str | None = None,
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
    strict
        Write nothing if anything would be lost.

    Returns
    -------
    tuple of Loss
        What the format could not hold.

    Raises
    ------
    LossError
        If the format would change voxels or label values, or with ``strict`` lose anything.
    """
    path = Path(target)
    whole = path.name.lower().endswith(ARCHIVE)
    if not whole:
        format_of(path)
    if not path.parent.is_dir():
        raise UsageError(f"{path}: the folder {path.parent} is not there: make it first")
    if whole:
        if name is not None:
            raise UsageError(f"{path} would hold the whole store: leave --name out")
        write_archive(url, path)
        return ()
    segmentation = source_order(open_segmentation(url, name))
    if not strict:
        return write_segmentation(segmentation, path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        trial = Path(folder) / path.name
        losses = write_segmentation(segmentation, trial)
        if losses:
            report = "; ".join(f"{loss.where}: {loss.what}" for loss in losses)
            message = (
                f"{path.name} would lose something ({report}): export without --strict, or to another format"
            )
            raise LossError(message, strict=True)
        trial.replace(path)
    return ()
