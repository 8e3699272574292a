"""Shards: many chunks in one object, found by an index.

Zarr v3, sharding codec 1.0: "The shard index is a uint64 array of shape `chunks_per_shard + [2]`",
an offset and a number of bytes per chunk; "Empty inner chunks are denoted by setting both offset
and nbytes to 2^64 - 1".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.chunks.codec import CRC_BYTES, Crc32c
from ngffseg.grid import Index

ABSENT = 2**64 - 1
# Bytes of a file at most.
LARGEST = 2**63 - 1
BEYOND = "the index of the shard points to where no chunk can be"
# A chunk, and where it starts and stops in its shard.
Place = tuple[Index, int, int]


@dataclass(frozen=True, slots=True)
class ShardLayout:
    """How the shards of an array are laid out."""

    chunks_per_shard: Index
    checked: bool = True
    index_first: bool = False

    @property
    def index_bytes(self) -> int:
        """Size of the encoded index."""
        return 16 * math.prod(self.chunks_per_shard) + (CRC_BYTES if self.checked else 0)

    def unit_of(self, index: Index) -> Index:
        """Index of the shard that holds a chunk."""
        return tuple(i // n for i, n in zip(index, self.chunks_per_shard, strict=True))

    def position(self, index: Index) -> Index:
        """Position of a chunk in its shard."""
        return tuple(i % n for i, n in zip(index, self.chunks_per_shard, strict=True))

    def index(self, data: bytes) -> npt.NDArray[np.uint64]:
        """Offsets and sizes, shape chunks_per_shard + (2,), from the encoded index.

        Raises
        ------
        ValueError
            If it is too short, or its checksum does not match.
        """
        if len(data) != self.index_bytes:
            raise ValueError(f"the index of the shard has {len(data)} bytes instead of {self.index_bytes}")
        body = Crc32c().decode(data) if self.checked else data
        return np.frombuffer(body, "<u8").reshape(*self.chunks_per_shard, 2)

    def split(self, data: bytes) -> npt.NDArray[np.uint64]:
        """The index of a whole shard."""
        return self.index(data[: self.index_bytes] if self.index_first else data[-self.index_bytes :])

    def place(self, table: npt.NDArray[np.uint64], index: Index) -> tuple[int, int] | None:
        """Start and stop of a chunk in its shard, by the index of the shard; None if it is missing.

        Raises
        ------
        ValueError
            If it cannot lie there.
        """
        offset, length = (int(n) for n in table[self.position(index)])
        if (offset, length) == (ABSENT, ABSENT):
            return None
        if length == 0:
            raise ValueError("the index of the shard gives it 0 bytes")
        if offset + length > LARGEST or (self.index_first and offset < self.index_bytes):
            raise ValueError(BEYOND)
        return offset, offset + length

    def join(self, parts: Mapping[Index, bytes]) -> bytes:
        """The shard of these encoded chunks, in the order of their positions."""
        index = np.full((*self.chunks_per_shard, 2), ABSENT, "<u8")
        offset = self.index_bytes if self.index_first else 0
        ordered = sorted(parts)
        for position in ordered:
            index[position] = offset, len(parts[position])
            offset += len(parts[position])
        body = index.tobytes()
        encoded = Crc32c().encode(body) if self.checked else body
        chunks = [parts[position] for position in ordered]
        return b"".join([encoded, *chunks] if self.index_first else [*chunks, encoded])


def joined(places: Sequence[Place], gap: int) -> list[tuple[int, int, list[Place]]]:
    """Byte ranges that hold some chunks of a shard: start, stop, and the chunks in it.

    Ranges with no more than ``gap`` bytes between them are one.
    """
    found: list[tuple[int, int, list[Place]]] = []
    for place in sorted(places, key=lambda p: p[1]):
        _, start, stop = place
        if found and start - found[-1][1] <= gap:
            first, end, inside = found.pop()
            found.append((first, max(end, stop), [*inside, place]))
        else:
            found.append((start, stop, [place]))
    return found


def shard_layout(
    configuration: Mapping[str, Any], shards: Sequence[int], chunks: Sequence[int]
) -> ShardLayout | None:
    """Layout of shards from the configuration of the codec; None if its index is unusual."""
    names = [codec["name"] for codec in configuration["index_codecs"]]
    if names not in (["bytes", "crc32c"], ["bytes"]):
        return None
    endian = (configuration["index_codecs"][0].get("configuration") or {}).get("endian", "little")
    if endian != "little":
        return None
    return ShardLayout(
        tuple(s // c for s, c in zip(shards, chunks, strict=True)),
        checked=len(names) == 2,
        index_first=configuration.get("index_location", "end") == "start",
    )
