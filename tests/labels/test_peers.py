"""Other programs open what we write: judges, readers and napari."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from ngffseg import Geometry, Segment, write_labels
from ngffseg.labels import write_segmentation
from ngffseg.model import Segmentation
from ngffseg.pyramid import downsample

LABELS = np.random.default_rng(0).integers(0, 4, (20, 50, 60)).astype(np.uint32)
SEGMENTS = (
    Segment(1, id="a", name="liver", color=(10, 20, 30, 255)),
    Segment(2, id="b", name="spleen"),
    Segment(1, id="c", layer=1),
)
GRID = Geometry(LABELS.shape, np.diag([0.5, 0.6, 0.7, 1]))


@pytest.fixture(params=["0.5", "0.4"])
def version(request):
    return request.param


@pytest.fixture(params=["placeholder", "image", "plain"])
def store(request, tmp_path, version):
    """Stores of each kind that we write."""
    path = tmp_path / "case.ome.zarr"
    if request.param == "plain":
        write_labels(path, LABELS[0], name="organs", ngff=version, levels=3)
        return path
    made = Segmentation((LABELS, (LABELS == 3).astype(np.uint8)), SEGMENTS, GRID)
    image = None
    if request.param == "image":
        from ngffseg.model import Volume

        image = Volume(LABELS.astype(np.float32), GRID, "ct")
    write_segmentation(path, made, name="organs", image=image, ngff=version, levels=3)
    return path


def run(*words):
    program = Path(sys.executable).parent / words[0]
    return subprocess.run(
        [program, *words[1:]], capture_output=True, text=True, encoding="utf-8", check=False
    )


def test_ome_zarr_models_accepts_it(store):
    import ome_zarr_models
    import zarr

    with warnings.catch_warnings():
        warnings.simplefilter("error", ome_zarr_models.exceptions.ValidationWarning)
        opened = ome_zarr_models.open_ome_zarr(zarr.open_group(store, mode="r"))
        assert opened is not None
        labels = ome_zarr_models.open_ome_zarr(zarr.open_group(store / "labels", mode="r"))
        assert labels is not None
        label = ome_zarr_models.open_ome_zarr(zarr.open_group(store / "labels" / "organs", mode="r"))
        assert type(label).__name__ == "ImageLabel"


def test_yaozarrs_accepts_it(store):
    import yaozarrs

    yaozarrs.validate_zarr_store(str(store))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_ome_zarr_py_reads_levels_colors_and_properties(tmp_path, version):
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    path = tmp_path / "case.ome.zarr"
    write_labels(path, LABELS, name="organs", segments=SEGMENTS[:2], geometry=GRID, ngff=version, levels=3)
    nodes = Reader(parse_url(path / "labels" / "organs"))()
    (node,) = (n for n in nodes if n.zarr.basename() == "organs")
    want = LABELS
    for level in node.data:
        np.testing.assert_array_equal(level.compute(), want)
        want = downsample(want, (2, 2, 2))
    assert node.metadata["color"][1] == [10 / 255, 20 / 255, 30 / 255, 1.0]
    assert node.metadata["properties"][1]["name"] == "liver"
    assert node.metadata["properties"][2]["name"] == "spleen"
    names = [n.zarr.basename() for n in Reader(parse_url(path))()]
    assert "organs" in names


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
def test_napari_ome_zarr_opens_it(store):
    from napari_ome_zarr import napari_get_reader

    layers = napari_get_reader(str(store))(str(store))
    kinds = [kind for _, _, kind in layers]
    assert kinds[0] == "image"
    assert "labels" in kinds
    data, _, _ = layers[kinds.index("labels")]
    want = LABELS if data[0].ndim == 3 else LABELS[0]
    np.testing.assert_array_equal(np.asarray(data[0]), want)


def test_tensorstore_reads_every_level(store, version):
    import tensorstore as ts

    want = LABELS if (store / "labels/organs__layer1").exists() else LABELS[0]
    for level in range(3):
        driver = "zarr3" if version == "0.5" else "zarr"
        spec = {
            "driver": driver,
            "kvstore": {"driver": "file", "path": str(store / f"labels/organs/{level}")},
        }
        got = ts.open(spec).result().read().result()
        np.testing.assert_array_equal(got, want)
        want = downsample(want, (2,) * want.ndim)


@pytest.mark.parametrize("program", [("ome-zarr-models", "validate"), ("yaozarrs", "validate")])
def test_their_command_lines_accept_it(store, program):
    done = run(*program, str(store))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("writer_version", ["0.5", "0.4"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_we_open_and_mend_what_ome_zarr_py_writes(writer_version, tmp_path):
    import zarr
    from ome_zarr.format import FormatV04, FormatV05
    from ome_zarr.writer import write_image
    from ome_zarr.writer import write_labels as their_write_labels

    from ngffseg import check, open_labels

    fmt = FormatV05() if writer_version == "0.5" else FormatV04()
    group = zarr.open_group(tmp_path / "theirs.zarr", mode="w", zarr_format=fmt.zarr_format)
    write_image(LABELS.astype(np.uint16), group, axes="zyx", fmt=fmt)
    metadata = {
        "colors": [{"label-value": 1, "rgba": [1, 2, 3, 255]}],
        "properties": [{"label-value": 1, "class": "x"}],
    }
    their_write_labels(LABELS, group, name="cells", axes="zyx", fmt=fmt, label_metadata=metadata)
    image = open_labels(tmp_path / "theirs.zarr")
    np.testing.assert_array_equal(image.read(), LABELS)
    assert [(s.label_value, s.name, s.color) for s in image.segments] == [(1, "x", (1, 2, 3, 255))]
    found = [v for v in check(tmp_path / "theirs.zarr") if v.severity == "MUST"]
    # ome-zarr-py leaves the version out of the labels group of 0.5.
    assert [v.where for v in found] == (["labels#/ome"] if writer_version == "0.5" else [])
    assert [v for v in check(tmp_path / "theirs.zarr", fix=True) if v.severity == "MUST"] == []
    ours = write_labels(tmp_path / "theirs.zarr", LABELS, name="ours")
    assert len(ours._arrays) == len(image._arrays)
    np.testing.assert_array_equal(open_labels(tmp_path / "theirs.zarr", "cells").read(), LABELS)
