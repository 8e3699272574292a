"""The fields of a NRRD file that say where its voxels lie, and its layers as one array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.formats.nrrd.header import ITK_NAMES
from ngffseg.formats.nrrd.units import FIELD
from ngffseg.formats.sayable import in_known_unit
from ngffseg.geometry import Geometry, nrrd_frame, to_nrrd
from ngffseg.model import Loss

# Fields that are made anew when a file is written, or that contradict those.
GENERATED = (
    "type", "dimension", "space", "space dimension", "sizes", "space directions", "spacings", "kinds",
    "endian", "encoding", "space origin", "units", "axis mins", "axis maxs", "byte skip", "line skip",
)  # fmt: skip
LPS = "left-posterior-superior"


def space_of(geometry: Geometry, extra: Mapping[str, Any]) -> str:
    """The space to write: that of the source while it is true, else LPS for the patient; empty for none."""
    space = str(extra.get("space", ""))
    if space and nrrd_frame(space) == geometry.frame:
        return space
    if geometry.frame != "patient" or (len(geometry.shape) == 2 and not _is_tilted(geometry)):
        return ""
    return LPS


def written_geometry(geometry: Geometry, extra: Mapping[str, Any], space: str) -> tuple[Geometry, list[Loss]]:
    """The numbers to write, and what the file does not say of them.

    They are in millimetres, since ITK and Slicer take all numbers for these, unless the file came in with
    ``space units``: then they are in its unit.

    Raises
    ------
    FormatError
        If the space axes have different units and are turned.
    """
    losses = _plane_losses(geometry, space)
    came = FIELD in extra.get("fields", {})
    if came and "unit" not in extra:
        return (
            geometry,
            losses,
        )  # ngffseg 0.1 took the numbers for millimetres, and gave them back as they were
    unit = str(extra["unit"]) if came else "millimeter"
    known, strange = in_known_unit(geometry, (unit,), unit)
    return known, [*losses, *strange]


def _plane_losses(geometry: Geometry, space: str) -> list[Loss]:
    """What a plane in a space of two directions loses: the patient, and where it lies along the third one."""
    if len(geometry.shape) != 2 or space or geometry.frame != "patient":
        return []
    height = float(geometry.affine[2, 3])
    what = f"a plane has a space of two directions: that it lies in a patient, at {height:g} along superior, is lost"
    return [Loss("geometry", what)]


def _is_tilted(geometry: Geometry) -> bool:
    return bool(geometry.affine[2, :2].any())


def grid_fields(geometry: Geometry, layers: int, dtype: np.dtype[Any], space: str) -> dict[str, str]:
    """Fields of a file with this grid, in the order in which ITK writes them; without a space, if it has no name."""
    ndim = len(geometry.shape)
    sizes = [str(n) for n in geometry.shape[::-1]]
    directions, origin = to_nrrd(geometry.affine, space)
    # A named space has three directions, one without a name as many as there are axes: ITK reads no others.
    width = 3 if space else ndim
    vectors = [_vector(direction[:width]) for direction in directions[:ndim]]
    kinds = ["domain"] * ndim
    if layers > 1:
        sizes, vectors, kinds = [str(layers), *sizes], ["none", *vectors], ["list", *kinds]
    fields = {
        "type": ITK_NAMES[dtype.name],
        "dimension": str(len(sizes)),
        **({"space": space} if space else {"space dimension": str(ndim)}),
        "sizes": " ".join(sizes),
        "space directions": " ".join(vectors),
        "kinds": " ".join(kinds),
        "endian": "little",
        "encoding": "gzip",
        "space origin": _vector(origin[:width]),
    }
    if dtype.itemsize == 1:
        del fields["endian"]
    return fields


def _vector(values: npt.NDArray[np.float64]) -> str:
    # repr: the shortest text that gives the same double again.
    return "(" + ",".join(repr(float(v)).removesuffix(".0") for v in values) + ")"


def joined(layers: Sequence[Any]) -> npt.NDArray[Any]:
    """Layers as one array, the axis of layers last (fastest in the file), in a dtype for all.

    The dtype is the narrowest unsigned one where layers differ: numpy would promote uint64 and
    int64 to a float.
    """
    arrays = [np.asarray(layer[...]) for layer in layers]
    dtypes = {array.dtype for array in arrays}
    dtype = dtypes.pop() if len(dtypes) == 1 else np.min_scalar_type(max(int(a.max()) for a in arrays))
    arrays = [array.astype(dtype, copy=False) for array in arrays]
    return arrays[0] if len(arrays) == 1 else np.stack(arrays, axis=-1)
