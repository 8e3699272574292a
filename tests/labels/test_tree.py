"""What `store_tree` and ``info`` tell of stores of others: kinds, members, channels, links."""

import json
import warnings

import numpy as np
import pytest
import zarr

from ngffseg import Segment, check, open_labels, write_labels
from ngffseg.cli.main import run
from ngffseg.errors import MetadataError
from ngffseg.labels import store_tree

LABELS = np.ones((4, 4, 4), np.uint8)


def severities(url):
    return sorted({v.severity for v in check(url)})


def small_image(path, zarr_format, axes="zyx"):
    """A foreign image of one level."""
    group = zarr.create_group(path, zarr_format=zarr_format)
    names = {"dimension_names": list(axes)} if zarr_format == 3 else {}
    zarr.create_array(path / "0", shape=(4,) * len(axes), dtype="u1", zarr_format=zarr_format, **names)
    kinds = {"t": "time", "c": "channel"}
    first = {
        "name": "i",
        "axes": [{"name": name, "type": kinds.get(name, "space")} for name in axes],
        "datasets": [
            {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1] * len(axes)}]}
        ],
    }
    if zarr_format == 2:
        group.attrs["multiscales"] = [{"version": "0.4", **first}]
    else:
        group.attrs["ome"] = {"version": "0.5", "multiscales": [first]}
    return path


@pytest.fixture(params=[2, 3])
def plate(request, tmp_path):
    """A plate, as ome-zarr-py writes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of one of its own classes, on import
        from ome_zarr.format import FormatV04, FormatV05
        from ome_zarr.writer import write_plate_metadata, write_well_metadata

    fmt = FormatV04() if request.param == 2 else FormatV05()
    path = tmp_path / "plate.zarr"
    root = zarr.create_group(path, zarr_format=request.param)
    write_plate_metadata(root, ["A", "B"], ["1"], ["A/1", "B/1"], fmt=fmt)
    for row in "AB":
        well = root.create_group(f"{row}/1")
        write_well_metadata(well, ["0", "1"], fmt=fmt)
        for field in "01":
            small_image(path / f"{row}/1/{field}", request.param)
    return path


def test_a_plate_is_told_apart(plate, capsys):
    tree = store_tree(plate)
    assert tree.kinds == ("plate",)
    assert tree.collection.members == ("A/1", "B/1")
    assert dict(tree.collection.details) == {"rows": ("A", "B"), "columns": ("1",)}
    assert severities(plate) == severities(plate / "A/1") == ["UNKNOWN"]
    assert "MUST" not in severities(plate / "A/1/0")
    assert store_tree(plate / "B/1").collection.members == ("0", "1")
    for root, named in ((plate, "A/1/0"), (plate / "B/1", "0")):
        with pytest.raises(MetadataError, match="give the address of one field") as caught:
            open_labels(root)
        assert str(caught.value).endswith(f"such as {root}/{named}")
        assert run(["segments", str(root)]) == 2
        with pytest.raises(MetadataError, match="one field"):
            write_labels(root, LABELS, name="a")
    capsys.readouterr()
    assert run(["info", str(plate)]) == 0
    told = capsys.readouterr().out
    assert "plate with 2 wells (A/1, B/1)" in told
    assert f"{plate}/B/1" in told
    assert run(["check", str(plate)]) == 0
    assert "cannot be judged" in capsys.readouterr().out


def test_what_a_plate_names_must_be_there(plate):
    (plate / "B").rename(plate / "C")
    assert [v.where for v in check(plate) if v.severity == "MUST"] == ["B/1"]
    (plate / "A/1/1").rename(plate / "A/1/2")
    assert [v.where for v in check(plate) if v.severity == "MUST"] == ["B/1", "A/1/1"]


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("listed", [False, True])
def test_a_root_of_bioformats2raw(zarr_format, listed, tmp_path):
    """By the text of the specification: "bioformats2raw.layout" with images in numbered groups."""
    root = tmp_path / "a.zarr"
    layout, series = {"bioformats2raw.layout": 3}, {"series": ["0", "1"]}
    wrap = (lambda part: part) if zarr_format == 2 else (lambda part: {"ome": {"version": "0.5", **part}})
    zarr.create_group(root, zarr_format=zarr_format, attributes=wrap(layout))
    if listed:
        zarr.create_group(root / "OME", zarr_format=zarr_format, attributes=wrap(series))
    for name in "01":
        small_image(root / name, zarr_format)
    tree = store_tree(root)
    assert (tree.kinds, tree.collection.members) == (("bioformats2raw.layout",), ("0", "1"))
    assert severities(root) == ["UNKNOWN"]
    with pytest.raises(MetadataError, match=r"such as .*/0$"):
        open_labels(root)
    if listed:
        (root / "1").rename(root / "2")
        assert [v.where for v in check(root) if v.severity == "MUST"] == ["1"]


def test_a_root_of_spatialdata(tmp_path):
    """Its form, as spatialdata 0.7 writes it; versions of elements are its own."""
    root = tmp_path / "a.zarr"
    zarr.create_group(root, attributes={"spatialdata_attrs": {"version": "0.2"}})
    zarr.create_group(root / "images")
    small_image(root / "images/scan", 3)
    file = root / "images/scan/zarr.json"
    file.write_text(file.read_text().replace('"0.5"', '"0.5-dev-spatialdata"'))
    assert store_tree(root).collection.members == ("images/scan",)
    assert severities(root) == severities(root / "images/scan") == ["UNKNOWN"]
    with pytest.raises(MetadataError, match=r"spatialdata store .* such as .*/images/scan"):
        open_labels(root)


@pytest.mark.parametrize("version", ["0.1", "0.2", "0.3"])
def test_old_stores_are_no_faults(version, tmp_path, capsys):
    root = small_image(tmp_path / "a.zarr", 2, "tczyx")
    names = {"axes": list("tczyx")} if version == "0.3" else {}
    attributes = {"multiscales": [{"version": version, "datasets": [{"path": "0"}], **names}]}
    (root / ".zattrs").write_text(json.dumps(attributes))
    assert severities(root) == ["UNKNOWN"]
    assert run(["check", str(root)]) == 0
    assert run(["info", str(root)]) == 0
    assert f"OME-Zarr {version}" in capsys.readouterr().out
    assert run(["conformance", str(root)]) == 2
    assert json.loads(capsys.readouterr().out)["valid"] is None
    (root / "0/.zarray").unlink()
    assert severities(root) == ["MUST", "UNKNOWN"]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_channels_links_and_what_is_not_registered(zarr_format, tmp_path, capsys):
    root = small_image(tmp_path / "a.zarr", zarr_format)
    window = {"min": 0, "max": 255, "start": 10, "end": 200}
    channels = [{"label": "DAPI", "color": "00FF00", "window": window}]
    group = zarr.open_group(root)
    part = {"omero": {"channels": channels}}
    group.attrs.update(part if zarr_format == 2 else {"ome": group.attrs["ome"] | part})
    assert not store_tree(root).consolidated
    for name in ("a", "b"):
        write_labels(root, LABELS, name=name, levels=1, segments=[Segment(1)])
    sources = {"a": "../../labels/b", "b": "../../../elsewhere"}
    for name, source in sources.items():
        labels = zarr.open_group(root / "labels" / name)
        ome = labels.attrs.asdict()
        ome.get("ome", ome)["image-label"]["source"]["image"] = source
        labels.attrs.put(ome)
    registry = zarr.open_group(root / "labels")
    names = registry.attrs.asdict()
    names.get("ome", names)["labels"] = ["a"]
    registry.attrs.put(names)

    tree = store_tree(root / "labels")
    assert tree == store_tree(root) or tree.url == str(root)
    (channel,) = tree.image.channels
    assert (channel.name, channel.color, channel.window) == ("DAPI", (0, 255, 0), (10.0, 200.0))
    assert tree.kinds == ("multiscales", "omero")
    a, b = tree.labels
    assert (a.registered, a.source.path, a.source.exists) == (True, "labels/b", True)
    assert (b.registered, b.source.link, b.source.path, b.source.exists) == (False, sources["b"], None, None)
    assert run(["info", str(root)]) == 0
    told = capsys.readouterr().out
    for part in ("DAPI", "10 to 200", "not registered", "labels/b, an image", "outside of the store"):
        assert part in told
    assert run(["info", str(root / "labels"), "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    assert got["image"]["channels"] == [{"name": "DAPI", "color": [0, 255, 0], "window": [10.0, 200.0]}]
    assert [label["registered"] for label in got["labels"]] == [True, False]
    assert got["labels"][0]["source"] == {"image": sources["a"], "path": "labels/b", "exists": True}
    assert (got["kinds"], got["broken"], got["collection"]) == (["multiscales", "omero"], [], None)


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.filterwarnings("ignore:Consolidated metadata")
def test_consolidated_metadata_are_told(zarr_format, tmp_path):
    root = small_image(tmp_path / "a.zarr", zarr_format)
    zarr.consolidate_metadata(root)
    assert store_tree(root).consolidated
