"""Stored chunks: bytes to labels and back, without a detour through whole arrays."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.chunks.box import BoxReader
    from ngffseg.chunks.cache import Cache
    from ngffseg.chunks.edit import edit_box
    from ngffseg.chunks.foreign import ForeignReader
    from ngffseg.chunks.listing import Listing
    from ngffseg.chunks.objects import objects_of
    from ngffseg.chunks.opening import stored_labels
    from ngffseg.chunks.storage_layout import Keys, keys_of
    from ngffseg.chunks.stored import StoredLabels
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "box": "BoxReader",
            "cache": "Cache",
            "edit": "edit_box",
            "foreign": "ForeignReader",
            "listing": "Listing",
            "objects": "objects_of",
            "opening": "stored_labels",
            "storage_layout": "Keys keys_of",
            "stored": "StoredLabels",
        },
    )

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
