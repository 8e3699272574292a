"""One study spread over many files, one structure each, as TotalSegmentator writes them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.convert.common_grid import CommonGrid, Layer
from ngffseg.errors import UsageError
from ngffseg.formats import is_unnamed, known_suffixes, one_warning, read_segmentation, tell
from ngffseg.geometry import SPACE
from ngffseg.labels import without_single_axes
from ngffseg.model import Segment, Segmentation, Source


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
    # Names that begin with a dot are hidden: macOS leaves "._liver.nii.gz" beside "liver.nii.gz".
    seen = (file for file in found if not file.name.startswith("."))
    files = sorted(file for file in seen if file.name.lower().endswith(known_suffixes()))
    if not files:
        raise UsageError(
            f"{source}: no segmentation file there: one of {', '.join(known_suffixes())} is needed"
        )
    return files


def read_study(
    source: str | os.PathLike[str], files: Sequence[Path], *, resample: bool = False
) -> Segmentation:
    """All files of a study as one segmentation, in as few layers as their overlaps need.

    Label values are given anew, 1, 2, ... in the order of the files. A file of one structure lends it its
    name; structures of a file with several keep theirs, behind the name of the file. One without voxels is
    a structure, too. All lie on the grid of the first file, which grows where others reach beyond it. With
    ``resample``, of files on other grids the nearest voxels are taken.

    Raises
    ------
    UsageError
        If the files do not share a grid, up to flips, permutations, whole voxels and 1e-4 of one.
    """
    grid: CommonGrid | None = None
    segments: list[Segment] = []
    empty = 0
    with one_warning():
        for file in files:
            read = without_single_axes(read_segmentation(file), SPACE)  # (x, y, z, 1) is the grid (x, y, z)
            grid = grid or CommonGrid(file, read.geometry, resample)
            arrays, box = grid.place(file, read)
            empty += not any(array.any() for array in arrays)
            for segment, mask in _masks(file, read.segments, arrays):
                segments.append(_added(grid.layers, grid.shape, segment, mask, box, len(segments) + 1))
    assert grid is not None
    lines = grid.notes(len(files))
    if empty:
        lines.append(f"{empty} of {len(files)} files hold no voxels: their segments are kept")
    tell(files[0].absolute().parent.name, lines)
    dtype = np.uint8 if len(segments) < 256 else np.uint16
    packed = tuple(layer.astype(dtype) for layer in grid.layers)
    return Segmentation(packed, _unique(segments), grid.whole(), source=Source("files", Path(source).name))


def _added(
    layers: list[Layer],
    shape: tuple[int, ...],
    segment: Segment,
    mask: npt.NDArray[np.bool_],
    box: tuple[slice, ...],
    value: int,
) -> Segment:
    """The segment with a value of its own, painted into the first layer in which it overlaps none."""
    number = next((n for n, labels in enumerate(layers) if not labels[box][mask].any()), len(layers))
    if number == len(layers):
        layers.append(np.zeros(shape, np.uint16))
    layers[number][box][mask] = value
    return replace(segment, label_value=value, layer=number)


def _masks(
    file: Path, segments: Sequence[Segment], arrays: Sequence[npt.NDArray[Any]]
) -> Iterator[tuple[Segment, npt.NDArray[np.bool_]]]:
    """The structures of one file, each with its voxels."""
    stem = stem_of(file)
    if not segments:
        if any(array.any() for array in arrays):
            raise UsageError(
                f"{file} holds labels that are no segments, or more than 4096 of them: import it by itself"
            )
        yield Segment(1, id=stem, name=stem), np.zeros(arrays[0].shape, bool)
    for segment in segments:
        alone = len(segments) == 1
        name = stem if alone and is_unnamed(segment) else segment.name if alone else f"{stem} {segment.name}"
        named = replace(segment, name=name, id=stem if alone else f"{stem}_{segment.id}")
        yield named, arrays[segment.layer] == segment.label_value


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
