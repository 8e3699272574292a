"""``.nii`` and ``.nii.gz``: labelmaps and images of NIfTI-1 and NIfTI-2, both ways.

Voxels are never scaled and never pass through float. The header that came in is kept whole, and
given back as long as it still says the same.
"""

from __future__ import annotations

import base64
import gzip
import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from nibabel.imageglobals import LoggingOutputSuppressor
from nibabel.nifti1 import Nifti1Extension
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from ngffseg.errors import FormatError, LabelValueError, LossError
from ngffseg.formats.caret import CODE, NO_CHARACTER, format_label_table, is_label_table, parse_label_table
from ngffseg.formats.exact import exact_labels, holds
from ngffseg.formats.nifti_grid import array_order, file_order, geometry_of, place, says
from ngffseg.formats.nifti_matrix import notes
from ngffseg.formats.told import tell
from ngffseg.formats.unnamed import is_unnamed, unnamed_segments
from ngffseg.geometry import Geometry
from ngffseg.model import Loss, Segment, Segmentation, Volume

# Sizes are 16-bit in NIfTI-1.
LARGEST_SIZE = 32767
COMPRESSION = 6


def read(path: Path) -> Segmentation:
    """Read labels, names and geometry; see `ngffseg.formats.format.Format`."""
    image = _open(path)
    if _is_scaled(image):
        raise LabelValueError(
            f"{path.name} scales its voxels (scl_slope, scl_inter): labels must not be scaled; set them to 1 and 0"
        )
    geometry = _geometry(image, path)
    labels = array_order(exact_labels(_voxels(image, path), path.name))
    tables = [e.content for e in image.header.extensions if is_label_table(e.content)]
    segments = _table_segments(tables[0], labels.dtype) if tables else unnamed_segments((labels,))
    return Segmentation((labels,), segments, geometry, extra={"nifti": _kept(image)})


def _table_segments(table: bytes, dtype: np.dtype[Any]) -> tuple[Segment, ...]:
    """Segments of a label table, without entries that no voxel of the file can have."""
    return tuple(s for s in parse_label_table(table) if holds(dtype, s.label_value))


def read_volume(path: Path) -> Volume:
    """Read an intensity image, scaled as its header says."""
    image = _open(path)
    data = np.asarray(image.dataobj) if _is_scaled(image) else _voxels(image, path)
    if data.dtype.kind not in "iuf":
        raise FormatError(f"{path.name} holds {data.dtype}: an image of one number per voxel is needed")
    return Volume(array_order(data), _geometry(image, path))


def _geometry(image: Any, path: Path) -> Geometry:
    """The grid of an image; what readers differ in is told."""
    geometry = geometry_of(image.header)
    tell(path.name, notes(image.header))
    return geometry


def _open(path: Path) -> Any:
    """The image, its header judged against the bytes that are there."""
    content = path.read_bytes()
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        sizes = {int.from_bytes(content[:4], order) for order in ("little", "big")}
        kind = nib.Nifti2Image if 540 in sizes else nib.Nifti1Image
        with LoggingOutputSuppressor():  # what is wrong is told by the error alone
            image: Any = kind.from_bytes(content)
    except (
        EOFError,
        OSError,
        ValueError,
        OverflowError,
        zlib.error,
        HeaderDataError,
        WrapStructError,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(f"{path.name} is no NIfTI file, or broken or truncated ({reason})") from error
    header = image.header
    expected = math.prod(image.shape) * header.get_data_dtype().itemsize
    found = len(content) - int(image.dataobj.offset)
    if found != expected:
        how = "truncated" if found < expected else f"{found - expected} bytes longer"
        raise FormatError(
            f"{path.name} holds {found} bytes of voxels, its header says {expected}: it is {how}, or the header is wrong"
        )
    return image


def _is_scaled(image: Any) -> bool:
    # nibabel forgets the factors in the header of an image that it has read, not in its voxels.
    return bool((image.dataobj.slope, image.dataobj.inter) != (1.0, 0.0))


def _voxels(image: Any, path: Path) -> npt.NDArray[Any]:
    voxels = np.asarray(image.dataobj.get_unscaled())
    if voxels.dtype.fields is not None:
        raise FormatError(f"{path.name} holds {voxels.dtype}: one number per voxel is needed")
    return voxels.astype(voxels.dtype.newbyteorder("="), copy=False)


def _kept(image: Any) -> dict[str, Any]:
    """Header and extensions as JSON."""
    header = image.header
    return {
        "header": base64.b64encode(header.binaryblock).decode(),
        "endianness": header.endianness,
        "version": 2 if isinstance(image, nib.Nifti2Image) else 1,
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
    header.set_data_dtype(labels.dtype)
    header.set_data_shape(labels.shape)
    header.set_slope_inter(1, 0)
    kept = segmentation.extra.get("nifti", {})
    header.extensions[:] = [
        Nifti1Extension(code, text) for code, text in _extensions(segmentation.segments, kept, labels.dtype)
    ]
    kind = nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image
    content = kind(labels, None, header, dtype=labels.dtype).to_bytes()
    if path.name.lower().endswith(".gz"):
        content = gzip.compress(content, COMPRESSION, mtime=0)
    path.write_bytes(content)
    return (*losses, *_segment_losses(segmentation.segments))


def _header(segmentation: Segmentation, labels: npt.NDArray[Any]) -> tuple[Any, list[Loss]]:
    """The header that came in where it still places the labels, else a new one."""
    kept = segmentation.extra.get("nifti")
    large = max(labels.shape) > LARGEST_SIZE
    if kept is not None:
        kind = nib.Nifti2Header if kept["version"] == 2 else nib.Nifti1Header
        header = kind(base64.b64decode(kept["header"]), kept["endianness"])
        same_shape = header.get_data_shape() == labels.shape
        if same_shape and says(header, segmentation.geometry):
            return header.as_byteswapped("<") if header.endianness == ">" else header, []
    header = nib.Nifti2Header() if large else nib.Nifti1Header()
    header.set_data_shape(labels.shape)
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
