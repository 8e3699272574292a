"""``ngffseg batch``: one import per row of a table."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import click
from rich.table import Table

from ngffseg.batch import Result, as_row, read_rows, run_batch, write_results
from ngffseg.cli.answer import console, print_json
from ngffseg.cli.hints import worded
from ngffseg.cli.options import cluster_options, order_option, store_options
from ngffseg.cli.progress import progress


@click.command("batch")
@click.argument("table")
@order_option
@cluster_options
@click.option("--results", metavar="FILE", help="Where results go  [default: TABLE with .results.csv]")
@store_options
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def run(
    table: str,
    *,
    order: str | None,
    cluster: str | None,
    workers: int | None,
    results: str | None,
    as_json: bool,
) -> int:
    """Import each row of the CSV file TABLE: columns source, store and, as wanted, name, image, table, options.

    Safe to run again: what is there already and equal is skipped, what failed or was interrupted is done.
    """
    rows = read_rows(table)
    if order is not None:
        rows = tuple(replace(row, options={"order": order, **row.options}) for row in rows)
    path = Path(results) if results is not None else Path(table).with_suffix(".results.csv")
    known: list[Result] = []
    with progress("batch", unit="rows") as report:

        def tell(result: Result) -> None:
            """Keep a result at once: a batch that dies has told what it did."""
            known.append(_worded(result))
            write_results(known, path)
            report(len(known), len(rows))

        done = run_batch(rows, cluster=cluster, workers=workers, progress=tell)
    found = [_worded(result) for result in done]
    write_results(found, path)
    if as_json:
        print_json([as_row(result) for result in found])
    else:
        _print(found, path)
    return 1 if any(result.status == "failed" for result in found) else 0


def _worded(result: Result) -> Result:
    return replace(result, reason=worded(result.reason, result.hints))


def _print(found: list[Result], path: Path) -> None:
    failed = [result for result in found if result.status == "failed"]
    if failed:
        table = Table("line", "source", "reason", title="failed", title_justify="left")
        for result in failed:
            table.add_row(str(result.line), Path(result.source).name, result.reason)
        console().print(table)
    counts = Counter(result.status for result in found)
    summary = ", ".join(f"{counts[status]} {status}" for status in ("done", "skipped", "failed"))
    console().print(f"{summary}; see {path}", soft_wrap=True)
