"""From a file to a store."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Unpack

from ngffseg.convert.labelling import tell_of_values
from ngffseg.convert.study import read_study, stem_of, study_files
from ngffseg.convert.table_rows import with_table
from ngffseg.errors import UsageError
from ngffseg.formats import LabelTable, read_segmentation, read_table, read_volume, table_beside, tell
from ngffseg.keywords import strict
from ngffseg.labels import (
    WRITE_KEYWORDS,
    Forecast,
    LabelImage,
    VoxelOrder,
    WriteOptions,
    canonical,
    forecast,
    is_current,
    write_segmentation,
)
from ngffseg.model import Segmentation, Volume


@strict(WRITE_KEYWORDS)
def import_segmentation(
    source: str | os.PathLike[str],
    url: str | os.PathLike[str],
    *,
    name: str | None = None,
    image: str | os.PathLike[str] | None = None,
    table: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **options: Unpack[WriteOptions],
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
        See `ngffseg.labels.WriteOptions`; ``order`` is "canonical" unless it is told.

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
    segmentation, volume, fingerprint, rows = _read(source, image, table, options)
    written = write_segmentation(
        url,
        segmentation,
        name=name if name is not None else stem(source),
        image=volume,
        overwrite=overwrite,
        fingerprint=fingerprint,
        progress=progress,
        **options,
    )
    if rows is not None:
        tell_of_values(rows, written)
    return written


@strict(WRITE_KEYWORDS)
def forecast_import(
    source: str | os.PathLike[str],
    url: str | os.PathLike[str],
    *,
    name: str | None = None,
    image: str | os.PathLike[str] | None = None,
    table: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    **options: Unpack[WriteOptions],
) -> Forecast:
    """What `import_segmentation` would do with these; nothing is written."""
    segmentation, volume, fingerprint, _ = _read(source, image, table, options)
    name = name if name is not None else stem(source)
    return forecast(
        url,
        segmentation,
        name=name,
        image=volume,
        overwrite=overwrite,
        fingerprint=fingerprint,
        **options,
    )


@strict(WRITE_KEYWORDS)
def is_imported(
    source: str | os.PathLike[str],
    url: str | os.PathLike[str],
    *,
    name: str | None = None,
    image: str | os.PathLike[str] | None = None,
    table: str | os.PathLike[str] | None = None,
    **options: Unpack[WriteOptions],
) -> bool:
    """Whether an import of these would find all of it there already; files are hashed, not decoded."""
    _order(options)
    return is_current(
        url, name if name is not None else stem(source), _fingerprint(source, image, table), **options
    )


def _order(options: WriteOptions) -> VoxelOrder:
    """The order of an import; the canonical one is no option any more, since ngffseg 0.1 told none either."""
    if options.get("order", "canonical") == "keep":
        return "keep"
    options.pop("order", None)
    return "canonical"


def _read(
    source: str | os.PathLike[str],
    image: str | os.PathLike[str] | None,
    table: str | os.PathLike[str] | None,
    options: WriteOptions,
) -> tuple[Segmentation, Volume | None, str, LabelTable | None]:
    """What the files hold, in an order, a digest of them, and the rows of the table."""
    fingerprint, files = _fingerprint(source, image, table), study_files(source)
    rows = read_table(table) if table is not None else None
    resample = options.get("resample") == "nearest"
    segmentation = (
        read_segmentation(source) if files is None else read_study(source, files, resample=resample)
    )
    if rows is not None:
        segmentation, rows = with_table(segmentation, rows)
    elif files is None:
        _tell_of_table(Path(source))
    volume = read_volume(Path(image)) if image is not None else None
    if _order(options) == "canonical":
        segmentation, volume = canonical(segmentation, volume)
    return segmentation, volume, fingerprint, rows


def _tell_of_table(source: Path) -> None:
    """Warn of a label table beside a file, which nobody has asked for."""
    unused = table_beside(source.expanduser().with_name(stem_of(source)))
    if unused is not None:
        tell(
            source.name,
            [
                f"{unused.file} beside it names {len(unused.rows)} label values and was not used: give it as table"
            ],
        )


def _fingerprint(
    source: str | os.PathLike[str],
    image: str | os.PathLike[str] | None,
    table: str | os.PathLike[str] | None,
) -> str:
    """SHA-256 of what the files of an import hold; in a study their names count, too.

    Raises
    ------
    UsageError
        If one is not there.
    """
    study = study_files(source)
    found = hashlib.sha256()
    further = [Path(file) for file in (image, table) if file is not None]
    for file in [*(study or [Path(source)]), *further]:
        if not file.is_file():
            raise UsageError(f"{file}: there is no such file: check the path")
        if study is not None:
            found.update(file.name.encode())
        with file.open("rb") as data:
            found.update(hashlib.file_digest(data, "sha256").digest())
    # An image and a table that hold the same are two things.
    found.update(b"" if table is None else b"table")
    return found.hexdigest()


def stem(source: str | os.PathLike[str]) -> str:
    """Name of a source without the suffix of its format; of a pattern, that of its folder."""
    path = Path(source)
    whole = path if not glob.has_magic(path.name) or path.exists() else path.parent
    return stem_of(whole.absolute())
