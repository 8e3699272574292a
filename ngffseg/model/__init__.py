"""The values that everything else makes or reads: segments, segmentations, volumes."""

from ngffseg.model.arrays import check_told, plain_array, told_grid, told_words
from ngffseg.model.channel import Channel
from ngffseg.model.code import Code, CodedRegion, Codes, decode_codes, encode_codes
from ngffseg.model.loss import Loss
from ngffseg.model.segment import LARGEST_LABEL, Algorithm, Color, Segment
from ngffseg.model.segmentation import ArrayLike, Segmentation, Source, Volume, check_segments
from ngffseg.model.value import plain_value

__all__ = [
    "LARGEST_LABEL",
    "Algorithm",
    "ArrayLike",
    "Channel",
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
    "check_told",
    "decode_codes",
    "encode_codes",
    "plain_array",
    "plain_value",
    "told_grid",
    "told_words",
]
