"""The order of the source: what keeps it, what drops it, who asks for which, and who tells it."""

import json
import warnings
from dataclasses import replace

import dask.array as da
import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import zarr

from ngffseg import (
    Geometry,
    check,
    export_segmentation,
    import_segmentation,
    open_labels,
    update_labels,
    write_labels,
)
from ngffseg.batch import read_rows, run_batch
from ngffseg.cli.main import run
from ngffseg.errors import ChunkError, LabelExistsError, MetadataError, OptionError, UsageError
from ngffseg.formats import read_segmentation
from ngffseg.geometry import Order, SourceGrid, identity, identity_order, reordered
from ngffseg.labels import (
    canonical,
    open_image,
    open_segmentation,
    rebuild_levels,
    store_tree,
    write_segmentation,
)
from ngffseg.model import Segmentation, Volume
from tests.convert.test_orders import BLOCKS, SHAPE, TURN, canonical_labels, case, extent, save
from tests.formats.test_seg_nrrd import raw_keys
from tests.labels.stores import digest, faults

# Axes y, x, z of the patient, two of them counting down.
ORDER = ((1, 2, 0), (True, False, True))
FLIPPED = Geometry(SHAPE, np.diag([-0.7, -0.9, 2.5, 1]), frame="patient")


@pytest.fixture
def source(tmp_path):
    """A file whose voxels are in another order than the canonical one."""
    save(case(*ORDER, TURN["straight"]), tmp_path / "a.seg.nrrd")
    return tmp_path / "a.seg.nrrd"


@pytest.fixture
def store(source, tmp_path):
    import_segmentation(source, tmp_path / "a.zarr", name="organs")
    return tmp_path / "a.zarr"


def document(store):
    return json.loads((store / "labels" / "zarr.json").read_text())["attributes"]["ngffseg"]["segmentations"][
        0
    ]


def put_document(store, changed):
    path = store / "labels" / "zarr.json"
    whole = json.loads(path.read_text())
    whole["attributes"]["ngffseg"]["segmentations"] = [changed]
    path.write_text(json.dumps(whole))


def test_the_document_tells_the_source_to_people_and_programs(source, store):
    told = document(store)["sourceGrid"]
    grid = read_segmentation(source).geometry
    assert told["ijkToLPS"] == grid.affine.tolist()
    assert (told["shape"], told["axes"], told["units"]) == ([16, 20, 12], ["z", "y", "x"], ["millimeter"] * 3)
    assert told["order"] == ["-x", "-z", "y"]
    # What another program makes of it: the axes of the stored array, by their names in the source.
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(source)))
    turned = voxels.transpose(["zyx".index(name[-1]) for name in told["order"]])
    for axis, name in enumerate(told["order"]):
        turned = np.flip(turned, axis) if name.startswith("-") else turned
    np.testing.assert_array_equal(turned, canonical_labels())
    stored = open_segmentation(store)
    assert stored.source_grid.geometry == grid
    assert stored.geometry == reordered(grid, stored.source_grid.order)


def test_an_update_keeps_it_and_extents_follow_in_source_order(source, store, tmp_path):
    image = open_labels(store)
    box = ((0, 2), (10, 12), (1, 3))
    update_labels(image, box, np.full((2, 2, 2), 3, np.uint8))
    export_segmentation(store, tmp_path / "b.seg.nrrd")
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "b.seg.nrrd")))
    before = sitk.GetArrayFromImage(sitk.ReadImage(str(source)))
    # One function leads from stored indices to those of the source.
    order = open_segmentation(store).source_grid.order
    moved = order.inverse.box([slice(*part) for part in box], SHAPE)
    expected = before.copy()
    expected[moved] = 3
    np.testing.assert_array_equal(voxels, expected)
    keys = raw_keys(tmp_path / "b.seg.nrrd")
    assert keys["Segmentation_ReferenceImageExtentOffset"] == "3 5 7"
    for n, value in enumerate(BLOCKS):
        assert keys[f"Segment{n}_Extent"] == extent(voxels, value)
    assert keys["Segment2_Extent"] != raw_keys(source)["Segment2_Extent"]


def test_a_flipped_file_whose_extents_came_wide_gives_them_back(tmp_path):
    made = case((0, 1, 2), (False, True, True), TURN["straight"])
    save(made, tmp_path / "a.seg.nrrd", "right-anterior-superior")
    text = (tmp_path / "a.seg.nrrd").read_bytes()
    wide = "0 19 1 15 0 11"
    old = extent(made.labels, 1).encode()
    (tmp_path / "a.seg.nrrd").write_bytes(
        text.replace(b"Segment0_Extent:=" + old, b"Segment0_Extent:=" + wide.encode())
    )
    import_segmentation(tmp_path / "a.seg.nrrd", tmp_path / "a.zarr")
    export_segmentation(tmp_path / "a.zarr", tmp_path / "b.seg.nrrd")
    came, went = raw_keys(tmp_path / "a.seg.nrrd"), raw_keys(tmp_path / "b.seg.nrrd")
    assert came.items() <= went.items()
    assert went["Segment0_Extent"] == wide


def test_archives_buckets_and_other_levels_keep_it(source, store, tmp_path):
    rebuild_levels(store, "organs", method="nearest")
    export_segmentation(store, tmp_path / "a.ozx")
    write_segmentation(tmp_path / "b.zarr", open_segmentation(store), name="copy")
    bucket = f"memory://{tmp_path.name}/a.zarr"
    for _ in range(2):  # the second time it has a registration of before
        import_segmentation(source, bucket, name="organs", overwrite=True)
    for url in (store, tmp_path / "a.ozx", tmp_path / "b.zarr", bucket):
        export_segmentation(url, tmp_path / "b.seg.nrrd")
        assert raw_keys(source).items() <= raw_keys(tmp_path / "b.seg.nrrd").items()
        one, two = (read_segmentation(file) for file in (source, tmp_path / "b.seg.nrrd"))
        np.testing.assert_array_equal(one.layers[0], two.layers[0])
        assert one.geometry == two.geometry


def test_an_edit_of_the_grid_drops_it_and_says_so(store, tmp_path):
    stored = open_segmentation(store)
    affine = stored.geometry.affine.copy()
    affine[0, 3] += 0.3
    with pytest.warns(UserWarning, match="not that of the source any more"):
        edited = replace(stored, geometry=replace(stored.geometry, affine=affine))
    assert edited.source_grid is None
    write_segmentation(tmp_path / "b.zarr", edited, name="organs")
    export_segmentation(tmp_path / "b.zarr", tmp_path / "b.nii.gz")
    back = nib.load(tmp_path / "b.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(back.dataobj).T, canonical_labels())
    np.testing.assert_allclose(back.affine @ [0, 0, 0, 1], [-1, -1, 1, 1] * affine[:, 3], rtol=1e-6)


def test_numbers_of_the_source_come_back_where_the_grid_is_that_of_another_file(tmp_path):
    theirs = FLIPPED.affine.copy()
    theirs[:3, 3] += 3e-6
    given = SourceGrid(replace(FLIPPED, affine=theirs), identity_order(3))
    made = Segmentation((canonical_labels(),), (), FLIPPED, source_grid=given)
    write_segmentation(tmp_path / "a.zarr", made, name="organs")
    export_segmentation(tmp_path / "a.zarr", tmp_path / "b.nrrd")
    np.testing.assert_array_equal(read_segmentation(tmp_path / "b.nrrd").geometry.affine, theirs)
    np.testing.assert_array_equal(open_labels(tmp_path / "a.zarr").geometry.affine, FLIPPED.affine)
    # Put into another order, the labels still know it.
    moved = write_segmentation(
        tmp_path / "c.zarr", open_segmentation(tmp_path / "a.zarr"), name="organs", order="canonical"
    )
    np.testing.assert_array_equal(moved.read(), canonical_labels()[:, ::-1, ::-1])
    assert open_segmentation(tmp_path / "c.zarr").source_grid.geometry == given.geometry


def test_rounding_drops_nothing(store):
    stored = open_segmentation(store)
    affine = stored.geometry.affine.copy()
    affine[:3, 3] += 1e-5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert replace(stored, geometry=replace(stored.geometry, affine=affine)).source_grid is not None


def test_keep_order_stores_the_file_as_it_is(source, tmp_path):
    image = import_segmentation(source, tmp_path / "a.zarr", order="keep")
    read = read_segmentation(source)
    np.testing.assert_array_equal(image.read(), read.layers[0])
    assert image.geometry == read.geometry
    assert "sourceGrid" not in document(tmp_path / "a.zarr")
    with pytest.raises(LabelExistsError, match="other options"):
        import_segmentation(source, tmp_path / "a.zarr", resume=True)
    assert run(["import", str(source), str(tmp_path / "b.zarr"), "--keep-order"]) == 0
    np.testing.assert_array_equal(open_labels(tmp_path / "b.zarr").read(), read.layers[0])
    with pytest.raises(OptionError, match="'canonical', 'keep'"):
        import_segmentation(source, tmp_path / "c.zarr", order="RAS")


@pytest.mark.usefixtures("source")
def test_batch_has_a_column_and_an_option_for_it(tmp_path, capsys):
    table = tmp_path / "cases.csv"
    rows = "".join(f"a.seg.nrrd,{n}.zarr,{order}\n" for n, order in enumerate(("", "keep", "canonical")))
    table.write_text(f"source,store,order\n{rows}")
    assert [result.status for result in run_batch(read_rows(table))] == ["done"] * 3
    held = [open_labels(tmp_path / f"{n}.zarr")._arrays[0].shape for n in range(3)]
    assert held == [SHAPE, (16, 20, 12), SHAPE]
    assert [result.status for result in run_batch(read_rows(table))] == ["skipped"] * 3
    (tmp_path / "more.csv").write_text(
        "source,store,order\na.seg.nrrd,3.zarr,\na.seg.nrrd,4.zarr,canonical\n"
    )
    assert run(["batch", str(tmp_path / "more.csv"), "--keep-order"]) == 0
    assert [open_labels(tmp_path / f"{n}.zarr")._arrays[0].shape for n in (3, 4)] == [(16, 20, 12), SHAPE]
    (tmp_path / "bad.csv").write_text("source,store,order\na.seg.nrrd,5.zarr,RAS\n")
    with pytest.raises(UsageError, match="line 2: order 'RAS' is none of canonical, keep"):
        read_rows(tmp_path / "bad.csv")
    capsys.readouterr()


class Sliced:
    """An array of a kind that nobody knows: shape, dtype and slicing."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, box):
        return self.array[box]


@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr", "sliced"])
@pytest.mark.parametrize("cluster", [None, pytest.param("processes", marks=pytest.mark.long)])
def test_arrays_stay_as_they_are_unless_asked(kind, cluster, tmp_path):
    labels = canonical_labels()[:, ::-1, ::-1]
    given = {
        "numpy": lambda: labels,
        "dask": lambda: da.from_array(labels, chunks=5),
        "zarr": lambda: zarr.create_array(
            tmp_path / "given", data=np.ascontiguousarray(labels), chunks=(5, 5, 5)
        ),
        "sliced": lambda: Sliced(labels),
    }[kind]()
    more = {} if cluster is None else {"cluster": cluster, "workers": 1}
    kept = write_labels(tmp_path / "a.zarr", given, name="a", geometry=FLIPPED)
    np.testing.assert_array_equal(kept.read(), labels)
    moved = write_labels(tmp_path / "b.zarr", given, name="a", geometry=FLIPPED, order="canonical", **more)
    np.testing.assert_array_equal(moved.read(), labels[:, ::-1, ::-1])
    assert open_segmentation(tmp_path / "b.zarr").source_grid == SourceGrid(
        FLIPPED, Order((0, 1, 2), (False, True, True))
    )
    before = digest(tmp_path / "b.zarr")
    write_labels(
        tmp_path / "b.zarr", given, name="a", geometry=FLIPPED, order="canonical", resume=True, **more
    )
    assert digest(tmp_path / "b.zarr") == before
    write_labels(tmp_path / "a.zarr", given, name="a", geometry=FLIPPED, order="keep", resume=True)


def test_chunks_of_arrays_that_are_moved_are_checked(tmp_path):
    given = zarr.create_array(
        tmp_path / "given", data=canonical_labels(), chunks=(6, 8, 10), compressors=None
    )
    chunk = tmp_path / "given" / "c" / "1" / "1" / "1"
    chunk.write_bytes(chunk.read_bytes()[:-7])
    with pytest.raises(ChunkError):
        write_labels(tmp_path / "a.zarr", given, name="a", geometry=FLIPPED, order="canonical")
    assert not (tmp_path / "a.zarr" / "labels").exists()


def test_an_image_moves_with_its_labels(tmp_path):
    labels = canonical_labels()
    image = np.arange(labels.size, dtype=np.int16).reshape(SHAPE)
    for data in (image, Sliced(image)):
        write_labels(
            tmp_path / "a.zarr",
            labels,
            name="a",
            geometry=FLIPPED,
            image=Volume(data, FLIPPED),
            order="canonical",
        )
        stored = open_image(tmp_path / "a.zarr")
        np.testing.assert_array_equal(stored.data[...], image[:, ::-1, ::-1])
        assert stored.source_grid.geometry == FLIPPED
        assert faults(tmp_path / "a.zarr") == []
        (tmp_path / "a.zarr").rename(tmp_path / f"was-{type(data).__name__}")


def test_labels_follow_an_image_at_45_degrees(tmp_path):
    def turned(degrees):
        angle = np.radians(degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        return case((0, 2, 1), (False, True, False), turn)

    # On its own, the identity of either file would win, and each is another axis of the patient.
    one = turned(45)
    ct = sitk.GetImageFromArray(np.swapaxes(one.labels, 1, 2).astype(np.int16))
    steps = np.linalg.norm(one.affine[:3, :3], axis=0)
    directions = (one.affine[:3, :3] / steps)[:, [1, 0, 2]]
    ct.SetSpacing(steps[[1, 0, 2]])
    ct.SetDirection(directions.ravel())
    ct.SetOrigin(one.affine[:3, 3])
    sitk.WriteImage(ct, str(tmp_path / "ct.nrrd"))
    save(one, tmp_path / "a.seg.nrrd")
    labels = import_segmentation(tmp_path / "a.seg.nrrd", tmp_path / "a.zarr", image=tmp_path / "ct.nrrd")
    image = open_image(tmp_path / "a.zarr")
    np.testing.assert_array_equal(image.data[...], labels.read())
    np.testing.assert_allclose(image.geometry.affine, labels.geometry.affine, rtol=0, atol=1e-9)


@pytest.mark.filterwarnings("ignore:.*index for index:ngffseg.errors.NgffsegWarning")
def test_labels_without_a_frame_stay_beside_their_image(tmp_path):
    bare = replace(FLIPPED, frame=None)
    labels, image = canonical_labels(), canonical_labels().astype(np.int16)
    for n, (mine, theirs) in enumerate(((bare, FLIPPED), (FLIPPED, bare), (bare, bare))):
        made = write_labels(
            tmp_path / f"{n}.zarr",
            labels,
            name="a",
            geometry=mine,
            image=Volume(image, theirs),
            order="canonical",
        )
        np.testing.assert_array_equal(open_image(tmp_path / f"{n}.zarr").data[...], made.read())
        assert (made.geometry.affine[0, 0] > 0) == (theirs.frame == "patient")


def test_labels_of_an_unknown_place_move_with_their_image():
    labels, ct = canonical_labels(), Volume(canonical_labels().astype(np.int16), FLIPPED)
    segmentation, image = canonical(Segmentation((labels,), (), identity(SHAPE)), ct)
    np.testing.assert_array_equal(image.data, segmentation.layers[0])
    np.testing.assert_array_equal(image.data, labels[:, ::-1, ::-1])
    small = Segmentation((labels[1:],), (), identity(labels[1:].shape))
    assert canonical(small, ct)[0].source_grid is None


@pytest.mark.parametrize(
    "grid",
    [identity((4, 6)), Geometry((4, 6), np.diag([-1, -1, 1, 1]), frame="patient"), identity((2, 4, 6, 8))],
    ids=["plane", "patient's plane", "no frame"],
)
def test_what_never_moves(grid, tmp_path):
    labels = np.random.default_rng(0).integers(0, 3, grid.shape).astype(np.uint8)
    image = write_labels(tmp_path / "a.zarr", labels, name="a", geometry=grid, order="canonical")
    np.testing.assert_array_equal(image.read(), labels)
    assert "sourceGrid" not in document(tmp_path / "a.zarr")


def test_time_and_channels_stay_where_they_are(tmp_path):
    labels = np.random.default_rng(0).integers(0, 3, (9, 8, 7, 3, 2)).astype(np.uint8)  # i, j, k, t, u
    affine = np.array([[0, 2, 0, 5], [1, 0, 0, -6], [0, 0, 3, 7], [0, 0, 0, 1.0]])
    made = nib.Nifti1Image(labels, affine)
    made.header.set_xyzt_units("mm", "sec")
    nib.save(made, tmp_path / "a.nii.gz")
    image = import_segmentation(tmp_path / "a.nii.gz", tmp_path / "a.zarr")
    assert document(tmp_path / "a.zarr")["sourceGrid"]["order"] == ["t", "c", "z", "-x", "-y"]
    moved = labels.transpose(3, 4, 2, 0, 1)[..., ::-1, ::-1]
    np.testing.assert_array_equal(image.read(), moved)
    export_segmentation(tmp_path / "a.zarr", tmp_path / "b.nii.gz")
    back = nib.load(tmp_path / "b.nii.gz")
    assert back.header == nib.load(tmp_path / "a.nii.gz").header
    np.testing.assert_array_equal(np.asanyarray(back.dataobj), labels)


def test_info_tells_both_orders(store, source, tmp_path, capsys):
    assert run(["info", str(store)]) == 0
    assert (
        "order LPS+ (z,y,x); source ILA+ (z,y,x), whose -x,-z,y are stored as z,y,x"
        in capsys.readouterr().out
    )
    assert run(["info", str(store), "--json"]) == 0
    (label,) = json.loads(capsys.readouterr().out)["labels"]
    assert label["order"] == "LPS"
    assert label["source_grid"]["order"] == "ILA"
    assert label["source_grid"]["axes"] == ["-x", "-z", "y"]
    assert label["source_grid"]["ijk_to_lps"] == read_segmentation(source).geometry.affine.tolist()
    save(case((0, 1, 2), (False, True, True), TURN["straight"]), tmp_path / "b.nii.gz")
    import_segmentation(tmp_path / "b.nii.gz", tmp_path / "b.zarr")
    write_labels(tmp_path / "b.zarr", np.zeros(SHAPE, np.uint8), name="c", geometry=identity(SHAPE))
    assert run(["info", str(tmp_path / "b.zarr"), "--name", "b"]) == 0
    assert "order LPS+ (z,y,x); source RAS+ (z,y,x), flipped y x" in capsys.readouterr().out
    assert run(["info", str(tmp_path / "b.zarr"), "--name", "c"]) == 0
    assert "order z,y,x, not known to lie in the patient" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("turn", "order", "told"),
    [("oblique", "", True), ("straight", "", False), ("straight", "--keep-order", True)],
)
def test_import_says_how_far_plain_readers_are_off(turn, order, told, tmp_path, capsys):
    made = case((0, 1, 2), (False, True, True), TURN[turn])
    save(made, tmp_path / "a.nrrd")
    words = ["import", str(tmp_path / "a.nrrd"), *filter(None, [order])]
    assert run([*words, str(tmp_path / "a.zarr")]) == 0
    line = "readers that know no rotation misplace its centre by "
    found = [text for text in capsys.readouterr().out.splitlines() if line in text]
    assert run([*words, str(tmp_path / "b.zarr"), "--json"]) == 0
    away = json.loads(capsys.readouterr().out)["misplacement_mm"]
    assert bool(found) == (away is not None) == told
    if told:
        level0 = store_tree(tmp_path / "a.zarr").labels[0].levels[0]
        middle = (np.array(SHAPE) - 1) / 2
        theirs = (level0.translation + level0.scale * middle)[::-1]
        truth = (made.affine @ [*(np.array(SHAPE)[::-1] - 1) / 2, 1])[:3]
        assert away == pytest.approx(np.linalg.norm(theirs - truth), rel=1e-9)
        assert float(found[0].split(line)[1].removesuffix(" mm")) == pytest.approx(away, rel=0.01)


def test_a_source_grid_that_leads_elsewhere_is_told_and_not_believed(store, tmp_path):
    whole = document(store)
    grid = whole["sourceGrid"]
    moved = [[*row[:3], row[3] + 5 * (n == 0)] for n, row in enumerate(grid["ijkToLPS"])]
    for changed in ({"ijkToLPS": moved}, {"shape": [12, 16, 20]}, {"order": ["-x", "-y", "y"]}):
        put_document(store, whole | {"sourceGrid": grid | changed})
        assert [v.severity for v in check(store)] == ["MUST"], changed
        assert store_tree(store).labels[0].source_grid is None
    put_document(store, whole | {"sourceGrid": grid | {"order": ["-x", "-y", "y"]}})
    with pytest.raises(MetadataError, match="does not name each of the axes"):
        open_segmentation(store)
    put_document(store, whole | {"sourceGrid": grid | {"order": ["north"]}})
    with pytest.raises(MetadataError, match="breaks its schema"):
        open_segmentation(store)
    put_document(store, whole | {"sourceGrid": grid | {"ijkToLPS": moved}})
    with pytest.warns(UserWarning, match="not that of the source"):
        export_segmentation(store, tmp_path / "b.nii.gz")
    np.testing.assert_array_equal(
        np.asanyarray(nib.load(tmp_path / "b.nii.gz").dataobj).T, canonical_labels()
    )


ODD = [
    None,
    7,
    "x",
    [],
    {},
    ["z", "y"],
    [1, 2, 3],
    [10**400, 4, 5],
    [[1e308] * 4] * 4,
    ["t", "y", "x"],
    [None] * 3,
]


@pytest.mark.parametrize("key", ["space", "ijkToLPS", "shape", "axes", "units", "order", "later", ""])
def test_odd_source_grids_are_told_and_break_nothing(key, store):
    whole = document(store)
    for value in ODD:
        odd = whole["sourceGrid"] | {key: value} if key else value
        put_document(store, whole | {"sourceGrid": odd})
        if key == "units" and value in (["t", "y", "x"], [None] * 3):
            assert open_segmentation(store).source_grid is not None  # units that nobody knows are units
            continue
        assert {v.severity for v in check(store)} == {"MUST"}, value
        assert store_tree(store).labels[0].source_grid is None
        with pytest.raises((MetadataError, UserWarning)):  # warnings are errors here
            open_segmentation(store)


def test_real_scans_are_stored_in_one_order(shared_data, tmp_path):
    case = shared_data / "nifti" / "totalsegmentator"
    labels = import_segmentation(
        case / "example_seg_fast_force_split.nii.gz",
        tmp_path / "a.zarr",
        name="organs",
        image=case / "example_ct.nii.gz",
    )
    image = open_image(tmp_path / "a.zarr")
    for geometry in (labels.geometry, image.geometry):
        np.testing.assert_allclose(geometry.affine[:3, :3], 3 * np.eye(3), rtol=0, atol=1e-4)
    read = sitk.ReadImage(str(case / "example_ct.nii.gz"))
    there = sitk.DICOMOrient(read, "LPS")
    np.testing.assert_array_equal(image.data[...], sitk.GetArrayFromImage(there))
    np.testing.assert_allclose(image.geometry.affine[:3, 3], there.GetOrigin(), rtol=0, atol=1e-4)
    theirs = sitk.DICOMOrient(sitk.ReadImage(str(case / "example_seg_fast_force_split.nii.gz")), "LPS")
    np.testing.assert_array_equal(labels.read(), sitk.GetArrayFromImage(theirs))
