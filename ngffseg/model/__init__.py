"""The values that everything else makes or reads: segments, segmentations, volumes."""

from ngffseg.model.arrays import check_told, plain_array, told_grid
from ngffseg.model.code import Code, CodedRegion, Codes
from ngffseg.model.loss import Loss
from ngffseg.model.segment import Algorithm, Color, Segment
from ngffseg.model.segmentation import ArrayLike, Segmentation, Source, Volume, check_segments
from ngffseg.model.text import plain, plain_json
from ngffseg.model.value import plain_value

__all__ = [
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
    "check_told",
    "plain",
    "plain_array",
    "plain_json",
    "plain_value",
    "told_grid",
]
