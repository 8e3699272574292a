"""The record of a job as an object of the store; one that names what no job of its name makes is none."""

from __future__ import annotations

import json
import re

from ngffseg import ngff
from ngffseg.errors import MetadataError
from ngffseg.labels.nodes.paths import INDEX, JOBS, LABELS, ROOT_FILES
from ngffseg.labels.registry.references import is_level
from ngffseg.ngff import JobRecord
from ngffseg.store import is_inside, put_object, read_objects

RECORD = "job.json"
# What follows the name of a segmentation in the id of its job.
DIGEST = r"[0-9a-f]{12}(-[0-9a-f]{8})?"


def read_record(url: str, job: str) -> JobRecord | None:
    """What a job says of itself; None if it has not come to say it, or says what is not so."""
    data = read_objects(url, [f"{JOBS}/{job}/{RECORD}"])[0]
    try:
        record = None if data is None else ngff.decode_job(json.loads(data))
    except (ValueError, RecursionError, MetadataError):
        return None  # it died while it said so
    return record if record is not None and _is_ours(record, job) else None


def put_record(url: str, job: str, record: JobRecord) -> None:
    """Have a job say what it is."""
    data = ngff.encode_json(ngff.encode_job(record))
    put_object(url, f"{JOBS}/{job}/{RECORD}", data)


def _is_ours(record: JobRecord, job: str) -> bool:
    """Return True if all that a record names is what a job of this id makes, and moves, itself.

    What it names is removed or moved by whoever comes next, so a record that somebody has planted must not
    name anything else.
    """
    name = re.escape(record.name)
    if not re.fullmatch(f"{name}-{DIGEST}", job) or not re.fullmatch(f"({DIGEST}-)?", record.prefix):
        return False
    layer = rf"({LABELS}|{INDEX})/{name}(__layer\d+)?"
    # Of layers that are given up all goes; the first is there as long as the segmentation.
    made = re.compile(rf"{layer}/.+|({LABELS}|{INDEX})/{name}__layer\d+")
    places = all(_is_root_level(place) or re.fullmatch(layer, place) for place in record.moves)
    staged = all(
        is_inside(move.staged) and move.staged.startswith(f"{JOBS}/{job}/") for move in record.moves.values()
    )
    paths = all(
        path in ROOT_FILES or _is_root_level(path) or (is_inside(path) and made.fullmatch(path))
        for path in record.paths
    )
    return places and staged and paths


def _is_root_level(path: str) -> bool:
    """Return True if a path can be one of a level of the image at the root, as ngffseg names them."""
    return is_level(path) and "/" not in path
