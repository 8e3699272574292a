"""Layers and geometry of a NRRD file, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import FormatError
from ngffseg.formats.nrrd_header import ITK_NAMES, Header
from ngffseg.geometry import Geometry, from_nrrd, to_nrrd

Labels = npt.NDArray[Any]
# Fields that are made anew when a file is written.
GENERATED = (
    "type", "dimension", "space", "space dimension", "sizes", "space directions", "spacings", "kinds",
    "endian", "encoding", "space origin",
)  # fmt: skip
LPS = "left-posterior-superior"


def split_layers(header: Header, data: Labels) -> tuple[tuple[Labels, ...], Geometry]:
    """Layers in z, y, x order (or y, x) and their grid.

    A file of four axes has one that is not space (kind ``list``, direction ``none``): layers.

    Raises
    ------
    FormatError
        If the header contradicts itself or has other axes.
    """
    directions, listed = _directions(header, data.ndim)
    if listed is None:
        return (data,), _geometry(header, data.shape, directions)
    axis = data.ndim - 1 - listed  # the array has the axes of the file reversed
    layers = tuple(np.ascontiguousarray(layer) for layer in np.moveaxis(data, axis, 0))
    return layers, _geometry(header, layers[0].shape, directions)


def _directions(header: Header, ndim: int) -> tuple[list[list[float]], int | None]:
    """Direction of each space axis of the file, and which axis is the list of layers."""
    listed: int | None = None
    if "space directions" in header.fields:
        vectors = header.vectors("space directions")
        if len(vectors) != ndim:
            raise FormatError(f"the NRRD file has {ndim} axes, but {len(vectors)} space directions")
        none = [axis for axis, vector in enumerate(vectors) if vector is None]
        if len(none) > 1:
            raise FormatError(
                f"the NRRD file has {len(none)} axes that are not space: at most one can be layers"
            )
        listed = none[0] if none else None
        found = [[*v, 0.0, 0.0][:3] for v in vectors if v is not None]
    else:
        kinds = header.fields.get("kinds", "").split()
        lists = [axis for axis, kind in enumerate(kinds) if kind in ("list", "vector")]
        listed = lists[0] if len(lists) == 1 and ndim == 4 else None
        steps = _spacings(header, ndim)
        if listed is not None:
            del steps[listed]
        found = np.diag([*steps, 1.0])[: len(steps), :3].tolist()
    if len(found) not in (2, 3):
        raise FormatError(f"the NRRD file has {len(found)} space axes: 2 or 3 are known, and one of layers")
    return found, listed


def _spacings(header: Header, ndim: int) -> list[float]:
    words = header.fields.get("spacings", "").split() or ["nan"] * ndim
    try:
        steps = [float(word) for word in words]
    except ValueError:
        raise FormatError(f"the NRRD field 'spacings' holds no numbers: {' '.join(words)!r}") from None
    if len(steps) != ndim:
        raise FormatError(f"the NRRD file has {ndim} axes, but {len(steps)} spacings")
    return [1.0 if np.isnan(step) else step for step in steps]


def _geometry(header: Header, shape: tuple[int, ...], directions: list[list[float]]) -> Geometry:
    rows = [*directions, [0.0, 0.0, 1.0]][:3]
    (origin,) = header.vectors("space origin") if "space origin" in header.fields else ([0.0] * 3,)
    full = [*(origin or []), 0.0, 0.0, 0.0][:3]
    space = header.fields.get("space", "")
    return Geometry(shape, from_nrrd(space, rows, full), frame="patient" if space else None)


def grid_fields(geometry: Geometry, layers: int, dtype: np.dtype[Any], space: str) -> dict[str, str]:
    """Fields of a file with this grid, in the order in which ITK writes them; without a space, if it has no name."""
    ndim = len(geometry.shape)
    sizes = [str(n) for n in geometry.shape[::-1]]
    directions, origin = to_nrrd(geometry.affine, space)
    # A named space has three axes, one without a name as many as there are.
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


def joined(layers: Sequence[Any]) -> Labels:
    """Layers as one array, the axis of layers last (fastest in the file), in a dtype for all.

    The dtype is the narrowest unsigned one where layers differ: numpy would promote uint64 and
    int64 to a float.
    """
    arrays = [np.asarray(layer[...]) for layer in layers]
    dtypes = {array.dtype for array in arrays}
    dtype = dtypes.pop() if len(dtypes) == 1 else np.min_scalar_type(max(int(a.max()) for a in arrays))
    arrays = [array.astype(dtype, copy=False) for array in arrays]
    return arrays[0] if len(arrays) == 1 else np.stack(arrays, axis=-1)
