"""From a file to a store."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from ngffseg.convert.study import read_study, stem_of, study_files
from ngffseg.errors import UsageError
from ngffseg.formats import read_segmentation, read_volume
from ngffseg.geometry import redescribed
from ngffseg.keywords import strict
from ngffseg.labels import (
    PLACE_KEYWORDS,
    WRITE_KEYWORDS,
    Forecast,
    LabelImage,
    PlacedOptions,
    PlaceOptions,
    VoxelOrder,
    WriteOptions,
    canonical,
    forecast,
    image_beside,
    is_current,
    place_of,
    write_segmentation,
)
from ngffseg.model import Segmentation, Volume


@strict(WRITE_KEYWORDS | PLACE_KEYWORDS)
def import_segmentation(
    source: str | os.PathLike[str],
    url: str | os.PathLike[str],
    *,
    name: str | None = None,
    image: str | os.PathLike[str] | None = None,
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
    """
    segmentation, volume, fingerprint, rest = _read(source, image, options)
    return write_segmentation(
        url,
        segmentation,
        name=name if name is not None else stem(source),
        image=volume,
        overwrite=overwrite,
        fingerprint=fingerprint,
        progress=progress,
        **rest,
    )


@strict(WRITE_KEYWORDS | PLACE_KEYWORDS)
def forecast_import(
    source: str | os.PathLike[str],
    url: str | os.PathLike[str],
    *,
    name: str | None = None,
    image: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    **options: Unpack[PlacedOptions],
) -> Forecast:
    """What `import_segmentation` would do with these; nothing is written."""
    segmentation, volume, fingerprint, rest = _read(source, image, options)
    name = name if name is not None else stem(source)
    return forecast(
        url,
        segmentation,
        name=name,
        image=volume,
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
    **options: Unpack[PlacedOptions],
) -> bool:
    """Whether an import of these would find all of it there already; files are hashed, not decoded."""
    words, rest = place_of(options)
    _order(rest)
    known = _fingerprint(source, image, words)
    return is_current(url, name if name is not None else stem(source), known, **rest)


def _order(options: WriteOptions) -> VoxelOrder:
    """The order of an import; the canonical one is no option any more, since ngffseg 0.1 told none either."""
    if options.get("order", "canonical") == "keep":
        return "keep"
    options.pop("order", None)
    return "canonical"


def _read(
    source: str | os.PathLike[str], image: str | os.PathLike[str] | None, options: PlacedOptions
) -> tuple[Segmentation, Volume | None, str, WriteOptions]:
    """What the files hold, in an order and at a place, a digest of them, and the options that are left."""
    words, rest = place_of(options)
    fingerprint, files = _fingerprint(source, image, words), study_files(source)
    resample = rest.get("resample") == "nearest"
    segmentation = (
        read_segmentation(source) if files is None else read_study(source, files, resample=resample)
    )
    volume = read_volume(Path(image)) if image is not None else None
    if words:
        grid = redescribed(segmentation.geometry, **words)
        segmentation = replace(segmentation, geometry=grid, source_grid=None)
        # Words tell of the labels; the image that comes with them lies on their grid.
        volume = image_beside(volume.data, grid) if volume is not None else None
    if _order(rest) == "canonical":
        segmentation, volume = canonical(segmentation, volume)
    return segmentation, volume, fingerprint, rest


def _fingerprint(
    source: str | os.PathLike[str], image: str | os.PathLike[str] | None, words: PlaceOptions
) -> str:
    """SHA-256 of what the files of an import hold; in a study their names count, too, and words that overrule them.

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
    if words:
        found.update(json.dumps(words, sort_keys=True).encode())
    return found.hexdigest()


def stem(source: str | os.PathLike[str]) -> str:
    """Name of a source without the suffix of its format; of a pattern, that of its folder."""
    path = Path(source)
    whole = path if not glob.has_magic(path.name) or path.exists() else path.parent
    return stem_of(whole.absolute())
