"""A picture of a viewer, taken by a browser without a window."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ngffseg.errors import MissingExtraError, StoreError, UsageError
from ngffseg.viewer.viewing import Viewing

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# WebGL without a graphics card, drawn by SwiftShader.
FLAGS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
SIZE = (1400, 900)
PATIENCE = 120.0


def take_screenshot(viewing: Viewing, path: str | os.PathLike[str]) -> None:
    """Write what a browser shows as PNG, when all that is in view is drawn.

    Raises
    ------
    UsageError
        If the file cannot be written.
    MissingExtraError
        If Playwright or a browser is not installed.
    StoreError
        If the browser does not come to an end.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise MissingExtraError("screenshots need Playwright: pip install 'ngffseg[view]'") from error
    if not Path(path).parent.is_dir():  # told before the picture is drawn
        raise UsageError(
            f"{os.fspath(path)} cannot be written (there is no such folder): choose another file"
        )
    found = next((place for name in BROWSERS if (place := shutil.which(name))), None)
    with sync_playwright() as playwright:
        # Chromium refuses to sandbox what the superuser starts.
        flags = [*FLAGS, *(["--no-sandbox"] if hasattr(os, "getuid") and os.getuid() == 0 else [])]
        try:
            browser = playwright.chromium.launch(executable_path=found, args=flags)
        except Error as error:
            if found is None:
                raise MissingExtraError(
                    "no browser is installed: install chromium, or run playwright install chromium"
                ) from error
            raise StoreError(f"{found} does not start: {error.message.splitlines()[0]}") from error
        try:
            page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
            page.goto(viewing.address)
            if not viewing.drawn(PATIENCE):
                raise StoreError(f"{viewing.address} was not drawn within {PATIENCE:.0f} s")
            picture = page.screenshot()
        finally:
            browser.close()
    write_picture(path, picture)


def write_picture(path: str | os.PathLike[str], picture: bytes) -> None:
    """Write a file.

    Raises
    ------
    UsageError
        If it cannot be written.
    """
    try:
        Path(path).write_bytes(picture)
    except OSError as error:
        raise UsageError(
            f"{os.fspath(path)} cannot be written ({error.strerror}): choose another file"
        ) from error
