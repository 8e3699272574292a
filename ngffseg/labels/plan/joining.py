"""Labels that join an image: they are brought onto its grid exactly, or refused.

DESIGN.md section 4, rules 6 and 7 of "Voxel order and place".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ngffseg.errors import Hint, UsageError
from ngffseg.geometry import (
    SPACE,
    Geometry,
    Match,
    Order,
    SourceGrid,
    identity_order,
    match,
    overlaps,
    source_after,
)
from ngffseg.labels.arrays.regridded import Moved, Nearest, lost_outside
from ngffseg.labels.arrays.reordered import reordered_array
from ngffseg.labels.plan.options import WriteOptions
from ngffseg.model import Segmentation

OWN_GRID = "the labels do not lie on the grid of the image: they keep their own, as they were forced to"
FORCE_PLACE, RESAMPLE, CROP = Hint("force place"), Hint("resample"), Hint("crop")
FORCE = f"or write them all the same with {FORCE_PLACE}"


@dataclass(frozen=True, slots=True)
class Joined:
    """Labels that join an image.

    Parameters
    ----------
    segmentation
        The labels, on the grid of the image unless they were forced to keep their own.
    notes
        What people should know of it, one line each.
    """

    segmentation: Segmentation
    notes: tuple[str, ...] = ()


def joined(
    segmentation: Segmentation, image: Geometry, options: WriteOptions, source: SourceGrid | None = None
) -> Joined:
    """Bring labels onto the grid of the image that they join: flips, permutations, whole offsets.

    Parameters
    ----------
    segmentation
        The labels; nothing of their voxels is read unless they have to be cropped.
    image
        Grid of the image, of the same axes.
    options
        See `WriteOptions`: ``crop``, ``resample`` and ``force_place``.
    source
        The grid of the image as labels that tell no place were drawn on it, where it is held in another order.

    Raises
    ------
    UsageError
        If it is not known where on the image they lie, or voxels would be lost.
    """
    grid, force = segmentation.geometry, options.get("force_place", False)
    uids = {grid.frame_of_reference_uid, image.frame_of_reference_uid} - {""}
    if len(uids) > 1 and not force:
        raise UsageError(
            f"the frame of reference of the labels is {grid.frame_of_reference_uid}, that of the image"
            f" {image.frame_of_reference_uid}: give the labels of this image, {FORCE}",
            hints=[FORCE_PLACE],
        )
    target = _target(grid, image)
    if any(own not in (1, n) for own, n in zip(target.shape, image.shape, strict=True)):
        raise UsageError(
            f"labels of shape {grid.shape} do not fit the image {image.shape} along time or channels: give as many,"
            " or one"
        )
    if grid.frame is None or image.frame is None:
        return _by_index(segmentation, target, _index_order(segmentation, source), force=force)
    found = match(grid, image)
    if not overlaps(grid, image):
        if force:
            return Joined(segmentation, (OWN_GRID,))
        raise UsageError(
            "the box of the labels does not overlap that of the image, so that they are of another patient or"
            f" place: give the labels of this image, {FORCE}",
            hints=[FORCE_PLACE],
        )
    if found.is_exact:
        return _by_voxels(segmentation, target, found, options)
    if options.get("resample") == "nearest":
        lost = _refuse_loss(sum(lost_outside(layer, grid, image) for layer in segmentation.layers), options)
        notes = "the labels lie on another grid than the image: of each voxel the nearest one was taken"
        nearest = tuple(Nearest(layer, grid, target) for layer in segmentation.layers)
        moved = replace(segmentation, layers=nearest, geometry=target, source_grid=None)
        return Joined(moved, (notes, *lost))
    if force:
        return Joined(segmentation, (OWN_GRID,))
    raise UsageError(
        f"the labels do not lie on the voxels of the image, but up to {found.error:.3g} voxels beside them:"
        f" resample them by {RESAMPLE}, {FORCE}",
        hints=[RESAMPLE, FORCE_PLACE],
    )


def join_placeholder(segmentation: Segmentation, blank: Geometry) -> Segmentation:
    """Bring labels into the order of those for which an image without data was made, if they lie alike.

    Others keep their grid: there is no image that they would have to lie on.
    """
    grid, target = segmentation.geometry, _target(segmentation.geometry, blank)
    if grid.frame is None or blank.frame is None or grid == target or grid.axes != blank.axes:
        return segmentation
    found = match(grid, blank)
    alike = found.is_exact and not any(found.offset) and found.order.shape(grid.shape) == target.shape
    return _by_voxels(segmentation, target, found, {}).segmentation if alike else segmentation


def _target(grid: Geometry, image: Geometry) -> Geometry:
    """The grid of the image, with the sizes of the labels along time and channels."""
    shape = tuple(
        n if axis in SPACE else own for axis, n, own in zip(image.axes, image.shape, grid.shape, strict=True)
    )
    uid = image.frame_of_reference_uid or grid.frame_of_reference_uid
    return replace(image, shape=shape, frame_of_reference_uid=uid if image.frame is not None else "")


def _index_order(segmentation: Segmentation, image: SourceGrid | None) -> Order:
    """The order in which labels are index for index beside an image: as the source of both has them."""
    none = identity_order(len(segmentation.geometry.axes))
    own = segmentation.source_grid.order if segmentation.source_grid is not None else none
    return own.inverse.then(image.order if image is not None else none)


def _by_index(segmentation: Segmentation, target: Geometry, order: Order, *, force: bool) -> Joined:
    """Labels of which nobody says where they lie on the image: index for index, if they have its shape."""
    grid = segmentation.geometry
    if order.shape(grid.shape) != target.shape:
        if force:
            return Joined(segmentation, (OWN_GRID,))
        raise UsageError(
            f"labels of shape {grid.shape} do not fit the image {target.shape}, and {_unknown(grid, target)}:"
            f" bring them onto the grid of the image, {FORCE}"
        )
    found = match(grid, target)
    same = found.is_exact and found.order == order and not any(found.offset) and grid.frame == target.frame
    notes = f"{_unknown(grid, target)}: the labels were taken for the voxels of the image, index for index"
    return Joined(_in_order(segmentation, order, target), () if same else (notes,))


def _unknown(grid: Geometry, image: Geometry) -> str:
    which = " and ".join(n for n, g in (("the image", image), ("the labels", grid)) if g.frame is None)
    tells = "tells" if which == "the image" else "tell"
    return f"{which} {tells} no patient frame"


def _by_voxels(segmentation: Segmentation, target: Geometry, found: Match, options: WriteOptions) -> Joined:
    """Labels whose voxels are those of the image: in its order, padded and cropped to its box."""
    held = found.order.shape(segmentation.geometry.shape)
    if not any(found.offset) and held == target.shape:
        return Joined(_in_order(segmentation, found.order, target))
    moved = [Moved(layer, found.order, found.offset, target.shape) for layer in segmentation.layers]
    outside = any(o < 0 or o + n > size for o, n, size in zip(found.offset, held, target.shape, strict=True))
    lost = sum(each.lost() for each in moved) if outside else 0
    notes = list(_refuse_loss(lost, options))
    if any(o > 0 or o + n < size for o, n, size in zip(found.offset, held, target.shape, strict=True)):
        notes.append("the box of the labels is a part of that of the image: the rest is background")
    placed = replace(segmentation, layers=tuple(moved), geometry=target, source_grid=None)
    return Joined(placed, tuple(notes))


def _refuse_loss(lost: int, options: WriteOptions) -> tuple[str, ...]:
    """What people should know of voxels that are left out.

    Raises
    ------
    UsageError
        If nobody has asked to crop them.
    """
    if not lost:
        return ()
    if not options.get("crop", False):
        raise UsageError(
            f"the labels would lose {lost} voxels that lie outside of the image: say {CROP} to leave them out",
            hints=[CROP],
        )
    return (f"{lost} voxels of the labels lie outside of the image: they were left out",)


def _in_order(segmentation: Segmentation, order: Order, target: Geometry) -> Segmentation:
    """The labels in another order, on the target; they know the grid of their source, if all of it lies there.

    Numbers that differ from those of the image by what files round are kept there, for exports.
    """
    source = source_after(segmentation.geometry, segmentation.source_grid, order)
    same = source.order.is_identity and source.geometry == target
    kept = source if not same and source.leads_to(target) else None
    layers = tuple(reordered_array(layer, order) for layer in segmentation.layers)
    return replace(segmentation, layers=layers, geometry=target, source_grid=kept)
