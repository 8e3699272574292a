"""Other programs write a store; we open, index, extend and update it; they open the result and find all that was theirs."""

import json

import numpy as np
import pytest

from ngffseg import check, open_labels, segment_index, update_labels, write_labels
from ngffseg.errors import NgffsegError
from ngffseg.labels import open_image, rebuild_levels
from tests.labels.stores import digest as files_of
from tests.peers.environments import call
from tests.peers.kept import documents, not_kept, stale
from tests.peers.programs import SHAPE, digest, image, labels

BOX = ((2, 7), (5, 30), (0, 11))


def long(*values):
    """A case of the long lane."""
    return pytest.param(*values, marks=pytest.mark.long)


def edited():
    """The labels of others after our update."""
    changed = labels()
    changed[2:7, 5:30, 0:11] = 3
    return changed


@pytest.mark.parametrize(
    ("peer", "version"),
    [
        # Stores of the others run in `test_layouts`.
        ("ome-zarr", "0.5"),
        long("ngff-zarr", "0.4"),
        long("ngio", "0.5"),
        long("ome-zarr", "0.4"),
        long("ome-zarr-old", "0.4"),
        long("ngff-zarr", "0.5"),
        long("ngio", "0.4"),
    ],
)
def test_labels_of_others(tmp_path, peer, version):
    """Labels that are there are opened, indexed, updated, and get neighbours."""
    folder = tmp_path / "theirs.zarr"
    call(peer, "write", folder, version)
    before, documents_before = json.loads(call(peer, "read", folder)), documents(folder)
    old = stale(folder)
    assert not [
        v
        for v in check(folder)
        if v.severity == "MUST" and "labels/zarr.json" not in v.where and "version" not in v.rule
    ]
    np.testing.assert_array_equal(open_labels(folder, "cells").read(), labels())
    np.testing.assert_array_equal(np.asarray(open_image(folder).data[...]), image())

    rebuild_levels(folder, "cells")
    write_labels(folder, labels(), name="ours")
    opened = update_labels(open_labels(folder, "cells"), BOX, edited()[2:7, 5:30, 0:11])

    np.testing.assert_array_equal(opened.read(), edited())
    table = segment_index(opened).table()
    values, counts = np.unique(edited(), return_counts=True)
    assert dict(zip(table["label_value"], table["voxels"], strict=True)) == {
        v: n for v, n in zip(values.tolist(), counts.tolist(), strict=True) if v
    }
    after = json.loads(call(peer, "read", folder))
    assert after["arrays"].pop("ours") == digest(labels())
    assert after["arrays"].pop("cells") == digest(edited())
    assert before["arrays"].pop("cells") == digest(labels())
    levels = [found.pop("levels", {}) for found in (before, after)]
    assert levels[1].get("cells") == levels[0].get("cells")
    assert after == before
    assert not_kept(documents_before, documents(folder)) == []
    # ngio leaves those of its tables behind.
    assert set(stale(folder)) <= set(old)


@pytest.mark.parametrize(("peer", "version"), [long("bioio", "0.5"), ("itk", "0.4"), long("bioio", "0.4")])
def test_images_of_others(tmp_path, peer, version):
    """Images without labels get some, and stay byte for byte but for their own document."""
    folder = tmp_path / "theirs.zarr"
    call(peer, "write", folder, version)
    before, documents_before, files = call(peer, "read", folder), documents(folder), files_of(folder)
    np.testing.assert_array_equal(np.asarray(open_image(folder).data[...]), image())

    written = write_labels(folder, labels(), name="ours")
    written = update_labels(written, BOX, edited()[2:7, 5:30, 0:11])

    np.testing.assert_array_equal(written.read(), edited())
    assert not [v for v in check(folder) if v.severity == "MUST" and v.where.startswith("labels")]
    assert call(peer, "read", folder) == before
    assert not_kept(documents_before, documents(folder)) == []
    kept = files_of(folder)
    assert {path: kept.get(path) for path in files} == files
    assert stale(folder) == []


@pytest.mark.long
def test_spatialdata(tmp_path):
    """Labels with alternative transformations are read; what would rewrite their version is refused."""
    folder = tmp_path / "theirs.zarr"
    call("spatialdata", "write", folder, "0.5")
    before, files = call("spatialdata", "read", folder), files_of(folder)
    cells = open_labels(folder, "cells")
    np.testing.assert_array_equal(cells.read(), labels()[0])
    assert cells.geometry.shape == SHAPE[1:]
    # One of the alternatives is twice, another three times as large: neither is part of the levels.
    assert [abs(cells.geometry.affine[axis, axis]) for axis in (0, 1)] == [1.0, 1.0]
    check(folder)
    for change in (
        lambda: rebuild_levels(folder, "cells"),
        lambda: update_labels(cells, ((0, 4), (0, 4)), np.ones((4, 4), "uint32")),
        lambda: write_labels(folder / "images" / "picture", labels()[0], name="ours"),
    ):
        with pytest.raises(NgffsegError, match="spatialdata"):
            change()
    assert files_of(folder) == files
    assert call("spatialdata", "read", folder) == before
