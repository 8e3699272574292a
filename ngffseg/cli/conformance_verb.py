"""``ngffseg conformance``: the answer that the conformance driver of the specification asks for."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ngffseg.cli.answer import print_json
from ngffseg.errors import FormatError
from ngffseg.labels import check
from ngffseg.ngff import Violation, judge_attributes


@click.command("conformance")
@click.argument("path")
def run(path: str) -> None:
    """Judge PATH: a JSON file of attributes, or a Zarr group. Prints {"valid": …, "message": …}."""
    file = Path(path)
    violations = judge_file(file) if file.is_file() else check(path)
    faults = [v for v in violations if v.severity == "MUST"]
    message = "; ".join(f"{v.where}: {v.rule} Found {v.found}" for v in faults)
    print_json({"valid": not faults, "message": message})


def judge_file(file: Path) -> list[Violation]:
    """Judge the attributes in a JSON file.

    Raises
    ------
    FormatError
        If it holds no JSON object.
    """
    try:
        attributes = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise FormatError(f"{file} is no JSON file ({error}): give the attributes of a group") from error
    if not isinstance(attributes, dict):
        raise FormatError(f"{file} holds no JSON object: give the attributes of a group")
    return judge_attributes(attributes)
