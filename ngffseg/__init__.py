"""A chunked, cloud-native store for segmentations on OME-Zarr.

Names are loaded when they are first used, so that ``import ngffseg`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ngffseg.convert import export_segmentation, import_segmentation
    from ngffseg.errors import NgffsegError
    from ngffseg.geometry import Geometry
    from ngffseg.labels import (
        LabelImage,
        WriteOptions,
        check,
        open_image,
        open_labels,
        open_segmentation,
        rebuild_levels,
        segment_index,
        update_labels,
        write_labels,
    )
    from ngffseg.model import Segment, Segmentation, Volume
    from ngffseg.ngff import Violation
    from ngffseg.pictures import plot_levels, plot_slices
    from ngffseg.pyramid import PyramidPlan, plan_pyramid
    from ngffseg.store import follow_links

    __version__: str

_ROOMS = {
    "Geometry": "geometry",
    "LabelImage": "labels",
    "NgffsegError": "errors",
    "PyramidPlan": "pyramid",
    "Segment": "model",
    "Segmentation": "model",
    "Violation": "ngff",
    "Volume": "model",
    "WriteOptions": "labels",
    "check": "labels",
    "export_segmentation": "convert",
    "follow_links": "store",
    "import_segmentation": "convert",
    "open_image": "labels",
    "open_labels": "labels",
    "open_segmentation": "labels",
    "plan_pyramid": "pyramid",
    "plot_levels": "pictures",
    "plot_slices": "pictures",
    "rebuild_levels": "labels",
    "segment_index": "labels",
    "update_labels": "labels",
    "write_labels": "labels",
}

__all__ = [
    "Geometry",
    "LabelImage",
    "NgffsegError",
    "PyramidPlan",
    "Segment",
    "Segmentation",
    "Violation",
    "Volume",
    "WriteOptions",
    "__version__",
    "check",
    "export_segmentation",
    "follow_links",
    "import_segmentation",
    "open_image",
    "open_labels",
    "open_segmentation",
    "plan_pyramid",
    "plot_levels",
    "plot_slices",
    "rebuild_levels",
    "segment_index",
    "update_labels",
    "write_labels",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its room (PEP 562)."""
    if name == "__version__":
        # pyproject.toml holds it; what is installed, and so all documents that are written, has it from there.
        return importlib.import_module("importlib.metadata").version("ngffseg")
    if name not in _ROOMS:
        raise AttributeError(f"module 'ngffseg' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ngffseg.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
