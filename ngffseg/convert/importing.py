"""From a file to a store."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Unpack

from ngffseg.errors import UsageError
from ngffseg.formats import known_suffixes, read_segmentation, read_volume
from ngffseg.geometry import same_directions
from ngffseg.labels import LabelImage, WriteOptions, plan_segmentation, write_segmentation
from ngffseg.pyramid import PyramidPlan


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
        File of a known format (by its suffix): ``.seg.nrrd``, ``.nrrd``, ``.nii``, ``.nii.gz``.
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
        See `ngffseg.labels.WriteOptions`.

    Raises
    ------
    FormatError, UsageError, MetadataError, StoreError
        See `ngffseg.write_labels`; nothing is published then.
    """
    segmentation = read_segmentation(Path(source))
    volume = read_volume(Path(image)) if image is not None else None
    if volume is not None and not same_directions(volume.geometry, segmentation.geometry):
        # OME-Zarr up to 0.5 holds scale and translation: readers would show the labels elsewhere.
        raise UsageError(
            f"the axes of {image} and {source} point in different directions: reorient one of them first"
        )
    return write_segmentation(
        url,
        segmentation,
        name=name if name is not None else stem(source),
        image=volume,
        overwrite=overwrite,
        progress=progress,
        **options,
    )


def plan_import(
    source: str | os.PathLike[str],
    url: str | os.PathLike[str],
    **options: Unpack[WriteOptions],
) -> PyramidPlan:
    """The plan that `import_segmentation` would follow for layer 0; nothing is written."""
    return plan_segmentation(url, read_segmentation(Path(source)), **options)


def stem(source: str | os.PathLike[str]) -> str:
    """Name of a file without the suffix of its format: ``case.01`` of ``case.01.nii.gz``."""
    name = Path(source).name
    suffixes = [s for s in known_suffixes() if name.lower().endswith(s)]
    return name[: -len(max(suffixes, key=len))] if suffixes else name
