"""Metadata of what is written, validated before the first byte is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version as package_version
from typing import Any

import numpy as np

from ngffseg import ngff
from ngffseg.errors import MetadataError
from ngffseg.geometry import Geometry, anatomical_orientation, ngff_origin, scales
from ngffseg.labels.plan.image_levels import ImageLevels
from ngffseg.model import Segment
from ngffseg.pyramid import Level, PyramidPlan

# From labels/NAME back to the image.
SOURCE = "../../"


@dataclass(frozen=True, slots=True)
class LayerMetadata:
    """Metadata of one label image."""

    name: str
    version: ngff.Version
    multiscales: ngff.Multiscales
    image_label: dict[str, Any]
    document: ngff.LabelDocument

    def attributes(self, arrays: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
        """Attributes of its group.

        Parameters
        ----------
        arrays
            Metadata of the arrays of its levels, by path.
        prefix
            Stands before the path of each level.
        """
        datasets = tuple(replace(d, path=prefix + d.path) for d in self.multiscales.datasets)
        multiscales = ngff.encode_multiscales(replace(self.multiscales, datasets=datasets), self.version)
        parts = {"multiscales": [multiscales], "image-label": self.image_label}
        own = ngff.encode_label(replace(self.document, arrays=arrays))
        return ngff.wrap(self.version, parts, own)


def layer_metadata(
    name: str,
    layers: tuple[str, ...],
    plan: PyramidPlan,
    segments: Sequence[Segment],
    version: ngff.Version,
    image: ImageLevels | None = None,
) -> LayerMetadata:
    """Metadata of a label image, one of the layers of a segmentation, that follows a plan.

    Those that lie on the grid of an ``image`` have its axes and the places of its levels.

    Raises
    ------
    MetadataError
        If it breaks a rule of the specification.
    """
    multiscales = image_multiscales(name, plan.levels, plan.reduction.method, how_made(plan), image)
    image_label = ngff.encode_image_label(segments, SOURCE, version)
    document = ngff.LabelDocument(layers, plan.levels[0].geometry)
    layer = LayerMetadata(name, version, multiscales, image_label, document)
    validated(layer.attributes({}), f"labels/{name}")
    return layer


def how_made(plan: PyramidPlan) -> dict[str, Any]:
    """How the levels of a plan are made, for the key ``metadata`` of multiscales."""
    return {
        "method": plan.reduction.method,
        "tie": plan.reduction.tie,
        "cascade": plan.reduction.cascade,
        "software": "ngffseg",
        "version": package_version("ngffseg"),
    }


def level_datasets(
    levels: Sequence[Level],
    paths: Sequence[str],
    first: ngff.Dataset | None = None,
    image: ImageLevels | None = None,
) -> tuple[ngff.Dataset, ...]:
    """What multiscales says of levels that lie at these paths.

    Parameters
    ----------
    levels, paths
        The levels, finest first, and where they lie.
    first
        What is said of level 0 already, which is not said anew; by default what its grid tells.
    image
        The image on whose grid they lie, whose numbers are taken for levels of the same factors.
    """
    finest = levels[0].geometry
    origin = ngff_origin(finest)
    known = image.datasets[:1] if image is not None else (first,) if first is not None else ()
    found = []
    for number, (path, level) in enumerate(zip(paths, levels, strict=True)):
        grid = level.geometry
        factors = tuple(each.factors for each in levels[1 : number + 1])
        if image is not None and image.factors[:number] == factors and number < len(image.datasets):
            found.append(replace(image.datasets[number], path=path))
        elif known:
            ratios = np.divide(scales(grid), scales(finest))
            shift = np.subtract(ngff_origin(grid, finest), origin)
            scale, start = np.multiply(known[0].scale, ratios), np.add(known[0].translation, shift)
            found.append(ngff.Dataset(path, tuple(scale.tolist()), tuple(start.tolist())))
        else:
            found.append(ngff.Dataset(path, scales(grid), ngff_origin(grid, finest)))
    return tuple(found)


def image_multiscales(
    name: str,
    levels: Sequence[Level],
    method: str,
    how: dict[str, Any],
    image: ImageLevels | None = None,
) -> ngff.Multiscales:
    """Multiscales of the levels of a plan: axes with their orientation, one dataset per level.

    Of labels that lie on the grid of an ``image``, both are those of the image.
    """
    datasets = level_datasets(levels, [level.path for level in levels], image=image)
    axes = image.axes if image is not None else _axes(levels[0].geometry)
    return ngff.Multiscales(name, axes, datasets, method, how)


def _axes(grid: Geometry) -> tuple[ngff.Axis, ...]:
    types = {"t": "time", "c": "channel"}
    orientation = anatomical_orientation(grid) if grid.frame == "patient" else {}
    return tuple(
        ngff.Axis(axis, types.get(axis, "space"), unit, orientation.get(axis))
        for axis, unit in zip(grid.axes, grid.units, strict=True)
    )


def placeholder_metadata(plan: PyramidPlan, version: ngff.Version) -> dict[str, Any]:
    """Attributes of an image group that holds no data, so that labels have an image."""
    multiscales = image_multiscales("placeholder", plan.levels, "", {})
    parts = {"multiscales": [ngff.encode_multiscales(multiscales, version)]}
    return validated(
        ngff.wrap(version, parts, ngff.encode_image(plan.levels[0].geometry, placeholder=True)), ""
    )


def with_schemas(attributes: Mapping[str, Any], version: ngff.Version) -> dict[str, Any]:
    """Attributes of our group with a copy of the schemas, so that the store explains itself.

    Those of older versions stay: documents that they were written by may stay as well.
    """
    known = attributes.get("schemas")
    older = known if isinstance(known, dict) else {}
    return {**attributes, "schemas": {**older, **ngff.schemas_of(version)}}


def validated(attributes: dict[str, Any], where: str) -> dict[str, Any]:
    """The attributes, if they break no rule that MUST be kept, and all of them can be validated.

    Raises
    ------
    MetadataError
        If they do.
    """
    for violation in ngff.validate_attributes(attributes, where):
        if violation.severity != "SHOULD":
            raise MetadataError(
                f"{violation.where}: {violation.rule} Expected {violation.expected}, found {violation.found}"
            )
    return attributes
