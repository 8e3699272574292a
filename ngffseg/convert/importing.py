"""From a file to a store."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Unpack

from ngffseg.convert.labelling import tell_of_values
from ngffseg.convert.sources import Imported, ImportFiles, read_files, stem
from ngffseg.keywords import strict
from ngffseg.labels import (
    PLACE_KEYWORDS,
    WRITE_KEYWORDS,
    Forecast,
    LabelImage,
    PlacedOptions,
    VoxelOrder,
    WriteOptions,
    forecast,
    is_current,
    place_of,
    write_segmentation,
)


@strict(WRITE_KEYWORDS | PLACE_KEYWORDS)
def import_segmentation(
    source: str | os.PathLike[str],
    url: str | os.PathLike[str],
    *,
    name: str | None = None,
    image: str | os.PathLike[str] | None = None,
    table: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **options: Unpack[PlacedOptions],
) -> LabelImage:
    """Import a segmentation file into a store as a multiscale label image.

    Parameters
    ----------
    source
        File of a known format (by its suffix): ``.seg.nrrd``, ``.nrrd``, ``.nii``, ``.nii.gz``; or a
        folder of such files, or a pattern as ``case/*.nii.gz``, one structure per file, which become one
        segmentation in as few layers as their overlaps need.
    url
        Address of the store, a path or an fsspec URL; made if it is not there.
    name
        Name of the label image; by default that of the file without its suffix.
    image
        File of the image that was segmented, written beside the labels.
    table
        Label table with names, colors, codes and properties of label values: CSV (Slicer's too), TSV of BIDS,
        ``.ctbl``, ``.txt`` of ITK-SNAP or FreeSurfer, JSON; what it holds tells which. What it says is put over
        what the file says; values that the labels do not have become segments without voxels.
    overwrite
        Replace a label image of this name.
    progress
        Called after each block with the numbers of blocks done and in all.
    **options
        See `ngffseg.labels.WriteOptions`; ``order`` is "canonical" unless it is told. And `ngffseg.labels.PlaceOptions`:
        words that overrule the grid that the file tells, where it tells none or another one.

    Raises
    ------
    FormatError, UsageError, MetadataError, StoreError
        See `ngffseg.write_labels`; nothing is published then.

    Warns
    -----
    NgffsegWarning
        If the table names values that the labels do not have, or not all that they have; if a table that lies
        beside the file under its name was not used.
    """
    words, rest = place_of(options)
    files = ImportFiles(source, image, table, words)
    fingerprint, found = files.fingerprint(), _read(files, rest)
    written = write_segmentation(
        url,
        found.segmentation,
        name=name if name is not None else stem(source),
        image=found.image,
        overwrite=overwrite,
        fingerprint=fingerprint,
        progress=progress,
        **rest,
    )
    if found.rows is not None:
        tell_of_values(found.rows, written)
    return written


@strict(WRITE_KEYWORDS | PLACE_KEYWORDS)
def forecast_import(
    source: str | os.PathLike[str],
    url: str | os.PathLike[str],
    *,
    name: str | None = None,
    image: str | os.PathLike[str] | None = None,
    table: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    **options: Unpack[PlacedOptions],
) -> Forecast:
    """What `import_segmentation` would do with these; nothing is written."""
    words, rest = place_of(options)
    files = ImportFiles(source, image, table, words)
    fingerprint, found = files.fingerprint(), _read(files, rest)
    return forecast(
        url,
        found.segmentation,
        name=name if name is not None else stem(source),
        image=found.image,
        overwrite=overwrite,
        fingerprint=fingerprint,
        **rest,
    )


@strict(WRITE_KEYWORDS | PLACE_KEYWORDS)
def is_imported(
    source: str | os.PathLike[str],
    url: str | os.PathLike[str],
    *,
    name: str | None = None,
    image: str | os.PathLike[str] | None = None,
    table: str | os.PathLike[str] | None = None,
    **options: Unpack[PlacedOptions],
) -> bool:
    """Return True if an import of these would find all of it there already; files are hashed, not decoded."""
    words, rest = place_of(options)
    _order(rest)
    known = ImportFiles(source, image, table, words).fingerprint()
    return is_current(url, name if name is not None else stem(source), known, **rest)


def _order(options: WriteOptions) -> VoxelOrder:
    """The order of an import; the canonical one is no option any more, since ngffseg 0.1 told none either."""
    if options.get("order", "canonical") == "keep":
        return "keep"
    options.pop("order", None)
    return "canonical"


def _read(files: ImportFiles, options: WriteOptions) -> Imported:
    return read_files(files, order=_order(options), resample=options.get("resample") == "nearest")
