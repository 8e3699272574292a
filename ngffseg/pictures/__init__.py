"""Pictures of stored labels: slices over their image with a legend, and all levels side by side."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.pictures.figure import save_picture
    from ngffseg.pictures.plot import plot_levels, plot_slices, plot_store
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "figure": "save_picture",
            "plot": "plot_levels plot_slices plot_store",
        },
    )

__all__ = ["plot_levels", "plot_slices", "plot_store", "save_picture"]
