"""`Segmentation`: what a file holds, and `Volume`: the image that it was drawn on."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ngffseg.errors import LabelValueError, NgffsegWarning, UsageError
from ngffseg.geometry import Geometry, SourceGrid
from ngffseg.model.arrays import check_description, plain_array
from ngffseg.model.channel import Channel
from ngffseg.model.segment import Segment


class ArrayLike(Protocol):
    """What a layer must offer: numpy, dask and zarr arrays do, and may be lazy."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102
    def __getitem__(self, box: Any, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Source:
    """Where a segmentation came from.

    Parameters
    ----------
    format
        Suffix of the file without its first dot, as "seg.nrrd".
    file
        Name of the file, without its folder.
    sha256
        Digest of the file, in hexadecimal digits.
    """

    format: str
    file: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """Layers of labels, the segments that they hold, and where they lie.

    Parameters
    ----------
    layers
        Integer arrays of one shape, in the axes of the geometry; those of xarray and tensorstore are brought into
        the order of the axes by their names. Segments of one layer do not overlap; segments of different layers may.
    segments
        In the order in which people list them. ``(layer, label_value)`` is unique, and so is id.
    geometry
        Grid of all layers.
    representation
        The source representation, in the words of 3D Slicer.
    source
        Where it came from.
    extra
        JSON values, one key per format: what that format carries and the model has no word for,
        kept so that an export gives it back.
    source_grid
        The grid of the source, where the layers are in another order than there; exports give them back in
        that of the source. One that does not lead to ``geometry`` (any more) is dropped, with a warning.

    Raises
    ------
    UsageError, LabelValueError
        If the parts contradict each other.
    """

    layers: tuple[ArrayLike, ...]
    segments: tuple[Segment, ...]
    geometry: Geometry
    representation: str = "Binary labelmap"
    source: Source | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    source_grid: SourceGrid | None = None

    def __post_init__(self) -> None:
        _check_geometry(self.geometry)
        if self.source_grid is not None and not self.source_grid.leads_to(self.geometry):
            message = "the grid is not that of the source any more: exports give it as it is, in the order of its axes"
            warnings.warn(message, NgffsegWarning, stacklevel=3)
            object.__setattr__(self, "source_grid", None)
        for segment in self.segments:
            if not isinstance(segment, Segment):
                raise UsageError(f"segments hold a {type(segment).__name__}: give values of Segment")
        if not self.layers:
            raise UsageError("a segmentation needs at least one layer")
        for layer in self.layers:
            check_description(layer, self.geometry)
        object.__setattr__(self, "layers", tuple(map(plain_array, self.layers)))
        for number, layer in enumerate(self.layers):
            if np.dtype(layer.dtype).kind not in "iu":
                raise LabelValueError(
                    f"layer {number} holds {layer.dtype}: labels are integers; convert them exactly first"
                )
            if tuple(layer.shape) != self.geometry.shape:
                raise UsageError(
                    f"layer {number} has shape {tuple(layer.shape)}, its geometry {self.geometry.shape}"
                )
        check_segments(self.segments, [np.dtype(layer.dtype) for layer in self.layers])


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """An intensity image: any numeric array, in the axes of its geometry.

    Parameters
    ----------
    data
        The array.
    geometry
        Its grid.
    name
        Its name.
    source_grid
        The grid of its source, where the array is in another order than there.
    channels
        How its channels are to be shown, each with a color and a window; by default nothing is told.

    Raises
    ------
    UsageError
        If it is no array, its shape, axes or coordinates are not those of its geometry, or the channels are others.
    """

    data: ArrayLike
    geometry: Geometry
    name: str = ""
    source_grid: SourceGrid | None = None
    channels: tuple[Channel, ...] = ()

    def __post_init__(self) -> None:
        _check_geometry(self.geometry)
        check_description(self.data, self.geometry)
        object.__setattr__(self, "data", plain_array(self.data))
        if not hasattr(self.data, "shape") or not hasattr(self.data, "dtype"):
            raise UsageError(f"an image is a {type(self.data).__name__}: give an array of its voxels")
        if tuple(self.data.shape) != self.geometry.shape:
            raise UsageError(
                f"an image has shape {tuple(self.data.shape)}, its geometry {self.geometry.shape}"
            )
        count = dict(zip(self.geometry.axes, self.geometry.shape, strict=True)).get("c", 1)
        if self.channels and len(self.channels) != count:
            raise UsageError(f"an image of {count} channels tells of {len(self.channels)}: give all or none")
        for number, channel in enumerate(self.channels):
            if channel.color is None or channel.window is None:
                raise UsageError(f"channel {number}: give its color and its window, which OME-Zarr demands")


def _check_geometry(geometry: object) -> None:
    if not isinstance(geometry, Geometry):
        raise UsageError(f"geometry is a {type(geometry).__name__}: give a Geometry")


def check_segments(segments: tuple[Segment, ...], dtypes: list[np.dtype[Any]]) -> None:
    """Refuse segments that the layers of these dtypes cannot hold, or that are not unique."""
    seen: set[tuple[int, int]] = set()
    ids: set[str] = set()
    for segment in segments:
        where = f"segment {segment.id!r}"
        if segment.layer >= len(dtypes):
            raise UsageError(f"{where} is in layer {segment.layer}, but there are {len(dtypes)} layers")
        dtype = dtypes[segment.layer]
        if segment.label_value > np.iinfo(dtype).max:
            raise LabelValueError(
                f"{where}: label value {segment.label_value} does not fit {dtype}: use a wider dtype"
            )
        if (segment.layer, segment.label_value) in seen:
            raise UsageError(
                f"{where}: label value {segment.label_value} is used twice in layer {segment.layer}"
            )
        if segment.id in ids:
            raise UsageError(f"{where}: the id is used twice")
        seen.add((segment.layer, segment.label_value))
        ids.add(segment.id)
