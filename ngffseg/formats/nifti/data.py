"""NIfTI files through nibabel, both ways: headers, voxels and extensions."""

from __future__ import annotations

import contextlib
import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from nibabel.imageglobals import logger
from nibabel.nifti1 import Nifti1Extension
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from ngffseg.errors import FormatError

# Sizes are 16-bit in NIfTI-1.
LARGEST_SIZE = 32767


def open_image(path: Path) -> Any:
    """The image, its header validated against the bytes that are there.

    Raises
    ------
    FormatError
        If it is no NIfTI file, or has more or fewer voxels than its header says.
    """
    content = path.read_bytes()
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        sizes = {int.from_bytes(content[:4], order) for order in ("little", "big")}
        kind = nib.Nifti2Image if 540 in sizes else nib.Nifti1Image
        with _silent():
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


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep nibabel from logging what is wrong: the error alone tells it."""
    # Its own LoggingOutputSuppressor takes away all handlers, so that Python writes to stderr by the last resort.
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def is_scaled(image: Any) -> bool:
    """Return True if the header scales its voxels."""
    # nibabel forgets the factors in the header of an image that it has read, not in its voxels.
    return bool((image.dataobj.slope, image.dataobj.inter) != (1.0, 0.0))


def voxels_of(image: Any, path: Path) -> npt.NDArray[Any]:
    """The voxels as they are stored, in the byte order of the machine.

    Raises
    ------
    FormatError
        If there are several numbers per voxel.
    """
    voxels = np.asarray(image.dataobj.get_unscaled())
    if voxels.dtype.fields is not None:
        raise FormatError(f"{path.name} holds {voxels.dtype}: one number per voxel is needed")
    return voxels.astype(voxels.dtype.newbyteorder("="), copy=False)


def version_of(header: Any) -> int:
    """The version of NIfTI of a header, 1 or 2."""
    return 2 if isinstance(header, nib.Nifti2Header) else 1


def stored_header(block: bytes, version: int, endianness: str) -> Any:
    """A header from its bytes."""
    kind: Any = nib.Nifti2Header if version == 2 else nib.Nifti1Header
    return kind(block, endianness)


def new_header(shape: Sequence[int]) -> Any:
    """A header for voxels of a shape, of NIfTI-2 where the sizes need it."""
    kind: Any = nib.Nifti2Header if max(shape) > LARGEST_SIZE else nib.Nifti1Header
    header = kind()
    header.set_data_shape(shape)
    return header


def file_bytes(header: Any, labels: npt.NDArray[Any], extensions: Sequence[tuple[int, bytes]]) -> bytes:
    """A file with a header, labels in the axes of the file and extensions (code, content)."""
    # nibabel sets pixdim of axes that are not there to 1.
    steps = header["pixdim"].copy()
    header.set_data_dtype(labels.dtype)
    header.set_data_shape(labels.shape)
    header.set_slope_inter(1, 0)
    extension: Any = Nifti1Extension
    header.extensions[:] = [extension(code, content) for code, content in extensions]
    kind: Any = nib.Nifti2Image if version_of(header) == 2 else nib.Nifti1Image
    content: bytes = kind(labels, None, header, dtype=labels.dtype).to_bytes()
    size = header.template_dtype.itemsize
    written = type(header)(content[:size], check=False)
    written["pixdim"] = steps
    return bytes(written.binaryblock) + content[size:]
