"""Metadata of what is written, judged before the first byte is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version as package_version
from typing import Any

from ngffseg import ngff
from ngffseg.errors import MetadataError
from ngffseg.geometry import Geometry, anatomical_orientation, ngff_origin, scales
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
) -> LayerMetadata:
    """Metadata of a label image, one of the layers of a segmentation, that follows a plan.

    Raises
    ------
    MetadataError
        If it breaks a rule of the specification.
    """
    multiscales = image_multiscales(name, plan.levels, plan.reduction.method, how_made(plan))
    image_label = ngff.encode_image_label(segments, SOURCE, version)
    document = ngff.LabelDocument(layers, plan.levels[0].geometry)
    layer = LayerMetadata(name, version, multiscales, image_label, document)
    judged(layer.attributes({}), f"labels/{name}")
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


def level_datasets(levels: Sequence[Level], paths: Sequence[str]) -> tuple[ngff.Dataset, ...]:
    """What multiscales says of levels that lie at these paths."""
    return tuple(
        ngff.Dataset(path, scales(level.geometry), ngff_origin(level.geometry))
        for path, level in zip(paths, levels, strict=True)
    )


def image_multiscales(
    name: str, levels: Sequence[Level], method: str, how: dict[str, Any]
) -> ngff.Multiscales:
    """Multiscales of the levels of a plan: axes with their orientation, one dataset per level."""
    grid = levels[0].geometry
    datasets = level_datasets(levels, [level.path for level in levels])
    return ngff.Multiscales(name, _axes(grid), datasets, method, how)


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
    return judged(ngff.wrap(version, parts, ngff.encode_image(plan.levels[0].geometry, placeholder=True)), "")


def with_schemas(attributes: Mapping[str, Any], version: ngff.Version) -> dict[str, Any]:
    """Attributes of our group with a copy of the schemas, so that the store explains itself.

    Those of older versions stay: documents that they were written by may stay as well.
    """
    known = attributes.get("schemas")
    older = known if isinstance(known, dict) else {}
    return {**attributes, "schemas": {**older, **ngff.schemas_of(version)}}


def judged(attributes: dict[str, Any], where: str) -> dict[str, Any]:
    """The attributes, if they break no rule that MUST be kept, and all of them can be judged.

    Raises
    ------
    MetadataError
        If they do.
    """
    for violation in ngff.judge_attributes(attributes, where):
        if violation.severity != "SHOULD":
            raise MetadataError(
                f"{violation.where}: {violation.rule} Expected {violation.expected}, found {violation.found}"
            )
    return attributes
