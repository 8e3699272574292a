"""Label images of one level: `rebuild_levels` reads level 0 and counts it, though no level is above it."""

import numpy as np
import pytest
import zarr

from ngffseg import open_labels, segment_index, update_labels, write_labels
from ngffseg.errors import StoreError
from ngffseg.labels import rebuild_levels
from ngffseg.labels.jobs import checkpoints
from tests.labels.stores import digest, faults

SHAPES = {2: (50, 61), 3: (30, 33, 29), 4: (2, 20, 25, 18), 5: (2, 2, 14, 16, 17)}
FORMS = {
    "v3": {"chunks": 8, "shards": None},
    "v3 sharded": {"chunks": 8, "shards": 16},
    "v2": {"chunks": 8, "ngff": "0.4"},
}


def labels_of(ndim, dtype=np.uint16):
    labels = np.random.default_rng(ndim).integers(0, 7, SHAPES[ndim]).astype(dtype)
    labels[..., :10, :9] = 0
    return labels


def counted(labels):
    """Voxels, box, centroid and chunks of 8 of each label, by numpy."""
    found = {}
    for value in np.unique(labels[labels > 0]).tolist():
        where = np.argwhere(labels == value)
        box = tuple(zip(where.min(0).tolist(), (where.max(0) + 1).tolist(), strict=True))
        space = min(3, labels.ndim)
        size = [1] * (labels.ndim - space) + [8] * space
        chunks = sorted(set(map(tuple, (where // size).tolist())))
        found[value] = (len(where), box, tuple((where.sum(0) / len(where)).tolist()), chunks)
    return found


def told(index):
    """What an index tells, in the same form."""
    return {
        e.label_value: (
            e.voxels,
            e.box,
            e.centroid,
            list(map(tuple, index.chunks(e.label_value).tolist())),
        )
        for e in index
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ndim", SHAPES)
def test_a_rebuild_of_one_level_keeps_the_index_true(ndim, form, tmp_path):
    labels, store = labels_of(ndim), tmp_path / "a.zarr"
    image = write_labels(store, labels, name="a", levels=1, **FORMS[form])
    assert told(segment_index(image)) == counted(labels)
    before = digest(store / "labels" / "a" / "0")
    image = rebuild_levels(store, "a")
    assert told(segment_index(image)) == counted(labels)
    assert digest(store / "labels" / "a" / "0") == before
    box = [(0, 2)] * (ndim - 2) + [(3, 15), (5, 16)]
    size = [b - a for a, b in box]
    labels[tuple(slice(*part) for part in box)] = 9
    assert told(segment_index(update_labels(image, box, np.full(size, 9, np.uint16)))) == counted(labels)
    assert faults(store) == []


def test_a_rebuild_of_one_level_on_s3(bucket):
    labels, url = labels_of(3), f"{bucket.url}/a.ome.zarr"
    write_labels(url, labels, name="a", levels=1, chunks=8, shards=16)
    assert told(segment_index(rebuild_levels(url, "a"))) == counted(labels)


@pytest.mark.parametrize("form", ["native", "big endian"])
def test_level_0_of_other_programs_that_only_zarr_can_read(form, tmp_path):
    labels = labels_of(3)
    write_labels(tmp_path / "a.zarr", labels, name="a", levels=1, ngff="0.4", chunks=8)
    group = zarr.open_group(tmp_path / "a.zarr")["labels/a"]
    options = {"order": "F"} if form == "native" else {}
    dtype = {"native": "u2", "big endian": ">u2"}[form]
    made = group.create_array(
        "0", shape=labels.shape, chunks=(8,) * 3, dtype=dtype, overwrite=True, **options
    )
    made[:] = labels
    document = group.attrs.asdict()
    document.pop("ngffseg")
    group.attrs.put(document)
    assert told(segment_index(rebuild_levels(tmp_path / "a.zarr", "a"))) == counted(labels)


def test_a_count_that_was_interrupted_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "PAUSE", 0.0)
    monkeypatch.setattr(checkpoints, "RATIO", 0)
    labels, store = labels_of(3), tmp_path / "a.zarr"
    write_labels(store, labels, name="a", levels=1, **FORMS["v3"])
    before = digest(store)

    def stop(done, _all):
        if done >= 20:
            raise StoreError("the network is gone")

    options = {"cluster": "threads", "workers": 1}
    with pytest.raises(StoreError):
        rebuild_levels(store, "a", progress=stop, **options)
    jobs = {name for name in digest(store) if name.startswith("ngffseg/jobs/")}
    assert {name for name in digest(store) if name not in jobs} == set(before)
    seen = []
    rebuild_levels(store, "a", resume=True, progress=lambda *blocks: seen.append(blocks), **options)
    assert 1 < len(seen) <= seen[-1][1] - 20 + 2  # the rest, and one report of those that were done
    assert told(segment_index(open_labels(store, "a"))) == counted(labels)
    assert not (store / "ngffseg" / "jobs").exists()
