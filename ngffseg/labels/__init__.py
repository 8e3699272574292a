"""The label image on disk: write, read, register, check."""

from ngffseg.labels.address import split_address
from ngffseg.labels.archive import write_archive
from ngffseg.labels.calibration import calibrate
from ngffseg.labels.channels import channel_count, channel_window, label_channels, shown_channels
from ngffseg.labels.contents import Contents, IntensityImage, open_contents, shown_name
from ngffseg.labels.costs import Cost, access_costs
from ngffseg.labels.forecast import Forecast, forecast, is_current
from ngffseg.labels.image import LabelImage
from ngffseg.labels.index import index_group
from ngffseg.labels.index_state import Verification, check_current
from ngffseg.labels.inspection import Change, Fixes, apply_fixes, check
from ngffseg.labels.inventory import SourceLink, StoredImage, StoredLabels, StoredLevel, StoreTree
from ngffseg.labels.lazy import array_in, bounding_box
from ngffseg.labels.level_count import write_index_aside
from ngffseg.labels.listing import ListedLabels, list_labels
from ngffseg.labels.open import open_image, open_labels, open_segmentation
from ngffseg.labels.options import WRITE_KEYWORDS, VoxelOrder, WriteOptions, fitted_options
from ngffseg.labels.place import image_beside
from ngffseg.labels.place_words import (
    PLACE_KEYWORDS,
    PlacedOptions,
    PlaceOptions,
    place_from_text,
    place_of,
)
from ngffseg.labels.rebuild import build_levels, can_build
from ngffseg.labels.regridded import Nearest
from ngffseg.labels.reordering import canonical, source_order
from ngffseg.labels.segment_table import update_segments
from ngffseg.labels.squeezed import without_single_axes
from ngffseg.labels.stored_plan import can_update
from ngffseg.labels.tree import store_tree
from ngffseg.labels.update import update_labels
from ngffseg.labels.verification import verify_index, verify_indices
from ngffseg.labels.window import display_window
from ngffseg.labels.write import write_labels, write_segmentation

__all__ = [
    "PLACE_KEYWORDS",
    "WRITE_KEYWORDS",
    "Change",
    "Contents",
    "Cost",
    "Fixes",
    "Forecast",
    "IntensityImage",
    "LabelImage",
    "ListedLabels",
    "Nearest",
    "PlaceOptions",
    "PlacedOptions",
    "SourceLink",
    "StoreTree",
    "StoredImage",
    "StoredLabels",
    "StoredLevel",
    "Verification",
    "VoxelOrder",
    "WriteOptions",
    "access_costs",
    "apply_fixes",
    "array_in",
    "bounding_box",
    "build_levels",
    "calibrate",
    "can_build",
    "can_update",
    "canonical",
    "channel_count",
    "channel_window",
    "check",
    "check_current",
    "display_window",
    "fitted_options",
    "forecast",
    "image_beside",
    "index_group",
    "is_current",
    "label_channels",
    "list_labels",
    "open_contents",
    "open_image",
    "open_labels",
    "open_segmentation",
    "place_from_text",
    "place_of",
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
    "write_archive",
    "write_index_aside",
    "write_labels",
    "write_segmentation",
]
