"""What ngffseg needs of zarr that zarr does not offer as public: this is the one file that names it."""

from zarr.core.group import GroupMetadata
from zarr.core.metadata import ArrayV2Metadata, ArrayV3Metadata
from zarr.core.sync import sync

__all__ = ["ArrayV2Metadata", "ArrayV3Metadata", "GroupMetadata", "sync"]
