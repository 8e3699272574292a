"""Multiscales: axes and levels of an image, written for 0.4 and 0.5, read for 0.1 to 0.6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ngffseg.errors import MetadataError
from ngffseg.ngff.transformations import Steps, UnknownTransformError, is_alternative, steps
from ngffseg.ngff.version import Version

# Versions 0.1 and 0.2 have these five axes and no others.
FIXED_AXES = ("t", "c", "z", "y", "x")
COMMON = "coordinateTransformations"
TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: name, type (space, time, channel), unit, and RFC-4 orientation.

    ``document`` is the JSON object that it was read from, which is written again as it was.
    """

    name: str
    type: str = "space"
    unit: str | None = None
    orientation: str | None = None
    document: Mapping[str, Any] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Dataset:
    """One level: path of its array, scale and translation per axis."""

    path: str
    scale: tuple[float, ...]
    translation: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Multiscales:
    """Axes and levels of an image; ``type`` and ``metadata`` tell how levels were made.

    ``unknown`` is the type of a transformation of all levels that is not understood: then levels are
    placed among each other, and where they all lie is not known.
    """

    name: str
    axes: tuple[Axis, ...]
    datasets: tuple[Dataset, ...]
    type: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    unknown: str = ""


def encode_multiscales(multiscales: Multiscales, version: Version) -> dict[str, Any]:
    """One object of the ``multiscales`` list."""
    encoded: dict[str, Any] = {"version": version} if version == "0.4" else {}
    encoded |= {
        "name": multiscales.name,
        "axes": [_encode_axis(axis) for axis in multiscales.axes],
        "datasets": [
            {
                "path": dataset.path,
                # "They MUST contain exactly one `scale` transformation [...]. If `translation` is
                # given it MUST be listed after `scale`".
                "coordinateTransformations": [
                    {"type": "scale", "scale": list(dataset.scale)},
                    {"type": "translation", "translation": list(dataset.translation)},
                ],
            }
            for dataset in multiscales.datasets
        ],
    }
    if multiscales.type:
        encoded["type"] = multiscales.type
    if multiscales.metadata:
        encoded["metadata"] = dict(multiscales.metadata)
    return encoded


def update_multiscales(
    there: Mapping[str, Any], multiscales: Multiscales, version: Version
) -> tuple[dict[str, Any], dict[str, Any]]:
    """One object of the ``multiscales`` list that names other levels than before, and keeps all else.

    Returns
    -------
    dict
        The object, without what leads from its coordinates to others.
    dict
        What of the kind was there, which holds for the new levels, too.
    """
    encoded = encode_multiscales(multiscales, version)
    known = [dict(dataset) for dataset in there["datasets"][: len(encoded["datasets"])]]
    known += [{}] * (len(encoded["datasets"]) - len(known))
    encoded["datasets"] = [old | new for old, new in zip(known, encoded["datasets"], strict=True)]
    # Other transformations of all levels are part of the new ones.
    kept = {key: value for key, value in there.items() if key != COMMON}
    alternatives = [step for step in there.get(COMMON) or () if is_alternative(step)]
    stated = {**kept, **encoded} | {key: kept[key] for key in ("name", "axes") if key in kept}
    return stated, ({COMMON: alternatives} if alternatives else {})


def _encode_axis(axis: Axis) -> dict[str, Any]:
    if axis.document is not None:
        return dict(axis.document)
    encoded: dict[str, Any] = {"name": axis.name, "type": axis.type}
    if axis.unit is not None:
        encoded["unit"] = axis.unit
    if axis.orientation is not None:
        encoded["orientation"] = {"type": "anatomical", "value": axis.orientation}
    return encoded


def decode_multiscales(metadata: Mapping[str, Any], *, ndim: int) -> Multiscales:
    """The first image of the ``multiscales`` list, as whatever version wrote it.

    Parameters
    ----------
    metadata
        OME metadata of the group.
    ndim
        Number of axes of the arrays, for versions that do not tell.

    Raises
    ------
    MetadataError
        If it cannot be understood.
    """
    try:
        first = metadata["multiscales"][0]
        axes = tuple(_decode_axis(axis) for axis in _axes(first, ndim))
        outer, unknown = _common(first, len(axes))
        datasets = tuple(_decode_dataset(d, outer, len(axes)) for d in first["datasets"])
        if not datasets:
            raise ValueError("datasets is empty")
        name = str(first.get("name") or "")
        how = first.get("metadata")
        made = str(first.get("type") or ""), how if isinstance(how, dict) else {}
        return Multiscales(name, axes, datasets, *made, unknown)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise MetadataError(
            f"multiscales cannot be understood ({type(error).__name__}: {error}): run check on the store"
        ) from error


def _common(first: Mapping[str, Any], ndim: int) -> tuple[Steps, str]:
    """What is applied to all levels after their own transformations, and the type of what is not known."""
    # Since 0.6, those of the multiscales lead from the intrinsic system to others.
    stated = [] if "coordinateSystems" in first else first.get(COMMON) or []
    try:
        return steps([step for step in stated if not is_alternative(step)], ndim), ""
    except UnknownTransformError as error:
        return steps([], ndim), error.type


def _axes(first: Mapping[str, Any], ndim: int) -> Sequence[Any]:
    if "coordinateSystems" in first:  # 0.6
        return list(_intrinsic(first)["axes"])
    return list(first.get("axes") or FIXED_AXES[-ndim:])


def _intrinsic(first: Mapping[str, Any]) -> Mapping[str, Any]:
    # 0.6: "the coordinate system that is referenced by all multiscale coordinate transformations
    # under `datasets` as their `output`"
    systems = {system["name"]: system for system in first["coordinateSystems"]}
    output = (first["datasets"][0].get("coordinateTransformations") or [{}])[0].get("output")
    name = output.get("name") if isinstance(output, dict) else output
    intrinsic: Mapping[str, Any] = systems.get(name, first["coordinateSystems"][0])
    return intrinsic


def _decode_axis(axis: Any) -> Axis:
    if isinstance(axis, str):  # 0.3
        return Axis(axis, TYPES.get(axis, ""))
    name, unit = axis["name"], axis.get("unit")
    if not isinstance(name, str):
        raise TypeError(f"the axis name {name!r} is no text")
    kind = axis.get("type")
    known = kind if isinstance(kind, str) else TYPES.get(name, "")
    return Axis(name, known, unit if isinstance(unit, str) else None, _orientation(axis), axis)


def _orientation(axis: Mapping[str, Any]) -> str | None:
    """The orientation of an axis: RFC-4 has it as an object, its first draft as a text."""
    stated = axis.get("orientation")
    if isinstance(stated, dict) and stated.get("type") == "anatomical":
        stated = stated.get("value")
    return stated if isinstance(stated, str) else None


def _decode_dataset(dataset: Mapping[str, Any], outer: Steps, ndim: int) -> Dataset:
    scale, shift = steps(dataset.get("coordinateTransformations"), ndim)
    # "The transformations in the list are applied sequentially and in order", those of the
    # multiscales after those of the dataset.
    total = tuple(a * b for a, b in zip(scale, outer[0], strict=True))
    moved = tuple(a * b + c for a, b, c in zip(shift, outer[0], outer[1], strict=True))
    return Dataset(str(dataset["path"]), total, moved)
