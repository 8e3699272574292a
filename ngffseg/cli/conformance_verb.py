"""``ngffseg conformance``: the answer that the conformance driver of the specification asks for."""

from __future__ import annotations

from pathlib import Path

import click

from ngffseg.cli.answer import print_json
from ngffseg.errors import FormatError, MetadataError
from ngffseg.labels import check
from ngffseg.ngff import Violation, parse_object, validate_attributes


@click.command("conformance")
@click.argument("path")
def run(path: str) -> int:
    """Validate PATH: a JSON file of attributes, or a Zarr group. Prints {"valid": …, "message": …}.

    What cannot be validated, such as an unknown version, is "valid": null with exit code 2, which the driver of
    the specification counts as an error of the test, neither as passed nor as failed.
    """
    file = Path(path)
    violations = validate_file(file) if file.is_file() else check(path)
    faults = [v for v in violations if v.severity == "MUST"]
    unknown = [v for v in violations if v.severity == "UNKNOWN"]
    if unknown and not faults:
        print_json({"valid": None, "message": f"cannot be judged: {_summary(unknown)}"})
        return 2
    print_json({"valid": not faults, "message": _summary(faults)})
    return 0


def _summary(violations: list[Violation]) -> str:
    return "; ".join(f"{v.where}: {v.rule} Found {v.found}" for v in violations)


def validate_file(file: Path) -> list[Violation]:
    """Validate the attributes in a JSON file.

    Raises
    ------
    FormatError
        If it holds no JSON object.
    """
    try:
        attributes = parse_object(file.read_bytes())
    except MetadataError as error:
        raise FormatError(f"{file} {error}: give the attributes of a group") from error
    return validate_attributes(attributes)
