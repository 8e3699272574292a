"""The labels that are written again and again, and what a store holds, seen without the code under test."""

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import zarr

SHAPE = (256, 384, 512)


def make_source(folder):
    """A stored volume of bricks with names of their own, and holes; large enough for several blocks."""
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    labels = (z // 24 * 1009 + y // 20 * 31 + x // 28 + 1).astype(np.uint32)
    labels[(z + y + x) % 7 == 0] = 0
    labels[100:164, 200:280] = 0
    zarr.create_array(folder, data=labels, chunks=(64, 64, 64))
    return labels


def digests(contents):
    """Digest of each object of a store but its folders of jobs, which must be empty."""
    left = [key for key in contents if key.startswith("ngffseg/jobs/")]
    assert left == [], left[:5]
    return {key: hashlib.sha256(data).hexdigest() for key, data in contents.items()}


def on_disk(folder):
    """All files of a local store."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def in_bucket(bucket, prefix):
    """All objects of a store in a bucket."""
    keys = [key for key in bucket.keys() if key.startswith(f"{prefix}/")]  # noqa: SIM118
    client = bucket.server.client()

    def read(key):
        return client.get_object(Bucket=bucket.name, Key=key)["Body"].read()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read, keys))
    return {key.removeprefix(f"{prefix}/"): data for key, data in zip(keys, found, strict=True)}


def slowly(block):
    """Labels as they are, after a while; how long is no part of what they are.

    It lies here, since dask knows a function by its name only where it can be imported.
    """
    time.sleep(float(os.environ.get("SLOWLY", "0.01")))
    return block
