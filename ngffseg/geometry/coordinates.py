"""Coordinates of an axis: one number per voxel, as xarray has them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ngffseg.errors import UsageError

# How far, in steps, a coordinate may lie from where equal steps put it: what files round, and not a voxel.
TOLERANCE = 0.01


def steps_of(axis: str, values: npt.ArrayLike) -> tuple[float, float] | None:
    """Step and start of the coordinates of an axis; None where they are no numbers, but names.

    Parameters
    ----------
    axis
        Its name, for errors to tell.
    values
        One coordinate per voxel, ascending in equal steps: each within 0.01 of a step of its place. Dates and
        durations of numpy (datetime64, timedelta64) are seconds from the first on. A single one has step 1.

    Raises
    ------
    UsageError
        If they descend, are not finite, or are not equidistant.
    """
    given = np.asarray(values)
    if given.dtype.kind in "mM":
        given = (given - given[0]) / np.timedelta64(1, "s")
    if given.dtype.kind not in "iuf":
        return None
    exact = given.astype(np.float64)
    if not np.isfinite(exact).all():
        raise UsageError(
            f"coordinates of the axis {axis!r} are not finite: give a number per voxel, or drop them"
        )
    # The shortest decimals that mean a number of this dtype: 0.65 as float32 is 0.65.
    start = float(str(given[0]))
    if len(exact) == 1:
        return 1.0, start
    step = (exact[-1] - exact[0]) / (len(exact) - 1)
    if step <= 0:
        raise UsageError(
            f"coordinates of the axis {axis!r} do not ascend: flip it first, as by .isel({axis}=slice(None, None, -1))"
        )
    places = exact[0] + step * np.arange(len(exact))
    worst = int(np.argmax(np.abs(exact - places)))
    if abs(exact[worst] - places[worst]) > TOLERANCE * step:
        raise UsageError(
            f"coordinates of the axis {axis!r} are not equidistant ({exact[worst]:g} at index {worst}, not"
            f" {places[worst]:g}): resample the labels, or drop the coordinates and give scale"
        )
    return float(f"{step:.{6 if given.dtype.itemsize < 8 and given.dtype.kind == 'f' else 12}g}"), start
