"""Whatever stands in any document of a store: no verb touches what lies around it, or ends in a raw error."""

import copy
import itertools
import json
import random
import shutil
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import fsspec
import numpy as np
import pytest

from ngffseg import export_segmentation, segment_index
from ngffseg.errors import NgffsegError
from ngffseg.labels import check, open_contents, open_labels, rebuild_levels, store_tree, update_labels
from ngffseg.store import open_store
from ngffseg.viewer.objects import ServedObjects
from tests.labels.guarded import guarded, outside, plant_job, plant_log, write

STRINGS = [
    "../../victim", "../victim", "../../../victim", "/abs/victim", "..", ".", "", "a/../../victim", "\x00", "..\\victim",
    "labels/../../victim", "x" * 5000, "~", "~/victim", "file:///tmp/victim", "s3://other/victim", "%2e%2e/victim",
    "．．/victim", "‥/victim", "\ud800", "labels", "ngffseg", "zarr.json", "labels/organs", "C:\\victim",
]  # fmt: skip
NUMBERS = [-1, 0, 2**31, 2**63, 2**64, 2**70, -(2**63), 1.5, True]
TRIALS = 60
MEMORY = fsspec.filesystem("memory")


# Where a store lies: NGFF 0.5 and 0.4 on a disk, and in memory.
PLACES = ["0.5", "0.4", "memory"]


def export(store, name):
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, name)
        export_segmentation(store, target, name="organs" if name.endswith(".nrrd") else None)


def view(store):
    for images in open_contents(store).segmentations:
        for image in images:
            objects = ServedObjects(open_store(str(store), contained=True))
            objects.read(f"labels/{image.name}/zarr.json")


VERBS = {
    "info": store_tree,
    "check": check,
    "check --fix": lambda store: check(store, fix=True),
    "segments": lambda store: list(segment_index(open_labels(store, "organs"))),
    "export": lambda store: export(store, "a.seg.nrrd"),
    "export .ozx": lambda store: export(store, "a.ozx"),
    "pyramid": lambda store: rebuild_levels(store, "organs", levels=2),
    "import --overwrite": lambda store: write(store, overwrite=True),
    "import of another": lambda store: write(store, "liver"),
    "import --resume": lambda store: write(store, resume=True, overwrite=True),
    "update": lambda store: update_labels(
        open_labels(store, "organs"), [(0, 2)] * 3, np.full((2, 2, 2), 7, np.uint8)
    ),
    "view": view,
}


@pytest.fixture(scope="module", params=PLACES)
def good(request, tmp_path_factory):
    store = guarded(tmp_path_factory.mktemp("good"), ngff="0.4" if request.param == "0.4" else "0.5")
    staged = "ngffseg/jobs/organs-000000000000/labels/organs"
    plant_job(store, paths=["labels/organs/9"], moves={"labels/organs": {"staged": staged, "inode": 1}})
    plant_log(store)
    return Good(store, whole=request.param == "0.5", in_memory=request.param == "memory")


@dataclass(frozen=True)
class Good:
    """A store in a folder, whether the long form tries all of it, and whether copies of it lie in memory."""

    store: Path
    whole: bool
    in_memory: bool


def head_of(file):
    """The JSON of a document, and the bytes that follow it."""
    head, line, body = file.read_bytes().partition(b"\n")
    return json.loads(head), line + body


def places(value, path=()):
    """Paths to all strings, keys and integers of a JSON value, but for copies of schemas."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield (*path, key), "key"
            if key != "schemas":
                yield from places(part, (*path, key))
    elif isinstance(value, list):
        for number in {0, len(value) - 1} if value else ():  # those between them are read as they are
            yield from places(value[number], (*path, number))
    elif isinstance(value, str | int):
        yield path, "string" if isinstance(value, str) else "number"


def all_places(store):
    names = ("zarr.json", "job.json", ".zattrs", ".zgroup", ".zarray")
    files = sorted(file for file in store.rglob("*") if file.name in names or file.suffix == ".json")
    return [(file.relative_to(store), *place) for file in files for place in places(head_of(file)[0])]


def replaced(document, path, kind, value):
    changed = copy.deepcopy(document)
    inside = changed
    for step in path[:-1]:
        inside = inside[step]
    if kind == "key":
        inside[value] = inside.pop(path[-1])
    else:
        inside[path[-1]] = value
    return changed


def try_out(good, folder, place, value, verb):
    """Put a value into a document of a copy of the store, and run a verb on it."""
    shutil.copytree(good.store.parent, folder)
    store, (file, path, kind) = folder / good.store.name, place
    document, body = head_of(store / file)
    (store / file).write_bytes(json.dumps(replaced(document, path, kind, value)).encode() + body)
    before = outside(store)
    address = in_memory(folder) + f"/{store.name}" if good.in_memory else store
    around = outside_in_memory(str(address))
    told = f"{verb} with {file} {path} {kind} = {value!r:.40}"
    # Arrays of odd forms and sizes, and what check says of them, are the matter of other tests.
    odd = verb.startswith("check") or document.get("node_type") == "array" or file.name == ".zarray"
    allowed = Exception if odd else NgffsegError
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zarr and numpy may warn of what they find
        try:
            VERBS[verb](address)
        except allowed:
            pass
        except Exception as error:
            raise AssertionError(f"{told} ended in {type(error).__name__}: {error}") from error
    assert outside(store) == before, told
    assert outside_in_memory(str(address)) == around, told
    shutil.rmtree(folder)
    MEMORY.store.clear()


def in_memory(folder):
    """Address of a copy of a folder in memory."""
    for file in folder.rglob("*"):
        if file.is_file():
            MEMORY.pipe(f"/guarded/{file.relative_to(folder)}", file.read_bytes())
    return "memory://guarded"


def outside_in_memory(address):
    """All that lies in memory but a store."""
    inside = "/" + address.removeprefix("memory://") + "/"
    return {key: MEMORY.cat(key) for key in MEMORY.store if not key.startswith(inside)}


def test_hostile_documents(good, tmp_path):
    chance = random.Random(13)
    known = all_places(good.store)
    by_file = {file: [place for place in known if place[0] == file] for file, *_ in known}
    for number in range(TRIALS if good.whole else TRIALS // 4):
        place = chance.choice(by_file[chance.choice(list(by_file))])
        value = chance.choice(NUMBERS if place[2] == "number" else STRINGS)
        try_out(good, tmp_path / f"{number}", place, value, chance.choice(list(VERBS)))


# What the long form has found: in which group, at which places, with which values; and the verbs that read it.
LEVELS, ALL = "labels/organs", ("info", "export", "update")
NO_TEXT, SIZES = ["\x00", "\ud800"], [0, 2**63, 2**70]
FOUND = {
    "a path that no file can have": (LEVELS, ("datasets", 0, "path"), NO_TEXT, ALL),
    "a path of another level": (LEVELS, ("datasets", 1, "path"), NO_TEXT, ALL),
    "chunks": (LEVELS, ("arrays", "0", "chunk_grid", "configuration", "chunk_shape", 2), SIZES, ALL),
    "chunks of another level": (LEVELS, ("arrays", "1", "chunk_grid", "configuration", "chunk_shape", 0), SIZES, ALL),
    "text that has no encoding": ("labels", ("segmentations", 0, "representation"), NO_TEXT, ("export",)),
    "a number of segments": ("ngffseg/index/organs", ("segments",), [0, 2**40, 2**63], ("segments",)),
}  # fmt: skip


@pytest.mark.parametrize("found", FOUND)
def test_what_hostile_documents_have_shown(found, good, tmp_path):
    folder, end, values, verbs = FOUND[found]
    places = [p for p in all_places(good.store) if p[0].parent == Path(folder) and p[1][-len(end) :] == end]
    # NGFF 0.4 holds no documents of arrays in those of groups.
    assert places or ("chunks" in found and not (good.store / "zarr.json").exists())
    for number, (place, value, verb) in enumerate(itertools.product(places, values, verbs)):
        try_out(good, tmp_path / f"{number}", place, value, verb)


def test_an_index_with_an_array_that_cannot_be_opened_is_replaced(good, tmp_path):
    store = tmp_path / "a.ome.zarr"
    shutil.copytree(good.store, store)
    shutil.rmtree(store / "ngffseg" / "jobs")
    for file in store.glob("ngffseg/index/organs/fences/*z*"):
        file.write_text("{}", "utf-8")
    VERBS["update"](store)
    assert segment_index(open_labels(store, "organs"))[7].voxels == 8
    assert len(list(store.glob("ngffseg/index/organs/*fences"))) == 1


@pytest.mark.long
@pytest.mark.parametrize("verb", VERBS)
def test_every_hostile_string_everywhere(verb, good, tmp_path):
    """All of them on a disk; of the other places an eighth, since what reads documents is the same there."""
    chance = random.Random(verb)
    for number, place in enumerate(all_places(good.store)):
        values = NUMBERS if place[2] == "number" else STRINGS
        for value in values if good.whole else chance.sample(values, len(values) // 8):
            try_out(good, tmp_path / f"{number}", place, value, verb)
