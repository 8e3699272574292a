"""File to store and back, with a report of what the target could not hold."""

from ngffseg.convert.exporting import export_segmentation
from ngffseg.convert.importing import files_digest, forecast_import, import_segmentation

__all__ = ["export_segmentation", "files_digest", "forecast_import", "import_segmentation"]
