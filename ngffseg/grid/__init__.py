"""Boxes and grids of chunks: arithmetic on shapes, written once."""

from ngffseg.grid.chunks import chunk_boxes, chunk_grid

__all__ = ["chunk_boxes", "chunk_grid"]
