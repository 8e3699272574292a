"""Labels that were opened before somebody wrote them again, or removed them: old, new, or an error."""

import itertools
import multiprocessing
import os
import pickle
import shutil
import uuid

import dask
import fsspec
import numpy as np
import pytest
import zarr

from ngffseg import open_labels, segment_index, update_labels, write_labels
from ngffseg.errors import StaleError
from ngffseg.labels import open_contents, open_segmentation, rebuild_levels
from tests.labels.test_damage import create

SHAPE = (32, 32, 32)
ONES = np.ones(SHAPE, np.uint16)
FORMS = {
    "chunks": {"chunks": 8, "shards": None},
    "other chunks": {"chunks": 16, "shards": None},
    "as many voxels": {"chunks": (4, 8, 16), "shards": None, "codec": "none"},
    "shards": {"chunks": 8, "shards": 16},
    "raw": {"chunks": 8, "shards": None, "codec": "none"},
}
AGAIN = "since it was opened: open it again"


@pytest.fixture(params=["disk", "memory"])
def new(request, tmp_path):
    """Makes addresses of new stores."""
    if request.param == "disk":
        return lambda: str(tmp_path / f"{uuid.uuid4().hex}.zarr")
    return lambda: f"memory://{uuid.uuid4().hex}/a.zarr"


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(FORMS, 2)))
def test_an_image_that_was_written_again(before, after, new):
    """Today zeros: of chunks of other sizes none is where it was."""
    url = new()
    image = write_labels(url, ONES, name="a", levels=2, **FORMS[before])
    lazy = image.levels
    image.read([(0, 4)] * 3)  # a part of it is at hand
    write_labels(url, 2 * ONES, name="a", levels=2, overwrite=True, **FORMS[after])
    for read in (image.read, lambda: image.read(level=1), lazy[0][8:].compute, lazy[1].compute):
        with pytest.raises(StaleError, match=rf"labels/a/.* {AGAIN}$"):
            read()
    assert (open_labels(url).read() == 2).all()


def test_an_image_that_was_written_again_twice_with_the_same_options(new):
    """On object stores levels get paths of their own each time, even where the same job writes them."""
    url = new()
    write_labels(url, ONES, name="a", levels=1, chunks=8)
    seen = [open_labels(url)]
    for value in (2, 3, 4):
        labels = value * ONES
        labels[:8] = 0
        write_labels(url, labels, name="a", levels=1, chunks=8, overwrite=True)
        for old in seen:
            old.clear_cache()  # what is at hand would be read as it was
            with pytest.raises(StaleError):
                old.read()
        seen.append(open_labels(url))
        np.testing.assert_array_equal(seen[-1].read(), labels)
    if url.startswith("memory"):
        assert len({image._arrays[0].path for image in seen}) == 4


def remove(url, path):
    fs, base = fsspec.core.url_to_fs(url)
    fs.rm(f"{base}/{path}".rstrip("/"), recursive=True)


@pytest.mark.parametrize("what", ["labels/a", "labels/a/0", ""])
def test_an_image_that_was_removed(what, new):
    url = new()
    image = write_labels(url, ONES, name="a", chunks=8, levels=2)
    lazy, layer = image.levels[0], open_segmentation(url).layers[0]
    remove(url, what)
    for read in (image.read, lazy.compute, lambda: layer[4:8]):
        with pytest.raises(StaleError, match="was removed since it was opened: open it again"):
            read()


def test_levels_that_were_built_anew(new):
    """Level 0 stays; what was above it is gone."""
    url = new()
    image = write_labels(url, ONES, name="a", chunks=8, levels=2)
    assert (image.read(level=1) == 1).all()
    rebuild_levels(url, "a", chunks=4)
    image.clear_cache()
    assert (image.read() == 1).all()
    with pytest.raises(StaleError, match=AGAIN):
        image.read(level=1)


def test_an_index_that_was_replaced(new):
    """An update writes the index anew under other names, and removes the old one."""
    url = new()
    image = write_labels(url, ONES, name="a", chunks=8)
    index = segment_index(image)
    assert index[1].voxels == 32**3
    fresh = segment_index(image)
    update_labels(image, [(0, 8)] * 3, 5 * ONES[:8, :8, :8])
    with pytest.raises((StaleError, OSError, ValueError)):
        fresh.labels()
    assert segment_index(open_labels(url)).labels().tolist() == [1, 5]


def test_updates_are_read_as_they_come(new):
    """An update changes chunks in place: whoever opened the labels before reads what is there."""
    url = new()
    labels = ONES.copy()
    image = write_labels(url, labels, name="a", chunks=8)
    for value in (3, 0, 4):
        now = open_labels(url)
        update_labels(now, [(0, 16)] * 3, np.full((16,) * 3, value, np.uint16))
        labels[:16, :16, :16] = value
        image.clear_cache()
        np.testing.assert_array_equal(image.read(), labels)


@pytest.mark.parametrize("version", [2, 3])
def test_an_image_of_another_program(version, new, tmp_path):
    """It has no generation: the metadata of its array are compared."""
    from tests.storage.kinds import fill

    form = {"compressors": None, "zarr_format": version}
    folder = create(tmp_path / "before", form)
    url = new()
    fill(url, folder, None)
    image, contents = open_labels(url, "a"), open_contents(url)
    before = open_labels(url, "a").read()
    remove(url, "")
    other = tmp_path / "after"
    shutil.copytree(folder, other)
    for path in ("0", "labels/a/0"):
        array = zarr.open_group(other, mode="a", zarr_format=version).create_array(
            path, shape=before.shape, chunks=(4, 8, 16), dtype="u2", overwrite=True, compressors=None,
            chunk_key_encoding={"name": "default" if version == 3 else "v2", "separator": "/"}, fill_value=0,
        )  # fmt: skip
        array[:] = before + 1
    fill(url, other, None)
    for read in (image.read, contents.image.read, image.levels[0].compute):
        with pytest.raises(StaleError, match="was written again since it was opened: open it again"):
            read()


def test_what_is_copied_or_touched_is_the_same(tmp_path):
    """Other inodes and times are no other labels, where these say how often they have been written."""
    image = write_labels(tmp_path / "a.zarr", ONES, name="a", chunks=8)
    shutil.copytree(tmp_path / "a.zarr", tmp_path / "b.zarr")
    shutil.rmtree(tmp_path / "a.zarr")
    (tmp_path / "b.zarr").rename(tmp_path / "a.zarr")
    for _ in range(2):
        assert (image.read() == 1).all()
        os.utime(tmp_path / "a.zarr/labels/a/0/zarr.json")


def test_a_graph_in_another_process_knows_what_it_was_made_from(tmp_path):
    image = write_labels(tmp_path / "a.zarr", ONES, name="a", **FORMS["raw"])
    travelled = pickle.dumps(image.levels[0])
    assert (pickle.loads(travelled).compute() == 1).all()
    with dask.config.set(scheduler="processes", num_workers=1):
        assert (image.levels[0][:8].compute() == 1).all()
        write_labels(tmp_path / "a.zarr", 2 * ONES, name="a", overwrite=True, **FORMS["as many voxels"])
        with pytest.raises(StaleError, match=AGAIN):
            image.levels[0][:8].compute()
    with pytest.raises(StaleError, match=AGAIN):
        pickle.loads(travelled).compute()


def test_an_archive_that_was_replaced(tmp_path):
    from ngffseg import export_segmentation

    images = []
    for value in (1, 2):
        labels = value * ONES
        labels[: 8 * value] = 0
        write_labels(tmp_path / f"{value}.zarr", labels, name="a", **FORMS["raw"])
        export_segmentation(tmp_path / f"{value}.zarr", tmp_path / "a.ozx")
        images.append(open_labels(tmp_path / "a.ozx"))
    with pytest.raises(StaleError, match=AGAIN):
        images[0].read()
    assert (images[1].read() == labels).all()


def overwrite(jobs):
    """Write labels of one value for each job, and tell when they are written."""
    while (job := jobs.recv()) is not None:
        url, value, form = job
        write_labels(url, value * ONES, name="a", levels=1, overwrite=True, **form)
        jobs.send(value)


@pytest.fixture(scope="module")
def writer():
    """A way to another process, which writes what it is told to."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=overwrite, args=(there,))
    process.start()
    there.close()
    yield here
    here.send(None)
    process.join()
    assert process.exitcode == 0
    here.close()


WRITERS = {
    "the same chunks": ["raw"],
    "other chunks": ["chunks", "other chunks"],
    "chunks of as many voxels": ["raw", "as many voxels"],
    "shards": ["shards", "chunks"],
}


def look(image, number):
    """The one value that is read, None if the read says that the labels were written again."""
    try:
        found = np.unique(image.read() if number % 2 else image.levels[0].compute())
    except StaleError as error:
        assert AGAIN in str(error)  # noqa: PT017
        return None
    assert len(found) == 1, f"a mixture of {found}"
    return int(found[0])


def trial(writer, url, forms, times):
    """Read while another process writes, and once it has written: one value, or an error that says so.

    Returns how often values were read in the middle of a write, and how often it was an error.
    """
    image, value = write_labels(url, ONES, name="a", levels=1, **FORMS[forms[0]]), 1
    read = stale = 0
    for number in range(times):
        before, value = value, 2 + number % 3
        writer.send((url, value, FORMS[forms[(number + 1) % len(forms)]]))
        going = True
        while going:
            found = look(image, number)
            if found is None:
                stale, image = stale + 1, open_labels(url)
            else:
                assert found in (before, value)
                read += 1
            going = not writer.poll()
        assert writer.recv() == value
        found = look(image, number)
        if found is None:
            stale += 1
            image = open_labels(url)
            found = look(image, number)
        assert found == value
    return read, stale


@pytest.mark.parametrize("forms", WRITERS)
def test_reads_while_another_process_overwrites(forms, writer, tmp_path):
    _, stale = trial(writer, str(tmp_path / "a.zarr"), WRITERS[forms], 4)
    assert stale >= 4


@pytest.mark.long
@pytest.mark.parametrize("forms", WRITERS)
def test_reads_while_another_process_overwrites_for_long(forms, writer, tmp_path):
    read, stale = trial(writer, str(tmp_path / "a.zarr"), WRITERS[forms], 100)
    assert read > 0
    assert stale >= 100
