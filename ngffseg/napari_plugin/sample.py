"""The sample data of the plugin: the demo case."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ngffseg.convert import import_demo
from ngffseg.napari_plugin.layers import LayerData
from ngffseg.napari_plugin.reader import read


def demo_layers() -> list[LayerData]:
    """A chest CT with its overlapping segmentation, from a store that is made in the temporary folder.

    Raises
    ------
    MissingExtraError
        If slicerio, which carries the files, is not installed.
    """
    store = Path(tempfile.gettempdir()) / "ngffseg-demo" / "chest.ome.zarr"
    import_demo(store)
    return read(str(store))
