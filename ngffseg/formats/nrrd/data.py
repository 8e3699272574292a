"""The voxels of a NRRD file: raw, gzip, bzip2 and text."""

from __future__ import annotations

import bz2
import gzip
import math
import zlib
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ngffseg.errors import FormatError
from ngffseg.formats.nrrd.header import TEXT, Header

# "NRRD_DIM_MAX" of teem.
MOST_AXES = 16


def read_data(header: Header, content: bytes) -> npt.NDArray[Any]:
    """Voxels as a C-contiguous array in native byte order, axes reversed (slowest first).

    Raises
    ------
    FormatError
        If the data are detached, broken, or not as long as the header says.
    """
    if "data file" in header.fields:
        raise FormatError("the NRRD data are in another file: convert it to one file (.nrrd) first")
    if any(
        header.numbers(skip) not in ([], [0]) for skip in ("line skip", "byte skip") if skip in header.fields
    ):
        raise FormatError(
            "the NRRD fields 'line skip' and 'byte skip' are not supported: write the file without them"
        )
    sizes, dtype = header.numbers("sizes"), header.dtype()
    if header.numbers("dimension") != [len(sizes)]:
        raise FormatError(
            f"NRRD dimension {header.fields['dimension']} contradicts sizes {header.fields['sizes']}"
        )
    if len(sizes) > MOST_AXES:
        raise FormatError(f"the NRRD file has {len(sizes)} axes: at most {MOST_AXES} are possible")
    if any(n < 1 for n in sizes):
        raise FormatError(f"NRRD sizes {header.fields['sizes']} hold no voxels")
    encoding = header.encoding()
    data = _decoded(encoding, content)
    flat = _from_text(data, dtype) if encoding in TEXT else _from_bytes(data, dtype, math.prod(sizes))
    if flat.size != math.prod(sizes):
        raise FormatError(
            f"the NRRD file holds {flat.size} voxels, but its sizes {header.fields['sizes']} say {math.prod(sizes)}"
        )
    return flat.astype(dtype.newbyteorder("="), copy=False).reshape(sizes[::-1])


def _decoded(encoding: str, content: bytes) -> bytes:
    try:
        if encoding in ("gzip", "gz"):
            return gzip.decompress(content)
        if encoding in ("bzip2", "bz2"):
            return bz2.decompress(content)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise FormatError(
            f"the {encoding} data of the NRRD file are broken or truncated ({error})"
        ) from error
    if encoding == "raw" or encoding in TEXT:
        return content
    raise FormatError(f"the NRRD encoding {encoding!r} is not known: use raw, gzip, bzip2 or ascii")


def _from_bytes(data: bytes, dtype: np.dtype[Any], count: int) -> npt.NDArray[Any]:
    expected = count * dtype.itemsize
    if len(data) != expected:
        how = "truncated" if len(data) < expected else f"{len(data) - expected} bytes longer"
        raise FormatError(
            f"the NRRD file holds {len(data)} bytes of voxels, its header says {expected}: it is {how}, or the header is wrong"
        )
    return np.frombuffer(data, dtype)


def _from_text(data: bytes, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    exact = int if dtype.kind in "iu" else float
    try:
        return np.array([exact(word) for word in data.split()], dtype=dtype)
    except (ValueError, OverflowError) as error:
        raise FormatError(f"the text of the NRRD file holds something else than {dtype} ({error})") from error


def write_data(stream: BinaryIO, data: npt.NDArray[Any]) -> None:
    """Append voxels, gzip-compressed and little-endian, one slab at a time."""
    # mtime=0: the same voxels give the same bytes.
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=6, mtime=0) as packed:
        for slab in data:
            packed.write(np.ascontiguousarray(slab, dtype=data.dtype.newbyteorder("<")).tobytes())
