"""What a format can say of a grid: its unit of length, and the losses where it cannot say all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ngffseg.geometry import SPACE, Geometry, in_unit, length_unit, shear
from ngffseg.model import Loss

# Cosine between axes from which they are not at right angles; ITK refuses NIfTI files between this and ten times it.
SHEAR = 1e-5


def in_known_unit(
    geometry: Geometry, known: Collection[str], default: str = "millimeter"
) -> tuple[Geometry, list[Loss]]:
    """The grid in its unit where a file can say that, else in a default, which is what readers take for granted.

    Parameters
    ----------
    geometry
        Any grid.
    known
        Units of length that the file has a word for.
    default
        The unit where it has none.

    Returns
    -------
    Geometry
        The numbers to write.
    list of Loss
        That a unit is no length, so that the numbers stay as they are.

    Raises
    ------
    FormatError
        If the space axes have different units and are turned.
    """
    units = [geometry.units[place] for place in geometry.spatial_axes]
    if set(units) == {None}:
        return geometry, []  # neither side says any
    strange = sorted({unit or "none" for unit in units if length_unit(unit or "") is None})
    if strange:
        what = f"unit {', '.join(strange)} of space: the numbers stay, and readers take them for millimetres"
        return geometry, [Loss("geometry", what)]
    # Others write "um" and "micron" into OME-Zarr, too.
    names = [
        length_unit(u or "") if a in SPACE else u for a, u in zip(geometry.axes, geometry.units, strict=True)
    ]
    geometry = replace(geometry, units=tuple(names))
    lengths = {geometry.units[place] for place in geometry.spatial_axes}
    if len(lengths) == 1 and lengths <= set(known):
        return geometry, []
    return in_unit(geometry, default), []


def shear_note(geometry: Geometry) -> str | None:
    """The line that tells of axes that are not at right angles; `None` where they are."""
    cosine = shear(geometry)
    if cosine <= SHEAR:
        return None
    return (
        f"its axes are not at right angles (cosine {cosine:.2g}): kept exactly, but readers that know only "
        f"spacing and directions place it elsewhere, and ITK refuses such NIfTI files"
    )
