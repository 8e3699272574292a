"""Stored chunks: bytes to labels and back, without a detour through whole arrays."""

from ngffseg.chunks.box import BoxReader
from ngffseg.chunks.cache import Cache
from ngffseg.chunks.edit import edit_box
from ngffseg.chunks.foreign import ForeignReader
from ngffseg.chunks.listing import Listing
from ngffseg.chunks.objects import objects_of
from ngffseg.chunks.opening import stored_labels
from ngffseg.chunks.storage_layout import Keys, keys_of
from ngffseg.chunks.stored import StoredLabels

__all__ = [
    "BoxReader",
    "Cache",
    "ForeignReader",
    "Keys",
    "Listing",
    "StoredLabels",
    "edit_box",
    "keys_of",
    "objects_of",
    "stored_labels",
]
