"""Pictures of stored labels: slices over their image with a legend, and all levels side by side."""

from ngffseg.pictures.figure import save_picture
from ngffseg.pictures.plot import plot_levels, plot_slices, plot_store

__all__ = ["plot_levels", "plot_slices", "plot_store", "save_picture"]
