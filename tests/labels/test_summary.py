"""What a label image shows of itself: one screen, colors, text of others escaped, and nothing read for it."""

import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

from ngffseg import Segment, open_labels, write_labels
from ngffseg.labels.read.image_summary import Summary, html_summary, text_summary
from ngffseg.ngff import made_up_color

NAMES = ["liver", "<script>alert(1)</script>", "\x1b[2Jkidney\u202e\n", "a" * 500]
SEGMENTS = [Segment(n + 1, name=name) for n, name in enumerate(NAMES)]
SEGMENTS[0] = Segment(1, name="liver", color=(200, 30, 4, 128))
MANY = [*SEGMENTS, *(Segment(n) for n in range(5, 61))]


@pytest.fixture
def image(tmp_path):
    labels = np.arange(61 * 8 * 9, dtype=np.uint16).reshape(61, 8, 9) // 72
    write_labels(tmp_path / "a.zarr", labels, name="a", segments=MANY, chunks=8, shards=16, levels=2)
    found = open_labels(tmp_path / "a.zarr")
    # Whatever is read from here on fails.
    shutil.rmtree(tmp_path / "a.zarr")
    return found


def test_one_screen_of_text(image):
    lines = repr(image).splitlines()
    assert lines[0] == f"<LabelImage 'a' of {image.url}>"
    assert lines[1:6] == [
        "  shape     61 x 8 x 9 (z, y, x), uint16",
        "  voxel     1 x 1 x 1",
        "  levels    2",
        "  chunks    8 x 8 x 8 in shards of 16 x 8 x 16",
        "  segments  60",
    ]
    assert lines[6:9] == ["     1  liver", f"     2  {NAMES[1]}", r"     3  \x1b[2Jkidney\u202e\x0a"]
    assert lines[-1] == "    … 48 more"
    assert len(lines) <= 24
    assert max(map(len, lines[1:])) < 80
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", repr(image))


class Shown(HTMLParser):
    """What a browser would show of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts, self.colors = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.colors += re.findall(r"background:(rgba\([^)]*\))", dict(attrs).get("style", ""))

    def handle_data(self, data):
        self.texts.append(data)


def test_a_table_for_notebooks(image):
    shown = Shown(image._repr_html_())
    assert set(shown.tags) == {"div", "b", "table", "tr", "th", "td", "span"}
    assert {"liver", NAMES[1], "… 40 more", "61 x 8 x 9 (z, y, x), uint16"} <= set(shown.texts)
    assert len(shown.colors) == 20
    assert shown.colors[0] == "rgba(200,30,4,0.502)"
    assert shown.colors[1] == "rgba({},{},{},1)".format(*made_up_color(2)[:3])
    assert all(len(text) < 200 for text in shown.texts if image.url not in text)


class Counted(tuple):
    """Segments that count how many of them are looked at."""

    seen = 0

    def __getitem__(self, index):
        found = super().__getitem__(index)
        type(self).seen += len(found)
        return found

    def __iter__(self):
        raise AssertionError("all segments are looked at")


def test_a_million_segments_cost_what_twenty_do(image):
    segments = Counted((SEGMENTS[0],) * 1_000_000)
    summary = Summary("a", (1, 1, 1), image.geometry, "uint8", (1, 1, 1), None, 1, 2, segments)
    assert "… 999,988 more" in text_summary(summary)
    assert "… 999,980 more" in html_summary(summary)
    assert "layers    2" in text_summary(summary)
    assert Counted.seen == 12 + 20 + 12


def test_an_image_at_the_root_without_segments(tmp_path):
    write_labels(tmp_path / "a.zarr", np.zeros((2, 3), np.uint8), name="a", levels=1)
    image = open_labels(shutil.copytree(tmp_path / "a.zarr" / "labels" / "a", tmp_path / "b.zarr"))
    assert repr(image).splitlines() == [
        f"<LabelImage {image.url}>",
        "  shape     2 x 3 (y, x), uint8",
        "  voxel     1 x 1",
        "  levels    1",
        "  chunks    2 x 3",
        "  segments  0",
    ]
