"""The command ``ngffseg``: its verbs, and what an error becomes.

Exit codes: 0 done; 1 the check found faults, a row of a batch failed, or an export would lose something
under --strict; 2 wrong use, bad input, or what conformance cannot validate; 3 the store or the network failed;
70 an error of the program itself; 130 interrupted.
"""

from __future__ import annotations

import atexit
import contextlib
import difflib
import gc
import importlib
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import click

from ngffseg.cli.completion import VARIABLE, complete
from ngffseg.cli.hints import worded
from ngffseg.cli.telling import tell
from ngffseg.errors import (
    ClusterError,
    LossError,
    NgffsegError,
    NgffsegWarning,
    StoreError,
    StoreNotFoundError,
    hints_of,
)

INTERRUPTED = 130
# Verbs in the order in which people come to need them, each with the line by which the list of all names it:
# a verb is imported when it is called, since what most of them stand on takes a second to import.
VERBS = {
    "import": "Import the segmentation file SOURCE into STORE as a multiscale label image.",
    "batch": "Import each row of the CSV file TABLE.",
    "export": "Export a segmentation of STORE to the file TARGET, whose suffix is the format.",
    "info": "Show images, labels, levels, segments and sizes of STORE.",
    "segments": "Print the segments of a label image in STORE.",
    "label": "Change names, colors, codes and properties of the segments of STORE to what a table says.",
    "check": "Validate STORE by the specification of its version.",
    "pyramid": "Build or rebuild levels 1, 2, ... and the segment index of the labels in STORE.",
    "plan": "Print blocks, objects, bytes, requests, memory, time and cost of a job of any size.",
    "conformance": "Validate PATH for the conformance driver of the specification.",
    "view": "Show STORE in the browser, with neuroglancer.",
    "demo": "Import a chest CT with its segmentation, check the store and draw it.",
}


class Verbs(click.Group):
    """The verbs, each of which is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names of all verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """A verb by its name; None if there is none."""
        if cmd_name not in VERBS:
            return None
        verb: click.Command = importlib.import_module(f"ngffseg.cli.{cmd_name}_verb").run
        return verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is called; an unknown one is refused with the nearest that there is."""
        if args[0] not in VERBS and not args[0].startswith("-"):
            found = difflib.get_close_matches(args[0], VERBS, n=1)
            raise click.UsageError(
                f"No such command {args[0]!r}." + (f" Did you mean {found[0]!r}?" if found else "")
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Print the list of all verbs."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ngffseg")
def app() -> None:
    """The place where segmentations live: exact label pyramids on OME-Zarr.

    Every verb that reports has --json; --debug shows where an error comes from.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    # At its end Python would look for garbage among all that is loaded, for a tenth of a second of each call.
    atexit.register(gc.freeze)
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    # A shell that asks how to complete a line sets this variable.
    instruction = os.environ.get(VARIABLE)
    code = _completed(instruction) if instruction else run(words, debug=debug)
    if code == INTERRUPTED and not debug:
        # Requests that nobody waits for any more are dropped at the exit, and asyncio would tell of each.
        logging.getLogger("asyncio").disabled = True
    sys.exit(code)


def _completed(instruction: str) -> int:
    """Answer a shell that completes a line, and return the exit code."""
    try:
        return complete(instruction)
    except NgffsegError as error:
        return _fail(*_message(error))


def run(words: list[str], *, debug: bool = False) -> int:
    """Run a command line and return its exit code; an error is one line on stderr, and so is each warning."""
    try:
        with _warnings_as_lines(), app.make_context("ngffseg", words) as context:
            code = app.invoke(context)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, click.exceptions.Abort):
        return _fail("interrupted: nothing was published", INTERRUPTED)
    except click.ClickException as error:
        return _fail(f"{error.format_message()}: see ngffseg --help", 2)
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _fail(*_message(error))
    return code if isinstance(code, int) else 0


@contextlib.contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Show each of our warnings as one line, once; those of others as Python does."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", NgffsegWarning)
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            if isinstance(message, NgffsegWarning):
                _tell(worded(str(message), message.hints))
            else:
                others(message, category, *rest, **more)

        warnings.showwarning = show
        yield


def _message(error: Exception) -> tuple[str, int]:
    """The line that an error becomes, and its exit code."""
    if isinstance(error, NgffsegError):
        return worded(str(error), hints_of(error)), exit_code(error)
    if isinstance(error, OSError):
        return f"{error}: check the disk and run again", 3
    # Not 1, which says that faults were found; 70 is EX_SOFTWARE of sysexits.h.
    text = f"{type(error).__name__}: {error}"
    return f"an error of ngffseg itself ({text}): run again with --debug and report what it says", 70


def exit_code(error: NgffsegError) -> int:
    """The exit code of an error: whose fault it is."""
    if isinstance(error, LossError):
        return 1 if error.strict else 2
    # A store that is not there is a wrong address, not a failure of the store.
    failed = isinstance(error, StoreError | ClusterError) and not isinstance(error, StoreNotFoundError)
    return 3 if failed else 2


def _fail(message: str, code: int) -> int:
    _tell(message)
    return code


def _tell(message: str) -> None:
    tell(f"ngffseg: {' '.join(message.split())}")
