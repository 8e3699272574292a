"""Exact counts of what reading and writing ask a real server for; a change here is one to review."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from ngffseg import open_labels, segment_index, update_labels, write_labels
from ngffseg.cli.main import run
from ngffseg.errors import ChunkError, StaleError
from ngffseg.labels import rebuild_levels
from ngffseg.planning import access_costs
from ngffseg.store import lease, metered
from tests.storage.test_labels import fetched

BENCHMARKS = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
LABELS = np.zeros((256, 256, 256), np.uint32)
LABELS[10:250, 20:240, 30:200] = np.random.default_rng(0).integers(1, 9, (240, 220, 170))
FORMS = {
    "chunks": {"chunks": 64, "shards": None},
    "shards": {"chunks": 64, "shards": 256},
    "0.4": {"chunks": 64, "ngff": "0.4"},
}
# Opening, one chunk then, the same again, 64³ across 8 chunks then, the coarsest level from nothing.
COUNTS = {
    "chunks": [1, 1, 0, 7, 2],
    "shards": [1, 2, 0, 4, 2],
    "0.4": [2, 1, 0, 7, 3],
}


@pytest.fixture(params=["obstore", "s3fs"])
def client(request, monkeypatch):
    if request.param == "s3fs":
        monkeypatch.setattr("ngffseg.store.url.has_obstore", lambda: False)
    return request.param


def count(proxy, call):
    """Requests of a call, which are GETs; the meter counts the same."""
    proxy.clear()
    with metered() as meter:
        call()
    assert set(proxy.counts()) <= {"GET"}
    assert proxy.counts() == meter.requests
    assert sum(record.size for record in proxy.log if record.status < 300) == meter.read_bytes
    return meter.total


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("form", FORMS)
def test_reading(form, proxy, bucket):
    url = f"{bucket.url}/a.ome.zarr"
    write_labels(url, LABELS, name="a", **FORMS[form])
    images = []
    found = [count(proxy, lambda: images.append(open_labels(url, "a")))]
    (image,) = images
    for box in ([(133, 140)] * 3, [(140, 150)] * 3, [(96, 160)] * 3):
        found.append(count(proxy, lambda box=box: image.read(box)))
    found.append(count(proxy, lambda: open_labels(url, "a").read(level=-1 + len(image._arrays))))
    assert found == COUNTS[form]
    assert count(proxy, lambda: image.levels) == 0
    assert count(proxy, image.levels[0][96:160, 96:160, 96:160].compute) == 0  # it was kept


# Boxes as `image.read` takes them, and indices that pick the same.
PICKED = {
    "one chunk": ([(133, 140)] * 3, np.s_[133:140, -123:-116, 133:140]),
    "eight chunks": ([(96, 160)] * 3, np.s_[96:160, 96:160, 96:160]),
    "backwards": ([(96, 160)] * 3, np.s_[159:95:-1, 96:160, 159:95:-1]),
    "a plane": ([(70, 71), (0, 256), (0, 256)], np.s_[70]),
    "a step within chunks": ([(96, 160)] * 3, np.s_[96:160:7, 96:160, [96, 100, 159]]),
    "a mask": ([(0, 64), (0, 64), (64, 128)], np.s_[:64, :64, np.arange(256) // 64 == 1]),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_index_makes_the_requests_of_its_box(form, proxy, bucket):
    url = f"{bucket.url}/a.ome.zarr"
    write_labels(url, LABELS, name="a", levels=1, **FORMS[form])
    for picked, (box, index) in PICKED.items():
        read, indexed, lazy = (open_labels(url, "a") for _ in range(3))
        wanted, found = count(proxy, lambda read=read, box=box: read.read(box)), []
        assert count(proxy, lambda: found.append(indexed[index])) == wanted, picked  # noqa: B023
        np.testing.assert_array_equal(found[0], LABELS[index])
        assert count(proxy, lambda lazy=lazy, index=index: lazy.level(0)[index]) == wanted, picked
    # What lies far apart is a chunk for each place; of a shard the index is there already.
    places = np.array([70, 140, 200])
    for index in np.s_[70:201:65, 70, 70], np.s_[places, places, places]:
        image = open_labels(url, "a")
        image[100, 100, 100]
        assert count(proxy, lambda image=image, index=index: image[index]) == 2


SPARSE = np.zeros((128, 128, 256), np.uint16)
SPARSE[:64, :64, :64] = 5


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(("form", "objects"), [("chunks", 8), ("shards", 1), ("0.4", 8)])
def test_what_is_missing_is_looked_after_once_per_read(form, objects, proxy, bucket):
    """Background, or gone with labels that were replaced? The metadata of the array tell, by one request."""
    url = f"{bucket.url}/a.ome.zarr"
    write_labels(
        url, SPARSE, name="a", levels=1, **FORMS[form] | ({"shards": 128} if form == "shards" else {})
    )
    image, near, far = open_labels(url, "a"), [(0, 64)] * 3, [(0, 128), (0, 128), (128, 256)]
    assert count(proxy, lambda: image.read(near)) == (2 if form == "shards" else 1)  # nothing is missing
    assert count(proxy, lambda: image.read(far)) == objects + 1
    assert count(proxy, lambda: image.read(far)) == 0  # it was looked at after these were missing
    assert count(proxy, lambda: image.read([(0, 9), (0, 9), (120, 200)])) == (0 if form == "shards" else 2)
    write_labels(
        url, SPARSE, name="a", levels=1, overwrite=True, chunks=32, ngff=FORMS[form].get("ngff", "0.5")
    )
    image.clear_cache()
    proxy.clear()
    with pytest.raises(StaleError, match=r"labels/a/0 was removed since it was opened: open it again"):
        image.read(far)
    assert proxy.counts() == {"GET": objects + 1}


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("data", [b"", b"short"], ids=len)
def test_a_shard_without_an_index_is_an_error_on_a_server(data, bucket):
    """The server refuses to send a part of nothing."""
    write_labels(f"{bucket.url}/a.ome.zarr", SPARSE, name="a", levels=1, chunks=32, shards=128)
    key = "a.ome.zarr/labels/a/0/c/0/0/0"
    bucket.server.client().put_object(Bucket=bucket.name, Key=key, Body=data)
    image = open_labels(f"{bucket.url}/a.ome.zarr", "a")
    for box in ([(0, 1)] * 3, [(0, 40)] * 3, None):
        with pytest.raises(ChunkError, match=r"a.ome.zarr/labels/a/0: chunk 0/0/0 cannot be decoded"):
            image.read(box)


@pytest.mark.parametrize("form", FORMS)
def test_one_segment_of_many(form, proxy, bucket):
    url = f"{bucket.url}/a.ome.zarr"
    write_labels(url, LABELS, name="a", **FORMS[form])
    image = open_labels(url, "a")
    group, arrays, chunks = (1, 2, 2) if form != "0.4" else (2, 2, 2)
    assert count(proxy, lambda: segment_index(image)[3]) == group + arrays + chunks


@pytest.mark.parametrize("form", FORMS)
def test_stores_of_others_open_by_three_requests(form, proxy, bucket):
    """Without what ours say of themselves: the group, and level 0."""
    url = f"{bucket.url}/a.ome.zarr"
    write_labels(url, LABELS, name="a", **FORMS[form])
    key = "a.ome.zarr/labels/a/" + (".zattrs" if form == "0.4" else "zarr.json")
    document = json.loads(bucket.read(key))
    document.get("attributes", document).pop("ngffseg")
    bucket.server.client().put_object(Bucket=bucket.name, Key=key, Body=json.dumps(document).encode())
    assert count(proxy, lambda: open_labels(url, "a")) == (3 if form == "0.4" else 2)
    assert count(proxy, lambda: open_labels(url, "a").levels) == (3 if form == "0.4" else 2) + 2


@pytest.fixture
def still(monkeypatch):
    """Who holds the right to a job gives no sign of life, however slow a busy machine is."""
    monkeypatch.setattr(lease, "BEAT", 3600.0)


@pytest.mark.usefixtures("unmarked", "still")
@pytest.mark.parametrize("form", FORMS)
def test_writing_puts_each_object_once(form, client, proxy, bucket, tmp_path, request):
    others = []
    for number, labels in enumerate((LABELS[:64], LABELS)):
        url = f"{bucket.url}/{number}.ome.zarr"
        proxy.clear()
        write_labels(url, labels, name="a", **FORMS[form])
        puts = [record.path for record in proxy.log if record.method == "PUT"]
        # All but the reservation of the name, the right to the job and what it says of itself, which are gone.
        assert len(puts) == len(set(puts)) == len(fetched(url, request, tmp_path / f"{number}")) + 3
        counts = proxy.counts()
        verb = {"obstore": "POST", "s3fs": "DELETE"}[client]
        # Reservation, and folder of the job.
        assert counts[verb] == {"obstore": 2, "s3fs": 3}[client]
        # s3fs looks for an object of the name where it has listed nothing.
        assert set(counts) - ({"HEAD"} if client == "s3fs" else set()) == {"PUT", "GET", "LIST", verb}
        others.append((counts["LIST"], counts["GET"] - 3 * len(open_labels(url)._arrays)))
    # However many blocks there are.
    assert others[0] == others[1]
    assert others[0][0] == {"obstore": 8, "s3fs": 10}[client]


# By a write, an overwrite, a second label image, an update, a rebuild.
GETS = {"0.5": [56, 24, 31, 30, 33], "0.4": [67, 41, 45, 38, 53]}
SMALL = np.zeros((32, 32, 32), np.uint8)
SMALL[5:15, 5:15, 5:15] = 3


@pytest.mark.usefixtures("unmarked", "still")
@pytest.mark.parametrize("ngff", ["0.5", "0.4"])
def test_metadata_are_fetched_once(ngff, proxy, bucket):
    """Chunks, checkpoints of a job and what is read to be changed are among these requests."""
    url, found = f"{bucket.url}/a.ome.zarr", []

    def fetched_by(function, *args, **options):
        proxy.clear()
        result = function(*args, **options)
        found.append(proxy.counts()["GET"])
        return result

    fetched_by(write_labels, url, SMALL, name="a", levels=2, ngff=ngff)
    fetched_by(write_labels, url, SMALL, name="a", overwrite=True)
    fetched_by(write_labels, url, SMALL, name="b")
    image = open_labels(url, "a")
    fetched_by(update_labels, image, [(0, 4)] * 3, np.full((4, 4, 4), 7, np.uint8))
    fetched_by(rebuild_levels, url, "a")
    assert found == GETS[ngff]


def test_a_store_on_disk_costs_what_a_copy_of_it_on_s3_does(bucket, tmp_path):
    costs = []
    for address in (tmp_path / "a.ome.zarr", f"{bucket.url}/a.ome.zarr"):
        write_labels(address, LABELS, name="a", **FORMS["shards"])
        costs.append(access_costs(address, "a"))
    assert costs[0] == costs[1]
    assert [cost.total for cost in costs[0]] == [1, 2, 0, 2]


def test_info_prints_them(bucket, capsys):
    url = f"{bucket.url}/a.ome.zarr"
    write_labels(url, LABELS, name="a", **FORMS["shards"])
    assert run(["info", url, "--requests", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["requests"]
    assert [step["requests"] for step in told] == [{"GET": 1}, {"GET": 2}, {}, {"GET": 2}]
    assert run(["info", url, "--requests"]) == 0
    assert "requests for labels/a" in capsys.readouterr().out


def test_the_table_of_benchmarks_has_these_counts():
    rows = re.findall(
        r"^\| (open|one chunk|coarsest level), (chunks|shards) \| (\d+) / ", BENCHMARKS, re.MULTILINE
    )
    assert len(rows) == 6
    for task, form, total in rows:
        opening, chunk, _, _, coarsest = COUNTS[form]
        assert int(total) == {"open": opening, "one chunk": opening + chunk, "coarsest level": coarsest}[task]
