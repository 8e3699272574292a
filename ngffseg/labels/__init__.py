"""The label image on disk: write, read, register, check."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.labels.arrays.regridded import Nearest
    from ngffseg.labels.arrays.reordered import canonical, source_order
    from ngffseg.labels.arrays.squeezed import without_single_axes
    from ngffseg.labels.edit.segment_table import update_segments
    from ngffseg.labels.edit.stored_plan import can_update
    from ngffseg.labels.edit.update import update_labels
    from ngffseg.labels.index.level_count import write_index_aside
    from ngffseg.labels.index.write import index_group
    from ngffseg.labels.plan.level_plan import can_build
    from ngffseg.labels.plan.options import WRITE_KEYWORDS, VoxelOrder, WriteOptions, fitted_options
    from ngffseg.labels.plan.place import image_beside
    from ngffseg.labels.plan.place_words import (
        PLACE_KEYWORDS,
        PlacedOptions,
        PlaceOptions,
        place_from_text,
        place_of,
    )
    from ngffseg.labels.read.address import split_address
    from ngffseg.labels.read.channels import channel_count, channel_window, label_channels, shown_channels
    from ngffseg.labels.read.contents import Contents, IntensityImage, open_contents, shown_name
    from ngffseg.labels.read.inventory import ImageSummary, LabelsSummary, LevelSummary, SourceLink, StoreTree
    from ngffseg.labels.read.label_image import LabelImage
    from ngffseg.labels.read.lazy_level import array_in, bounding_box
    from ngffseg.labels.read.listing import ListedLabels, list_labels
    from ngffseg.labels.read.open import open_image, open_labels, open_segmentation
    from ngffseg.labels.read.tree import store_tree
    from ngffseg.labels.read.window import display_window
    from ngffseg.labels.segments.counted import count_segments
    from ngffseg.labels.segments.entry import SegmentEntry
    from ngffseg.labels.segments.index_state import Verification, check_current
    from ngffseg.labels.segments.segment_index import SegmentIndex, segment_index
    from ngffseg.labels.segments.table import known_segments
    from ngffseg.labels.segments.verify_index import verify_index, verify_indices
    from ngffseg.labels.validation.validate import Change, Fixes, apply_fixes, check
    from ngffseg.labels.write.dry_run import Forecast, forecast, is_current
    from ngffseg.labels.write.rebuild import rebuild_levels
    from ngffseg.labels.write.write import write_labels, write_segmentation
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "arrays.regridded": "Nearest",
            "arrays.reordered": "canonical source_order",
            "arrays.squeezed": "without_single_axes",
            "edit.segment_table": "update_segments",
            "edit.stored_plan": "can_update",
            "edit.update": "update_labels",
            "index.level_count": "write_index_aside",
            "index.write": "index_group",
            "plan.level_plan": "can_build",
            "plan.options": "VoxelOrder WRITE_KEYWORDS WriteOptions fitted_options",
            "plan.place": "image_beside",
            "plan.place_words": "PLACE_KEYWORDS PlaceOptions PlacedOptions place_from_text place_of",
            "read.address": "split_address",
            "read.channels": "channel_count channel_window label_channels shown_channels",
            "read.contents": "Contents IntensityImage open_contents shown_name",
            "read.inventory": "ImageSummary LabelsSummary LevelSummary SourceLink StoreTree",
            "read.label_image": "LabelImage",
            "read.lazy_level": "array_in bounding_box",
            "read.listing": "ListedLabels list_labels",
            "read.open": "open_image open_labels open_segmentation",
            "read.tree": "store_tree",
            "read.window": "display_window",
            "segments.counted": "count_segments",
            "segments.entry": "SegmentEntry",
            "segments.index_state": "Verification check_current",
            "segments.segment_index": "SegmentIndex segment_index",
            "segments.table": "known_segments",
            "segments.verify_index": "verify_index verify_indices",
            "validation.validate": "Change Fixes apply_fixes check",
            "write.dry_run": "Forecast forecast is_current",
            "write.rebuild": "rebuild_levels",
            "write.write": "write_labels write_segmentation",
        },
    )

__all__ = [
    "PLACE_KEYWORDS",
    "WRITE_KEYWORDS",
    "Change",
    "Contents",
    "Fixes",
    "Forecast",
    "ImageSummary",
    "IntensityImage",
    "LabelImage",
    "LabelsSummary",
    "LevelSummary",
    "ListedLabels",
    "Nearest",
    "PlaceOptions",
    "PlacedOptions",
    "SegmentEntry",
    "SegmentIndex",
    "SourceLink",
    "StoreTree",
    "Verification",
    "VoxelOrder",
    "WriteOptions",
    "apply_fixes",
    "array_in",
    "bounding_box",
    "can_build",
    "can_update",
    "canonical",
    "channel_count",
    "channel_window",
    "check",
    "check_current",
    "count_segments",
    "display_window",
    "fitted_options",
    "forecast",
    "image_beside",
    "index_group",
    "is_current",
    "known_segments",
    "label_channels",
    "list_labels",
    "open_contents",
    "open_image",
    "open_labels",
    "open_segmentation",
    "place_from_text",
    "place_of",
    "rebuild_levels",
    "segment_index",
    "shown_channels",
    "shown_name",
    "source_order",
    "split_address",
    "store_tree",
    "update_labels",
    "update_segments",
    "verify_index",
    "verify_indices",
    "without_single_axes",
    "write_index_aside",
    "write_labels",
    "write_segmentation",
]
