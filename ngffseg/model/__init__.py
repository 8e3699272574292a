"""The values that everything else makes or reads: segments, segmentations, volumes."""

from ngffseg.model.channel import Channel
from ngffseg.model.code import Code, CodedRegion, Codes
from ngffseg.model.loss import Loss
from ngffseg.model.segment import Algorithm, Color, Segment
from ngffseg.model.segmentation import ArrayLike, Segmentation, Source, Volume, check_segments
from ngffseg.model.text import plain, plain_json
from ngffseg.model.value import plain_value

__all__ = [
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
    "plain",
    "plain_json",
    "plain_value",
]
