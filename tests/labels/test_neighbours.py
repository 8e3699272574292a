"""What others keep in a store stays: their attributes, their consolidated metadata, their versions."""

import errno
import itertools
import os
import resource
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import zarr

from ngffseg import export_segmentation, open_labels, update_labels, write_labels
from ngffseg.errors import MetadataError, NgffsegError, NgffsegWarning, StoreError, UsageError
from ngffseg.labels import check, open_contents, rebuild_levels
from tests.labels.neighbours import (
    VERSIONS,
    attributes,
    consolidate,
    copied,
    multiscales,
    of_others,
    put,
    put_levels,
    scaled,
    spatialdata_element,
    spatialdata_store,
    store_of_others,
    tree,
)
from tests.storage.kinds import fill
from tests.storage.test_labels import fetched

pytestmark = pytest.mark.usefixtures("unmarked")
LABELS = np.zeros((16, 16), np.uint8)
LABELS[2:9, 3:12] = 5


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


@pytest.fixture(params=["local", "memory", "s3"])
def placed(request, tmp_path):
    """Puts a folder where stores of a kind are, and gets a store from there as a folder."""
    numbers = itertools.count()

    def send(folder: Path) -> str:
        if request.param == "local":
            return str(folder)
        bucket = request.getfixturevalue("bucket") if request.param == "s3" else None
        url = f"{bucket.url}/a.ome.zarr" if bucket else f"memory://{tmp_path.name}-{next(numbers)}.ome.zarr"
        fill(url, folder, bucket and bucket.server.client())
        return url

    def get(url: str) -> Path:
        if "://" not in url:
            return Path(url)
        target = tmp_path / f"fetched {next(numbers)}"
        fetched(url, request, target)
        return target

    return send, get


def change(url, verb):
    if verb == "write":
        write_labels(url, LABELS, name="ours", levels=2)
    elif verb == "overwrite":
        write_labels(url, LABELS, name="theirs", levels=2, overwrite=True)
    elif verb == "rebuild":
        rebuild_levels(url, "theirs")
    elif verb == "update":
        update_labels(open_labels(url, "theirs"), ((0, 2), (0, 3)), np.ones((2, 3), np.uint8))


def test_groups_keep_what_is_of_others(placed, version, tmp_path):
    send, get = placed
    url = send(store_of_others(tmp_path / "a.ome.zarr", version, image=False))
    before = of_others(get(url))
    assert len(before) >= 4
    for verb in ("write", "overwrite", "update"):
        change(url, verb)
        after = of_others(get(url))
        assert {key: after[key] for key in before} == before, verb
    assert open_labels(url, "ours").read().max() == 5


def test_an_image_keeps_what_is_of_others(version, tmp_path):
    store = store_of_others(tmp_path / "a.ome.zarr", version)
    image, others = tree(store / "0"), of_others(store)
    for verb in ("write", "rebuild", "update", "overwrite", "update"):
        change(store, verb)
        after = of_others(store)
        assert {key: after[key] for key in others} == others, verb
    assert tree(store / "0") == image


def test_rebuilt_levels_keep_keys_of_others(version, tmp_path):
    store = store_of_others(tmp_path / "a.ome.zarr", version)
    second = multiscales(version, ("1",), name="second")
    first = multiscales(version, their={"deep": 1}, metadata={"made": "by hand"})
    first["axes"] = [{**axis, "unit": "micrometer", "longName": "along"} for axis in first["axes"]]
    put(store / "labels" / "theirs", version, {"multiscales": [first, second], "image-label": {"their": 1}})
    rebuild_levels(store, "theirs")
    told = attributes(store / "labels" / "theirs")
    told = told.get("ome", told)
    assert told["image-label"] == {"their": 1}
    assert told["multiscales"][1] == second
    assert told["multiscales"][0]["their"] == {"deep": 1}
    assert told["multiscales"][0]["axes"] == first["axes"]
    assert [d["note"] for d in told["multiscales"][0]["datasets"]] == ["of level 0", "of level 1"]
    # The array that the second one names is still there.
    assert zarr.open_array(store / "labels" / "theirs" / "1", mode="r").shape == (8, 8)


def test_a_replaced_label_image_keeps_what_others_have_put_below_it(version, tmp_path):
    store = store_of_others(tmp_path / "a.ome.zarr", version)
    put(store / "labels" / "theirs" / "tables", version)
    (store / "labels" / "theirs" / "notes.txt").write_text("of others")
    before = of_others(store)
    change(store, "overwrite")
    change(store, "overwrite")
    assert of_others(store) == before
    assert (store / "labels" / "theirs" / "notes.txt").read_text() == "of others"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_image_joins_a_root_of_others(placed, version, tmp_path):
    send, get = placed
    url = send(store_of_others(tmp_path / "a.ome.zarr", version, image=False))
    before = of_others(get(url))
    write_labels(url, LABELS, name="ours", levels=2, image=LABELS * 2.0)
    after = of_others(get(url))
    assert {key: after[key] for key in before} == before
    assert zarr.open_array(get(url) / "s0", mode="r")[5, 5] == 10


def test_consolidated_metadata_is_true_wherever_it_stands(placed, version, tmp_path):
    send, get = placed
    inside = ("labels/theirs", "labels", "")
    url = send(store_of_others(tmp_path / "a.ome.zarr", version, consolidated=inside))
    for verb in ("write", "update", "overwrite"):
        if verb == "update":
            rebuild_levels(url, "theirs")
        change(url, verb)
        folder = get(url)
        for path in inside:
            told = consolidated_members(folder / path, version)
            assert told == members(folder / path, version), (verb, path)
            assert told


@pytest.mark.parametrize("inside", ["", "labels", "labels/theirs", "tables"])
def test_consolidated_metadata_is_made_nowhere(version, inside, tmp_path):
    store = store_of_others(tmp_path / "a.ome.zarr", version, consolidated=[inside])
    for verb in ("write", "rebuild", "update", "overwrite"):
        change(store, verb)
    paths = ["", "labels", "labels/theirs", "labels/ours", "tables", "ngffseg", "ngffseg/index"]
    assert [path for path in paths if has_consolidated(store / path)] == [inside]


def test_consolidated_metadata_around_a_store_is_true(version, tmp_path):
    around = tmp_path / "all.zarr"
    put(around, version)
    put(around / "images", version)
    store = store_of_others(around / "images" / "a", version)
    consolidate(around, version)
    write_labels(store, LABELS, name="ours", levels=2)
    told = consolidated_members(around, version)
    assert told == members(around, version)
    assert "images/a/labels/ours/0" in told
    assert not has_consolidated(around / "images")


def test_consolidated_metadata_is_what_zarr_makes_of_it(version, tmp_path):
    store = store_of_others(tmp_path / "a.ome.zarr", version, consolidated=[""])
    write_labels(store, LABELS, name="ours", levels=2)
    theirs = copied(store, tmp_path / "theirs.zarr")
    consolidate(theirs, version)
    assert consolidated_members(store, version) == consolidated_members(theirs, version)


def opened(folder, version, *, use):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of folders that are no nodes
        group = zarr.open_group(folder, mode="r", use_consolidated=use, zarr_format=VERSIONS[version])
        return {path: dict(node.attrs) for path, node in group.members(max_depth=None)}


def consolidated_members(folder, version):
    assert has_consolidated(folder)
    return opened(folder, version, use=True)


def members(folder, version):
    return opened(folder, version, use=False)


def has_consolidated(folder):
    document = folder / "zarr.json"
    return (folder / ".zmetadata").exists() or (
        document.exists() and "consolidated_metadata" in document.read_text()
    )


STATES = ["new", "labels only", "image", "overwrite", "rebuild"]


def state_of(state, folder, version):
    """A store, and what is done to it."""
    if state == "new":
        folder.mkdir()
        return lambda store: write_labels(store, LABELS, name="ours", levels=2, ngff=version)
    store_of_others(folder, version, image=state != "labels only", consolidated=["", "labels/theirs"])
    return lambda store: change(store, state if state in ("overwrite", "rebuild") else "write")


@pytest.mark.parametrize("state", STATES)
def test_whatever_step_fails_all_is_as_before(state, version, tmp_path, monkeypatch):
    """The disk fails at each file and folder in turn that takes its place, after it has."""
    act = state_of(state, tmp_path / "first", version)
    before = tree(tmp_path / "first")
    failed = 0
    for number in itertools.count(1):
        store = copied(tmp_path / "first", tmp_path / f"{number}")
        with monkeypatch.context() as patch:
            taken = failing_disk(patch, store, number)
            try:
                act(store)
            except StoreError as error:
                registered = "is written and registered" in str(error)
        if len(taken) < number:
            break
        if not registered:
            failed += 1
            assert tree(store) == before, taken[-1]
        assert number < 99
    assert failed >= 4


def failing_disk(patch, store, number):
    """Have the number-th file or folder that takes its place in a store be the last for want of space."""
    taken = []

    def failing(real):
        def step(self, target):
            result = real(self, target)
            path = Path(target).relative_to(store).as_posix() if Path(target).is_relative_to(store) else ""
            if path and not path.startswith("ngffseg/jobs/"):
                taken.append(path)
                if len(taken) == number:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return result

        return step

    patch.setattr(Path, "replace", failing(Path.replace))
    patch.setattr(Path, "rename", failing(Path.rename))
    return taken


@pytest.mark.parametrize(
    "stray", ["labels/ours/.DS_Store", "ngffseg/index/ours/.DS_Store", "0/.DS_Store", "1", "ngffseg"]
)
def test_a_stray_file_in_the_way(stray, version, tmp_path):
    store = store_of_others(tmp_path / "a.ome.zarr", version, image=not stray[0].isdigit())
    (store / stray).parent.mkdir(parents=True, exist_ok=True)
    (store / stray).write_bytes(b"Bud1")
    before = tree(store)
    if stray == "0/.DS_Store":
        change(store, "write")  # an array can be made beside it
        assert (store / stray).read_bytes() == b"Bud1"
        return
    with pytest.raises(NgffsegError):
        change(store, "write")
    assert tree(store) == before


def test_files_that_may_not_grow(version, tmp_path):
    """As under a quota: the register, which is long, cannot be written any more."""
    store = store_of_others(tmp_path / "a.ome.zarr", version, image=False)
    put(store / "labels", version, {"labels": ["theirs"]}, {"long": "x" * 200_000})
    before, limits = tree(store), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, limits[1]))
    try:
        with pytest.raises(StoreError):
            change(store, "write")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert tree(store) == before


@pytest.mark.parametrize("base", ["0.4", "0.5-dev-spatialdata"])
def test_alternatives_are_no_part_of_the_levels(base, tmp_path):
    store = spatialdata_store(tmp_path / "a.zarr", base)
    image = open_labels(store, "cells")
    assert image.geometry.affine[0, 0] == 1
    assert image.read().sum() == 16


def test_alternatives_are_kept(tmp_path):
    store = spatialdata_store(tmp_path / "a.zarr", "0.4")
    before = attributes(store / "labels" / "cells")
    rebuild_levels(store, "cells", levels=2)
    told = attributes(store / "labels" / "cells")
    assert told["spatialdata_attrs"] == before["spatialdata_attrs"]
    (first,), (old,) = told["multiscales"], before["multiscales"]
    assert first["coordinateTransformations"] == old["coordinateTransformations"]
    assert [d["coordinateTransformations"][0]["scale"] for d in first["datasets"]] == [[1, 1], [2, 2]]


@pytest.mark.parametrize("foreign", ["0.5-dev-spatialdata", "0.6.dev3", "0.9"])
def test_a_version_that_is_not_written_stays(foreign, tmp_path):
    """Even where it is that of the label image alone."""
    store = store_of_others(tmp_path / "a.ome.zarr", "0.5")
    put(store / "labels" / "theirs", "0.5", {"version": foreign, "multiscales": [multiscales("0.5")]})
    before = tree(store)
    for verb in ("rebuild", "update", "overwrite"):
        with pytest.raises(MetadataError, match=f"labels/theirs is OME-Zarr {foreign}: only 0.4 and 0.5"):
            change(store, verb)
        assert tree(store) == before, verb
    change(store, "write")
    assert attributes(store / "labels" / "theirs")["ome"]["version"] == foreign


@pytest.mark.parametrize("where", ["", "labels"])
def test_nothing_joins_a_version_that_is_not_written(where, tmp_path):
    store = store_of_others(tmp_path / "a.ome.zarr", "0.5")
    key, told = ("labels", ["theirs"]) if where else ("multiscales", [multiscales("0.5")])
    put(store / where, "0.5", {"version": "0.6.dev3", key: told})
    before = tree(store)
    for verb in ("write", "rebuild", "update", "overwrite"):
        with pytest.raises(MetadataError, match=r"0\.6\.dev3: only 0\.4 and 0\.5"):
            change(store, verb)
    assert tree(store) == before


def test_an_old_version_of_one_multiscales_stays(tmp_path):
    store = store_of_others(tmp_path / "a.ome.zarr", "0.4")
    old = {**multiscales("0.4"), "version": "0.3", "axes": ["y", "x"]}
    put(store / "labels" / "theirs", "0.4", {"multiscales": [multiscales("0.4"), old]})
    before = tree(store)
    with pytest.raises(MetadataError, match=r"labels/theirs is OME-Zarr 0\.3"):
        change(store, "rebuild")
    assert tree(store) == before


def test_a_fix_guesses_at_no_version(tmp_path):
    store = spatialdata_store(tmp_path / "a.zarr")
    before = tree(store)
    assert "UNKNOWN" in {violation.severity for violation in check(store, fix=True)}
    assert tree(store) == before


AFFINE = {"type": "affine", "affine": [[0.5, 1.0, 0.0], [1.0, 0.0, 3.0]]}


@pytest.mark.parametrize("outer", [[AFFINE], [{"type": "sequence", "transformations": [scaled(2), AFFINE]}]])
def test_what_is_not_understood_is_read_and_not_republished(outer, version, tmp_path):
    store = store_of_others(tmp_path / "a.ome.zarr", version)
    told = multiscales(version, coordinateTransformations=outer)
    put(store / "labels" / "theirs", version, {"multiscales": [told]})
    before = tree(store)
    assert open_labels(store, "theirs").read().sum() == 16
    with pytest.warns(NgffsegWarning, match="'theirs': a transformation of type 'affine' is not understood"):
        export_segmentation(store, tmp_path / "a.nrrd", name="theirs")
    with pytest.raises(MetadataError, match="transformation of type 'affine'"):
        change(store, "rebuild")
    put(store, version, {"multiscales": [told]})
    with pytest.raises(MetadataError, match="transformation of type 'affine'"):
        change(store, "write")
    put(store, version, {"multiscales": [multiscales(version)], "omero": {"channels": []}})
    assert tree(store) == before


KINDS = {
    "plate": ({"plate": {"wells": [{"path": "B/3"}]}}, {}, "a plate .*, no image: .*/B/3/0$"),
    "well": ({"well": {"images": [{"path": "7"}]}}, {}, "a well of a plate .*, no image: .*/7$"),
    "series": ({"bioformats2raw.layout": 3}, {}, "bioformats2raw writes it, no image: .*/0$"),
    "spatialdata": (None, {"spatialdata_attrs": {"version": "0.2"}}, "spatialdata store"),
}


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_labels_do_not_join_what_is_no_image(kind, labels, version, tmp_path):
    metadata, beside, told = KINDS[kind]
    put(tmp_path / "a.zarr", version, metadata, beside)
    if labels:
        put(tmp_path / "a.zarr" / "labels", version, {"labels": []})
    before = tree(tmp_path)
    with pytest.raises(MetadataError, match=told):
        write_labels(tmp_path / "a.zarr", LABELS, name="ours")
    assert tree(tmp_path) == before


def test_labels_do_not_join_an_element_of_spatialdata(tmp_path):
    """Spatialdata 0.7.3 takes an image with labels below it for damaged, and opens nothing of its store."""
    spatialdata_element(tmp_path / "a.zarr", "0.4")
    before = tree(tmp_path)
    with pytest.raises(MetadataError, match="spatialdata store"):
        write_labels(tmp_path / "a.zarr", LABELS, name="ours")
    assert tree(tmp_path) == before


def test_a_labels_group_in_another_zarr_format_keeps_its_names(tmp_path):
    store = store_of_others(tmp_path / "a.ome.zarr", "0.5")
    (store / "labels" / "zarr.json").unlink()
    put(store / "labels", "0.4", {"labels": ["theirs"]})
    before = tree(store)
    with pytest.raises(MetadataError, match="of different versions"):
        change(store, "write")
    assert tree(store) == before


@pytest.mark.parametrize("harm", ["missing", "no multiscales", "no level 0", "floats", "no JSON"])
def test_an_odd_label_image_hides_no_other_one(harm, version, tmp_path):
    store = store_of_others(tmp_path / "a.ome.zarr", version)
    write_labels(store, LABELS, name="ours", levels=2)
    harmed = store / "labels" / "theirs"
    if harm in ("missing", "floats"):
        shutil.rmtree(harmed)
    if harm == "no multiscales":
        put(harmed, version, {"image-label": {}})
    elif harm == "no level 0":
        shutil.rmtree(harmed / "0")
    elif harm == "floats":
        put(harmed, version, {"multiscales": [multiscales(version)]})
        put_levels(harmed, version, "f4")
    elif harm == "no JSON":
        (harmed / ("zarr.json" if version == "0.5" else ".zattrs")).write_text("{")
    with pytest.warns(UserWarning, match="left out: .*theirs"):
        contents = open_contents(store)
    assert [[label.name for label in layers] for layers in contents.segmentations] == [["ours"]]
    assert contents.image is not None
    assert list(contents.missing) == ["theirs"]
    with pytest.raises(NgffsegError, match="theirs"):
        open_contents(store, "theirs")
    if harm == "missing":
        assert open_labels(store).name == "ours"
    else:
        with pytest.raises(UsageError, match="several"):
            open_labels(store)
