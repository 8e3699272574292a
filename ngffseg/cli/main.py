"""The command ``ngffseg``: its verbs, and what an error becomes.

Exit codes: 0 done; 1 the check found faults, a row of a batch failed, or an export would lose something
under --strict; 2 wrong use, bad input, or what conformance cannot judge; 3 the store or the network failed;
70 an error of the program itself; 130 interrupted.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import click

from ngffseg.cli import (
    batch_verb,
    check_verb,
    conformance_verb,
    demo_verb,
    export_verb,
    import_verb,
    info_verb,
    plan_verb,
    pyramid_verb,
    segments_verb,
    view_verb,
)
from ngffseg.cli.answer import tell
from ngffseg.errors import (
    ClusterError,
    LossError,
    NgffsegError,
    NgffsegWarning,
    StoreError,
    StoreNotFoundError,
)

INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ngffseg")
def app() -> None:
    """The place where segmentations live: exact label pyramids on OME-Zarr.

    Every verb that reports has --json; --debug shows where an error comes from.
    """


VERBS = (
    import_verb,
    batch_verb,
    export_verb,
    info_verb,
    segments_verb,
    check_verb,
    pyramid_verb,
    plan_verb,
    conformance_verb,
    view_verb,
    demo_verb,
)
for verb in VERBS:
    app.add_command(verb.run)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    code = run(words, debug=debug)
    if code == INTERRUPTED and not debug:
        # Requests that nobody waits for any more are dropped at the exit, and asyncio would tell of each.
        logging.getLogger("asyncio").disabled = True
    sys.exit(code)


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
        return _fail(*_told(error))
    return code if isinstance(code, int) else 0


@contextlib.contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Show each of our warnings as one line, once; those of others as Python does."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", NgffsegWarning)
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, NgffsegWarning):
                tell(f"ngffseg: {' '.join(str(message).split())}")
            else:
                others(message, category, *rest, **more)

        warnings.showwarning = show
        yield


def _told(error: Exception) -> tuple[str, int]:
    """The line that an error becomes, and its exit code."""
    if isinstance(error, NgffsegError):
        return str(error), exit_code(error)
    if isinstance(error, OSError):
        return f"{error}: check the disk and run again", 3
    # Not 1, which says that faults were found; 70 is EX_SOFTWARE of sysexits.h.
    told = f"{type(error).__name__}: {error}"
    return f"an error of ngffseg itself ({told}): run again with --debug and report what it says", 70


def exit_code(error: NgffsegError) -> int:
    """The exit code of an error: whose fault it is."""
    if isinstance(error, LossError):
        return 1 if error.strict else 2
    # A store that is not there is a wrong address, not a failure of the store.
    failed = isinstance(error, StoreError | ClusterError) and not isinstance(error, StoreNotFoundError)
    return 3 if failed else 2


def _fail(message: str, code: int) -> int:
    line = " ".join(message.split())
    tell(f"ngffseg: {line}")
    return code
