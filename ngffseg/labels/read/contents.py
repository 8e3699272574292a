"""`Contents`: what a store holds for people to look at: its image, and each segmentation in its layers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt
import zarr

from ngffseg import ngff
from ngffseg.errors import MetadataError, NgffsegError, NgffsegWarning, StoreNotFoundError, UsageError
from ngffseg.geometry import Geometry
from ngffseg.grid.exact_box import BoxLike, exact_box
from ngffseg.keywords import strict
from ngffseg.labels.nodes.find import attributes_of, find_groups
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.read.address import split_address
from ngffseg.labels.read.image_group import open_image_group
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.levels import Levels, grid_of, open_levels
from ngffseg.labels.read.open import open_labels
from ngffseg.model import Channel
from ngffseg.store import open_store, store_errors

# The version of a store that does not tell it.
OLDEST = "0.4"
# Label images that are opened at the same time.
AT_ONCE = 16


@dataclass(frozen=True, slots=True, eq=False)
class IntensityImage:
    """The stored image that labels belong to; nothing is read before it is asked for.

    Parameters
    ----------
    url
        Address of the store.
    name
        Its name, as the store tells it.
    arrays
        Stored array of each level, finest first.
    geometry
        Grid of level 0.
    channels
        How its channels are to be shown; empty where the store does not tell.
    """

    url: str
    name: str
    _arrays: Levels
    geometry: Geometry
    channels: tuple[Channel, ...] = ()

    def read(self, box: BoxLike | None = None, level: int = 0) -> npt.NDArray[Any]:
        """Values of a box of a level, in the stored dtype; only the chunks that it touches are read.

        Raises
        ------
        UsageError
            If the box does not lie inside the level, or there is no such level.
        ChunkError
            If a chunk is damaged.
        StaleError
            If the image was written again or removed since it was opened.
        """
        if not 0 <= level < len(self._arrays):
            raise UsageError(f"{self.url}: no level {level}: there are {len(self._arrays)}, from 0")
        with store_errors(self.url):
            lazy = self._arrays.lazy(level)
        return lazy.read_box(exact_box(box, lazy.shape))


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """What a store holds.

    Parameters
    ----------
    url
        Address of the store.
    version
        Its NGFF version, as written.
    image
        Its image; None where there is none, or only a placeholder without data.
    segmentations
        Each as its label images: more than one where segments overlap.
    missing
        Why a registered label image is not among them, by its name.
    """

    url: str
    version: str
    image: IntensityImage | None
    segmentations: tuple[tuple[LabelImage, ...], ...]
    missing: Mapping[str, str] = field(default_factory=dict)


def shown_name(layers: Sequence[LabelImage], number: int) -> str:
    """What people call a label image of a segmentation: further layers by the segment that they hold."""
    first, image = layers[0].name or "labels", layers[number]
    if number == 0:
        return first
    names = [segment.name for segment in image.segments]
    return f"{first}: {names[0]}" if len(names) == 1 else f"{first} (layer {number + 1})"


@strict()
def open_contents(url: str | os.PathLike[str], name: str | None = None) -> Contents:
    """Open all that a store holds; only metadata is read.

    A registered label image that is missing or broken hides no other one: a warning tells of it.

    Parameters
    ----------
    url
        Address of the store, or ``STORE/labels/NAME``.
    name
        Only the segmentation that this label image belongs to.

    Raises
    ------
    StoreNotFoundError
        If there is no store, it holds neither image nor labels, or not the named ones.
    MetadataError
        If it is broken.
    """
    address, name = split_address(url, name)
    with store_errors(address):
        store = open_store(address)
        root, labels = find_groups(store, ["", LABELS])
        version, metadata = ngff.unwrap(attributes_of(root)) if root is not None else (None, {})
        if "image-label" in metadata:  # as some writers leave it
            return Contents(address, version or OLDEST, None, ((open_labels(address),),))
        if labels is None and "multiscales" not in metadata:
            open_image_group(store, address)  # which says what is wrong
        image = _intensities(address, root) if root is not None and "multiscales" in metadata else None
        groups = _grouped(labels, name)
        names = [one for group in groups for one in group]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            found = dict(zip(names, threads.map(lambda one: _opened(address, one), names), strict=True))
    missing = {one: error for one, error in found.items() if isinstance(error, NgffsegError)}
    if missing and (name is not None or (image is None and len(missing) == len(found))):
        raise next(iter(missing.values()))
    if image is None and not groups:
        raise StoreNotFoundError(f"{address} holds neither an image nor labels: import some first")
    for error in missing.values():
        warnings.warn(NgffsegWarning(f"left out: {error}", hints=error.hints), stacklevel=2)
    opened = {one: label for one, label in found.items() if isinstance(label, LabelImage)}
    kept = (tuple(opened[one] for one in group if one in opened) for group in groups)
    problems = {one: str(error) for one, error in missing.items()}
    return Contents(address, version or OLDEST, image, tuple(filter(None, kept)), problems)


def _opened(address: str, name: str) -> LabelImage | NgffsegError:
    """A label image, or why it cannot be opened; a store that fails is another matter."""
    try:
        return open_labels(address, name)
    except (MetadataError, StoreNotFoundError) as error:
        return error


def _grouped(labels: zarr.Group | None, name: str | None) -> list[tuple[str, ...]]:
    """Names of label images, those of one segmentation together, in the order of the register."""
    attributes = attributes_of(labels) if labels is not None else {}
    known = ngff.document_layers(attributes)
    layers = {names[0]: names for names in known}
    further = {layer for names in known for layer in names[1:]}
    names = [n for n in ngff.listed_labels(ngff.unwrap(attributes)[1]) if n not in further]
    groups = [layers.get(one, (one,)) for one in names]
    if name is None:
        return groups
    return [group for group in groups if name in group] or [(name,)]


def _intensities(address: str, group: zarr.Group) -> IntensityImage | None:
    attributes = attributes_of(group)
    if ngff.own_part(attributes).get("placeholder"):
        return None
    multiscales, arrays = open_levels(address, group)
    geometry = grid_of(attributes, multiscales, arrays[0].shape)
    channels = ngff.decode_channels(ngff.unwrap(attributes)[1])
    return IntensityImage(address, multiscales.name, arrays, geometry, channels)
