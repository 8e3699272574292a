"""`StoreTree`: what a store holds, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ngffseg import ngff
from ngffseg.geometry import SourceGrid
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.listing import ListedLabels
from ngffseg.model import Channel


@dataclass(frozen=True, slots=True)
class LevelSummary:
    """One level: where it is, how it is cut, and how many bytes it takes (None: cannot list)."""

    path: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    dtype: str
    scale: tuple[float, ...]
    translation: tuple[float, ...]
    stored_bytes: int | None


@dataclass(frozen=True, slots=True)
class ImageSummary:
    """The image of a store; a placeholder holds no data."""

    name: str
    placeholder: bool
    axes: tuple[str, ...]
    levels: tuple[LevelSummary, ...]
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceLink:
    """The image that a label image names as its source.

    Parameters
    ----------
    link
        The path as it is written, from the label image.
    path
        The path from the root of the store; None where it leads outside, and is not looked at.
    exists
        Whether an image is there; None where it was not looked at.
    """

    link: str
    path: str | None
    exists: bool | None


@dataclass(frozen=True, slots=True)
class LabelsSummary:
    """A label image: its levels, and how they were made.

    ``source_grid`` is the grid of its source, where it is stored in another order than there.
    """

    image: LabelImage
    method: str
    metadata: dict[str, Any]
    levels: tuple[LevelSummary, ...]
    source: SourceLink | None = None
    registered: bool = True
    source_grid: SourceGrid | None = None


@dataclass(frozen=True, slots=True)
class StoreTree:
    """All that a store holds.

    Parameters
    ----------
    url, version
        Address of the store, and its version as written.
    image
        Its image; None where there is none.
    labels
        Label images that can be opened.
    kinds
        Kinds of metadata of the root, by their keys.
    collection
        Which group of images the root is, where it is no image.
    broken
        Label images that cannot be opened, each with its problem.
    problem
        Why the image of the root cannot be opened; empty if it can, or there is none.
    consolidated
        Whether it has consolidated metadata.
    """

    url: str
    version: str
    image: ImageSummary | None
    labels: tuple[LabelsSummary, ...]
    kinds: tuple[str, ...] = ()
    collection: ngff.Collection | None = None
    broken: tuple[ListedLabels, ...] = ()
    problem: str = ""
    consolidated: bool = False
