"""``ngffseg export``: a label image becomes a file."""

from __future__ import annotations

import click

from ngffseg.cli.answer import console, loss_json, print_json
from ngffseg.cli.options import link_options, store_options, table_option
from ngffseg.cli.telling import tell
from ngffseg.convert import export_segmentation


@click.command("export")
@click.argument("store")
@click.argument("target")
@click.option("--name", help="Which label image, where there are several.")
@table_option("Write a label table, too: .csv, .tsv, .ctbl, .txt (ITK-SNAP), lut.txt (FreeSurfer) or .json.")
@click.option("--strict", is_flag=True, help="Write nothing if anything would be lost.")
@store_options
@link_options
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def run(store: str, target: str, *, name: str | None, table: str | None, strict: bool, as_json: bool) -> None:
    """Export a segmentation of STORE to the file TARGET, whose suffix is the format.

    STORE may also be STORE/labels/NAME. What the format cannot hold is reported.
    """
    losses = export_segmentation(store, target, name=name, table=table, strict=strict)
    if as_json:
        print_json(
            {
                "target": target,
                **({"table": table} if table else {}),
                "losses": [loss_json(loss) for loss in losses],
            }
        )
        return
    for loss in losses:
        tell(f"lost: {loss.where}: {loss.what}")
    console().print(f"{target}{f' and {table}' if table else ''} written", soft_wrap=True)
