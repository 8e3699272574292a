"""Kinds of arrays that are none of numpy, dask or zarr: each has an adapter here.

No library is imported for it: a kind is known by what its arrays have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ngffseg.errors import UsageError
from ngffseg.geometry import SPACE, Geometry, described_grid
from ngffseg.geometry.coordinates import steps_of
from ngffseg.geometry.grid import AXES, default_axes


@dataclass(frozen=True, slots=True)
class Description:
    """What an array says of its axes, by name; in the order t, c, z, y, x, whatever its own is."""

    axes: tuple[str, ...]
    scale: Mapping[str, float] = field(default_factory=dict)
    translation: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def grid(self, shape: Sequence[int]) -> Geometry:
        """The grid of an array of a shape; see `described_grid` for errors."""
        return described_grid(
            shape, axes=self.axes, scale=self.scale, translation=self.translation, units=self.units
        )


class ArrayKind(Protocol):
    """A kind of arrays."""

    def knows(self, value: Any) -> bool:
        """Return True if a value is an array of this kind."""

    def array(self, value: Any) -> Any:
        """The array in the order t, c, z, y, x, without a copy: something with shape, dtype and slicing."""

    def description(self, value: Any) -> Description | None:
        """What the array says of its axes; None for nothing."""


class Xarray:
    """`xarray.DataArray`: dims are axes, coordinates of a dim its scale and translation."""

    def knows(self, value: Any) -> bool:
        """Return True if it has dims, coordinates and a variable."""
        return all(hasattr(value, name) for name in ("dims", "coords", "variable"))

    def array(self, value: Any) -> Any:
        """The array that it holds; what is not loaded yet is loaded when it is sliced."""
        dims = [str(dim) for dim in value.dims]
        variable = value.variable.transpose(*(dims[n] for n in _order(_axes("dims", dims))))
        held = getattr(variable, "_data", None)  # `data` would load all of it
        return (
            held
            if isinstance(held, np.ndarray) or hasattr(held, "__dask_graph__")
            else LazyVariable(variable)
        )

    def description(self, value: Any) -> Description:
        """Names, coordinates and their units."""
        names = _axes("dims", value.dims)
        steps: dict[str, tuple[float, float]] = {}
        units: dict[str, str] = {}
        for dim, name in zip(value.dims, names, strict=True):
            if dim not in value.coords or name == "c":
                continue  # channels have names, and no place
            coordinate = value.coords[dim]
            found = steps_of(str(dim), coordinate.values)
            if found is None:
                continue
            steps[name] = found
            unit = "second" if coordinate.dtype.kind in "mM" else coordinate.attrs.get("units")
            units |= {name: unit} if unit else {}
        places = {name: start for name, (_, start) in steps.items() if name in SPACE}
        return Description(_sorted(names), {name: step for name, (step, _) in steps.items()}, places, units)


class LazyVariable:
    """A variable of xarray that is not in memory, loaded when it is sliced."""

    def __init__(self, variable: Any) -> None:
        self.variable = variable
        self.shape, self.dtype, self.ndim = variable.shape, np.dtype(variable.dtype), variable.ndim
        stored = variable.encoding.get("preferred_chunks")
        self.chunks = tuple(int(stored[dim]) for dim in variable.dims) if stored else None

    def __getitem__(self, box: Any) -> npt.NDArray[Any]:
        return np.asarray(self.variable[box].to_numpy())


class TensorStore:
    """`tensorstore.TensorStore`: labels of dimensions are axes, their units scale, the origin translation."""

    def knows(self, value: Any) -> bool:
        """Return True if it has a domain and a specification, and is read."""
        return all(hasattr(value, name) for name in ("domain", "spec", "read", "dimension_units"))

    def array(self, value: Any) -> Any:
        """The array that is read when it is sliced."""
        names = self._names(value)
        return OpenedStore(value if names is None else value.transpose(_order(names)))

    def description(self, value: Any) -> Description | None:
        """Labels, units and the origin of its dimensions."""
        names = self._names(value)
        if names is None and not any(value.domain.origin) and not any(value.dimension_units):
            return None
        axes = names if names is not None else default_axes(value.rank)
        steps: dict[str, float] = {}
        units: dict[str, str] = {}
        for axis, unit in zip(axes, value.dimension_units, strict=True):
            if unit is not None and axis != "c":
                steps[axis] = unit.multiplier
                units |= {axis: unit.base_unit} if unit.base_unit else {}
        origin = zip(axes, value.domain.origin, strict=True)
        places = {axis: start * steps.get(axis, 1.0) for axis, start in origin if axis in SPACE}
        return Description(_sorted(axes), steps, places, units)

    def _names(self, value: Any) -> list[str] | None:
        labels = value.domain.labels
        return _axes("labels", labels) if any(labels) else None


class OpenedStore:
    """An array of tensorstore whose voxels count from 0, read when it is sliced."""

    def __init__(self, store: Any) -> None:
        self.store, self.origin = store, tuple(store.domain.origin)
        self.shape, self.dtype, self.ndim = tuple(store.shape), np.dtype(store.dtype.numpy_dtype), store.rank
        chunks = store.chunk_layout.read_chunk.shape
        self.chunks = tuple(chunks) if chunks and all(chunks) else None

    def __getitem__(self, box: Any) -> npt.NDArray[Any]:
        moved = tuple(slice(b.start + o, b.stop + o) for b, o in zip(box, self.origin, strict=True))
        return np.asarray(self.store[moved].read().result())


KINDS: tuple[ArrayKind, ...] = (Xarray(), TensorStore())


def _axes(word: str, names: Sequence[Any]) -> list[str]:
    """Names of axes, which others also write as capitals, in their own order."""
    # So neuroglancer's precomputed volumes name their channels.
    found = ["c" if name == "channel" else str(name).lower() for name in names]
    if not set(found) <= set(AXES) or len(set(found)) != len(found):
        raise UsageError(
            f"{word} of the array are {', '.join(map(repr, map(str, names)))}: rename them to some of t, c, z, y, x"
        )
    return found


def _order(names: Sequence[str]) -> list[int]:
    return sorted(range(len(names)), key=lambda n: AXES.index(names[n]))


def _sorted(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(names[n] for n in _order(names))
