"""One study spread over many files, one structure each, as TotalSegmentator writes them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ngffseg.errors import UsageError
from ngffseg.formats import is_unnamed, known_suffixes, read_segmentation
from ngffseg.geometry import Geometry
from ngffseg.model import Segment, Segmentation, Source

Layer = npt.NDArray[np.uint16]


def study_files(source: str | os.PathLike[str]) -> list[Path] | None:
    """Files of a study by name, from a folder or a pattern such as ``case/*.nii.gz``; None for one file.

    Raises
    ------
    UsageError
        If there are none.
    """
    path = Path(source)
    if path.is_dir():
        found = [file for file in path.iterdir() if file.is_file()]
    elif glob.has_magic(os.fspath(source)) and not path.exists():
        found = [Path(name) for name in glob.glob(os.fspath(source), recursive=True)]  # noqa: PTH207
    else:
        return None
    files = sorted(file for file in found if file.name.lower().endswith(known_suffixes()))
    if not files:
        raise UsageError(
            f"{source}: no segmentation file there: one of {', '.join(known_suffixes())} is needed"
        )
    return files


def read_study(source: str | os.PathLike[str], files: Sequence[Path]) -> Segmentation:
    """All files of a study as one segmentation, in as few layers as their overlaps need.

    Label values are given anew, 1, 2, ... in the order of the files. A file of one structure lends it its
    name; structures of a file with several keep theirs, behind the name of the file.

    Raises
    ------
    UsageError
        If the files do not share a grid.
    """
    layers: list[Layer] = []
    segments: list[Segment] = []
    grid: Geometry | None = None
    for file in files:
        read = read_segmentation(file)
        grid = grid or read.geometry
        if read.geometry != grid:
            raise UsageError(f"{file} does not lie on the grid of {files[0]}: resample one of them first")
        for segment, mask in _masks(file, read):
            value = len(segments) + 1
            layer = next((n for n, labels in enumerate(layers) if not labels[mask].any()), len(layers))
            if layer == len(layers):
                layers.append(np.zeros(grid.shape, np.uint16))
            layers[layer][mask] = value
            segments.append(replace(segment, label_value=value, layer=layer))
    assert grid is not None
    dtype = np.uint8 if len(segments) < 256 else np.uint16
    packed = tuple(layer.astype(dtype) for layer in layers) or (np.zeros(grid.shape, dtype),)
    return Segmentation(packed, _unique(segments), grid, source=Source("files", Path(source).name))


def _masks(file: Path, read: Segmentation) -> Iterator[tuple[Segment, npt.NDArray[np.bool_]]]:
    """The structures of one file, each with its voxels."""
    stem = stem_of(file)
    layers = [np.asarray(layer[...]) for layer in read.layers]
    for segment in read.segments:
        alone = len(read.segments) == 1
        name = stem if alone and is_unnamed(segment) else segment.name if alone else f"{stem} {segment.name}"
        named = replace(segment, name=name, id=stem if alone else f"{stem}_{segment.id}")
        yield named, layers[segment.layer] == segment.label_value


def _unique(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Segments whose ids are unique: files in different folders may have one name."""
    seen: dict[str, int] = {}
    found = []
    for segment in segments:
        seen[segment.id] = seen.get(segment.id, 0) + 1
        more = f"_{seen[segment.id]}" if seen[segment.id] > 1 else ""
        found.append(replace(segment, id=segment.id + more))
    return tuple(found)


def stem_of(source: str | os.PathLike[str]) -> str:
    """Name of a file without the suffix of its format: ``case.01`` of ``case.01.nii.gz``."""
    name = Path(source).name
    suffixes = [s for s in known_suffixes() if name.lower().endswith(s)]
    return name[: -len(max(suffixes, key=len))] if suffixes else name
