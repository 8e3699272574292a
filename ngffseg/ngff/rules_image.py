"""Rules of ``multiscales`` that JSON Schema cannot hold. The metadata have passed the schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ngffseg.ngff.violation import Place, Violation

# Ranks by which axes are ordered.
RANKS = {"time": 0, "space": 2}


def validate_multiscales(
    images: Sequence[Mapping[str, Any]], version: str, where: Place
) -> Iterator[Violation]:
    """Validate all images of a ``multiscales`` list; ``where`` addresses the list."""
    for number, image in enumerate(images):
        here = where / number
        yield from _axes(image["axes"], here / "axes")
        for at, transforms in transformations(image, here):
            yield from _kinds(transforms, at)
            # The published suite of 0.4 holds shorter vectors to be valid as far as attributes
            # go; there they are validated against the arrays.
            if version != "0.4":
                yield from validate_lengths(transforms, len(image["axes"]), at)
        yield from _wishes(image, version, here)


def transformations(
    image: Mapping[str, Any], where: Place
) -> Iterator[tuple[Place, Sequence[Mapping[str, Any]]]]:
    """All lists of transformations of an image, each with its address."""
    for position, dataset in enumerate(image["datasets"]):
        yield (
            where / "datasets" / position / "coordinateTransformations",
            dataset["coordinateTransformations"],
        )
    if "coordinateTransformations" in image:
        yield where / "coordinateTransformations", image["coordinateTransformations"]


def _axes(axes: Sequence[Mapping[str, Any]], where: Place) -> Iterator[Violation]:
    names = [axis["name"] for axis in axes]
    if len(set(names)) < len(names):
        rule = 'The values MUST be unique across all "name" fields.'
        yield Violation("MUST", where, rule, "unique names", str(names))
    types = [axis.get("type") for axis in axes]
    space = types.count("space")
    if space not in (2, 3):
        rule = 'The "axes" MUST contain 2 or 3 entries of "type:space".'
        yield Violation("MUST", where, rule, "2 or 3 space axes", f"{space}: {types}")
    if types.count("time") > 1 or len(types) - space - types.count("time") > 1:
        rule = 'The "axes" MAY contain one additional entry of "type:time" and MAY contain one additional entry of "type:channel" or a null / custom type.'
        yield Violation("MUST", where, rule, "at most one time and one channel axis", str(types))
    ranks = [RANKS.get(t, 1) if t is not None else 1 for t in types]
    if ranks != sorted(ranks):
        rule = 'The entries MUST be ordered by "type" where the "time" axis must come first, followed by the "channel" or custom axis and the axes of type "space".'
        yield Violation("MUST", where, rule, "time, channel, space", str(types))


def _kinds(transforms: Sequence[Mapping[str, Any]], where: Place) -> Iterator[Violation]:
    kinds = [t["type"] for t in transforms]
    if kinds not in (["scale"], ["scale", "translation"]):
        # "It MAY contain exactly one `translation` [...]. If `translation` is given it MUST be listed
        # after `scale` to ensure that it is given in physical coordinates."
        rule = "They MUST contain exactly one `scale` transformation; if `translation` is given it MUST be listed after `scale`."
        yield Violation("MUST", where, rule, "scale, or scale and translation", str(kinds))


def validate_lengths(transforms: Sequence[Mapping[str, Any]], axes: int, where: Place) -> Iterator[Violation]:
    """Require that each vector has one number per axis."""
    for number, transform in enumerate(transforms):
        vector = transform[transform["type"]]
        if len(vector) != axes:
            rule = (
                'The length of the `scale` and `translation` array MUST be the same as the length of "axes".'
            )
            at = where / number / transform["type"]
            yield Violation("MUST", at, rule, f"{axes} numbers", str(len(vector)))


def _wishes(image: Mapping[str, Any], version: str, where: Place) -> Iterator[Violation]:
    if "name" not in image:
        rule = 'Each "multiscales" dictionary SHOULD contain the field "name".'
        yield Violation("SHOULD", where, rule, "a name", "none")
    if version == "0.4" and "version" not in image:
        rule = 'It SHOULD contain the field "version", which indicates the version of the multiscale metadata of this image.'
        yield Violation("SHOULD", where, rule, "version 0.4", "none")
    for number, axis in enumerate(image["axes"]):
        if "type" not in axis:
            rule = 'Each axis SHOULD contain the field "type".'
            yield Violation("SHOULD", where / "axes" / number, rule, "a type", "none")
