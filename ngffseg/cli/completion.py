"""Completion of verbs, options and file names in bash, zsh and fish.

A shell asks at each press of the Tab key, so the answer must not import the verbs, which takes up to a second:
it comes from the table `completion.json`. ``python -m tests.cli.completion_table`` writes that table from the
verbs, and a test fails if the two differ.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TypedDict

import click
from click.shell_completion import shell_complete

from ngffseg.errors import UsageError

VARIABLE = "_NGFFSEG_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


class OptionEntry(TypedDict):
    """What completion knows of an option: its help, and the value that it takes.

    A list holds all values, "file" is a file or a folder, "text" is anything, None is no value (a flag).
    """

    help: str
    takes: list[str] | str | None


class VerbEntry(TypedDict):
    """What completion knows of a verb: its line of help, the number of its arguments, and its options by name."""

    help: str
    arguments: int
    options: dict[str, OptionEntry]


def complete(instruction: str) -> int:
    """Print the script for a shell, or what completes the words in ``COMP_WORDS``; return the exit code.

    Parameters
    ----------
    instruction
        ``bash_source``, ``bash_complete``, and the same of zsh and fish, as the variable `VARIABLE` holds it.

    Raises
    ------
    UsageError
        If it is none of these.
    """
    shell, _, action = instruction.partition("_")
    if shell not in SHELLS or action not in ("source", "complete"):
        known = ", ".join(f"{name}_source" for name in SHELLS)
        raise UsageError(f"{VARIABLE}={instruction}: set it to one of {known}, or unset it")
    return shell_complete(_group(), {}, "ngffseg", VARIABLE, instruction)


def _group() -> click.Group:
    """The command line without its work: names, help and types of all that can be typed."""
    text = (files("ngffseg.cli") / "completion.json").read_text(encoding="utf-8")
    table: dict[str, VerbEntry] = json.loads(text)
    verbs: dict[str, click.Command] = {name: _command(name, verb) for name, verb in table.items()}
    everywhere = {"help_option_names": ["-h", "--help"]}
    version = click.Option(["--version"], is_flag=True, help="Show the version and exit.")
    return click.Group("ngffseg", verbs, context_settings=everywhere, params=[version, _debug()])


def _command(name: str, verb: VerbEntry) -> click.Command:
    # Arguments are addresses: folders, files, and URLs, which no shell can complete.
    arguments = [click.Argument([f"argument{n}"], type=click.Path()) for n in range(verb["arguments"])]
    options = [_option(option, entry) for option, entry in verb["options"].items()]
    return click.Command(name, params=[*arguments, *options, _debug()], short_help=verb["help"])


def _option(name: str, entry: OptionEntry) -> click.Option:
    takes, text = entry["takes"], entry["help"]
    if takes is None:
        return click.Option([name], is_flag=True, help=text)
    if isinstance(takes, list):
        return click.Option([name], type=click.Choice(takes), help=text)
    return click.Option([name], type=click.Path() if takes == "file" else click.STRING, help=text)


def _debug() -> click.Option:
    return click.Option(["--debug"], is_flag=True, help="Show where an error comes from.")
