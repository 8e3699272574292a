"""Outside formats, one file each; each becomes a `Segmentation` and back."""

from ngffseg.formats.file import read_segmentation, read_volume, write_segmentation
from ngffseg.formats.format import Format
from ngffseg.formats.registry import format_of, known_suffixes
from ngffseg.formats.told import tell, told_together
from ngffseg.formats.unnamed import is_unnamed

__all__ = [
    "Format",
    "format_of",
    "is_unnamed",
    "known_suffixes",
    "read_segmentation",
    "read_volume",
    "tell",
    "told_together",
    "write_segmentation",
]
