"""File to store and back, with a report of what the target could not hold."""

from ngffseg.convert.demo import demo_files, import_demo
from ngffseg.convert.exporting import export_segmentation
from ngffseg.convert.importing import forecast_import, import_segmentation, is_imported
from ngffseg.convert.labelling import label_segments
from ngffseg.convert.sources import stem

__all__ = [
    "demo_files",
    "export_segmentation",
    "forecast_import",
    "import_demo",
    "import_segmentation",
    "is_imported",
    "label_segments",
    "stem",
]
