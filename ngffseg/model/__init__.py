"""The values that everything else makes or reads: segments, segmentations, volumes."""

from ngffseg.model.code import Code, CodedRegion, Codes
from ngffseg.model.loss import Loss
from ngffseg.model.segment import Algorithm, Segment
from ngffseg.model.segmentation import Segmentation, Source, Volume

__all__ = [
    "Algorithm",
    "Code",
    "CodedRegion",
    "Codes",
    "Loss",
    "Segment",
    "Segmentation",
    "Source",
    "Volume",
]
