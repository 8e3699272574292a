"""Transformations of coordinates: lists of scales and translations, and what is none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

# Scale and translation, per axis.
Steps = tuple[tuple[float, ...], tuple[float, ...]]


class UnknownTransformError(ValueError):
    """A transformation of a type that is not understood."""

    def __init__(self, kind: Any) -> None:
        super().__init__(f"a transformation of type {kind!r}")
        self.type = str(kind)


def is_alternative(transform: Any) -> bool:
    """Return True if a transformation leads to a coordinate system with a name: one of several that are told.

    So 0.6 has it, and spatialdata in older versions.
    """
    output = transform.get("output") if isinstance(transform, Mapping) else None
    return bool(output.get("name") if isinstance(output, Mapping) else output)


def steps(transforms: Any, ndim: int) -> Steps:
    """Scale and translation that a list of transformations amounts to; identity if it is empty."""
    scale, shift = (1.0,) * ndim, (0.0,) * ndim
    for transform in _flat(transforms or []):
        if transform["type"] == "scale":
            factors = _finite(transform["scale"])
            scale = tuple(a * b for a, b in zip(scale, factors, strict=True))
            shift = tuple(a * b for a, b in zip(shift, factors, strict=True))
        elif transform["type"] == "translation":
            moves = _finite(transform["translation"])
            shift = tuple(a + b for a, b in zip(shift, moves, strict=True))
        elif transform["type"] != "identity":
            # Read as if it were not there, the image would lie in the wrong place.
            raise UnknownTransformError(transform["type"])
    return scale, shift


def _finite(vector: Sequence[float]) -> tuple[float, ...]:
    numbers = tuple(float(number) for number in vector)
    if not all(isfinite(number) for number in numbers):
        raise ValueError(f"{list(vector)} is not finite")
    return numbers


def _flat(transforms: Sequence[Any]) -> list[Mapping[str, Any]]:
    """Transformations in order; 0.6 nests them in sequences."""
    flat: list[Mapping[str, Any]] = []
    for transform in transforms:
        nested = transform.get("transformations") if transform["type"] == "sequence" else None
        flat += _flat(nested) if nested is not None else [transform]
    return flat
