"""``.seg.nrrd``: segmentations of 3D Slicer (vtkMRMLSegmentationStorageNode), both ways."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ngffseg.errors import FormatError
from ngffseg.formats.exact import exact_labels
from ngffseg.formats.notices import tell
from ngffseg.formats.nrrd.data import read_data, write_data
from ngffseg.formats.nrrd.extent import extent_text, extents
from ngffseg.formats.nrrd.grid import Grid, read_grid, stated_unit
from ngffseg.formats.nrrd.header import Header, header_bytes, read_header
from ngffseg.formats.nrrd.place import GENERATED, LPS, grid_fields, joined, space_of, written_geometry
from ngffseg.formats.nrrd.segment_keys import format_segment, group_keys, parse_segment
from ngffseg.formats.nrrd.units import FIELD
from ngffseg.formats.space_axes import along_space
from ngffseg.geometry import Geometry, from_nrrd, nrrd_frame
from ngffseg.model import Loss, Segmentation, Volume

# The documents of Slicer say SourceRepresentation, its code and its files MasterRepresentation.
REPRESENTATION = "Segmentation_MasterRepresentation"
OTHER_NAME = "Segmentation_SourceRepresentation"
LEGACY_EXTENT = "Segmentation_Extent"
DEFAULT = "Binary labelmap"


def read(path: Path) -> Segmentation:
    """Read layers, segments and geometry; see `ngffseg.formats.format.Format`."""
    header, content = read_header(path)
    data = exact_labels(read_data(header, content), path.name)
    numbered, keys = group_keys(header.keys)
    if LEGACY_EXTENT in keys and data.ndim == 4:
        grid = _legacy_grid(header, data)
        keys = {k: v for k, v in keys.items() if k != LEGACY_EXTENT}
        header.fields.pop(FIELD, None)  # it speaks of four directions
        numbered = {n: {k: v for k, v in raw.items() if k != "Extent"} for n, raw in numbered.items()}
    else:
        grid = read_grid(header, data)
    tell(path.name, grid.notes)
    segments = tuple(parse_segment(number, raw) for number, raw in numbered.items())
    extra = {
        "space": header.fields.get("space", ""),
        "dimension": header.fields["dimension"],
        "fields": {k: v for k, v in header.fields.items() if k not in GENERATED},
        "keys": keys,
        **({"unit": unit} if (unit := stated_unit(header, grid.geometry)) else {}),
        "segments": {s.id: raw for s, raw in zip(segments, numbered.values(), strict=True)},
    }
    representation = keys.get(REPRESENTATION) or keys.get(OTHER_NAME) or DEFAULT
    return Segmentation(grid.layers, segments, grid.geometry, representation, None, {"nrrd": extra})


def _legacy_grid(header: Header, data: Any) -> Grid:
    """Layers of the old layout: four space axes, one segment after another, value 1 in each.

    Slicer takes origin and directions as RAS there, and the origin for index 0 of the reference
    image, in which voxel 0 of the file lies at the start of Segmentation_Extent.
    """
    try:
        start = [int(word) for word in header.keys[LEGACY_EXTENT].split()][:5:2]
        vectors = [v[:3] for v in header.vectors("space directions", None)[:3] if v is not None]
        origin = (header.vectors("space origin", None)[0] or [])[:3]
        first = np.asarray(origin) + np.asarray(start) @ np.asarray(vectors)
        affine = from_nrrd("RAS", vectors, first)
    except (KeyError, ValueError, IndexError) as error:
        raise FormatError(
            "the file has the old layout of four space axes, but its extent or directions are broken"
        ) from error
    layers = tuple(np.ascontiguousarray(layer) for layer in data)
    return Grid(layers, Geometry(layers[0].shape, affine, frame="patient"), ())


def read_volume(path: Path) -> Volume:
    """Read the voxels as an intensity image."""
    header, content = read_header(path)
    grid = read_grid(header, read_data(header, content))
    if len(grid.layers) != 1:
        raise FormatError(f"{path.name} has {len(grid.layers)} components: an image has one")
    tell(path.name, grid.notes)
    return Volume(grid.layers[0], grid.geometry)


def write(segmentation: Segmentation, path: Path) -> tuple[Loss, ...]:
    """Write all layers and segments; see `ngffseg.formats.format.Format`."""
    segmentation, missing = along_space(segmentation, path.name, ".seg.nrrd")
    if len(segmentation.geometry.shape) != 3:
        raise FormatError(
            f"{path.name}: .seg.nrrd holds three space axes, not {segmentation.geometry.axes}: use .nii.gz"
        )
    extra: Mapping[str, Any] = segmentation.extra.get("nrrd", {})
    data = joined(segmentation.layers)
    keys = {k: v for k, v in extra.get("keys", {}).items() if k not in (REPRESENTATION, OTHER_NAME)}
    keys[REPRESENTATION] = segmentation.representation
    keys.setdefault("Segmentation_ContainedRepresentationNames", f"{segmentation.representation}|")
    keys.setdefault("Segmentation_ReferenceImageExtentOffset", "0 0 0")
    segment_keys, losses = _segment_keys(segmentation, extra)
    ordered = dict(sorted(segment_keys.items(), key=_by_number)) | dict(sorted(keys.items()))
    # Slicer and slicerio know no segmentation without a named space.
    space = space_of(segmentation.geometry, extra) or LPS
    if segmentation.geometry.frame is None and nrrd_frame(space) == "patient":
        losses = (*losses, Loss("geometry", f"it lies in no patient, but Slicer needs a named space: {LPS}"))
    return (*missing, *losses, *write_file(segmentation, path, data, ordered, space))


def _segment_keys(
    segmentation: Segmentation, extra: Mapping[str, Any]
) -> tuple[dict[str, str], tuple[Loss, ...]]:
    keys: dict[str, str] = {}
    losses: list[Loss] = []
    raw_of = extra.get("segments", {})
    boxes = [
        extents(np.asarray(layer[...]), [s.label_value for s in segmentation.segments if s.layer == number])
        for number, layer in enumerate(segmentation.layers)
    ]
    for number, segment in enumerate(segmentation.segments):
        raw = raw_of.get(segment.id, {})
        extent = extent_text(boxes[segment.layer].get(segment.label_value), raw.get("Extent"))
        found, lost = format_segment(segment, raw, extent)
        keys |= {f"Segment{number}_{key}": text for key, text in found.items()}
        losses += lost
    return keys, tuple(losses)


def _by_number(item: tuple[str, str]) -> tuple[int, str]:
    number, _, key = item[0].removeprefix("Segment").partition("_")
    return int(number), key


def write_file(
    segmentation: Segmentation, path: Path, data: Any, keys: Mapping[str, str], space: str
) -> list[Loss]:
    """Write a NRRD file: the grid of a segmentation in a space, the fields that it came with, and keys.

    Returns what the fields cannot say of the grid.
    """
    extra: Mapping[str, Any] = segmentation.extra.get("nrrd", {})
    dimension = len(segmentation.geometry.shape) + (len(segmentation.layers) > 1)
    if extra.get("dimension") != str(dimension):
        extra = {}  # its fields speak of other axes
    geometry, losses = written_geometry(segmentation.geometry, extra, space)
    fields = grid_fields(geometry, len(segmentation.layers), data.dtype, space)
    fields |= {k: v for k, v in extra.get("fields", {}).items() if k not in (*fields, *GENERATED)}
    with path.open("xb") as stream:
        stream.write(header_bytes(Header(fields, dict(keys))))
        write_data(stream, data)
    return losses
