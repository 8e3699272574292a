"""``ngffseg label``: names, colors, codes and properties of stored segments, from a table."""

from __future__ import annotations

import click

from ngffseg.cli.answer import console, print_json, said, segment_json
from ngffseg.cli.options import store_options, table_option
from ngffseg.cli.tables import segments_table
from ngffseg.convert import label_segments

MOST_ROWS = 100


@click.command("label")
@click.argument("store")
@click.option("--name", help="Which label image; needless where there is only one.")
@table_option("CSV, TSV, .ctbl, .txt of ITK-SNAP or FreeSurfer, or JSON.", required=True)
@store_options
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def run(store: str, *, name: str | None, table: str, as_json: bool) -> None:
    """Change names, colors, codes and properties of the segments of STORE to what a table says.

    No voxel is touched; all segments are changed or none. What the table does not say stays as it is.
    """
    with said() as lines:
        changed = label_segments(store, table, name=name)
    if as_json:
        print_json({"changed": [segment_json(s) for s in changed], "said": lines})
        return
    if changed:
        console().print(segments_table("", changed[:MOST_ROWS]))
    console().print(f"{len(changed)} segments changed", soft_wrap=True)
