"""How true pyramids are: volume error, centroid drift and vanished segments, for us and the peers.

    python benchmarks/truth.py [--write]

Per level: **error**, the median over the larger half of the segments of |volume / that of level 0
- 1|; **drift**, the largest mean shift per axis of the centroids of the 12 largest segments, in
voxels of the level, by what the metadata of the level say; **gone**, segments that the level has lost. ``--write`` puts the tables into
the page of benchmarks.
"""

import argparse
import sys

import numpy as np
from pyramids import LEVELS, PICKED, PYRAMIDS, build
from tables import put
from volumes import volumes

LARGEST = 12
# Medians of fewer segments than this say little; they are printed, but not put into the page.
FEWEST = 20


def measure(labels: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Voxel count and centroid (z, y, x) of each of the sorted values; NaN where it is gone."""
    place = np.searchsorted(values, labels.ravel())
    place[place == len(values)] = 0
    known = values[place] == labels.ravel()
    place = place[known]
    counts = np.bincount(place, minlength=len(values))
    centroids = np.empty((len(values), 3))
    for axis in range(3):
        shape = [1, 1, 1]
        shape[axis] = labels.shape[axis]
        index = np.broadcast_to(np.arange(labels.shape[axis]).reshape(shape), labels.shape).ravel()[known]
        with np.errstate(invalid="ignore"):
            centroids[:, axis] = np.bincount(place, weights=index, minlength=len(values)) / counts
    return counts, centroids


def table(labels: np.ndarray) -> list[str]:
    """Rows of one volume, as Markdown."""
    values = np.unique(labels)
    values = values[values != 0]
    counts, centroids = measure(labels, values)
    large = counts >= np.median(counts)
    largest = np.argsort(counts)[-LARGEST:]
    head = " | ".join(f"level {n}: error / drift / gone" for n in range(1, LEVELS))
    rows = [f"| pyramid | {head} |", "|---" * LEVELS + "|"]
    for name in PYRAMIDS:
        cells = []
        for number, level in enumerate(build(name, labels)[1:], start=1):
            factor = 2**number
            there, where = measure(level, values)
            error = np.median(np.abs(there[large] * factor**3 / counts[large] - 1))
            middle = 0 if name in PICKED else (factor - 1) / 2
            shift = (where * factor + middle - centroids)[largest] / factor
            drift = np.abs(np.nanmean(shift, axis=0)).max()
            cells.append(f"{error:.3f} / {drift:.3f} / {int((there == 0).sum())}")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    write = parser.parse_args().write
    lines = []
    for name, labels in volumes():
        count = len(np.unique(labels)) - 1
        part = [f"**{name}**, {' x '.join(map(str, labels.shape))}, {count} segments", "", *table(labels), ""]
        sys.stdout.write("\n".join(part) + "\n")
        lines += part if count >= FEWEST else []
    if write:
        put("truth table", lines)


if __name__ == "__main__":
    main()
