"""Stored chunks: bytes to labels and back, without a detour through whole arrays."""

from ngffseg.chunks.stored import StoredLabels, stored_labels

__all__ = ["StoredLabels", "stored_labels"]
