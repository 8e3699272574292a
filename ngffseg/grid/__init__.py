"""Boxes and grids of chunks: arithmetic on shapes, written once."""

from ngffseg.grid.chunks import chunk_boxes, chunk_grid, touched_chunks
from ngffseg.grid.types import Box, Index, Labels, Numbers

__all__ = ["Box", "Index", "Labels", "Numbers", "chunk_boxes", "chunk_grid", "touched_chunks"]
