"""Writing label images: `write_labels` for arrays and masks, `write_segmentation` for all layers at once.

Order of commits: metadata is validated, then arrays and chunks are written aside, then all is
published, the register of names last. A job that dies publishes nothing.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Unpack

import numpy as np

from ngffseg.errors import NgffsegWarning, UsageError
from ngffseg.geometry import Geometry
from ngffseg.keywords import TRUTH, strict
from ngffseg.labels.arrays.masks import mask_arrays, packed_masks
from ngffseg.labels.jobs.ownership import clean_up
from ngffseg.labels.jobs.progress import Progress
from ngffseg.labels.plan.options import WRITE_KEYWORDS, WriteOptions
from ngffseg.labels.plan.place import described_image, image_beside, labels_grid
from ngffseg.labels.plan.place_words import PLACE_KEYWORDS, PlacedOptions, place_of
from ngffseg.labels.read.address import split_address
from ngffseg.labels.read.group_snapshot import GroupSnapshot
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.open import open_labels
from ngffseg.labels.write.execute import carry_out
from ngffseg.labels.write.given import as_array
from ngffseg.labels.write.prepare import begin, prepare
from ngffseg.labels.write.request import Request
from ngffseg.model import ArrayLike, Segment, Segmentation, Volume
from ngffseg.store import store_errors


class LabelOptions(PlacedOptions, total=False):
    """Options of `write_labels`: those of `WriteOptions` and `PlaceOptions`, and this.

    overwrite
        Replace a label image of this name.
    """

    overwrite: bool


@strict(WRITE_KEYWORDS | PLACE_KEYWORDS | {"overwrite": TRUTH})
def write_labels(
    url: str | os.PathLike[str],
    labels: Any = None,
    *,
    name: str,
    masks: Mapping[str, Any] | None = None,
    segments: Iterable[Segment] = (),
    geometry: Geometry | None = None,
    image: Volume | ArrayLike | None = None,
    **options: Unpack[LabelOptions],
) -> LabelImage:
    """Write labels as a multiscale label image and register it under ``labels``.

    Parameters
    ----------
    url
        Address of the store, a path or an fsspec URL; made if it is not there.
    labels
        Integer array of 2 to 5 axes (of t, c, z, y, x): numpy, dask, zarr, xarray or tensorstore, or anything
        with ``shape``, ``dtype`` and slicing. Lazy arrays are read block by block; each task of a dask graph runs
        once. Dims of xarray and labels of dimensions of tensorstore are axes, in any order. An array of truth values
        is a mask of value 1. Or a `Segmentation`, whose layers may overlap and which has segments and a grid of its own.
    name
        Name of the label image: one folder under ``labels``. Layers further than the first add ``__layer1`` and so on.
    masks
        Instead of labels: arrays of truth values of one shape, by name, which may overlap. Each is read twice,
        block by block: to find out which overlap, and to be written. There is no way to write them in fewer layers
        if at most 20 overlap, directly or through others; larger groups are layered by DSATUR, which may take more.
        Label values are 1, 2, ... within each layer, in the order of the masks. One without voxels is a segment, too.
    segments
        Names, colors and properties of label values. Beside masks, those of masks: each segment has the name of one,
        and its label value and layer are given anew.
    geometry
        Grid of the labels, where words do not do; see `PlaceOptions`. By default that which their own coordinates
        tell, or that of the image, along the axes that the labels have, else unit voxels at zero. Coordinates of
        xarray are equidistant numbers (within 0.01 of a step), their unit ``coords[dim].attrs["units"]``; time counts
        from the first point. Labels on another grid than the image are brought onto it, if their voxels are some of its
        own; see `WriteOptions` for others.
    image
        The image that the labels belong to, written as multiscales beside them: a `Volume`, or an array on
        the grid of the labels, which may have channels and time points besides. Without one, a new store gets a
        placeholder of the same shape that holds no data.
    **options
        See `LabelOptions`, `PlaceOptions` and `WriteOptions`.

    Returns
    -------
    LabelImage
        The stored label image, opened: of several layers the first. `open_segmentation` gives all of them.

    Warns
    -----
    NgffsegWarning
        What people should know of how the labels came onto the grid of their image.

    Raises
    ------
    LabelValueError
        If labels are floats or negative, masks are no truth values, or a segment's value does not fit.
    LabelNameError, LabelExistsError, UsageError
        If the name, an option, the shape or the place does not fit the store, or labels, masks and segments do
        not fit each other.
    MetadataError
        If the store is no OME-Zarr image.
    StoreError
        If the disk or the network fails; nothing is published then.
    """
    if options.get("order") == "keep":
        del options["order"]  # told or not, it is the same write
    overwrite = options.pop("overwrite", False)
    known, (words, rest) = tuple(segments), place_of(options)
    resume = rest.get("resume", False)
    address, _ = split_address(url, name)
    if (labels is None) == (masks is None):
        raise UsageError("labels and masks: give one of them, and not both")
    if isinstance(labels, LabelImage):
        raise UsageError(
            "labels are a LabelImage, which has segments and a geometry: give open_segmentation of its address, or"
            " image.level(0) for its labels alone"
        )
    if isinstance(labels, Segmentation):
        if known or geometry is not None or words:
            raise UsageError(
                "labels are a Segmentation, which has segments and a geometry: give no others beside it"
            )
        whole = Request(
            address, name, labels, image_beside(image, labels.geometry), rest, overwrite, None, None
        )
        return _write(whole, begin(address, name, resume=resume))
    arrays = mask_arrays(masks) if masks is not None else {"": as_array(labels)}
    given = [labels] if masks is None else list(masks.values())
    shape, image = next(iter(arrays.values())).shape, described_image(image)
    snapshot = begin(address, name, resume=resume)
    grid = labels_grid(snapshot.image_group, shape, given, geometry, image, words)
    volume, layers = image_beside(image, grid), tuple(arrays.values())
    if masks is not None:
        if not resume:
            # What the store would not take is refused before all masks are read.
            blank = Segmentation((np.broadcast_to(np.uint8(0), grid.shape),), (), grid)
            with store_errors(address):
                prepare(Request(address, name, blank, volume, rest, overwrite, None, None), snapshot)
        layers, known = packed_masks(arrays, known)
        # Read again: to find out which masks overlap may take hours, and where a write puts its levels depends on
        # what has been published.
        snapshot = begin(address, name, resume=resume)
    segmentation = Segmentation(layers, known, grid)
    return _write(Request(address, name, segmentation, volume, rest, overwrite, None, None), snapshot)


@strict(WRITE_KEYWORDS)
def write_segmentation(
    url: str | os.PathLike[str],
    segmentation: Segmentation,
    *,
    name: str,
    image: Volume | None = None,
    overwrite: bool = False,
    fingerprint: str | None = None,
    progress: Progress | None = None,
    **options: Unpack[WriteOptions],
) -> LabelImage:
    """Write all layers of a segmentation; see `write_labels`.

    Layer 0 gets the name, each further one the name with ``__layer1`` and so on.
    ``fingerprint`` changes with the files that the segmentation was read from; without one, a run that
    resumes another compares labels in memory with what is stored. ``progress`` is called after each
    block with the numbers of blocks done and in all.
    """
    address, _ = split_address(url, name)
    request = Request(address, name, segmentation, image, options, overwrite, fingerprint, progress)
    return _write(request, begin(address, name, resume=options.get("resume", False)))


def _write(request: Request, snapshot: GroupSnapshot) -> LabelImage:
    """Do what a request asks for; `begin` has read the store."""
    address, name = request.address, request.name
    with store_errors(address):
        prepared = prepare(request, snapshot)
        if prepared.done:
            clean_up(snapshot.store, address, prepared.job)  # of a run that died when all was done
        else:
            for line in prepared.write_plan.notes:
                warnings.warn(line, NgffsegWarning, stacklevel=4)
            carry_out(prepared)
    # Opened as everybody opens it: what is handed back is what is stored, and knows which files it was read from.
    return open_labels(address, name)
