"""File to store and back, with a report of what the target could not hold."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.convert.demo import demo_files, import_demo
    from ngffseg.convert.exporting import export_segmentation
    from ngffseg.convert.importing import forecast_import, import_segmentation, is_imported
    from ngffseg.convert.labelling import label_segments
    from ngffseg.convert.sources import stem
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "demo": "demo_files import_demo",
            "exporting": "export_segmentation",
            "importing": "forecast_import import_segmentation is_imported",
            "labelling": "label_segments",
            "sources": "stem",
        },
    )

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
