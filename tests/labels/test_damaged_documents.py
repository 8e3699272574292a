"""Every metadata document of a store damaged in turn: verbs answer or refuse in one line, and never crash."""

import random
import shutil
import warnings

import numpy as np
import pytest
import zarr

from ngffseg import Segment, check, open_labels, segment_index, write_labels
from ngffseg.cli.main import run
from ngffseg.errors import NgffsegError
from ngffseg.labels import apply_fixes, list_labels, store_tree
from tests.labels.mutations import damaged, documents
from tests.labels.stores import digest

LABELS = np.ones((8, 8, 8), np.uint8)


@pytest.fixture(scope="module", params=["0.5", "0.4"])
def good(request, tmp_path_factory):
    store = tmp_path_factory.mktemp("good") / "a.zarr"
    segments = [Segment(1, name="x"), Segment(2, color=(1, 2, 3))]
    for name in ("a", "b#1"):
        write_labels(store, LABELS, name=name, segments=segments, ngff=request.param, levels=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not part of the v3 specification
        zarr.consolidate_metadata(store)
    assert check(store) == []
    return store


def outcome(verb):
    """What a call gives, or None where it refuses in one line."""
    try:
        return verb()
    except NgffsegError as error:
        told = str(error)
    assert "\n" not in told
    return None


def must(violations):
    return sum(v.severity == "MUST" for v in violations)


def verbs(store, *, is_index=False):
    """Run all verbs that only look, through the library and the command line."""
    found = outcome(lambda: check(store))
    tree = outcome(lambda: store_tree(store))
    if not is_index:
        for name in ("a", "b#1"):
            outcome(lambda name=name: len(segment_index(open_labels(store, name))))
    if found is not None and all(v.severity == "SHOULD" for v in found):
        # What is valid can be opened.
        assert tree is not None
        assert (tree.problem, tree.broken) == ("", ())
    listed = outcome(lambda: list_labels(store))
    assert listed is None or all(one.image is not None or one.problem for one in listed)
    assert run(["check", str(store)]) == (2 if found is None else int(must(found) > 0))
    assert run(["info", str(store)]) == (2 if tree is None else 0)
    assert run(["conformance", str(store)]) in (0, 2)
    # Documents of the index may be good, and not fit what its arrays hold.
    assert run(["segments", str(store), "--name", "a"]) in ((0, 2, 3, 70) if is_index else (0, 2, 3))
    return found


def fixed(store, found, tmp_path):
    """Fix a copy: never more faults than before, and nothing changes where it fails."""
    target = tmp_path / "fixed.zarr"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(store, target)
    before = digest(target)
    fixes = outcome(lambda: apply_fixes(target))
    after = digest(target)
    if fixes is None or not fixes.copies:
        assert after == before
    else:
        assert must(fixes.violations) <= must(found)
        assert check(target) == fixes.violations
        kept = {after[copy] for copy in fixes.copies}
        assert {before[name] for name in before if after.get(name) != before[name]} <= kept


def run_mutations(good, seed, rounds, tmp_path):
    chance = random.Random(seed)
    store = tmp_path / "a.zarr"
    shutil.copytree(good, store)
    for file in documents(store):
        whole = file.read_bytes()
        for _ in range(rounds):
            file.write_bytes(damaged(whole, chance))
            before = digest(store)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # zarr may warn of what it finds
                found = verbs(store, is_index="index" in file.parts)
                assert digest(store) == before
                fixed(store, found, tmp_path)
        file.write_bytes(whole)


@pytest.mark.parametrize("seed", range(1))
def test_each_document_damaged(good, seed, tmp_path, capsys):
    run_mutations(good, seed, 1, tmp_path)
    told = capsys.readouterr().err.splitlines()
    assert all(line.startswith("ngffseg: ") for line in told)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
def test_each_document_damaged_often(good, seed, tmp_path):
    run_mutations(good, seed, 10, tmp_path)
