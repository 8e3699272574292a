"""The values that everything else makes or reads: segments, segmentations, volumes."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.model.arrays import check_description, grid_of_array, plain_array, words_of_array
    from ngffseg.model.channel import Channel
    from ngffseg.model.code import Code, CodedRegion, Codes, decode_codes, encode_codes
    from ngffseg.model.loss import Loss
    from ngffseg.model.segment import LARGEST_LABEL, Algorithm, Color, Segment
    from ngffseg.model.segmentation import ArrayLike, Segmentation, Source, Volume, check_segments
    from ngffseg.model.value import plain_value
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "arrays": "check_description grid_of_array plain_array words_of_array",
            "channel": "Channel",
            "code": "Code CodedRegion Codes decode_codes encode_codes",
            "loss": "Loss",
            "segment": "Algorithm Color LARGEST_LABEL Segment",
            "segmentation": "ArrayLike Segmentation Source Volume check_segments",
            "value": "plain_value",
        },
    )

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
    "check_description",
    "check_segments",
    "decode_codes",
    "encode_codes",
    "grid_of_array",
    "plain_array",
    "plain_value",
    "words_of_array",
]
