"""Channels of an image: names, colors and windows are stored as omero, and shown where others tell fewer."""

import json

import numpy as np
import pytest

from ngffseg import check, write_labels
from ngffseg.errors import UsageError
from ngffseg.geometry import identity
from ngffseg.labels import channel_window, label_channels, open_contents, shown_channels
from ngffseg.model import Channel, Volume

DYES = (
    Channel("DAPI", (0, 0, 255), (10, 500.5)),
    Channel("GFP", (0, 255, 0), (0, 700), active=False, inverted=True),
)


def written(store, channels, version="0.5"):
    """A store of two channels, what is told of it, and the labels that have as many."""
    data = np.arange(2 * 3 * 8 * 9, dtype="uint16").reshape(2, 3, 8, 9)
    image = Volume(data, identity(data.shape, "czyx"), "cells", channels=channels)
    labels = write_labels(store, data.astype("u1"), name="a", axes="czyx", image=image, ngff=version)
    return data, open_contents(store).image, labels


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_what_is_told_is_stored(tmp_path, version):
    _, image, labels = written(tmp_path / "a.zarr", DYES, version)
    assert image.channels == DYES
    assert label_channels(labels.geometry, image) == ("DAPI", "GFP")
    assert [v for v in check(tmp_path / "a.zarr") if v.severity == "MUST"] == []


def test_what_nobody_tells_is_looked_up(tmp_path):
    """A number for a name, a color in turn, and the values of the channel itself."""
    data, image, labels = written(tmp_path / "a.zarr", ())
    assert image.channels == ()
    assert [channel.name for channel in shown_channels(image)] == ["cells: channel 0", "cells: channel 1"]
    assert [channel.color for channel in shown_channels(image)] == [(255, 0, 255), (0, 255, 0)]
    for number in range(2):
        inside = data[number].ravel()[1:]  # the smallest value is at the corner, as padding is
        assert channel_window(image, number) == tuple(np.percentile(inside, (1, 99)))
    assert label_channels(labels.geometry, image) == ("channel 0", "channel 1")
    file = tmp_path / "a.zarr" / "zarr.json"
    document = json.loads(file.read_text())
    document["attributes"]["ome"]["omero"] = {"channels": [{"label": "first"}]}
    file.write_text(json.dumps(document))
    told = shown_channels(open_contents(tmp_path / "a.zarr").image)
    assert [channel.name for channel in told] == ["first", "cells: channel 1"]


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        (DYES[:1], "2 channels tells of 1"),
        ((DYES[0], Channel("GFP", (0, 255, 0))), "its color and its window"),
    ],
)
def test_channels_that_do_not_fit_are_refused(tmp_path, channels, said):
    with pytest.raises(UsageError, match=said):
        written(tmp_path / "a.zarr", channels)
    assert not (tmp_path / "a.zarr").exists()
