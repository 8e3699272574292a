"""`Node`: the facts about one group or array of a store, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ngffseg.ngff.collection import Collection, decode_collection
from ngffseg.ngff.version import is_unknown, unwrap
from ngffseg.ngff.violation import Place, Violation


@dataclass(frozen=True, slots=True)
class Node:
    """What a store says of one group or array; somebody else has read it.

    Parameters
    ----------
    path
        Path from the root that was handed in; empty for the root itself.
    kind
        Whether it is a group or an array; ``broken`` if its metadata cannot be understood.
    zarr_format
        2 or 3.
    attributes
        All attributes.
    shape, dtype, dimension_names
        Of an array; dimension_names is None where there are none.
    layout
        All metadata of an array but its attributes, as they are stored.
    children
        Names of what lies in a labels group; None where the store cannot list.
    problems
        What was found when it was read.
    """

    path: str
    kind: Literal["group", "array", "broken"]
    zarr_format: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    dtype: str = ""
    dimension_names: tuple[str | None, ...] | None = None
    layout: Mapping[str, Any] = field(default_factory=dict)
    children: tuple[str, ...] | None = None
    problems: tuple[Violation, ...] = ()

    @property
    def version(self) -> str | None:
        """The version of OME-Zarr that it tells."""
        return unwrap(self.attributes)[0]

    @property
    def is_unknown(self) -> bool:
        """Return True if it is of a version whose rules are not known."""
        return is_unknown(self.version)

    @property
    def metadata(self) -> dict[str, Any]:
        """Its OME metadata."""
        return unwrap(self.attributes)[1]

    @property
    def place(self) -> Place:
        """The place of its OME metadata."""
        return Place(self.path, "/ome" if "ome" in self.attributes else "")

    @property
    def is_image(self) -> bool:
        """Return True if it is a multiscale image."""
        return self.kind == "group" and "multiscales" in self.metadata

    @property
    def collection(self) -> Collection | None:
        """The collection that it is; None if it is none."""
        return decode_collection(self.attributes) if self.kind == "group" else None

    @property
    def datasets(self) -> tuple[str, ...]:
        """Paths of the arrays of its levels, from the root; empty if it is no image."""
        paths = self._texts("datasets", "path")
        return tuple(self.below(p) for p in paths)

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of its axes; empty if it is no image or does not name them."""
        return self._texts("axes", "name")

    def below(self, path: str) -> str:
        """Path from the root of what lies at a path in it."""
        return f"{self.path}/{path}".strip("/")

    def _texts(self, table: str, key: str) -> tuple[str, ...]:
        """Texts under a key of a table of its first image; whatever is none is left out."""
        images = self.metadata.get("multiscales")
        first = images[0] if isinstance(images, list) and images else {}
        rows = first.get(table) if isinstance(first, dict) else None
        found = (row.get(key) for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()
        return tuple(text for text in found if isinstance(text, str))
