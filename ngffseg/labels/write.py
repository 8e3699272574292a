"""Writing label images: `write_labels` for arrays, `write_segmentation` for all layers at once.

Order of commits: metadata is judged, then arrays and chunks are written aside, then all is
published, the register of names last. A job that dies publishes nothing.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from typing import Any, Unpack

from ngffseg.errors import NgffsegWarning
from ngffseg.geometry import Geometry
from ngffseg.keywords import strict
from ngffseg.labels.address import split_address
from ngffseg.labels.claim import clean_up
from ngffseg.labels.execution import carry_out
from ngffseg.labels.given import as_array, given_grid
from ngffseg.labels.image import LabelImage
from ngffseg.labels.open import open_labels
from ngffseg.labels.options import WRITE_KEYWORDS, WriteOptions
from ngffseg.labels.place import grid_of_store
from ngffseg.labels.progress import Progress
from ngffseg.labels.reordering import canonical
from ngffseg.labels.request import Request, prepare
from ngffseg.model import ArrayLike, Segment, Segmentation, Volume
from ngffseg.store import check_writable, store_errors


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
        Integer array of 2 to 5 axes (of t, c, z, y, x): numpy, dask, zarr, xarray or tensorstore, or anything
        with ``shape``, ``dtype`` and slicing. Lazy arrays are read block by block; each task of a dask graph runs
        once. Dims of xarray and labels of dimensions of tensorstore are axes, in any order.
    name
        Name of the label image: one folder under ``labels``.
    segments
        Names, colors and properties of label values.
    geometry
        Grid of the labels; by default that which their own coordinates tell, or those of the image; else that of
        the image of the store, else unit voxels at zero. Coordinates of xarray are equidistant numbers (within 0.01
        of a step), their unit ``coords[dim].attrs["units"]``; time counts from the first point. Labels on another grid than
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
    array = as_array(labels)
    grid = image.geometry if geometry is None and isinstance(image, Volume) else geometry
    where = given_grid(labels, image, grid) or grid_of_store(url, array.shape)
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
