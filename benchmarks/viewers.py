"""How soon a label image of a gigavoxel in a bucket is seen, in napari and in the browser.

    python benchmarks/viewers.py [--write] [--edge N]

The bucket is on a local S3 server (Ceph RGW), behind a proxy that counts. napari has its window open and its
own functions compiled by an earlier run, but has opened nothing yet; the browser runs.
``--write`` puts the table into the page of benchmarks.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent))

from access import server
from tables import put

from ngffseg import Segment, write_labels
from ngffseg.planning.calibration import made_labels
from ngffseg.viewer import open_viewer, screenshot
from tests.display import display

ROOT = Path(__file__).parent.parent
SEGMENTS = 100_000
PEER = "napari-ome-zarr"


def session(screen: str, *steps: object) -> list:
    """What a person at napari sees; see `tests.napari_plugin.session`."""
    words = [sys.executable, "-W", "ignore", "-m", "tests.napari_plugin.session", json.dumps(steps)]
    ended = subprocess.run(
        words, cwd=ROOT, env={**os.environ, "DISPLAY": screen}, capture_output=True, text=True, check=True
    )
    line = next(line for line in ended.stdout.splitlines() if line.startswith("ANSWERS "))
    return json.loads(line.removeprefix("ANSWERS "))


def opened(screen: str, proxy: object, url: str, plugin: str) -> tuple[float, int]:
    """Seconds and requests until a store is drawn by napari, which has done it before."""
    for _ in range(2):
        proxy.clear()
        (answer,) = session(screen, ["open", url, plugin])
        assert "error" not in answer, answer
    return answer["seconds"], sum(proxy.counts().values())


def browsed(proxy: object, url: str) -> tuple[float, float, int]:
    """Seconds until the browser shows a first picture, and the finest; requests in all."""
    path = next((found for name in screenshot.BROWSERS if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*screenshot.FLAGS, "--no-sandbox"])
        for _ in range(2):
            page = browser.new_page(viewport={"width": screenshot.SIZE[0], "height": screenshot.SIZE[1]})
            proxy.clear()
            begin = time.perf_counter()
            with open_viewer(url) as viewing:
                page.goto(viewing.address)
                assert viewing.begun(120)
                seconds = time.perf_counter() - begin
                assert viewing.drawn(120)
                whole = time.perf_counter() - begin
            count = sum(proxy.counts().values())
            page.close()
        browser.close()
    return seconds, whole, count


def stroke(screen: str, url: str, edge: int) -> float:
    """Seconds in which a small stroke is saved."""
    middle = edge // 2
    answers = session(
        screen,
        ["open", url],
        ["widget", "Paint on stored labels", {"layer": "cells"}],
        ["go", "cells (painting)", [middle] * 3],
        ["stroke", "cells (painting)", [middle] * 3, [middle, middle, middle + 40], 4_000_000_000, 8],
        ["widget", "Save labels", {"layer": "cells (painting)"}],
    )
    assert "1 box saved" in str(answers[-1]), answers
    return answers[-1]["seconds"]


def table_of_many(screen: str, url: str, before: str) -> float:
    """Seconds in which an image of many named segments is opened, after another one."""
    labels = np.arange(1, SEGMENTS + 1, dtype="uint32").reshape(10, 100, 100)
    segments = [Segment(n, name=f"cell {n}") for n in range(1, SEGMENTS + 1)]
    write_labels(url, labels, name="many", segments=segments)
    return session(screen, ["open", before], ["open", url])[1]["seconds"]


def main() -> None:
    """Run all, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--edge", type=int, default=1024)
    asked = parser.parse_args()
    with server(0) as proxy, display() as screen:
        url = "s3://labels/cells.ome.zarr"
        labels = np.tile(made_labels("uint32"), (-(-asked.edge // 256),) * 3)[(slice(asked.edge),) * 3]
        write_labels(url, labels, name="cells")
        del labels
        ours, peer = opened(screen, proxy, url, "ngffseg"), opened(screen, proxy, url, PEER)
        seen = browsed(proxy, url)
        saved = stroke(screen, url, asked.edge)
        many = table_of_many(screen, "s3://labels/many.ome.zarr", url)
    size = f"{asked.edge**3 / 2**30:.3g} Gvoxel"
    lines = [
        "| seen | seconds | requests |",
        "|---|---|---|",
        f"| {size} in napari, this plugin | {ours[0]:.2f} | {ours[1]} |",
        f"| {size} in napari, {PEER} | {peer[0]:.2f} ({peer[0] / ours[0]:.1f} x) | {peer[1]} ({peer[1] / ours[1]:.1f} x) |",
        f"| {size} in the browser, `ngffseg view`: first, finest | {seen[0]:.2f}, {seen[1]:.2f} | {seen[2]} |",
        f"| a stroke painted in napari, saved at all levels | {saved:.2f} | |",
        f"| {SEGMENTS:,} named segments in napari, after another image | {many:.2f} | |",
    ]
    print("\n".join(lines))
    if asked.write:
        put("viewers table", lines)


if __name__ == "__main__":
    main()
