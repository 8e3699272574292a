"""``ngffseg check``: the judge."""

from __future__ import annotations

import click

from ngffseg.cli.answer import console, print_json
from ngffseg.cli.options import link_options, store_options
from ngffseg.labels import check
from ngffseg.ngff import Violation, as_json


@click.command("check")
@click.argument("store")
@click.option("--fix", is_flag=True, help="Mend what can be mended without guessing.")
@store_options
@link_options
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def run(store: str, fix: bool, json_wanted: bool) -> int:
    """Judge STORE, a labels group or a label image by the specification of its version.

    Prints every violation with the rule that it breaks. Exit code 1 if one of them MUST not be.
    """
    violations = check(store, fix=fix)
    valid = all(v.severity != "MUST" for v in violations)
    if json_wanted:
        print_json({"valid": valid, "violations": [as_json(v) for v in violations]})
    else:
        print_violations(store, violations)
    return 0 if valid else 1


def print_violations(store: str, violations: list[Violation]) -> None:
    """Print violations for people, worst first, and the verdict."""
    out = console()
    for violation in sorted(violations, key=lambda v: v.severity):
        out.print(f"{violation.severity}  {violation.where or '/'}", soft_wrap=True)
        out.print(f"      {violation.rule}", soft_wrap=True)
        out.print(f"      expected {violation.expected}; found {violation.found}", soft_wrap=True)
        if violation.fix is not None:
            out.print(f"      --fix would {violation.fix.text}", soft_wrap=True)
    faults = sum(v.severity == "MUST" for v in violations)
    verdict = "not valid" if faults else "valid"
    out.print(f"{store}: {verdict}; {faults} MUST, {len(violations) - faults} SHOULD", soft_wrap=True)
