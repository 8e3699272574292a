"""`Compression`: how the chunks of a pyramid are packed, by a name such as ``zstd-9``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ngffseg.errors import UsageError

# Levels that each codec has. All are read by zarr-python, tensorstore, zarrita and neuroglancer.
LEVELS = {"zstd": range(1, 23), "gzip": range(1, 10), "blosc": range(1, 10)}
# Measured on connectomes (wide labels) and organs (8 bit); see CONTRIBUTING.md, "Codecs".
WIDE, NARROW, SMALL = 3, 9, 19


@dataclass(frozen=True, slots=True)
class Compression:
    """The compression of chunks.

    Parameters
    ----------
    codec
        ``zstd``, ``gzip``, ``blosc`` (zstd behind a bit shuffle) or ``none``.
    level
        Level of the codec.
    """

    codec: str
    level: int = 0

    def __str__(self) -> str:
        return f"{self.codec}-{self.level}" if self.level else self.codec


def compression_of(codec: str | None, dtype: npt.DTypeLike) -> Compression:
    """The compression of this name, by default what suits the dtype.

    Raises
    ------
    UsageError
        If there is none of this name.
    """
    if codec is None:
        # Shuffling would make wide labels two to four times larger; 8-bit labels are few enough
        # that a slower search for matches costs little, and saves two fifths.
        return Compression("zstd", NARROW if np.dtype(dtype).itemsize == 1 else WIDE)
    if codec == "small":
        return Compression("zstd", SMALL)
    if codec == "none":
        return Compression("none")
    name, _, level = codec.partition("-")
    if name not in LEVELS or not level.isdecimal() or int(level) not in LEVELS[name]:
        raise UsageError(
            f"codec {codec!r} is not known: use zstd-1 to zstd-22, gzip-1 to gzip-9, blosc-1 to blosc-9,"
            " small or none"
        )
    return Compression(name, int(level))
