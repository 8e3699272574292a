"""Checkpoints: objects that say which blocks of a pyramid are done, and what was counted in them.

A checkpoint is one line of JSON and the packed rows of the statistics. It is written when all that it speaks of
is safe, whole or not at all, and it does not change afterwards.
"""

from __future__ import annotations

import json
import re
import uuid
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numcodecs
import numpy as np

from ngffseg.grid import Numbers
from ngffseg.ngff import encode_json
from ngffseg.pyramid import Block, BlockStatistics
from ngffseg.store import Where, flushed, list_objects, put_object, read_objects

SUFFIX, PART = ".mark", ".rows"
PART_NAME = re.compile(rf"[0-9a-f]{{32}}-\d+{re.escape(PART)}")
# Objects that are fetched at the same time.
AT_ONCE = 32
_packing = numcodecs.Blosc("lz4", 5, numcodecs.Blosc.SHUFFLE)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Blocks that are done, and the keys of further objects with rows of theirs."""

    key: str
    blocks: tuple[Block, ...]
    parts: tuple[str, ...]
    rows: Numbers | None


@dataclass(frozen=True, slots=True)
class CheckpointFolder:
    """Where the checkpoints of one pyramid are; it travels to workers."""

    where: Where
    folder: str

    def keep(self, block: Block, counted: BlockStatistics | None) -> None:
        """Write the checkpoint of one block, from whatever process."""
        self.write([block], [] if counted is None else [counted])

    def key_of(self, block: Block) -> str:
        """Key of a checkpoint whose first block it is."""
        return f"{self.folder}/{block.stage}-{'-'.join(map(str, block.index))}{SUFFIX}"

    def write(self, blocks: Sequence[Block], counted: Iterable[BlockStatistics]) -> None:
        """Write a checkpoint: these blocks are done, and all that they have written is safe."""
        last, parts = None, []
        for number, rows in enumerate(_pieces(counted)):
            if last is not None:
                parts.append(f"{self.folder}/{uuid.uuid4().hex}-{number}{PART}")
                put_object(self.where, parts[-1], _packed({}, last))
            last = rows
        flushed(self.where)
        document = {"blocks": [[block.stage, *block.index] for block in blocks], "parts": parts}
        put_object(self.where, self.key_of(blocks[0]), _packed(document, last))

    def read(self, keys: Sequence[str] | None = None) -> Iterator[Checkpoint]:
        """These checkpoints, or all; what is damaged is left out, as if it had not been written."""
        if keys is None:
            keys = sorted(key for key in list_objects(self.where, f"{self.folder}/") if key.endswith(SUFFIX))
        for start in range(0, len(keys), AT_ONCE):
            part = keys[start : start + AT_ONCE]
            for key, data in zip(part, read_objects(self.where, part), strict=True):
                checkpoint = self._checkpoint(key, data)
                if checkpoint is not None:
                    yield checkpoint

    def _checkpoint(self, key: str, data: bytes | None) -> Checkpoint | None:
        """The checkpoint that an object holds; None if it is damaged, or names parts that are none of a checkpoint."""
        found = _unpacked(data)
        if found is None:
            return None
        document, rows = found
        try:
            blocks = tuple(Block(int(b[0]), tuple(map(int, b[1:]))) for b in document["blocks"])
            parts = tuple(document["parts"])
        except (KeyError, TypeError, ValueError, IndexError, OverflowError):
            return None
        ours = all(
            isinstance(p, str) and PART_NAME.fullmatch(p.removeprefix(f"{self.folder}/")) for p in parts
        )
        return Checkpoint(key, blocks, parts, rows) if blocks and ours else None

    def rows(self, checkpoint: Checkpoint) -> list[Numbers] | None:
        """All rows of a checkpoint; None if a part of them is damaged or lost."""
        found = [] if checkpoint.rows is None else [checkpoint.rows]
        for data in read_objects(self.where, checkpoint.parts):
            part = _unpacked(data)
            if part is None or part[1] is None:
                return None
            found.append(part[1])
        return found


def checkpoints_of(where: Where, job: str, name: str) -> CheckpointFolder:
    """The checkpoints of a label image in the folder of a job."""
    return CheckpointFolder(where, f"{job}/marks/{name}")


def _pieces(counted: Iterable[BlockStatistics]) -> Iterator[Numbers]:
    """Rows of several blocks; those of blocks that hold few come together."""
    small: list[Numbers] = []
    for statistics in counted:
        small += statistics.rows
        for part in statistics.files:
            yield part.all()
    if small:
        yield np.concatenate(small)


def _packed(document: dict[str, Any], rows: Numbers | None) -> bytes:
    body = b"" if rows is None else _packing.encode(np.ascontiguousarray(rows))
    width = 0 if rows is None else rows.shape[1]
    head = encode_json(document | {"width": width, "bytes": len(body), "crc32": zlib.crc32(body)})
    return head + b"\n" + body


def _unpacked(data: bytes | None) -> tuple[dict[str, Any], Numbers | None] | None:
    """What a checkpoint or a part of one holds; None if it is damaged."""
    head, _, body = (data or b"").partition(b"\n")
    try:
        document = json.loads(head)
        if len(body) != document["bytes"] or zlib.crc32(body) != document["crc32"]:
            return None
        if not document["width"]:
            return document, None
        return document, np.frombuffer(_packing.decode(body), np.uint64).reshape(-1, int(document["width"]))
    except (ValueError, KeyError, TypeError, RuntimeError, OverflowError, RecursionError):
        return None
