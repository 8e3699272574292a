"""``ngffseg view``: a store in the browser."""

from __future__ import annotations

import signal
import sys
import threading
import webbrowser
from collections.abc import Callable
from types import FrameType

import click

from ngffseg.cli.answer import print_json
from ngffseg.cli.hints import worded
from ngffseg.cli.options import store_options
from ngffseg.cli.telling import tell
from ngffseg.errors import hints_of
from ngffseg.text import plain
from ngffseg.viewer import open_viewer, take_screenshot


@click.command("view")
@click.argument("store")
@click.option("--name", help="Only this segmentation.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of this machine  [default: any]")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--screenshot", metavar="FILE.png", help="Write a picture of it and stop.")
@store_options
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def run(
    store: str, *, name: str | None, port: int, no_browser: bool, screenshot: str | None, as_json: bool
) -> None:
    """Show STORE (or STORE/labels/NAME) in the browser, with neuroglancer, until it is stopped.

    Only this machine can reach it, only by the token in the address, and only this store is served.
    """
    done = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        """Come to an end, as Ctrl-C and the system ask for it."""
        done.set()

    before = [(number, signal.signal(number, stop)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        with open_viewer(store, name, port=port, tell=_tell_once()) as viewing:
            if screenshot is not None:
                take_screenshot(viewing, screenshot)
                _answer({"store": store, "picture": screenshot}, f"picture: {screenshot}", as_json=as_json)
                return
            _answer(
                {"store": store, "address": viewing.address},
                f"{viewing.address}\n{plain(store)} is served to this machine alone, to who has this address, until"
                " Ctrl-C",
                as_json=as_json,
            )
            if not no_browser and not webbrowser.open(viewing.address):
                tell("no browser was found: open the address in one")
            while not done.wait(0.5):
                pass
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _answer(values: dict[str, str], text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(values)
    else:
        sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _tell_once() -> Callable[[Exception], None]:
    """What tells of a failure of the store, each but once: a page asks for thousands of chunks."""
    printed: set[str] = set()

    def once(error: Exception) -> None:
        """Tell of a failure that was not told."""
        line = " ".join(worded(str(error), hints_of(error)).split())
        if line not in printed:
            printed.add(line)
            tell(f"ngffseg: {line}")

    return once
