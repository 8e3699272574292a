"""`NumberWriter`: arrays of numbers that are no image, such as the parts of a segment index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numcodecs
import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import BloscCodec

from ngffseg.labels.nodes.create import array_at, array_metadata, put_array, store_at
from ngffseg.ngff import Version, zarr_format


class NumberWriter:
    """An array of uint64 that is no image, written in order along its last axis, each object once.

    Its metadata come last, when its length is known.

    Parameters
    ----------
    url, path
        Where it is.
    chunks
        Numbers per chunk and axis; all axes but the last are one chunk long.
    version
        NGFF version of the store, which decides on the Zarr format.
    """

    def __init__(self, url: str, path: str, chunks: Sequence[int], version: Version) -> None:
        # Columns of sorted numbers: here shuffling does help.
        options: dict[str, Any] = {
            "compressors": BloscCodec(cname="zstd", clevel=5, shuffle="shuffle", typesize=8)
        }
        if zarr_format(version) == 2:
            options = {"compressors": numcodecs.Blosc("zstd", 5, numcodecs.Blosc.SHUFFLE)}
        options |= {"chunks": tuple(chunks), "dtype": "uint64", "fill_value": 0}
        self._options = options | {"zarr_format": zarr_format(version)}
        self._store, self._chunks = store_at(url, path), tuple(chunks)
        self._array = self._of_length(2**62)
        self._rest = np.empty((*chunks[:-1], 0), np.uint64)
        self._written = 0

    def _of_length(self, length: int) -> zarr.Array[Any]:
        return array_at(self._store, array_metadata(shape=(*self._chunks[:-1], length), **self._options))

    def append(self, numbers: npt.NDArray[np.uint64]) -> None:
        """Add numbers; chunks are written as they are full."""
        self._rest = np.concatenate([self._rest, numbers], axis=-1)
        whole = self._rest.shape[-1] // self._chunks[-1] * self._chunks[-1]
        if whole:
            self._put(self._rest[..., :whole])
            self._rest = self._rest[..., whole:].copy()

    def _put(self, numbers: npt.NDArray[np.uint64]) -> None:
        end = self._written + numbers.shape[-1]
        self._array[..., self._written : end] = numbers
        self._written = end

    def __enter__(self) -> NumberWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()

    def close(self) -> None:
        """Write what is left, and the metadata."""
        length, missing = self._written + self._rest.shape[-1], -self._rest.shape[-1] % self._chunks[-1]
        if missing or self._rest.shape[-1]:
            self._put(np.pad(self._rest, [(0, 0)] * (self._rest.ndim - 1) + [(0, missing)]))
        put_array(self._store, self._of_length(length).metadata)
