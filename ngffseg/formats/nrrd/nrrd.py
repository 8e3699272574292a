"""``.nrrd``: labelmaps without names, and intensity images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ngffseg.formats.nrrd import seg_nrrd
from ngffseg.formats.nrrd.place import joined, space_of
from ngffseg.formats.space_axes import along_space
from ngffseg.formats.unnamed import is_unnamed, unnamed_segments
from ngffseg.model import Loss, Segmentation, Volume


def read(path: Path) -> Segmentation:
    """Read layers and geometry; a file that has segments after all keeps them."""
    segmentation = seg_nrrd.read(path)
    if segmentation.segments:
        return segmentation
    return replace(segmentation, segments=unnamed_segments(segmentation.layers))


def read_volume(path: Path) -> Volume:
    """Read an intensity image."""
    return seg_nrrd.read_volume(path)


def write(segmentation: Segmentation, path: Path) -> tuple[Loss, ...]:
    """Write layers and geometry; names, colors and all else of segments are lost."""
    segmentation, missing = along_space(segmentation, path.name, ".nrrd")
    extra = segmentation.extra.get("nrrd", {})
    space = space_of(segmentation.geometry, extra)
    losses = seg_nrrd.write_file(
        segmentation, path, joined(segmentation.layers), extra.get("keys", {}), space
    )
    if not all(is_unnamed(segment) for segment in segmentation.segments):
        losses.append(Loss("segments", "names, colors and codes: .nrrd has no place for them; use .seg.nrrd"))
    return (*missing, *losses)
