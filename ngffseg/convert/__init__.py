"""File to store and back, with a report of what the target could not hold."""

from ngffseg.convert.exporting import export_segmentation
from ngffseg.convert.importing import forecast_import, import_segmentation, is_imported, stem

__all__ = ["export_segmentation", "forecast_import", "import_segmentation", "is_imported", "stem"]
