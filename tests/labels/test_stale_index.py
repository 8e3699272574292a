"""Edits by other programs: an index that they made stale is found, said to be, and never counted on from."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorstore
import zarr

from ngffseg import open_labels, segment_index, update_labels, write_labels
from ngffseg.cli.main import run
from ngffseg.errors import MetadataError, StoreError
from ngffseg.geometry import identity
from ngffseg.labels import rebuild_levels, verify_index, write_segmentation
from ngffseg.labels.jobs import checkpoints
from ngffseg.model import Segmentation
from tests.labels.test_counting import counted, told

MASK = 2**64 - 1
SHAPE = (40, 33, 29)
FORMS = {
    "v3": {"chunks": 8, "shards": None, "levels": 2},
    "v3 sharded": {"chunks": 8, "shards": 16, "levels": 2},
    "v2": {"chunks": 8, "ngff": "0.4", "levels": 2},
}


def labels_of(shape=SHAPE):
    labels = np.random.default_rng(3).integers(0, 6, shape).astype(np.uint16)
    labels[..., :16, :9] = 0
    return labels


def by_zarr(array, box, values):
    """An edit by zarr-python."""
    zarr.open_array(array, mode="r+")[box] = values


def by_tensorstore(array, box, values):
    """An edit by tensorstore."""
    driver = "zarr3" if (array / "zarr.json").exists() else "zarr"
    opened = tensorstore.open({"driver": driver, "kvstore": {"driver": "file", "path": str(array)}}).result()
    opened[box].write(values).result()


EDITS = {"zarr-python": by_zarr, "tensorstore": by_tensorstore}


def splitmix(value):
    """One round of splitmix64 in plain Python."""
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def digests_of(labels, size=8):
    """Digest of each chunk that holds any label, as the schema of the index defines it."""
    space = min(3, labels.ndim)
    chunks = (1,) * (labels.ndim - space) + (size,) * space
    grid = tuple(-(-n // c) for n, c in zip(labels.shape, chunks, strict=True))
    found = {}
    for flat, index in enumerate(np.ndindex(*grid)):
        start = np.array([i * c for i, c in zip(index, chunks, strict=True)])
        part = labels[tuple(slice(a, a + c) for a, c in zip(start, chunks, strict=True))]
        total = 0
        for value in np.unique(part[part > 0]).tolist():
            where = np.argwhere(part == value) + start
            mixed = 0
            for column in (value, len(where), *where.min(0), *where.max(0), *where.sum(0)):
                mixed = splitmix(mixed ^ int(column))
            total = (total + mixed) & MASK
        if part.any():
            found[flat] = total
    return found


def sizes_of(folder, unit, shape):
    """Bytes of each object of an array on disk, by its flat number."""
    grid = tuple(-(-n // u) for n, u in zip(shape, unit, strict=True))
    root = folder / "c" if (folder / "zarr.json").exists() else folder
    files = [file for file in root.rglob("*") if file.is_file() and not file.name.startswith((".", "zarr"))]
    return {
        int(np.ravel_multi_index(tuple(map(int, file.relative_to(root).parts)), grid)): file.stat().st_size
        for file in files
    }


def recorded(image, part):
    """The digests or sizes that the index of a label image keeps."""
    form = segment_index(image).layout
    path = f"{image.url}/ngffseg/index/{image.name}/{getattr(form, part)}"
    keys, values = zarr.open_array(path, mode="r")[:]
    assert sorted(keys.tolist()) == keys.tolist()
    return dict(zip(keys.tolist(), values.tolist(), strict=True))


def check_recorded(image, labels):
    """Digests and sizes against brute force."""
    array = image._arrays[0]
    assert recorded(image, "digests") == digests_of(labels)
    folder = open_folder(image)
    assert recorded(image, "sizes") == sizes_of(folder, array.shards or array.chunks, labels.shape)


def open_folder(image):
    return Path(image.url) / "labels" / image.name / "0"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(50, 61), SHAPE, (2, 20, 25, 18), (2, 2, 14, 16, 17)], ids=len)
def test_digests_and_sizes_are_those_of_the_schema_after_writing_rebuilding_and_updating(
    form, shape, tmp_path
):
    labels = labels_of(shape)
    image = write_labels(tmp_path / "a.zarr", labels, name="a", **FORMS[form])
    check_recorded(image, labels)
    check_recorded(rebuild_levels(tmp_path / "a.zarr"), labels)
    box = [(0, 2)] * (len(shape) - 2) + [(3, 16), (5, 17)]
    new = np.zeros([b - a for a, b in box], np.uint16)
    new[..., :5] = 9
    labels[tuple(slice(*part) for part in box)] = new
    image = update_labels(open_labels(tmp_path / "a.zarr"), box, new)
    assert (segment_index(image).layout.generation, segment_index(image).layout.revision) == (1, 1)
    check_recorded(image, labels)
    assert not verify_index(image, deep=True).stale


def test_digests_do_not_depend_on_chunks_that_are_read_in_parts(tmp_path):
    """Windows of 3 do not fit into chunks of 8, so that chunks are counted in parts, by several blocks."""
    labels = labels_of()
    for number, options in enumerate(({}, {"cascade": False}, {"method": "nearest"})):
        store = tmp_path / f"{number}.zarr"
        write_labels(store, labels, name="a", chunks=8, shards=None, levels=3, factors=3)
        check_recorded(rebuild_levels(store, factors=3, levels=3, **options), labels)


def test_digests_and_sizes_are_whole_after_a_resumption(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "PAUSE", 0.0)
    monkeypatch.setattr(checkpoints, "RATIO", 0)
    labels, segmentation = labels_of(), Segmentation((labels_of(),), (), identity(SHAPE))

    def stop(done, _all):
        if done >= 30:
            raise StoreError("the network is gone")

    options = {"name": "a", "cluster": "threads", "workers": 1, **FORMS["v3"], "levels": 1}
    with pytest.raises(StoreError):
        write_segmentation(tmp_path / "a.zarr", segmentation, progress=stop, **options)
    check_recorded(write_segmentation(tmp_path / "a.zarr", segmentation, resume=True, **options), labels)


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("form", FORMS)
def test_an_update_of_a_chunk_that_another_program_has_edited_counts_all_again(form, edit, tmp_path):
    labels, store = labels_of(), tmp_path / "a.zarr"
    image = write_labels(store, labels, name="a", **FORMS[form])
    for value, box in ((7, np.s_[2:7, 20:23, 10:20]), (1, np.s_[30:38, 30:33, 0:4])):
        EDITS[edit](store / "labels" / "a" / "0", box, np.uint16(value))
        labels[box] = value
    box = np.s_[0:3, 18:25, 12:14]
    labels[box] = 5
    image = update_labels(image, list(box), labels[box])
    assert told(segment_index(image)) == counted(labels)
    check_recorded(image, labels)
    # What is not under the box is not looked at, and is not forgotten.
    far = np.s_[38:40, 0:2, 20:24]
    EDITS[edit](store / "labels" / "a" / "0", far, np.uint16(4))
    labels[far] = 4
    assert told(segment_index(update_labels(image, list(box), labels[box]))) != counted(labels)
    assert verify_index(open_labels(store)).chunks == 1


@pytest.mark.parametrize("after", [[4, 4], [2, 6]], ids=["mean", "voxels and sums"])
def test_an_edit_that_keeps_what_is_easily_counted_is_seen(after, tmp_path):
    labels = np.zeros((16, 16, 16), np.uint8)
    labels[2, 2, [3, 5]] = 1
    store = tmp_path / "a.zarr"
    image = write_labels(store, labels, name="a", chunks=8, levels=1, codec="none")
    before = digests_of(labels)
    labels[2, 2, [3, 5]] = 0
    labels[2, 2, after] = 1
    by_zarr(store / "labels" / "a" / "0", np.s_[:], labels)
    assert digests_of(labels) != before
    found = verify_index(image)  # sizes of chunks that are not packed tell nothing
    assert (found.stale, found.chunks) == (True, 1)


def test_an_index_of_0_1_0_is_compared_by_its_lists(tmp_path):
    labels, store = labels_of(), tmp_path / "a.zarr"
    image = write_labels(store, labels, name="a", **FORMS["v3"])
    _as_of_0_1_0(store)
    assert not verify_index(image).stale
    box = np.s_[0:3, 18:25, 12:14]
    labels[box] = 5
    image = update_labels(image, list(box), labels[box])
    assert told(segment_index(image)) == counted(labels)
    assert segment_index(image).layout.digests is None
    by_zarr(store / "labels" / "a" / "0", np.s_[2:7, 20:23, 10:20], 7)
    labels[2:7, 20:23, 10:20] = 7
    found = verify_index(image)
    assert found.stale
    assert "segments differ" in found.text
    image = update_labels(image, list(box), labels[box])
    assert told(segment_index(image)) == counted(labels)
    check_recorded(image, labels)


def _as_of_0_1_0(store):
    group = zarr.open_group(store / "ngffseg" / "index" / "a")
    own = dict(group.attrs["ngffseg"], schema="urn:ngffseg:schema:index:1")
    for part in ("digests", "sizes"):
        del group[own["arrays"].pop(part)]
    group.attrs["ngffseg"] = {k: v for k, v in own.items() if k not in ("generation", "revision")}


@pytest.mark.parametrize("form", FORMS)
def test_a_copy_of_a_store_is_not_stale(form, tmp_path):
    write_labels(tmp_path / "a.zarr", labels_of(), name="a", **FORMS[form])
    shutil.copytree(tmp_path / "a.zarr", tmp_path / "b.zarr", copy_function=shutil.copy)
    shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path / "a.zarr")
    for store in ("b.zarr", "a.zip"):
        for deep in (False, True):
            found = verify_index(open_labels(tmp_path / store), deep=deep)
            assert (found.stale, found.chunks) == (False, 0 if deep else None), found
        assert run(["check", str(tmp_path / store), "--deep"]) == 0


def test_chunks_that_were_packed_anew_are_counted_and_agree(tmp_path):
    labels, store = labels_of(), tmp_path / "a.zarr"
    image = write_labels(store, labels, name="a", **FORMS["v3"], codec="zstd-19")
    array = zarr.open_array(store / "labels" / "a" / "0", mode="r+")
    path = array.store_path
    document = json.loads((store / "labels/a/0/zarr.json").read_text())
    for codec in document["codecs"]:
        if codec["name"] == "zstd":
            codec["configuration"]["level"] = 1
    (store / "labels/a/0/zarr.json").write_text(json.dumps(document))
    zarr.open_array(path, mode="r+")[:] = labels
    assert recorded(image, "sizes") != sizes_of(open_folder(image), (8, 8, 8), SHAPE)
    found = verify_index(open_labels(store))
    assert (found.stale, found.chunks) == (False, 0)
    assert "objects of another size" in found.text


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("form", FORMS)
def test_the_verbs_say_which_index_is_stale_and_never_print_it(form, edit, tmp_path, capsys):
    labels, store = labels_of(), tmp_path / "a.zarr"
    write_labels(store, labels, name="a", **FORMS[form])
    assert run(["segments", str(store), "--verify"]) == 0
    assert "agrees with level 0: the sizes of all objects agree" in capsys.readouterr().err
    EDITS[edit](store / "labels" / "a" / "0", np.s_[0:9, 16:17, 0:29], np.uint16(9))
    assert run(["segments", str(store), "--verify"]) == 1
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert (
        f"'a' is stale: 8 chunks of level 0 differ: make it anew with ngffseg pyramid {store} --name a"
        in line
    )
    assert out == ""
    assert run(["segments", str(store), "--verify", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["segments"] == []
    assert [(one["name"], one["stale"], one["chunks"]) for one in answer["verified"]] == [("a", True, 8)]
    assert run(["check", str(store)]) == 0
    capsys.readouterr()
    assert run(["check", str(store), "--deep"]) == 1
    assert capsys.readouterr().out.count("8 chunks of level 0 differ: make it anew with ngffseg pyramid") == 1
    for address in (store, store / "labels", store / "labels" / "a"):
        assert run(["check", str(address), "--deep", "--json"]) == 1
        answer = json.loads(capsys.readouterr().out)
        assert (answer["valid"], [one["chunks"] for one in answer["indices"]]) == (False, [8])
    assert run(["pyramid", str(store), "--name", "a"]) == 0
    assert run(["segments", str(store), "--verify"]) == 0
    assert run(["check", str(store), "--deep"]) == 0


def test_a_chunk_that_is_gone_or_damaged_is_found(tmp_path, capsys):
    labels, store = labels_of(), tmp_path / "a.zarr"
    image = write_labels(store, labels, name="a", **FORMS["v3"])
    gone = store / "labels/a/0/c/1/2/2"
    data = gone.read_bytes()
    gone.unlink()
    assert verify_index(image).chunks == 1
    gone.write_bytes(data[:-9])
    assert run(["check", str(store), "--deep"]) == 1
    assert "chunk 1/2/2 cannot be decoded" in capsys.readouterr().out


def test_an_index_of_another_generation_or_revision_is_stale(tmp_path):
    labels, store = labels_of(), tmp_path / "a.zarr"
    image = write_labels(store, labels, name="a", **FORMS["v3"])
    index = store / "ngffseg" / "index" / "a"
    shutil.copytree(index, tmp_path / "old")
    newer = update_labels(image, [(0, 1)] * 3, np.full((1, 1, 1), 3, np.uint16))
    labels[0, 0, 0] = 3
    assert segment_index(image)[3].voxels == (labels == 3).sum()  # the image was opened before the update
    shutil.rmtree(index)
    shutil.copytree(tmp_path / "old", index)  # somebody restores a part of a backup
    with pytest.raises(
        Exception, match="is stale: it was counted at generation 1, revision 0, the labels are of"
    ):
        segment_index(newer)
    assert run(["segments", str(store)]) == 2
    assert verify_index(newer).stale
    newer = update_labels(newer, [(0, 1)] * 3, np.full((1, 1, 1), 4, np.uint16))
    labels[0, 0, 0] = 4
    assert told(segment_index(newer)) == counted(labels)
    again = write_labels(store, labels, name="a", overwrite=True, **FORMS["v3"])
    assert segment_index(again).layout.generation == 2
    with pytest.raises(MetadataError, match="written since these were opened"):
        segment_index(newer)


def test_a_broken_index_is_counted_again_by_an_update(tmp_path):
    labels, store = labels_of(), tmp_path / "a.zarr"
    image = write_labels(store, labels, name="a", **FORMS["v3"])
    shutil.rmtree(store / "ngffseg" / "index" / "a" / "chunks")
    assert verify_index(image).stale
    labels[0, 0, 0] = 5
    image = update_labels(image, [(0, 1)] * 3, labels[:1, :1, :1])
    assert told(segment_index(image)) == counted(labels)
    assert verify_index(image, deep=True).chunks == 0


def test_an_edit_in_a_bucket_is_found_and_counted_again(bucket):
    labels, url = labels_of(), f"{bucket.url}/a.ome.zarr"
    image = write_labels(url, labels, name="a", **FORMS["v3"])
    assert verify_index(image).chunks is None
    client = bucket.server.client()
    data = bucket.read("a.ome.zarr/labels/a/0/c/1/2/1")
    client.put_object(Bucket=bucket.name, Key="a.ome.zarr/labels/a/0/c/3/3/3", Body=data)
    labels[24:32, 24:32, 24:29] = labels[8:16, 16:24, 8:13]
    found = verify_index(image)
    assert (found.stale, found.chunks) == (True, 1)
    labels[25, 25, 25] = 5
    image = update_labels(image, [(25, 26)] * 3, np.full((1, 1, 1), 5, np.uint16))
    assert told(segment_index(image)) == counted(labels)
    assert verify_index(image, deep=True).chunks == 0
