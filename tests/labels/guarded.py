"""A tree of files around a store, and documents in it that somebody planted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ngffseg.geometry import identity
from ngffseg.labels import write_segmentation
from ngffseg.labels.edit.write_ahead_log import WriteAheadLog, write_log
from ngffseg.model import Segment, Segmentation

SHAPE = (8, 8, 8)


def layer(value):
    """Labels of one layer."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:5, 2:6, 3:7] = value
    return labels


def write(store, name="organs", **options):
    """Write a segmentation of two layers."""
    segments = (Segment(1, name="one"), Segment(2, name="two", layer=1))
    segmentation = Segmentation((layer(1), layer(2)), segments, identity(SHAPE))
    return write_segmentation(store, segmentation, name=name, levels=2, **options)


def guarded(folder: Path, **options: Any) -> Path:
    """A store in a folder of files that are none of its business; returns the store."""
    for name in ("victim", "deep/victim"):
        (folder / name / "c").mkdir(parents=True)
        (folder / name / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
        (folder / name / "c" / "0").write_bytes(b"precious")
    store = folder / "case.zarr"
    write(store, **options)
    return store


def outside(store: Path) -> dict[str, Any]:
    """All files, folders and links around a store, with what they hold."""
    found: dict[str, Any] = {}
    for path in sorted(store.parent.rglob("*")):
        if store not in (path, *path.parents):
            held = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
            found[str(path.relative_to(store.parent))] = (
                held,
                path.lstat().st_mtime_ns if path.is_file() else 0,
            )
    return found


def change(file: Path, edit: Callable[[Any], None]) -> None:
    """Edit a JSON file in place."""
    document = json.loads(file.read_text("utf-8"))
    edit(document)
    file.write_text(json.dumps(document), "utf-8")


def plant_job(store: Path, **parts: Any) -> None:
    """Leave the record of a job that died."""
    job = store / "ngffseg" / "jobs" / "organs-000000000000"
    job.mkdir(parents=True)
    record = {
        "name": "organs", "software": "0", "plan": "0", "source": None, "options": {}, "aside": True,
        "prefix": "", "passes": {}, "paths": [], "moves": {}, "generation": 99,
    }  # fmt: skip
    (job / "job.json").write_text(json.dumps(record | parts), "utf-8")


def plant_log(store: Path, **parts: Any) -> None:
    """Leave the journal of an update that died."""
    box = (slice(0, 2), slice(0, 2), slice(0, 2))
    rows = np.zeros((0, 12), np.uint64)
    parts = {"id": "0" * 12, "box": box, "revision": 1, "labels": np.ones((2, 2, 2), np.uint8)} | parts
    (store / "ngffseg/jobs/organs-update").mkdir(parents=True)
    write_log(str(store), "organs", WriteAheadLog(**parts, before=rows, after=rows))
