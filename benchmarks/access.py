"""What looking at labels on S3 costs: requests and time of ours and of peers, on one server.

    python benchmarks/access.py [--write] [--edge N] [--runs N] [--latency MS]

The server is Ceph RGW (NGFFSEG_TEST_S3=moto for a stand-in), behind a proxy that counts and holds each
request back, as a distance would. ``--write`` puts the table into the page of benchmarks.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tensorstore as ts
import zarr
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader
from zarr.storage import FsspecStore

sys.path.insert(0, str(Path(__file__).parent.parent))

from tables import put

from ngffseg import Segment, open_labels, write_labels
from ngffseg.planning.calibration import made_labels
from tests.storage.ceph import Ceph
from tests.storage.proxy import FaultProxy
from tests.storage.server import KEY, SECRET, server_kind
from tests.storage.supervisor import moto

CHUNK, SHARD = 64, 256
FORMS = {"chunks": {"shards": None}, "shards": {"shards": SHARD}}
TASKS = ("open", "one chunk", "64³ across 8 chunks", "coarsest level")


@contextmanager
def server(latency: float) -> Iterator[FaultProxy]:
    """A server behind a proxy, and the environment that leads to it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Ceph(Path(folder) / "ceph") if server_kind() == "ceph" else moto() as s3,
        FaultProxy(s3.endpoint) as proxy,
    ):
        s3.client().create_bucket(Bucket="labels")
        proxy.latency = latency
        os.environ |= {
            "AWS_ENDPOINT_URL": proxy.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        yield proxy


def box_of(task: str, edge: int) -> tuple[slice, ...]:
    """The box of level 0 that a task reads."""
    middle = edge // 2
    start, stop = (middle + 5, middle + 60) if task == "one chunk" else (middle - 32, middle + 32)
    return (slice(start, stop),) * 3


def ours(url: str, task: str, edge: int) -> object:
    """ngffseg."""
    image = open_labels(url, "a")
    if task == "open":
        return [array.shape for array in image._arrays], image.segments
    if task == "coarsest level":
        return image.read(level=len(image._arrays) - 1)
    return image.read(box_of(task, edge))


def by_tensorstore(url: str, task: str, edge: int) -> object:
    """tensorstore, by hand: it knows nothing of OME-Zarr."""
    base = {
        "driver": "s3", "bucket": "labels", "endpoint": os.environ["AWS_ENDPOINT_URL"],
        "aws_region": "us-east-1", "aws_credentials": {"type": "environment"}, "path": f"{url.removeprefix('s3://labels/')}/labels/a/",
    }  # fmt: skip
    store = ts.KvStore.open(base).result()
    metadata = json.loads(store.read("zarr.json").result().value)["attributes"]["ome"]
    paths = [dataset["path"] for dataset in metadata["multiscales"][0]["datasets"]]
    wanted = {"open": paths, "coarsest level": paths[-1:]}.get(task, paths[:1])
    opening = [
        ts.open({"driver": "zarr3", "kvstore": base | {"path": f"{base['path']}{path}/"}}, open=True)
        for path in wanted
    ]
    arrays = [array.result() for array in opening]
    if task == "open":
        return [array.shape for array in arrays], metadata["image-label"]
    array = arrays[0] if task == "coarsest level" else arrays[0][box_of(task, edge)]
    return array.read().result()


def by_zarr(url: str, task: str, edge: int) -> object:
    """zarr-python over s3fs."""
    store = FsspecStore.from_url(url, storage_options={"use_listings_cache": False}, read_only=True)
    group = zarr.open_group(store, path="labels/a", mode="r", zarr_format=3)
    metadata = group.attrs["ome"]
    paths = [dataset["path"] for dataset in metadata["multiscales"][0]["datasets"]]
    if task == "open":
        return [group[path].shape for path in paths], metadata["image-label"]
    if task == "coarsest level":
        return group[paths[-1]][...]
    return group[paths[0]][box_of(task, edge)]


def by_ome_zarr(url: str, task: str, edge: int) -> object:
    """ome-zarr-py."""
    (node, *_) = Reader(parse_url(f"{url}/labels/a"))()
    if task == "open":
        return [level.shape for level in node.data], node.metadata
    if task == "coarsest level":
        return node.data[-1].compute()
    return node.data[0][box_of(task, edge)].compute()


PROGRAMS: dict[str, Callable[[str, str, int], object]] = {
    "ngffseg": ours,
    "tensorstore": by_tensorstore,
    "zarr-python, s3fs": by_zarr,
    "ome-zarr-py": by_ome_zarr,
}


def fill(edge: int) -> dict[str, str]:
    """Write a label image in each form; returns their addresses."""
    labels = np.tile(made_labels("uint32"), (-(-edge // 256),) * 3)[:edge, :edge, :edge]
    segments = [Segment(int(value), name=f"segment {value}") for value in np.unique(labels)[1:20]]
    addresses = {}
    for form, options in FORMS.items():
        addresses[form] = f"s3://labels/{form}.ome.zarr"
        write_labels(addresses[form], labels, name="a", chunks=CHUNK, segments=segments, **options)
    return addresses


def measured(
    proxy: FaultProxy, program: str, url: str, task: str, edge: int, runs: int
) -> tuple[str, float, object]:
    """Requests, median of the seconds, and what was read."""
    walls, answer = [], None
    for _ in range(runs):
        proxy.clear()
        started = time.perf_counter()
        answer = PROGRAMS[program](url, task, edge)
        walls.append(time.perf_counter() - started)
    return requests(proxy), statistics.median(walls), answer


def requests(proxy: FaultProxy) -> str:
    """Requests since the proxy was cleared: how many, and how many of them are no GET."""
    counts = proxy.counts()
    rest = ", ".join(f"{n} {verb}" for verb, n in sorted(counts.items()) if verb != "GET")
    return f"{sum(counts.values())}" + (f" ({rest})" if rest else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--edge", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--latency", type=float, default=20, help="milliseconds per request")
    options = parser.parse_args()
    with server(0) as proxy:
        started = time.perf_counter()
        addresses = fill(options.edge)
        counts, wall = proxy.counts(), time.perf_counter() - started
        keys = {record.path for record in proxy.log if record.method == "PUT"}
        proxy.latency = options.latency / 1000
        rows = [
            f"Requests and milliseconds from nothing, each request {options.latency:.0f} ms away:",
            "",
            "| read | " + " | ".join(PROGRAMS) + " |",
            "|---|" + "---|" * len(PROGRAMS),
        ]
        for form, url in addresses.items():
            for task in TASKS:
                cells, answers = [], []
                for program in PROGRAMS:
                    count, seconds, answer = measured(proxy, program, url, task, options.edge, options.runs)
                    cells.append(f"{count} / {seconds * 1000:.0f}")
                    answers.append(answer)
                if task != "open":
                    assert all(np.array_equal(answers[0], answer) for answer in answers), task
                rows.append(f"| {task}, {form} | " + " | ".join(cells) + " |")
                sys.stdout.write(rows[-1] + "\n")
        rows += [
            "",
            f"Writing {options.edge}³ voxels with all levels and the index, twice (chunks, shards): {counts['PUT']} PUTs"
            f" for {len(keys)} objects ({counts['PUT'] / len(keys):.2f} each), {counts['GET']} GETs,"
            f" {counts['LIST']} LISTs, {counts['DELETE'] + counts['POST']} DELETEs; {wall:.0f} s without any distance.",
        ]
        sys.stdout.write("\n".join(rows[-2:]) + "\n")
    if options.write:
        put("request table", rows)


if __name__ == "__main__":
    main()
