"""Label images in every kind of store: what is read and what is written is the same everywhere."""

import pickle
import re

import dask
import numpy as np
import pytest

from ngffseg import (
    Geometry,
    Segment,
    Segmentation,
    check,
    export_segmentation,
    open_labels,
    segment_index,
    write_labels,
)
from ngffseg.cli.main import main
from ngffseg.labels import rebuild_levels, store_tree, write_segmentation
from ngffseg.model import Volume
from tests import forks
from tests.labels.stores import digest
from tests.storage.kinds import READABLE, WRITABLE, fill, readable, writable

RNG = np.random.default_rng(1)
GRID = Geometry((60, 70, 80), [[0.5, 0, 0, -7], [0, 0.5, 0, 1], [0, 0, 2, 3], [0, 0, 0, 1]])
LABELS = np.zeros(GRID.shape, np.uint64)
LABELS[10:50, 20:60, 30:70] = 2**63 + 5
LABELS[12:20, 5:60, 3:70] = RNG.integers(0, 50, (8, 55, 67))
OTHER = (LABELS > 0).astype(np.uint64) * 3
SEGMENTS = (
    Segment(2**63 + 5, id="s1", name="liver", color=(200, 30, 4, 255)),
    Segment(3, id="s2", name="all", color=(1, 2, 3, 255), layer=1),
)
SEGMENTATION = Segmentation((LABELS, OTHER), SEGMENTS, GRID)
FORMS = {
    "0.5 shards": {"ngff": "0.5", "chunks": 16, "shards": 32},
    "0.5 chunks": {"ngff": "0.5", "chunks": 32, "shards": None},
    "0.4": {"ngff": "0.4", "chunks": 32},
}


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """One local store per form."""
    made = {}
    for form, options in FORMS.items():
        made[form] = tmp_path_factory.mktemp("local") / "case.ome.zarr"
        write_segmentation(
            made[form], SEGMENTATION, name="organs", image=Volume(LABELS.astype(np.int16), GRID), **options
        )
        write_labels(made[form], OTHER, name="other", geometry=GRID, **options)
    return made


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", READABLE)
def test_reading(kind, form, local, request, tmp_path):
    with readable(kind, local[form], request, tmp_path) as url:
        image = open_labels(f"{url}/labels/organs")
        ours = open_labels(local[form], "organs")
        assert (image.segments, image.layers) == (ours.segments, ours.layers)
        assert (image.geometry.affine == ours.geometry.affine).all()
        np.testing.assert_array_equal(image.read(), LABELS)
        box = ((5, 47), (30, 31), (7, 80))
        np.testing.assert_array_equal(image.read(box), LABELS[5:47, 30:31, 7:80])
        for mine, theirs in zip(image.levels, ours.levels, strict=True):
            np.testing.assert_array_equal(mine.compute(), theirs.compute())
        again = pickle.loads(pickle.dumps(image))
        np.testing.assert_array_equal(again.levels[0][12:14].compute(), LABELS[12:14])
        index = segment_index(image)
        assert list(index) == list(segment_index(ours))
        assert index[2**63 + 5].voxels == (LABELS == 2**63 + 5).sum()
        assert [v for v in check(url) if v.severity == "MUST"] == []
        tree = store_tree(url)
        assert [stored.image.name for stored in tree.labels] == ["organs", "organs__layer1", "other"]
        exported = []
        for address in (url, local[form]):
            export_segmentation(address, tmp_path / "a.seg.nrrd", name="organs")
            exported.append((tmp_path / "a.seg.nrrd").read_bytes())
        assert exported[0] == exported[1]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", [kind for kind in WRITABLE if kind != "local"])
def test_what_is_written_is_what_lies_on_a_disk(kind, form, request, tmp_path):
    url = writable(kind, request, tmp_path).new()
    for target in (url, tmp_path / "local.zarr"):
        write_segmentation(target, SEGMENTATION, name="organs", **FORMS[form])
        write_labels(target, OTHER, name="other", geometry=GRID, **FORMS[form])
    assert [v for v in check(url) if v.severity == "MUST"] == []
    found = fetched(url, request, tmp_path / "fetched")
    found = {key: value for key, value in found.items() if not key.startswith("ngffseg/register/")}
    assert found == digest(tmp_path / "local.zarr")


def fetched(url, request, folder):
    """Digests of all objects of a store, got without the code under test."""
    if url.startswith("s3://"):
        bucket = request.getfixturevalue("bucket")
        prefix = url.removeprefix(f"{bucket.url}/")
        for key in sorted(bucket.keys()):
            if key.startswith(prefix):
                file = folder / key.removeprefix(prefix).lstrip("/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(bucket.read(key))
    else:
        import fsspec

        fs, base = fsspec.core.url_to_fs(url)
        fs.get(base, str(folder), recursive=True)
    return digest(folder)


@pytest.mark.parametrize("kind", WRITABLE)
def test_replacing_and_rebuilding(kind, request, tmp_path):
    url = writable(kind, request, tmp_path).new()
    for form in ("0.5 shards", "0.5 chunks"):
        options = {k: v for k, v in FORMS[form].items() if k != "ngff"}
        image = write_labels(url, LABELS, name="a", overwrite=True, **options)
        np.testing.assert_array_equal(image.read(), LABELS)
    image = rebuild_levels(url, "a", method="nearest")
    np.testing.assert_array_equal(image.read(level=1), LABELS[::2, ::2, ::2])
    np.testing.assert_array_equal(write_labels(url, OTHER, name="a", overwrite=True).read(), OTHER)
    assert [v for v in check(url) if v.severity == "MUST"] == []
    if kind.startswith("s3"):
        keys = request.getfixturevalue("bucket").keys()
        levels = {key.split("/labels/a/")[1].split("/")[0] for key in keys if "/labels/a/" in key}
        assert len(levels) == 1 + len(image._arrays), levels  # nothing of the older ones is left
        assert sum("/register/" in key for key in keys) == 1


def test_labels_of_a_folder_that_was_copied_to_s3_are_replaced(local, bucket):
    url = f"{bucket.url}/copied.ome.zarr"
    fill(url, local["0.5 shards"], bucket.server.client())
    write_labels(url, LABELS, name="new", geometry=GRID)
    write_labels(url, LABELS, name="other", geometry=GRID, overwrite=True)
    assert [stored.image.name for stored in store_tree(url).labels][-1] == "new"
    np.testing.assert_array_equal(open_labels(url, "other").read(), LABELS)
    assert [v for v in check(url) if v.severity == "MUST"] == []


def test_levels_are_read_by_other_processes(bucket):
    url = f"{bucket.url}/a.ome.zarr"
    image = write_labels(url, LABELS, name="a", chunks=32, shards=None)
    with dask.config.set(scheduler="processes", num_workers=2):
        np.testing.assert_array_equal(image.levels[0].compute(), LABELS)


def test_the_same_lines_of_the_shell(bucket, slicer_files, tmp_path):
    source = slicer_files / "SegmentationOverlapping.seg.nrrd"
    answers = {}
    for address in (str(tmp_path / "a.ome.zarr"), f"{bucket.url}/a.ome.zarr"):
        said = []
        for words in (
            ["import", str(source), address, "--name", "organs"],
            ["info", address],
            ["check", address],
            ["segments", address, "--name", "organs"],
            ["pyramid", address, "--name", "organs", "--method", "sparse"],
            ["export", address, str(tmp_path / "out.seg.nrrd"), "--name", "organs"],
        ):
            out, error = (tmp_path / f"{len(answers)}{len(said)}{name}" for name in ("out", "error"))
            process = forks.start(main, words, out=out, error=error)
            process.join(120)
            assert (process.exitcode, error.read_text("utf-8")) == (0, ""), words
            # Levels that were rebuilt are named by the job.
            told = out.read_text("utf-8").replace(address, "STORE")
            said.append(re.sub("[0-9a-f]{12}-", "JOB-", told))
        answers[address] = said, (tmp_path / "out.seg.nrrd").read_bytes()
    first, second = answers.values()
    assert first == second
