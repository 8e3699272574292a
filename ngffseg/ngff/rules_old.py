"""Rules of 0.1, 0.2 and 0.3, as far as they are held here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ngffseg.ngff.multiscales import FIXED_AXES
from ngffseg.ngff.schema import short_json
from ngffseg.ngff.violation import Place, Violation


def validate_old(metadata: Mapping[str, Any], version: str, where: Place) -> Iterator[Violation]:
    """Validate the metadata of a group of a version before 0.4: its levels and axes."""
    rule = f"Of OME-Zarr {version} only levels, axes and the list of labels are judged."
    yield Violation("UNKNOWN", where, rule, "0.4 or 0.5", version)
    if "multiscales" not in metadata:
        return
    images, here = metadata["multiscales"], where / "multiscales"
    if not isinstance(images, list) or not images:
        rule = '"multiscales" contains a list of dictionaries where each entry describes a multiscale image.'
        yield Violation("MUST", here, rule, "a list", short_json(images))
        return
    for number, image in enumerate(images):
        if not isinstance(image, dict):
            rule = (
                '"multiscales" contains a list of dictionaries where each entry describes a multiscale image.'
            )
            yield Violation("MUST", here / number, rule, "a dictionary", short_json(image))
            continue
        yield from _datasets(image.get("datasets"), here / number / "datasets")
        if version == "0.3":
            yield from _axes(image.get("axes"), here / number / "axes")


def _datasets(datasets: Any, where: Place) -> Iterator[Violation]:
    rows = datasets if isinstance(datasets, list) else []
    if not rows or not all(isinstance(row, dict) and isinstance(row.get("path"), str) for row in rows):
        rule = 'Each dictionary in "datasets" MUST contain the field "path", whose value contains the path to the array for this resolution.'
        yield Violation("MUST", where, rule, "a list of paths", short_json(datasets))


def _axes(axes: Any, where: Place) -> Iterator[Violation]:
    names = axes if isinstance(axes, list) else []
    known = [name for name in names if isinstance(name, str) and name in FIXED_AXES]
    if not names or len(known) < len(names) or len(set(known)) < len(known):
        rule = 'The "axes" field MUST be a list of unique names out of "t", "c", "z", "y" and "x".'
        yield Violation("MUST", where, rule, "names of axes", short_json(axes))
