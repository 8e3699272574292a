"""The values that everything else makes or reads: segments, segmentations, volumes."""

from ngffseg.model.code import Code, CodedRegion, Codes, decode_codes, encode_codes
from ngffseg.model.loss import Loss
from ngffseg.model.segment import LARGEST_LABEL, Algorithm, Color, Segment
from ngffseg.model.segmentation import ArrayLike, Segmentation, Source, Volume, check_segments
from ngffseg.model.value import plain_value

__all__ = [
    "LARGEST_LABEL",
    "Algorithm",
    "ArrayLike",
    "Code",
    "CodedRegion",
    "Codes",
    "Color",
    "Loss",
    "Segment",
    "Segmentation",
    "Source",
    "Volume",
    "check_segments",
    "decode_codes",
    "encode_codes",
    "plain_value",
]
