"""``.nii`` and ``.nii.gz``: labelmaps and images of NIfTI-1 and NIfTI-2, both ways.

Voxels are never scaled and never pass through float. The header that came in is kept whole, and
given back as long as it still says the same.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import FormatError, Hint, LabelValueError, LossError
from ngffseg.formats.exact import exact_labels, holds
from ngffseg.formats.nifti.caret import (
    CODE,
    NO_CHARACTER,
    format_label_table,
    is_label_table,
    parse_label_table,
)
from ngffseg.formats.nifti.data import (
    file_bytes,
    is_scaled,
    new_header,
    open_image,
    stored_header,
    version_of,
    voxels_of,
)
from ngffseg.formats.nifti.grid import array_order, file_order, geometry_of, place, says
from ngffseg.formats.nifti.matrix import notes
from ngffseg.formats.notices import tell
from ngffseg.formats.unnamed import is_unnamed, unnamed_segments
from ngffseg.geometry import Geometry
from ngffseg.model import Loss, Segment, Segmentation, Volume

COMPRESSION = 6


def read(path: Path) -> Segmentation:
    """Read labels, names and geometry; see `ngffseg.formats.format.Format`."""
    image = open_image(path)
    if is_scaled(image):
        hint = Hint("give as image")
        raise LabelValueError(
            f"{path.name} scales its voxels (scl_slope, scl_inter), as an image does: give it {hint}, or set them to"
            " 1 and 0 if it holds labels",
            hints=[hint],
        )
    geometry = _geometry(image, path)
    labels = array_order(exact_labels(voxels_of(image, path), path.name))
    tables = [e.content for e in image.header.extensions if is_label_table(e.content)]
    segments = _table_segments(tables[0], labels.dtype) if tables else unnamed_segments((labels,))
    return Segmentation((labels,), segments, geometry, extra={"nifti": _kept(image)})


def _table_segments(table: bytes, dtype: np.dtype[Any]) -> tuple[Segment, ...]:
    """Segments of a label table, without entries that no voxel of the file can have."""
    return tuple(s for s in parse_label_table(table) if holds(dtype, s.label_value))


def read_volume(path: Path) -> Volume:
    """Read an intensity image, scaled as its header says."""
    image = open_image(path)
    data = np.asarray(image.dataobj) if is_scaled(image) else voxels_of(image, path)
    if data.dtype.kind not in "iuf":
        raise FormatError(f"{path.name} holds {data.dtype}: an image of one number per voxel is needed")
    return Volume(array_order(data), _geometry(image, path))


def _geometry(image: Any, path: Path) -> Geometry:
    """The grid of an image; what readers differ in is told."""
    geometry = geometry_of(image.header)
    tell(path.name, notes(image.header))
    return geometry


def _kept(image: Any) -> dict[str, Any]:
    """Header and extensions as JSON."""
    header = image.header
    return {
        "header": base64.b64encode(header.binaryblock).decode(),
        "endianness": header.endianness,
        "version": version_of(header),
        "extensions": [
            {"code": int(e.get_code()), "content": base64.b64encode(e.content).decode()}
            for e in header.extensions
        ],
    }


def write(segmentation: Segmentation, path: Path) -> tuple[Loss, ...]:
    """Write labels, names and geometry; see `ngffseg.formats.format.Format`."""
    if len(segmentation.layers) > 1:
        raise LossError(
            f"{path.name}: a NIfTI labelmap cannot hold {len(segmentation.layers)} layers of overlapping segments: use .seg.nrrd"
        )
    labels = file_order(np.asarray(segmentation.layers[0][...]), segmentation.geometry.axes)
    header, losses = _header(segmentation, labels)
    kept = segmentation.extra.get("nifti", {})
    content = file_bytes(header, labels, _extensions(segmentation.segments, kept, labels.dtype))
    if path.name.lower().endswith(".gz"):
        content = gzip.compress(content, COMPRESSION, mtime=0)
    path.write_bytes(content)
    return (*losses, *_segment_losses(segmentation.segments))


def _header(segmentation: Segmentation, labels: npt.NDArray[Any]) -> tuple[Any, list[Loss]]:
    """The header that came in where it still places the labels, else a new one."""
    kept = segmentation.extra.get("nifti")
    if kept is not None:
        header = stored_header(base64.b64decode(kept["header"]), kept["version"], kept["endianness"])
        same_shape = header.get_data_shape() == labels.shape
        if same_shape and says(header, segmentation.geometry):
            return header.as_byteswapped("<") if header.endianness == ">" else header, []
    header = new_header(labels.shape)
    return header, place(header, segmentation.geometry)


def _extensions(
    segments: Sequence[Segment], kept: Mapping[str, Any], dtype: np.dtype[Any]
) -> list[tuple[int, bytes]]:
    """Extensions that came in, the label table only while it is true, else a new one."""
    extensions = [(e["code"], base64.b64decode(e["content"])) for e in kept.get("extensions", ())]
    tables = [content for _, content in extensions if is_label_table(content)]
    named = [(s.label_value, s.name, s.color) for s in segments]
    known = _table_segments(tables[0], dtype) if tables else ()
    if tables and [(s.label_value, s.name, s.color) for s in known] == named:
        return extensions
    rest = [(code, content) for code, content in extensions if not is_label_table(content)]
    if all(is_unnamed(segment) for segment in segments):
        return rest  # nobody has named them
    return [*rest, (CODE, format_label_table(segments))]


def _segment_losses(segments: Sequence[Segment]) -> list[Loss]:
    """One loss for each kind of thing that a label table has no place for."""
    kinds = {
        "ids": [s for s in segments if s.id != f"Segment_{s.label_value}"],
        "codes": [s for s in segments if s.codes is not None],
        "status": [s for s in segments if s.status],
        "tags": [s for s in segments if s.tags],
        "algorithms": [s for s in segments if s.algorithm is not None],
        "properties": [s for s in segments if s.properties],
    }
    losses = [
        Loss("segments", f"{kind} of {len(who)} segments: NIfTI has no place for them")
        for kind, who in kinds.items()
        if who
    ]
    losses += [
        Loss(s.id, "name: each character that XML cannot hold became U+FFFD")
        for s in segments
        if NO_CHARACTER.search(s.name)
    ]
    return losses
