"""``ngffseg check``: every violation, with the rule that it breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

# What only some options need is loaded for them alone.
from ngffseg import labels
from ngffseg.cli.answer import console, print_json, verification_json
from ngffseg.cli.hints import worded
from ngffseg.cli.options import link_options, store_options
from ngffseg.labels import Fixes, apply_fixes, check
from ngffseg.ngff import as_json

if TYPE_CHECKING:
    from ngffseg.labels import Change
    from ngffseg.ngff import Violation

TITLES = {"UNKNOWN": "cannot be judged"}


@click.command("check")
@click.argument("store")
@click.option("--fix", is_flag=True, help="Fix what can be fixed without guessing; copies are kept.")
@click.option(
    "--deep", is_flag=True, help="Count level 0 of all label images, and compare with their segment indices."
)
@store_options
@link_options
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def run(store: str, fix: bool, deep: bool, json_wanted: bool) -> int:
    """Validate STORE, a labels group or a label image by the specification of its version.

    Prints every violation with the rule that it breaks. Exit code 1 if one of them MUST not be, or if --deep
    finds a segment index that does not say what level 0 holds. What cannot be validated, such as an unknown
    version, is told and is no fault.
    """
    fixes = apply_fixes(store) if fix else Fixes(check(store))
    violations = fixes.violations
    indices = labels.verify_indices(store) if deep else []
    stale = any(found.stale for found in indices)
    valid = all(v.severity != "MUST" for v in violations)
    if json_wanted:
        validated = all(v.severity != "UNKNOWN" for v in violations)
        answer = {
            "valid": valid and not stale,
            "judged": validated,
            "violations": [as_json(v) for v in violations],
        }
        fixed = {"fixed": [_change_json(c) for c in fixes.changes], "copies": list(fixes.copies)}
        counted = {"indices": [verification_json(found) for found in indices]}
        print_json(answer | (fixed if fix else {}) | (counted if deep else {}))
    else:
        _print_fixes(fixes)
        print_violations(store, violations)
        for found in indices:
            console().print(worded(found.text, found.hints), soft_wrap=True)
    return 0 if valid and not stale else 1


def _print_fixes(fixes: Fixes) -> None:
    """Print each change, and where the documents from before are."""
    out = console()
    for change in fixes.changes:
        before, after = change.before or "nothing", change.after or "nothing"
        out.print(f"FIXED  {change.place}: {change.text}", soft_wrap=True)
        out.print(f"      {before} -> {after}", soft_wrap=True)
    for copy in fixes.copies:
        out.print(f"a copy from before is kept: {copy}", soft_wrap=True)


def print_violations(store: str, violations: list[Violation]) -> None:
    """Print violations for people, worst first, and the verdict."""
    out = console()
    for violation in sorted(violations, key=lambda v: v.severity):
        title = TITLES.get(violation.severity, violation.severity)
        out.print(f"{title}  {violation.where or '/'}", soft_wrap=True)
        out.print(f"      {violation.rule}", soft_wrap=True)
        out.print(f"      expected {violation.expected}; found {violation.found}", soft_wrap=True)
        if violation.fix is not None:
            out.print(f"      --fix would {violation.fix.text}", soft_wrap=True)
    out.print(f"{store}: {_verdict(violations)}", soft_wrap=True)


def _verdict(violations: list[Violation]) -> str:
    must, should, unknown = (sum(v.severity == s for v in violations) for s in ("MUST", "SHOULD", "UNKNOWN"))
    verdict = "not valid" if must else "cannot be judged in all parts" if unknown else "valid"
    return f"{verdict}; {must} MUST, {should} SHOULD" + (f", {unknown} not judged" if unknown else "")


def _change_json(change: Change) -> dict[str, str | None]:
    return {
        "where": str(change.place),
        "what": change.text,
        "before": change.before,
        "after": change.after,
    }
