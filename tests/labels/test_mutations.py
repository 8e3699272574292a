"""Damaged metadata: whatever verb meets them gives a value or one clear line, and loses nothing."""

import copy
import json
import random
import shutil
import warnings

import numpy as np
import pytest

from ngffseg import Segment, check, open_labels, write_labels
from ngffseg.errors import MetadataError, NgffsegError
from ngffseg.labels import store_tree
from tests.labels.mutations import VALUES, places
from tests.labels.stores import digest

LABELS = np.ones((8, 8, 8), np.uint8)
VERBS = {
    "open": lambda store: open_labels(store, "a").read(),
    "check": check,
    "tree": store_tree,
    "write": lambda store: write_labels(store, LABELS, name="b"),
    "mend": lambda store: check(store, fix=True),
}


@pytest.fixture(scope="module", params=["0.5", "0.4"])
def good(request, tmp_path_factory):
    store = tmp_path_factory.mktemp("good") / "a.zarr"
    segments = [Segment(1, name="x"), Segment(2, color=(1, 2, 3))]
    write_labels(store, LABELS, name="a", segments=segments, ngff=request.param, levels=2)
    return store


def damage(attributes, chance):
    *parents, last = chance.choice(list(places(attributes)))
    for key in parents:
        attributes = attributes[key]
    if chance.random() < 0.3:
        del attributes[last]
    else:
        attributes[last] = copy.deepcopy(chance.choice(VALUES))


@pytest.mark.parametrize("seed", range(6))
def test_damaged_metadata(good, seed, tmp_path):
    chance = random.Random(seed)
    for number in range(12):
        store = tmp_path / f"{number}.zarr"
        shutil.copytree(good, store)
        file = store / chance.choice(["", "labels", "labels/a"])
        file = file / ("zarr.json" if (file / "zarr.json").exists() else ".zattrs")
        content = json.loads(file.read_text(encoding="utf-8"))
        damage(content.get("attributes", content), chance)
        file.write_text(json.dumps(content), encoding="utf-8")
        before = digest(store)
        for name, verb in VERBS.items():
            said = ""
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # zarr may warn of what it finds
                try:
                    verb(store)
                except NgffsegError as error:
                    said = str(error)
            assert "\n" not in said
            if said or name in ("open", "check", "tree"):
                assert digest(store) == before, name
            before = digest(store)


def test_arrays_that_no_metadata_name_are_never_replaced(good, tmp_path):
    store = tmp_path / "a.zarr"
    shutil.copytree(good, store)
    for name in ("zarr.json", ".zattrs", ".zgroup"):
        (store / name).unlink(missing_ok=True)
    before = digest(store)
    with pytest.raises(MetadataError, match="holds '0', but no multiscales that name it"):
        write_labels(store, LABELS, name="b")
    assert digest(store) == before
