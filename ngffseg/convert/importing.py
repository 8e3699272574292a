"""From a file to a store."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Unpack

from ngffseg.convert.study import read_study, stem_of, study_files
from ngffseg.errors import UsageError
from ngffseg.formats import read_segmentation, read_volume
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
    """
    segmentation, volume, fingerprint = _read(source, image, options)
    return write_segmentation(
        url,
        segmentation,
        name=name if name is not None else stem(source),
        image=volume,
        overwrite=overwrite,
        fingerprint=fingerprint,
        progress=progress,
        **options,
    )


@strict(WRITE_KEYWORDS)
def forecast_import(
    source: str | os.PathLike[str],
    url: str | os.PathLike[str],
    *,
    name: str | None = None,
    image: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    **options: Unpack[WriteOptions],
) -> Forecast:
    """What `import_segmentation` would do with these; nothing is written."""
    segmentation, volume, fingerprint = _read(source, image, options)
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
    **options: Unpack[WriteOptions],
) -> bool:
    """Whether an import of these would find all of it there already; files are hashed, not decoded."""
    _order(options)
    return is_current(url, name if name is not None else stem(source), _fingerprint(source, image), **options)


def _order(options: WriteOptions) -> VoxelOrder:
    """The order of an import; the canonical one is no option any more, since ngffseg 0.1 told none either."""
    if options.get("order", "canonical") == "keep":
        return "keep"
    options.pop("order", None)
    return "canonical"


def _read(
    source: str | os.PathLike[str], image: str | os.PathLike[str] | None, options: WriteOptions
) -> tuple[Segmentation, Volume | None, str]:
    """What the files hold, in an order, and a digest of them."""
    fingerprint, files = _fingerprint(source, image), study_files(source)
    resample = options.get("resample") == "nearest"
    segmentation = (
        read_segmentation(source) if files is None else read_study(source, files, resample=resample)
    )
    volume = read_volume(Path(image)) if image is not None else None
    if _order(options) == "canonical":
        segmentation, volume = canonical(segmentation, volume)
    return segmentation, volume, fingerprint


def _fingerprint(source: str | os.PathLike[str], image: str | os.PathLike[str] | None) -> str:
    """SHA-256 of what the files of an import hold; in a study their names count, too.

    Raises
    ------
    UsageError
        If one is not there.
    """
    study = study_files(source)
    found = hashlib.sha256()
    for file in [*(study or [Path(source)]), *([Path(image)] if image is not None else [])]:
        if not file.is_file():
            raise UsageError(f"{file}: there is no such file: check the path")
        if study is not None:
            found.update(file.name.encode())
        with file.open("rb") as data:
            found.update(hashlib.file_digest(data, "sha256").digest())
    return found.hexdigest()


def stem(source: str | os.PathLike[str]) -> str:
    """Name of a source without the suffix of its format; of a pattern, that of its folder."""
    path = Path(source)
    whole = path if not glob.has_magic(path.name) or path.exists() else path.parent
    return stem_of(whole.absolute())
