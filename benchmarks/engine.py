"""The engine beside its peers, on the same labels: whole processes in turn, medians.

    python benchmarks/engine.py [--write] [--runs N] [--edge N] [--alone]

Peers that do not install beside the others get an environment of their own, once, in
``benchmarks/.peers``. ``--write`` puts table and plot into the page of benchmarks; ``--alone`` leaves out the
peers that need that environment; ``--edge`` is the size of the volume along each axis.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

from process import Measured, measure
from tables import put

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
PLOT = HERE / "engine.svg"


@dataclass(frozen=True)
class Program:
    """A line of the table: what it is, its name in programs.py, and what it works on a copy of."""

    title: str
    name: str
    copies: str = ""
    apart: bool = False


JOBS = {
    "level 0 rewritten too, 128³ chunks": [
        Program("**ngffseg** `write_labels`, index too", "write_labels"),
        Program("the same, every chunk packed anew", "write_labels_anew"),
        Program("ngff-zarr, mode", "ngff_zarr"),
        Program("ome-zarr-py, nearest", "ome_zarr"),
    ],
    "levels above a stored level 0, 128³ chunks": [
        Program("**ngffseg**, levels alone", "engine"),
        Program("ngffseg `pyramid`, index and metadata too", "pyramid", "plain.ome.zarr"),
        Program("tensorstore by hand", "tensorstore"),
        Program("dask map_blocks, our kernel", "dask_blocks"),
        Program("igneous, 3 levels (tinybrain)", "igneous", "igneous", apart=True),
        Program("floor: decode, encode, nothing between", "floor"),
    ],
    "the same, shards of 256³ with chunks of 64³": [
        Program("**ngffseg**, levels alone", "engine_sharded"),
        Program("ngffseg `pyramid`, index and metadata too", "pyramid", "sharded.ome.zarr"),
        Program("webknossos, mode", "webknossos", "webknossos", apart=True),
    ],
    "64 times the shape, 1 % of the chunks there, 128³ chunks": [
        Program("**ngffseg**, levels alone, of scattered chunks", "engine_sparse"),
    ],
}


def peers() -> str:
    """The interpreter of the environment of the peers, made if it is not there."""
    python = PEERS / "bin" / "python"
    if not (PEERS / "done").exists():
        venv.create(PEERS, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-qr", HERE / "peers.txt"], check=True)
        (PEERS / "done").touch()
    return str(python)


def run(program: Program, inputs: Path, out: Path) -> Measured:
    """One run of a program, on a fresh copy of what it changes."""
    if program.copies:
        shutil.copytree(inputs / program.copies, out)
    python = peers() if program.apart else sys.executable
    try:
        return measure([python, str(HERE / "programs.py"), program.name, str(inputs), str(out)])
    finally:
        shutil.rmtree(out, ignore_errors=True)


def prepare(inputs: Path, edge: int, *, alone: bool) -> str:
    """Make all inputs; returns what the labels are."""
    made = subprocess.run(
        [sys.executable, "-c", f"from inputs import *; print(make_inputs(Path({str(inputs)!r}), {edge}))"],
        cwd=HERE,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    finished = inputs / "finished.ome.zarr"
    shutil.copytree(inputs / "plain.ome.zarr", finished)
    measure([sys.executable, str(HERE / "programs.py"), "pyramid", str(inputs), str(finished)])
    for name in () if alone else ("igneous", "webknossos"):
        measure([peers(), str(HERE / "programs.py"), f"{name}_input", str(inputs), str(inputs / name)])
    return made.stdout.strip()


def medians(runs: list[Measured]) -> tuple[float, float, float, float]:
    """Wall, CPU, peak memory, and seconds after the imports."""
    work = [float(json.loads(run.printed.splitlines()[-1])["work"]) for run in runs]
    columns = ([run.wall for run in runs], [run.cpu for run in runs], [run.memory for run in runs], work)
    wall, cpu, memory, after = (statistics.median(column) for column in columns)
    return wall, cpu, memory, after


def table(results: dict[str, dict[str, tuple[float, float, float, float]]]) -> list[str]:
    """The table, with the ratios to the first program of each job."""
    rows = ["| program | wall s | CPU s | peak MB | after imports s | wall ratio | CPU ratio |"]
    rows.append("|---|---|---|---|---|---|---|")
    for job, programs in results.items():
        rows.append(f"| *{job}* | | | | | | |")
        first = next(iter(programs.values()))
        for title, (wall, cpu, memory, work) in programs.items():
            ratios = f"{wall / first[0]:.2f} | {cpu / first[1]:.2f}"
            if title.startswith("floor"):
                wall_text = cpu_text = "-"
                ratios = f"{work / first[3]:.2f} (after imports) | -"
            else:
                wall_text, cpu_text = f"{wall:.2f}", f"{cpu:.2f}"
            rows.append(f"| {title} | {wall_text} | {cpu_text} | {memory:.0f} | {work:.2f} | {ratios} |")
    return rows


def plot(results: dict[str, dict[str, tuple[float, float, float, float]]]) -> None:
    """Wall time of all programs as bars."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "ngffseg"
    import matplotlib.pyplot as plt

    sizes = [len(programs) for programs in results.values()]
    figure, axes = plt.subplots(
        len(sizes), figsize=(8, 0.45 * sum(sizes) + 1.5), gridspec_kw={"height_ratios": sizes},
        sharex=True, squeeze=False,
    )  # fmt: skip
    for axis, (job, programs) in zip(axes[:, 0], results.items(), strict=True):
        titles = [title.replace("*", "").replace("`", "") for title in programs]
        walls = [
            m[3] if t.startswith("floor") else m[0] for t, m in zip(titles, programs.values(), strict=True)
        ]
        colors = ["#1b6ca8" if "ngffseg" in t or "same" in t else "#b9c0c7" for t in titles]
        axis.barh(titles, walls, color=colors)
        axis.bar_label(axis.containers[0], fmt="%.1f s", padding=3)
        axis.invert_yaxis()
        axis.set_title(job, loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1, 0].set_xlabel("seconds of the whole process (the floor: after its imports), less is better")
    figure.tight_layout()
    figure.savefig(PLOT, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put table and plot into docs/benchmarks.md")
    parser.add_argument("--alone", action="store_true", help="without the peers that need an environment")
    parser.add_argument("--edge", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ngffseg-") as folder:
        inputs = Path(folder)
        name = prepare(inputs, options.edge, alone=options.alone)
        results = {}
        for job, programs in JOBS.items():
            chosen = [p for p in programs if not (p.apart and options.alone)]
            measured: dict[str, list[Measured]] = {p.title: [] for p in chosen}
            # The first round fills caches of compiled code and of the disk.
            for number in range(options.runs + 1):
                for program in chosen:
                    found = run(program, inputs, inputs / "out")
                    measured[program.title] += [found] if number else []
            results[job] = {title: medians(runs) for title, runs in measured.items()}
    about = f"{options.edge}³ uint32 of {name}, medians of {options.runs} runs in turn, two threads:"
    rows = [about, "", *table(results)]
    sys.stdout.write("\n".join(rows) + "\n")
    if options.write:
        plot(results)
        put("engine table", rows)


if __name__ == "__main__":
    main()
