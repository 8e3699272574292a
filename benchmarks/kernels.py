"""The kernels beside those of the peers, one thread, in millions of voxels per second of input.

python benchmarks/kernels.py [--write] [--runs N] [--edge N]
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from inputs import tile
from tables import put

from ngffseg.pyramid import Reduction, downsample

WINDOWS = ((2, 2, 2), (1, 2, 2), (3, 3, 3), (4, 4, 4))
DTYPES = ("uint8", "uint16", "uint32", "uint64")


def ours(labels: np.ndarray, window: tuple[int, ...], reduction: Reduction) -> Callable[[], object]:
    return lambda: downsample(labels, window, reduction)


def tinybrain(labels: np.ndarray, window: tuple[int, ...]) -> Callable[[], object]:
    """In the memory order that it wants: with the other one it is slower and wrong."""
    import tinybrain as tb

    ordered = np.array(labels.T, order="F")
    return lambda: tb.downsample_segmentation(ordered, factor=window[::-1], num_mips=1)


def tensorstore(labels: np.ndarray, window: tuple[int, ...]) -> Callable[[], object]:
    import tensorstore as ts

    context = ts.Context({"data_copy_concurrency": {"limit": 1}})
    view = ts.downsample(ts.array(labels, context=context), list(window), "mode")
    return lambda: view.read().result()


def programs(labels: np.ndarray, window: tuple[int, ...]) -> dict[str, Callable[[], object]]:
    found = {
        "ngffseg mode": ours(labels, window, Reduction()),
        "ngffseg mode, smallest": ours(labels, window, Reduction(tie="smallest")),
        "ngffseg sparse": ours(labels, window, Reduction("sparse")),
        "tensorstore mode": tensorstore(labels, window),
    }
    if max(window) == 2:
        found["tinybrain mode"] = tinybrain(labels, window)
    return found


def speeds(labels: np.ndarray, window: tuple[int, ...], runs: int) -> dict[str, float]:
    """Median speeds of all programs, run in turn."""
    chosen = programs(labels, window)
    times: dict[str, list[float]] = {name: [] for name in chosen}
    for number in range(runs + 1):  # the first round compiles
        for name, program in chosen.items():
            started = time.perf_counter()
            program()
            times[name] += [time.perf_counter() - started] if number else []
    return {name: labels.size / statistics.median(found) / 1e6 for name, found in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--edge", type=int, default=512)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    name, labels = tile()
    labels = np.ascontiguousarray(labels[: options.edge, : options.edge, : options.edge])
    cells: dict[str, list[str]] = {}
    columns = [(window, dtype) for window in WINDOWS[:2] for dtype in DTYPES]
    columns += [(window, "uint32") for window in WINDOWS[2:]]
    for window, dtype in columns:
        narrow = (labels % np.uint32(251) if dtype == "uint8" else labels).astype(dtype)
        found = speeds(narrow, window, options.runs)
        for program in ("ngffseg mode", *found):
            row = cells.setdefault(program, ["-"] * len(columns))
            row[columns.index((window, dtype))] = f"{found[program]:.0f}"
    heads = [f"{'x'.join(map(str, window))} {dtype}" for window, dtype in columns]
    rows = [
        f"Millions of voxels per second, one thread, {name}:",
        "",
        f"| kernel | {' | '.join(heads)} |",
        "|---" * (len(heads) + 1) + "|",
        *(f"| {program} | {' | '.join(row)} |" for program, row in cells.items()),
    ]
    sys.stdout.write("\n".join(rows) + "\n")
    if options.write:
        put("kernel table", rows)


if __name__ == "__main__":
    main()
