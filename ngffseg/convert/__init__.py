"""File to store and back, with a report of what the target could not hold."""

from ngffseg.convert.exporting import export_segmentation
from ngffseg.convert.importing import import_segmentation, plan_import

__all__ = ["export_segmentation", "import_segmentation", "plan_import"]
