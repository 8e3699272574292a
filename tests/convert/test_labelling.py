"""Tables beside segmentations: what they say reaches the store and comes out again, and no voxel changes."""

import json
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from ngffseg import (
    Segment,
    export_segmentation,
    import_segmentation,
    open_labels,
    segment_index,
    write_labels,
)
from ngffseg.cli.main import run
from ngffseg.convert import forecast_import, is_imported, label_segments
from ngffseg.errors import FormatError, LossError, NgffsegWarning, StoreError, UnknownFormatError, UsageError
from ngffseg.formats import read_table
from ngffseg.geometry import identity
from ngffseg.labels import open_segmentation, update_segments, write_segmentation
from ngffseg.labels.nodes import transaction
from ngffseg.model import Code, Codes, Segmentation
from tests.formats.tables import BIDS, LARGE, TEXTS
from tests.labels.stores import contents, digest, faults

NAMES = "index\tname\tcolor\tarea\n1\tliver\t#010203\t1.5\n2\tspleen\t#040506\t2\n3\tkidney\tn/a\t3\n"
LABELS = np.arange(4 * 6 * 8).reshape(4, 6, 8).astype(np.uint8) % 4


@pytest.fixture
def source(tmp_path):
    """A labelmap with the values 1, 2 and 3, which names none of them."""
    path = tmp_path / "case.nii.gz"
    nibabel.save(nibabel.Nifti1Image(LABELS.T, np.diag([-1, -1, 1, 1])), path)
    return path


def table(folder, text=NAMES, name="names.tsv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def names(store, name=None):
    return {(s.layer, s.label_value): s.name for s in open_segmentation(store, name).segments}


def told(call, *arguments, **options):
    """What a call warns of, and its result."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NgffsegWarning)
        result = call(*arguments, **options)
    return [str(warning.message) for warning in caught], result


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_table_names_what_a_labelmap_does_not(source, tmp_path, version):
    lines, image = told(import_segmentation, source, tmp_path / "a.zarr", table=table(tmp_path), ngff=version)
    assert lines == []
    assert image.segments == (
        Segment(1, name="liver", color=(1, 2, 3), properties={"area": 1.5}),
        Segment(2, name="spleen", color=(4, 5, 6), properties={"area": 2}),
        Segment(3, name="kidney", properties={"area": 3}),
    )
    assert faults(tmp_path / "a.zarr") == []
    np.testing.assert_array_equal(image._arrays[0][:], LABELS)


def test_what_a_table_does_not_say_stays(slicer_files, tmp_path):
    """Of a file that names its segments: ids, codes and tags stay, layers are found by their values."""
    source = slicer_files / "SegmentationOverlapping.seg.nrrd"
    before = open_segmentation(import_segmentation(source, tmp_path / "a.zarr").url).segments
    value = next(s.label_value for s in before if sum(t.label_value == s.label_value for t in before) == 1)
    text = f"index\tname\n{value}\tnew name\n"
    lines, image = told(import_segmentation, source, tmp_path / "b.zarr", table=table(tmp_path, text))
    after = {s.id: s for s in open_segmentation(image.url).segments}
    changed = next(s for s in before if s.label_value == value)
    assert after == {s.id: replace(s, name="new name") if s == changed else s for s in before}
    assert len(lines) == 1


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.json"])
def test_what_a_table_cannot_say_stays(tmp_path, name):
    """Opacity has no place in BIDS; terminologies, versions and further modifiers have none in Slicer's CSV."""
    one, two = Code("1", "SCT", "a"), Code("2", "SCT", "b", version="3")
    codes = Codes(one, two, (one, two), (), "list of codes", "list of regions")
    segments = [
        Segment(n, f"id {n}", "liver" * n, (1, 2, 3, 128), codes=codes, tags=(("a", "b"),)) for n in (1, 2, 3)
    ]
    write_labels(tmp_path / "a.zarr", LABELS, name="a", segments=segments)
    export_segmentation(tmp_path / "a.zarr", tmp_path / "a.nrrd", table=tmp_path / name)
    before = digest(tmp_path / "a.zarr")
    assert label_segments(tmp_path / "a.zarr", tmp_path / name) == ()
    assert digest(tmp_path / "a.zarr") == before
    (changed,) = label_segments(
        tmp_path / "a.zarr", table(tmp_path, '[{"value": 1, "color": "#ff0000"}, {"value": 2}, {"value": 3}]')
    )
    assert changed == replace(segments[0], color=(255, 0, 0, 128))


def test_values_that_only_one_of_both_has_are_told(source, tmp_path):
    """A table of an atlas has hundreds of values, of which a scan has some."""
    text = "index,name\n2,a\n3,b\n" + "".join(f"{n},n{n}\n" for n in range(100, 112)) + "4711,far\n"
    lines, image = told(
        import_segmentation, source, tmp_path / "a.zarr", table=table(tmp_path, text, "atlas.csv")
    )
    assert lines == [
        "atlas.csv: 1 of its values do not fit uint8 (4711): left out",
        "atlas.csv: the labels do not have 12 of its 14 values (100, 101, 102 and 9 more): kept as segments without voxels",
        "atlas.csv: it does not name 1 values of the labels (1): they stay as they are",
    ]
    assert len(image.segments) == 15
    assert faults(tmp_path / "a.zarr") == []


def test_ids_of_segments(source, tmp_path):
    """Those that nobody has given are taken from the table; others stay, and new ones are unique."""
    first = import_segmentation(source, tmp_path / "a.zarr", table=table(tmp_path, '[{"value": 1, "id": "x", "name": "a"}, {"value": 2, "id": "Segment_3", "name": "b"}, {"value": 3, "id": "y", "name": "c"}]'))  # fmt: skip
    assert [s.id for s in first.segments] == ["x", "Segment_3", "y"]
    with pytest.raises(UsageError, match=r"label value 1 has the id 'x', not 'z': ids of segments stay"):
        label_segments(first.url, table(tmp_path, '[{"value": 1, "id": "z", "name": "a"}]'))
    write_labels(tmp_path / "b.zarr", LABELS, name="b", segments=[Segment(1, "Segment_3", "a")])
    told(label_segments, tmp_path / "b.zarr", table(tmp_path, "value,name\n3,c\n"))
    assert [s.id for s in open_labels(tmp_path / "b.zarr").segments] == ["Segment_3", "Segment_3_layer0"]


def test_a_table_makes_another_import(source, tmp_path):
    store, first, second = (
        tmp_path / "a.zarr",
        table(tmp_path),
        table(tmp_path, NAMES.replace("liver", "x"), "b.tsv"),
    )
    import_segmentation(source, store, table=first)
    before = digest(store)
    import_segmentation(source, store, table=first, resume=True)
    assert digest(store) == before
    assert is_imported(source, store, table=first)
    assert not is_imported(source, store, table=second)
    assert not is_imported(source, store)
    assert not is_imported(source, store, image=first)
    assert forecast_import(source, store, table=first, resume=True).finished
    import_segmentation(source, store, table=second, overwrite=True)
    assert open_labels(store).segments[0].name == "x"


@pytest.mark.parametrize(
    "name", ["case.tsv", "case.csv", "case.ctbl", "case.txt", "case.json", "case_ColorTable.ctbl"]
)
def test_an_unused_table_beside_the_file_is_hinted_at(source, tmp_path, name):
    text = TEXTS[{"csv": "slicer.csv", "tsv": "dseg.tsv", "ctbl": "slicer.ctbl", "txt": "itksnap.txt", "json": "dataset.json"}[name.rsplit(".")[-1]]]  # fmt: skip
    count = len(read_table(table(tmp_path, text, name)).rows)
    line = f"case.nii.gz: {name} beside it names {count} label values and was not used: give it as table"
    assert told(forecast_import, source, tmp_path / "a.zarr")[0] == [line]
    assert told(forecast_import, source, tmp_path / "a.zarr", table=tmp_path / name)[0] == []


def test_a_table_of_bids_beside_the_file_is_hinted_at(source, tmp_path):
    source = source.rename(tmp_path / "sub-01_dseg.nii.gz")
    table(tmp_path, BIDS, "sub-01_dseg.tsv")
    table(tmp_path, '{"RawSources": "x", "Manual": true, "Rows": 5}', "sub-01_dseg.json")
    (line,) = told(forecast_import, source, tmp_path / "a.zarr")[0]
    assert line.startswith("sub-01_dseg.nii.gz: sub-01_dseg.tsv beside it names 3 label values")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dear all,\n",
        '{"EchoTime": 1, "Rows": 5}',
        "onset,duration\n1,2\n",
        "\0\1",
        "index,name\n1,a\n1,b\n",
    ],
)
def test_what_is_no_table_is_not_hinted_at(source, tmp_path, text):
    for name in ("case.txt", "case.json", "case.csv"):
        table(tmp_path, text, name)
    assert told(forecast_import, source, tmp_path / "a.zarr")[0] == []


@pytest.mark.parametrize("name", ["x.csv", "x.json", "xlut.txt"])
def test_a_table_goes_out_and_in(source, tmp_path, name):
    text = "value,name,color\n1,a,#010203\n2,b,#ff00ff\n3,c,#00ff00\n"
    first = import_segmentation(source, tmp_path / "a.zarr", table=table(tmp_path, text))
    assert export_segmentation(first.url, tmp_path / "back.nii.gz", table=tmp_path / name, strict=True) == ()
    again = import_segmentation(tmp_path / "back.nii.gz", tmp_path / "b.zarr", table=tmp_path / name)
    assert again.segments == first.segments


def test_a_table_that_holds_all_makes_up_for_the_file(tmp_path):
    segments = [
        Segment(1, "x", "a", codes=Codes(type=Code("1", "SCT", "b")), properties={"c": [1]}),
        Segment(LARGE),
    ]
    write_labels(tmp_path / "a.zarr", np.full((2, 3, 4), LARGE, "uint64"), name="a", segments=segments)
    with pytest.raises(LossError, match="names, colors and codes") as caught:
        export_segmentation(tmp_path / "a.zarr", tmp_path / "a.nrrd", strict=True)
    assert caught.value.strict
    assert (
        export_segmentation(tmp_path / "a.zarr", tmp_path / "a.nrrd", table=tmp_path / "a.json", strict=True)
        == ()
    )
    losses = export_segmentation(tmp_path / "a.zarr", tmp_path / "b.nrrd", table=tmp_path / "b.csv")
    assert [loss.where for loss in losses] == ["segments", "table", "table"]


def test_nothing_is_written_if_one_of_both_cannot_be(source, tmp_path, monkeypatch):
    url = import_segmentation(source, tmp_path / "a.zarr", table=table(tmp_path)).url
    before = digest(tmp_path)
    for bad, error in (("x.docx", UnknownFormatError), ("no/x.csv", UsageError)):
        with pytest.raises(error):
            export_segmentation(url, tmp_path / "x.nii.gz", table=tmp_path / bad)
    with pytest.raises(LossError, match="table: colors of 1 segments"):
        export_segmentation(url, tmp_path / "x.seg.nrrd", table=tmp_path / "x.txt", strict=True)
    with pytest.raises(UsageError, match="leave the table out"):
        export_segmentation(url, tmp_path / "x.ozx", table=tmp_path / "x.csv")

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    for target, name in (("x.nii.gz", "x.nii.gz"), ("x.nrrd", "x.csv")):  # whose voxels are written otherwise
        with monkeypatch.context() as patched:
            patched.setattr("pathlib.Path.write_bytes", full)
            with pytest.raises(StoreError, match=rf"{tmp_path}/{name} was not written \(No space left"):
                export_segmentation(url, tmp_path / target, table=tmp_path / "x.csv")
        assert digest(tmp_path) == before


def overlapping(folder, url=None):
    one, two = np.zeros((2, 4, 6, 8), np.uint8)
    one[:2], one[2:], two[1:3] = 1, 2, 1
    segments = (Segment(1, "x", "a"), Segment(2, "y", "b"), Segment(1, "z", "c", layer=1))
    return write_segmentation(
        url or folder / "a.zarr", Segmentation((one, two), segments, identity(one.shape)), name="a"
    )


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.json"])
def test_layers_go_out_and_in(tmp_path, name):
    url = overlapping(tmp_path).url
    export_segmentation(url, tmp_path / "a.seg.nrrd", table=tmp_path / name)
    text = (
        (tmp_path / name).read_text().replace("c", "new", 1)
        if name == "t.tsv"
        else (tmp_path / name).read_text()
    )
    rows = [dict(row) for row in read_table(table(tmp_path, text, name)).rows]
    assert [row["layer"] for row in rows] == [0, 0, 1]
    changed = [
        {"value": row["label_value"], "layer": row["layer"], "name": f"new {n}"} for n, row in enumerate(rows)
    ]
    label_segments(url, table(tmp_path, json.dumps(changed), "u.json"))
    assert names(url) == {(0, 1): "new 0", (0, 2): "new 1", (1, 1): "new 2"}
    assert faults(url) == []


def test_a_value_of_two_layers_needs_its_layer(tmp_path):
    url = overlapping(tmp_path).url
    before = digest(tmp_path / "a.zarr")
    with pytest.raises(
        FormatError, match=r"label value 1 is in layers 0 and 1: say which in a column 'layer'"
    ):
        label_segments(url, table(tmp_path, "value,name\n1,new\n"))
    with pytest.raises(FormatError, match=r"the labels do not have 1 of its 1 values \(2\)"):
        label_segments(url, table(tmp_path, "value,name,layer\n2,new,1\n"))
    assert digest(tmp_path / "a.zarr") == before
    label_segments(f"{url}/labels/a__layer1", table(tmp_path, "value,name\n1,new\n"))
    assert names(url) == {(0, 1): "a", (0, 2): "b", (1, 1): "new"}


def test_layers_are_changed_together_or_not_at_all(tmp_path, monkeypatch):
    """The second document cannot be written: the first becomes what it was, byte for byte, on a disk that stays full."""
    url = overlapping(tmp_path).url
    before, failed, write_bytes = digest(tmp_path / "a.zarr"), [], Path.write_bytes

    def full(path, data):
        if failed or "a__layer1" in path.parts:
            failed.append(path)
            raise OSError(28, "No space left on device")
        return write_bytes(path, data)

    text = "value,name,layer\n1,new,0\n2,newer,0\n1,newest,1\n"
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(StoreError, match="disk is full"):
            label_segments(url, table(tmp_path, text))
    assert failed
    assert digest(tmp_path / "a.zarr") == before
    assert len(label_segments(url, table(tmp_path, text))) == 3


def test_layers_on_a_server_are_changed_together_or_not_at_all(tmp_path, monkeypatch):
    url = f"memory://{tmp_path.name}/a.zarr"
    overlapping(tmp_path, url)
    before, put_group = contents(url), transaction.put_group

    def failing(url, path, *arguments):
        if path.endswith("a__layer1"):
            raise ConnectionResetError("peer is gone")
        put_group(url, path, *arguments)

    text = "value,name,layer\n1,new,0\n2,newer,0\n1,newest,1\n"
    with monkeypatch.context() as patched:
        patched.setattr(transaction, "put_group", failing)
        with pytest.raises(StoreError, match="peer is gone"):
            label_segments(url, table(tmp_path, text))
    assert contents(url) == before
    assert len(label_segments(url, table(tmp_path, text))) == 3


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_only_the_document_of_the_labels_changes(source, tmp_path, version):
    store = tmp_path / "a.zarr"
    import_segmentation(source, store, ngff=version)
    before, revision = digest(store), open_labels(store).revision
    changed = label_segments(store, table(tmp_path))
    after = digest(store)
    document = "labels/case/" + ("zarr.json" if version == "0.5" else ".zattrs")
    assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} == {document}
    assert [s.name for s in changed] == ["liver", "spleen", "kidney"]
    assert open_labels(store).revision == revision
    assert segment_index(open_labels(store))[1].voxels == 48
    assert faults(store) == []
    assert label_segments(store, table(tmp_path)) == ()  # and a second time nothing
    assert digest(store) == after


def test_an_object_store_is_labelled_by_its_documents_alone(source, tmp_path):
    url = "memory://labelled/a.zarr"
    import_segmentation(source, url)
    before = contents(url)
    label_segments(url, table(tmp_path))
    after = contents(url)
    assert [key.split("/a.zarr/")[1] for key in after if before[key] != after[key]] == [
        "labels/case/zarr.json"
    ]
    assert before.keys() == after.keys()


def test_values_that_the_labels_do_not_have_are_refused(source, tmp_path):
    store = tmp_path / "a.zarr"
    import_segmentation(source, store)
    before = digest(store)
    with pytest.raises(FormatError) as caught:
        label_segments(store, table(tmp_path, NAMES + "".join(f"{n}\tn{n}\tn/a\t0\n" for n in range(50, 55))))
    assert str(caught.value) == (
        "names.tsv: the labels do not have 5 of its 8 values (50, 51, 52 and 2 more): take them out of it"
    )
    for text in ("index,name\n1,a\n1,b\n", "index,name\n1,a\n2,a\n"):
        with pytest.raises(FormatError, match="stands there twice"):
            label_segments(store, table(tmp_path, text))
    assert digest(store) == before


def test_segments_without_voxels_can_be_named(tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS, name="a", segments=[Segment(200, name="none")])
    lines, changed = told(
        label_segments, tmp_path / "a.zarr", table(tmp_path, "value,name\n200,new\n2,two\n")
    )
    assert [s.name for s in changed] == ["new", "two"]
    assert lines == ["names.tsv: it does not name 2 values of the labels (1, 3): they stay as they are"]


def test_labels_are_counted_where_there_is_no_index(tmp_path):
    store = tmp_path / "a.zarr"
    write_labels(store, LABELS, name="a", segments=[Segment(1, name="one")])
    shutil.rmtree(store / "ngffseg" / "index")
    with pytest.raises(FormatError, match=r"the labels do not have 1 of its 2 values \(9\)"):
        label_segments(store, table(tmp_path, "value,name\n3,three\n9,nine\n"))
    told(label_segments, store, table(tmp_path, "value,name\n3,three\n"))
    assert names(store) == {(0, 1): "one", (0, 3): "three"}


def test_the_command_line(source, tmp_path, capsys):
    store, file = str(tmp_path / "a.zarr"), str(table(tmp_path))
    table(tmp_path, NAMES, "case.tsv")
    assert run(["import", str(source), store, "--json"]) == 0
    answer = capsys.readouterr()
    assert json.loads(answer.out)["said"] == [answer.err.strip().removeprefix("ngffseg: ")]
    assert "case.tsv beside it" in answer.err
    assert run(["label", store, "--table", file, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in answer["changed"]] == ["liver", "spleen", "kidney"]
    assert answer["said"] == []
    assert run(["label", store, "--table", file]) == 0
    assert capsys.readouterr().out == "0 segments changed\n"
    assert (
        run(["export", store, str(tmp_path / "o.nii.gz"), "--table", str(tmp_path / "o.ctbl"), "--json"]) == 0
    )
    answer = json.loads(capsys.readouterr().out)
    assert answer["table"].endswith("o.ctbl")
    assert {loss["where"] for loss in answer["losses"]} == {"segments", "table"}
    assert (tmp_path / "o.ctbl").read_text().splitlines()[3] == "1 liver 1 2 3 255"
    assert run(["import", str(source), str(tmp_path / "b.zarr"), "--table", file, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["said"] == []
    table(tmp_path, "index,name\n1,a\n1,b\n", "bad.csv")
    for words in (
        ["label", store, "--table", str(tmp_path / "bad.csv")],
        ["label", store],
        ["label", store, "--table", "no.csv"],
    ):
        assert run(words) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_update_segments_puts_each_into_its_layer(tmp_path):
    image = overlapping(tmp_path)
    update_segments(
        open_labels(image.url, "a__layer1"), [Segment(2, "y", "new"), Segment(1, "z", "newer", layer=1)]
    )
    assert names(image.url) == {(0, 1): "a", (0, 2): "new", (1, 1): "newer"}
