"""Writing label images: `write_labels` for arrays, `write_segmentation` for all layers at once.

Order of commits: metadata is judged, then arrays and chunks are written aside, then all is
published, the register of names last. A job that dies publishes nothing.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from typing import Any, Unpack

import numpy as np

from ngffseg.errors import LabelValueError, NgffsegWarning, UsageError
from ngffseg.geometry import Geometry, identity
from ngffseg.keywords import strict
from ngffseg.labels.address import split_address
from ngffseg.labels.claim import clean_up
from ngffseg.labels.execution import carry_out
from ngffseg.labels.image import LabelImage
from ngffseg.labels.open import open_image, open_labels
from ngffseg.labels.options import WRITE_KEYWORDS, WriteOptions
from ngffseg.labels.parent import find_parent
from ngffseg.labels.progress import Progress
from ngffseg.labels.reordering import canonical
from ngffseg.labels.request import Request, prepare
from ngffseg.model import ArrayLike, Segment, Segmentation, Volume
from ngffseg.store import check_writable, open_store, store_errors


@strict(WRITE_KEYWORDS)
def write_labels(
    url: str | os.PathLike[str],
    labels: Any,
    *,
    name: str,
    segments: Iterable[Segment] = (),
    geometry: Geometry | None = None,
    image: Volume | ArrayLike | None = None,
    overwrite: bool = False,
    **options: Unpack[WriteOptions],
) -> LabelImage:
    """Write labels as a multiscale label image and register it under ``labels``.

    Parameters
    ----------
    url
        Address of the store, a path or an fsspec URL; made if it is not there.
    labels
        Integer array of 2 to 5 axes (of t, c, z, y, x): numpy, dask or zarr, or anything with
        ``shape``, ``dtype`` and slicing. Lazy arrays are read block by block.
    name
        Name of the label image: one folder under ``labels``.
    segments
        Names, colors and properties of label values.
    geometry
        Grid of the labels; by default that of the image, else unit voxels at zero. Labels on another grid than
        the image are brought onto it, if their voxels are some of its own; see `WriteOptions` for others.
    image
        The image that the labels belong to, written as multiscales beside them: a `Volume`, or
        an array on the grid of the labels. Without one, a new store gets a placeholder of the
        same shape that holds no data.
    overwrite
        Replace a label image of this name.
    **options
        See `WriteOptions`.

    Returns
    -------
    LabelImage
        The stored label image, opened.

    Warns
    -----
    NgffsegWarning
        What people should know of how the labels came onto the grid of their image.

    Raises
    ------
    LabelValueError
        If labels are floats or negative, or a segment's value does not fit them.
    LabelNameError, LabelExistsError, UsageError
        If the name, an option, the shape or the place does not fit the store.
    MetadataError
        If the store is no OME-Zarr image.
    StoreError
        If the disk or the network fails; nothing is published then.
    """
    if options.get("order") == "keep":
        del options["order"]  # told or not, it is the same write
    array = _as_labels(labels)
    grid = image.geometry if geometry is None and isinstance(image, Volume) else geometry
    where = grid if grid is not None else _grid_of_store(url, array.shape)
    segmentation = Segmentation((array,), tuple(segments), where)
    if image is not None and not isinstance(image, Volume):
        image = Volume(image, where)
    return write_segmentation(url, segmentation, name=name, image=image, overwrite=overwrite, **options)


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
    if options.get("order") == "canonical":
        segmentation, image = canonical(segmentation, image)
    request = Request(address, name, segmentation, image, options, overwrite, fingerprint, progress)
    with store_errors(address):
        check_writable(address)
        prepared = prepare(request)
        if prepared.done:
            clean_up(prepared.store, address, prepared.job)  # of a run that died when all was done
        else:
            for line in prepared.draft.told:
                warnings.warn(line, NgffsegWarning, stacklevel=3)
            carry_out(prepared)
    return open_labels(address, name)


def _as_labels(labels: Any) -> Any:
    """Labels as an array; lists of whole numbers become one, lazy arrays stay lazy."""
    if isinstance(labels, list | tuple) and any(map(_holds_array, labels)):
        raise UsageError(
            f"labels are a {type(labels).__name__} of {len(labels)} arrays: join what is one array of more axes by"
            " np.stack; write masks that may overlap by write_segmentation, as Segmentation(layers=...)"
        )
    array = labels if hasattr(labels, "dtype") and hasattr(labels, "shape") else np.asarray(labels)
    if np.dtype(array.dtype).kind not in "iu":
        raise LabelValueError(
            f"labels are {array.dtype}, not integers: convert them exactly first, as with .astype('uint32')"
        )
    return array


def _holds_array(part: Any) -> bool:
    """Whether a member of a list is an array, or a list that holds one; a number is none."""
    if isinstance(part, list | tuple):
        return any(map(_holds_array, part))
    return getattr(part, "shape", ()) != ()


def _grid_of_store(url: str | os.PathLike[str], shape: tuple[int, ...]) -> Geometry:
    """Grid for labels that came without one: that of the image of the store, else unit voxels.

    Raises
    ------
    UsageError
        If the image has another shape, so that nobody can tell where the labels lie.
    """
    address, _ = split_address(url)
    with store_errors(address):
        parent = find_parent(open_store(address), address)
        if parent is None or parent.multiscales is None:
            return identity(shape)
        grid = open_image(address).geometry
    if grid.shape != tuple(shape):
        raise UsageError(
            f"labels of shape {tuple(shape)} do not fit the image {grid.shape} of {address}: give their geometry"
        )
    return grid
