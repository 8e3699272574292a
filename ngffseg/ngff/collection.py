"""Groups that hold images and are none themselves: plates, wells, and the roots of other writers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ngffseg.ngff.version import unwrap

# Key of the root that bioformats2raw writes: an image group per series, and a group "OME" that lists them.
BIOFORMATS2RAW = "bioformats2raw.layout"
SERIES = "OME"
SPATIALDATA = "spatialdata_attrs"
OME_KINDS = ("multiscales", "omero", "image-label", "labels", "plate", "well", BIOFORMATS2RAW)
NAMES = {"plate": "plate", "well": "well of a plate", BIOFORMATS2RAW: "series of images as bioformats2raw writes it",
         SPATIALDATA: "spatialdata store"}  # fmt: skip
PARTS = {"plate": "wells", "well": "fields", BIOFORMATS2RAW: "series", SPATIALDATA: "elements"}
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Collection:
    """A group of images.

    Parameters
    ----------
    kind
        The key that says so: ``plate``, ``well``, ``bioformats2raw.layout`` or ``spatialdata_attrs``.
    members
        Paths of what it names, in order: wells of a plate, fields of a well. Empty where its own
        attributes do not name them.
    details
        What else it tells, as text by key: rows and columns of a plate.
    """

    kind: str
    members: tuple[str, ...] = ()
    details: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def name(self) -> str:
        """What people call it."""
        return NAMES[self.kind]

    @property
    def example(self) -> str:
        """Path of one image in it, as far as its own attributes tell; empty where they tell none."""
        images = [path for path in self.members if self.kind != SPATIALDATA or path.startswith("images/")]
        first = next(iter(images), "")
        if self.kind == "plate":
            return f"{first}/0" if first else ""
        return first or ("" if self.kind == SPATIALDATA else "0")

    def description(self) -> str:
        """The collection in words: what it is, and the first of its members."""
        if not self.members:
            return f"a {self.name}"
        named = ", ".join(self.members[:MOST_NAMED]) + (", …" if len(self.members) > MOST_NAMED else "")
        return f"a {self.name} with {len(self.members)} {PARTS[self.kind]} ({named})"


def metadata_kinds(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Kinds of metadata that a group holds, by their keys."""
    metadata = unwrap(attributes)[1]
    found = [kind for kind in OME_KINDS if kind in metadata]
    return (*found, SPATIALDATA) if SPATIALDATA in attributes else tuple(found)


def decode_collection(attributes: Mapping[str, Any]) -> Collection | None:
    """The collection that a group is; None if it is none. What is broken in it is left out."""
    metadata = unwrap(attributes)[1]
    if "multiscales" in metadata:
        return None
    plate, well = metadata.get("plate"), metadata.get("well")
    if isinstance(plate, dict):
        details = tuple((key, _texts(plate.get(key), "name")) for key in ("rows", "columns"))
        return Collection("plate", _texts(plate.get("wells"), "path"), details)
    if isinstance(well, dict):
        return Collection("well", _texts(well.get("images"), "path"))
    if BIOFORMATS2RAW in metadata:
        return Collection(BIOFORMATS2RAW)
    return Collection(SPATIALDATA) if SPATIALDATA in attributes else None


def listed_series(attributes: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Paths of the images that the group ``OME`` of bioformats2raw lists; None if it lists none."""
    series = unwrap(attributes)[1].get("series")
    return tuple(p for p in series if isinstance(p, str)) if isinstance(series, list) else None


def _texts(rows: Any, key: str) -> tuple[str, ...]:
    found = (row.get(key) for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()
    return tuple(text for text in found if isinstance(text, str))
