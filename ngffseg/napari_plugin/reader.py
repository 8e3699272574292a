"""The reader of the plugin: napari asks it for stores by path or URL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ngffseg.napari_plugin.layers import LayerData, read_layers
from ngffseg.napari_plugin.upright import keep_upright


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """The function that reads a path, or several; None if they are no stores by their names.

    What is there is looked at by that function: napari shows what it says if it fails.
    """
    paths = [path] if isinstance(path, str) else list(path)
    return read if paths and all(_is_ours(one) for one in paths) else None


def read(path: str | Sequence[str]) -> list[LayerData]:
    """The layers of one or several stores; the viewer is turned when they come."""
    paths = [path] if isinstance(path, str) else list(path)
    layers = [layer for one in paths for layer in read_layers(one)]
    keep_upright()
    return layers


def _is_ours(path: str) -> bool:
    url = path.split("?", maxsplit=1)[0].rstrip("/")
    name = url.rpartition("/")[2]
    return name.endswith((".zarr", ".ozx")) or ".zarr/labels/" in url
