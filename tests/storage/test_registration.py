"""Many processes register labels on one image at once: no name is lost, none doubled, none torn."""

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from ngffseg import open_labels, write_labels
from ngffseg.labels import store_tree
from tests import forks
from tests.labels.stores import faults

WRITERS = 16
LABELS = np.arange(8**3, dtype=np.uint16).reshape(8, 8, 8)


def write(number, base, rounds, barrier, failures):
    """What each process does: one label per round, all at the same moment."""
    for turn in range(rounds):
        barrier.wait()
        try:
            write_labels(f"{base}/{turn}.ome.zarr", LABELS + number, name=f"label{number}", levels=1)
        except Exception as error:
            failures.put(f"round {turn}, writer {number}: {error!r}")
        barrier.wait()


@pytest.mark.parametrize("rounds", [4, pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", ["local", "s3"])
def test_sixteen_processes_register_sixteen_labels(kind, rounds, request, tmp_path):
    base = request.getfixturevalue("bucket").url if kind == "s3" else str(tmp_path)
    barrier, failures = forks.CONTEXT.Barrier(WRITERS + 1), forks.CONTEXT.Queue()
    writers = [forks.start(write, number, base, rounds, barrier, failures) for number in range(WRITERS)]
    try:
        for turn in range(rounds):
            url = f"{base}/{turn}.ome.zarr"
            if turn % 2:  # every other time there is an image already
                write_labels(url, LABELS, name="first", levels=1)
            with Reader(kind, url, request) as reader:
                barrier.wait(timeout=120)
                barrier.wait(timeout=120)
            assert failures.empty(), failures.get()
            names = [stored.image.name for stored in store_tree(url).labels]
            expected = {f"label{n}" for n in range(WRITERS)} | ({"first"} if turn % 2 else set())
            assert len(names) == len(set(names))
            assert set(names) == expected, turn
            assert reader.torn == []
            assert faults(url) == []
            for number in range(WRITERS):
                np.testing.assert_array_equal(open_labels(url, f"label{number}").read(), LABELS + number)
    finally:
        for writer in writers:
            writer.kill()
            writer.join()


class Reader:
    """Reads the register again and again meanwhile, without the code under test."""

    def __init__(self, kind, url, request):
        self.torn, self.done = [], threading.Event()
        if kind == "s3":
            bucket = request.getfixturevalue("bucket")
            key = f"{url.removeprefix(bucket.url + '/')}/labels/zarr.json"
            client = bucket.server.client()

            def read():
                try:
                    return client.get_object(Bucket=bucket.name, Key=key)["Body"].read()
                except client.exceptions.NoSuchKey:
                    return None
        else:

            def read():
                try:
                    return Path(url, "labels/zarr.json").read_bytes()
                except FileNotFoundError:
                    return None

        self.read = read
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.done.is_set():
            data = self.read()
            if data is not None:
                try:
                    names = json.loads(data)["attributes"]["ome"]["labels"]
                    if len(names) != len(set(names)):
                        self.torn.append(names)
                except ValueError:
                    self.torn.append(data)
            time.sleep(0.002)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_reason):
        self.done.set()
        self.thread.join()
