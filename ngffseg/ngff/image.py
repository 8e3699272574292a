"""What an image group says of itself under the key ``ngffseg``: its grid, and that of its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ngffseg.errors import MetadataError, UsageError
from ngffseg.geometry import Geometry, SourceGrid
from ngffseg.ngff.document import KEY, own_part
from ngffseg.ngff.grid import decode_geometry, decode_source_grid, encode_geometry, encode_source_grid
from ngffseg.ngff.migration import current, schema_id
from ngffseg.ngff.schema import schema_violations

KIND = "image"


def encode_image(
    geometry: Geometry, source_grid: SourceGrid | None = None, *, placeholder: bool = False
) -> dict[str, Any]:
    """What an image group says of itself beside OME-Zarr, as the part of its attributes that it is.

    Parameters
    ----------
    geometry
        Its grid, which scale and translation cannot tell exactly.
    source_grid
        The grid of its source, where that is in another order.
    placeholder
        True if it holds no data.
    """
    held = {"placeholder": True} if placeholder else {}
    own = {"schema": schema_id(KIND), **held, "geometry": encode_geometry(geometry)}
    return {KEY: own | encode_source_grid(source_grid)}


def image_geometry(attributes: Mapping[str, Any]) -> Geometry | None:
    """The grid that an image group tells under the key ``ngffseg``; None if it tells none.

    Raises
    ------
    MetadataError
        If what it tells breaks its schema.
    """
    own = current(own_part(attributes), KIND)
    if "geometry" not in own:
        return None
    _check(own, "geometry", "geometry")
    return decode_geometry(own["geometry"])


def image_source_grid(attributes: Mapping[str, Any], held: Geometry) -> SourceGrid | None:
    """The grid of the source of an image that lies on a grid; None where it is held as in its source.

    Raises
    ------
    MetadataError
        If what is told of it breaks its schema, or contradicts itself.
    """
    own = current(own_part(attributes), KIND)
    if "sourceGrid" in own:
        _check(own, "sourceGrid", "source-grid")
    try:
        return decode_source_grid(own, held)
    except UsageError as error:
        raise MetadataError(f"ngffseg.sourceGrid of the image: {error}") from error


def _check(own: Mapping[str, Any], key: str, schema: str) -> None:
    broken = schema_violations(own[key], f"ngffseg/{schema}")
    if broken:
        raise MetadataError(
            f"ngffseg.{key} of the image breaks its schema at {broken[0].where}: {broken[0].rule}"
        )
