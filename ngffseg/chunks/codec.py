"""`Codec`: the bytes of one chunk to labels and back, through numcodecs, without a copy in between.

Only chains that are plain bytes-to-bytes compression of C-ordered labels, in either byte order, are known
here; an array with any other is read by zarr itself.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import google_crc32c
import numcodecs
import numpy as np

from ngffseg.errors import ChunkError
from ngffseg.grid import Labels

CRC_BYTES = 4
# Magic number and frame header descriptor of zstd.
SMALLEST_FRAME = 5
# What numcodecs and we raise on damaged bytes.
DAMAGED = (RuntimeError, ValueError, EOFError, OSError, struct.error, zlib.error)


def damaged(name: str, index: tuple[int, ...], reason: object) -> ChunkError:
    """The error of a chunk of an array that cannot be decoded."""
    chunk = "/".join(map(str, index))
    return ChunkError(f"{name}: chunk {chunk} cannot be decoded ({reason}): restore it from its source")


@dataclass(frozen=True, slots=True)
class Crc32c:
    """Checksum behind the bytes (Zarr v3, codec "crc32c": "a 4-byte little-endian checksum")."""

    def encode(self, data: bytes) -> bytes:
        """The data with their checksum."""
        checksum: int = google_crc32c.value(bytes(data))
        return bytes(data) + checksum.to_bytes(CRC_BYTES, "little")

    def decode(self, data: bytes) -> bytes:
        """The data without their checksum.

        Raises
        ------
        ValueError
            If they do not match.
        """
        body = bytes(data[:-CRC_BYTES])
        if google_crc32c.value(body) != int.from_bytes(data[-CRC_BYTES:], "little"):
            raise ValueError("checksum does not match")
        return body


@dataclass(frozen=True, slots=True)
class Codec:
    """Compression of the chunks of an array: ``steps`` in the order of encoding.

    Labels on this side always have the byte order of this machine; ``swaps`` tells that stored ones have the
    other.
    """

    steps: tuple[Any, ...]
    swaps: bool = False

    def encode(self, labels: Labels) -> bytes:
        """Bytes of a whole, C-contiguous chunk."""
        data: Any = labels.byteswap() if self.swaps else labels
        for step in self.steps:
            data = step.encode(data)
        return data.tobytes() if isinstance(data, np.ndarray) else bytes(data)

    def decode(self, data: Any, out: Labels) -> None:
        """Fill ``out``, C-contiguous and of the size of a chunk.

        Raises
        ------
        ValueError, RuntimeError, EOFError, OSError
            If the bytes are damaged, or hold more or less than one chunk; see ``DAMAGED``.
        """
        self._unpack(data, out)
        if self.swaps:
            out.byteswap(inplace=True)

    def _unpack(self, data: Any, out: Labels) -> None:
        """Fill ``out`` with the bytes as they were before any step."""
        for step in self.steps[:0:-1]:
            data = step.decode(data)
        if self.steps and isinstance(self.steps[0], numcodecs.Blosc):
            _check_blosc(data)
        if self.steps and _decoded_size(self.steps[0], data) == out.nbytes:
            self.steps[0].decode(data, out=out)
            return
        raw = np.frombuffer(self.steps[0].decode(data) if self.steps else data, np.uint8)
        # numcodecs itself leaves the rest of a buffer as it was where there is less.
        if raw.nbytes != out.nbytes:
            raise ValueError(f"{raw.nbytes} bytes instead of {out.nbytes}")
        out.reshape(-1).view(np.uint8)[:] = raw


def _check_blosc(data: Any) -> None:
    """Refuse bytes of Blosc that are not as many as their header tells: it ignores what follows them.

    Raises
    ------
    ValueError
        If they are more, or less.
    """
    # Blosc 1 header: version, versionlz, flags, typesize, nbytes, blocksize, cbytes, the last three as uint32.
    size = int.from_bytes(data[12:16], "little")
    if len(data) != size:
        raise ValueError(f"{len(data)} bytes instead of {size}")


def _decoded_size(step: Any, data: Any) -> int | None:
    """Number of bytes that compressed data will decode to, if their header tells it."""
    if isinstance(step, numcodecs.Blosc):
        # Blosc 1 header: version, versionlz, flags, typesize, then nbytes as uint32.
        return int.from_bytes(data[4:8], "little")
    if not isinstance(step, numcodecs.Zstd) or len(data) < SMALLEST_FRAME:
        return None
    # RFC 8878, 3.1.1.1: magic, frame header descriptor, window descriptor, dictionary, content size.
    descriptor = data[4]
    flag, single = descriptor >> 6, descriptor >> 5 & 1
    length = (1 if single else 0, 2, 4, 8)[flag]
    start = 5 + (not single) + (0, 1, 2, 4)[descriptor & 3]
    if not length or descriptor & 3:
        return None
    # "When FCS_Field_Size is 2, the offset of 256 is added."
    return int.from_bytes(data[start : start + length], "little") + (256 if length == 2 else 0)


def codec_of_v2(compressor: Any, filters: Any, dtype: np.dtype[Any]) -> Codec | None:
    """Codec of a Zarr v2 array; None if it is not known here."""
    if filters:
        return None
    swaps = not dtype.isnative
    if compressor is None:
        return Codec((), swaps)
    known = (numcodecs.Zstd, numcodecs.Blosc, numcodecs.GZip, numcodecs.Zlib)
    return Codec((compressor,), swaps) if isinstance(compressor, known) else None


def codec_of_v3(codecs: Sequence[Mapping[str, Any]], dtype: np.dtype[Any]) -> Codec | None:
    """Codec of a Zarr v3 array or of the inner chunks of a shard; None if it is not known here."""
    first, *rest = codecs
    endian = (first.get("configuration") or {}).get("endian", "little")
    if first["name"] != "bytes" or endian not in ("little", "big"):
        return None
    steps = [_step(codec["name"], codec.get("configuration") or {}) for codec in rest]
    # A checksum may only stand behind a compression: decoding into the buffer is its own last step.
    if None in steps or (steps and isinstance(steps[0], Crc32c)):
        return None
    # The dtype of an array of Zarr v3 says nothing of its bytes: zarr tells either order for it.
    return Codec(tuple(steps), swaps=dtype.itemsize > 1 and endian != sys.byteorder)


def _step(name: str, configuration: Mapping[str, Any]) -> Any:
    match name:
        case "zstd":
            return numcodecs.Zstd(level=configuration["level"], checksum=configuration.get("checksum", False))
        case "gzip":
            return numcodecs.GZip(level=configuration["level"])
        case "blosc":
            shuffles = {"noshuffle": 0, "shuffle": 1, "bitshuffle": 2}
            return numcodecs.Blosc(
                cname=configuration["cname"],
                clevel=configuration["clevel"],
                shuffle=shuffles[configuration["shuffle"]],
                blocksize=configuration.get("blocksize", 0),
            )
        case "crc32c":
            return Crc32c()
    return None
