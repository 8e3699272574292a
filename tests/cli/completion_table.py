"""The table from which shells complete, made from the verbs: ``python -m tests.cli.completion_table`` writes it."""

import json
from pathlib import Path

import click

from ngffseg.cli.main import VERBS, app

FILE = Path(__file__).parents[2] / "ngffseg/cli/completion.json"


def takes(option):
    """What an option takes: no value, one of a list, a file, or any text."""
    if option.is_flag:
        return None
    if isinstance(option.type, click.Choice):
        return list(option.type.choices)
    return "file" if "FILE" in (option.metavar or "") else "text"


def entry(verb):
    """What completion knows of a verb."""
    params = app.get_command(None, verb).params
    options = [param for param in params if isinstance(param, click.Option) and not param.hidden]
    return {
        "help": VERBS[verb],
        "arguments": sum(isinstance(param, click.Argument) for param in params),
        "options": {
            name: {"help": option.help or "", "takes": takes(option)}
            for option in options
            for name in (*option.opts, *option.secondary_opts)
        },
    }


def table():
    """The table, as text."""
    return json.dumps({verb: entry(verb) for verb in VERBS}, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
