"""`IndexLayout`: what the group of a segment index says of its arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ngffseg.errors import MetadataError
from ngffseg.ngff.document import KEY, own_part
from ngffseg.ngff.migration import current, schema_id
from ngffseg.ngff.schema import schema_violations

KIND = "index"


@dataclass(frozen=True, slots=True)
class IndexLayout:
    """A segment index: of which array, and where its own arrays are.

    Parameters
    ----------
    level
        Path of the array that was counted, within the label image.
    shape, chunks
        Its shape, and voxels per chunk.
    segments
        Number of distinct labels but 0.
    rows_per_chunk
        Segments per chunk of the table.
    table, lists, page index
        Paths of the arrays within the group.
    digests, sizes
        Paths of the arrays that tell whether level 0 has changed since: what was counted in each chunk, and
        the stored bytes of each object. None where they are not known.
    generation, revision
        Those of the labels that were counted; None in an index of ngffseg 0.1.
    """

    level: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    segments: int
    rows_per_chunk: int
    table: str = "segments"
    lists: str = "chunks"
    page_index: str = "fences"
    digests: str | None = None
    sizes: str | None = None
    generation: int | None = None
    revision: int | None = None

    @property
    def arrays(self) -> tuple[str, ...]:
        """Paths of all its arrays within the group."""
        paths = (self.table, self.lists, self.page_index, self.digests, self.sizes)
        return tuple(path for path in paths if path is not None)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the rows of the table."""
        axes = range(len(self.shape))
        places = (f"{what}{axis}" for what in ("start", "stop", "sum") for axis in axes)
        return ("label", "voxels", "firstChunk", "chunkCount", *places)

    def counted_at(self, generation: int, revision: int) -> IndexLayout:
        """The index of labels in this state.

        Label images of other programs, of generation 0, count neither: an index that told a revision of them
        would be stale for ever.
        """
        if not generation:
            return replace(self, generation=None, revision=None)
        return replace(self, generation=generation, revision=revision)

    def check_array(self, path: str, shape: tuple[int, ...]) -> None:
        """Refuse an array of the index whose shape is not what the rest tells, so that no reader trusts it.

        Raises
        ------
        MetadataError
            If it is not.
        """
        chunk_count = math.prod(-(-n // c) for n, c in zip(self.shape, self.chunks, strict=True))
        pages = -(-self.segments // self.rows_per_chunk)
        if path == self.table:
            fits = shape == (len(self.columns), self.segments)
        elif path == self.page_index:
            fits = shape == (pages,)
        elif path == self.lists:
            fits = len(shape) == 1 and self.segments <= shape[0] <= self.segments * chunk_count
        else:
            fits = len(shape) == 2 and shape[0] == 2 and shape[1] <= chunk_count
        if not fits:
            raise MetadataError(
                f"array {path!r} of the segment index has shape {shape}, which its document does not allow"
            )


def encode_index(layout: IndexLayout) -> dict[str, Any]:
    """Attributes of the group of an index."""
    further = {"digests": layout.digests, "sizes": layout.sizes}
    counted = {"generation": layout.generation, "revision": layout.revision}
    return {
        KEY: {
            "schema": schema_id(KIND),
            "level": layout.level,
            "shape": list(layout.shape),
            "chunks": list(layout.chunks),
            "segments": layout.segments,
            "columns": list(layout.columns),
            "rowsPerChunk": layout.rows_per_chunk,
            **_known(counted),
            "arrays": {
                "segments": layout.table,
                "chunks": layout.lists,
                "fences": layout.page_index,
                **_known(further),
            },
        }
    }


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def decode_index(attributes: Mapping[str, Any]) -> IndexLayout:
    """The form that the attributes of a group tell.

    Raises
    ------
    MetadataError
        If they break the schema.
    """
    own = current(own_part(attributes), KIND)
    broken = schema_violations(own, f"ngffseg/{KIND}")
    if broken:
        raise MetadataError(f"the segment index breaks its schema at {broken[0].where}: {broken[0].rule}")
    arrays = own["arrays"]
    layout = IndexLayout(
        own["level"],
        tuple(own["shape"]),
        tuple(own["chunks"]),
        own["segments"],
        own["rowsPerChunk"],
        arrays["segments"],
        arrays["chunks"],
        arrays["fences"],
        arrays.get("digests"),
        arrays.get("sizes"),
        own.get("generation"),
        own.get("revision"),
    )
    if tuple(own["columns"]) != layout.columns:
        raise MetadataError(f"the segment index has columns {own['columns']}, not {list(layout.columns)}")
    return layout
