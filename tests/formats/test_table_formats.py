"""One suite for all kinds of label tables: what is written comes back, and what does not is told."""

import dataclasses

import pytest

from ngffseg.errors import LossError, UnknownFormatError
from ngffseg.formats import read_table, table_text
from ngffseg.formats.tables.table import segment_of
from ngffseg.model import Segment
from ngffseg.ngff import made_up_color
from tests.formats.tables import BIDS, FREESURFER, ITKSNAP, LARGE, SLICER_CTBL, SLICER_WRITTEN, WHOLE


class TableConformance:
    """What every kind of table must keep; each one subclasses this."""

    file: str
    keeps: frozenset[str]
    # A text of the program that the kind is of, or of its documentation.
    theirs: str

    def written(self, tmp_path, segments):
        text, losses = table_text(segments, tmp_path / self.file, made_up_color)
        (tmp_path / self.file).write_bytes(text.encode())
        return losses, [segment_of(row, "") for row in read_table(tmp_path / self.file).rows]

    def test_plain_segments_come_back_whole(self, tmp_path):
        segments = (Segment(7, name="a", color=(1, 2, 254)), Segment(3, name="b", color=(0, 0, 0)))
        assert self.written(tmp_path, segments) == ((), list(segments))

    def test_large_label_values_are_exact(self, tmp_path):
        segments = [Segment(v, name=f"n{v}", color=(9, 9, 9)) for v in (2**53 + 1, LARGE, 2**64 - 1)]
        assert [s.label_value for s in self.written(tmp_path, segments)[1]] == [2**53 + 1, LARGE, 2**64 - 1]

    def test_opacity(self, tmp_path):
        segments = [Segment(1 + n, name=f"n{n}", color=(1, 2, 3, n)) for n in range(256)]
        losses, back = self.written(tmp_path, segments)
        assert ([s.color for s in back] == [s.color for s in segments]) is ("opacity" in self.keeps)
        assert (losses == ()) is ("opacity" in self.keeps)

    def test_what_is_kept_comes_back_and_the_rest_is_told(self, tmp_path):
        losses, back = self.written(tmp_path, WHOLE)
        told = " ".join(loss.what for loss in losses)
        for field in dataclasses.fields(Segment):
            same = [
                getattr(a, field.name) == getattr(b, field.name) for a, b in zip(WHOLE, back, strict=True)
            ]
            word = {"id": "ids", "name": "names", "color": "colors", "layer": "layers"}.get(
                field.name, field.name
            )
            assert (word in told) is not all(same), (word, told)
            assert all(same) or field.name not in self.keeps, word

    def test_the_background_is_no_segment(self, tmp_path):
        segments = (Segment(0, name="nothing", color=(1, 1, 1)), Segment(1, name="a", color=(1, 2, 3)))
        losses, back = self.written(tmp_path, segments)
        assert [s.label_value for s in back] == [1]
        assert [loss.what for loss in losses] == ["the background has no row in it"]

    def test_a_value_in_two_layers(self, tmp_path):
        color = (1, 2, 3)
        segments = (Segment(1, "x", "a", color), Segment(1, "y", "b", color, layer=1))
        if "layer" in self.keeps:
            assert [(s.layer, s.name) for s in self.written(tmp_path, segments)[1]] == [(0, "a"), (1, "b")]
        else:
            with pytest.raises(
                LossError, match=r"label value 1 is in layers 0 and 1.*\.csv, \.tsv or \.json"
            ):
                self.written(tmp_path, segments)

    def test_names_that_would_break_a_line(self, tmp_path):
        segments = [Segment(n, name=name, color=(9, 9, 9)) for n, name in enumerate(NASTY, 1)]
        losses, back = self.written(tmp_path, segments)
        assert [s.label_value for s in back] == list(range(1, len(NASTY) + 1))
        assert [s.color for s in back] == [s.color for s in segments]
        assert ([s.name for s in back] == NASTY) is (not losses)

    def test_a_table_of_the_program_comes_back_letter_by_letter(self, tmp_path):
        (tmp_path / self.file).write_bytes(self.theirs.encode())
        segments = [segment_of(row, "") for row in read_table(tmp_path / self.file).rows]
        assert table_text(segments, tmp_path / self.file, made_up_color) == (self.theirs, ())


NASTY = [
    "a\nb",
    "c\rd",
    'say "e"',
    "f,g;h\ti",
    " j ",
    "_",
    "#k",
    "l\x0bm",
    "n\u2028o",
    "007",
    "n/a",
    "'p'",
    "q\0r",
]


class TestCsv(TableConformance):
    file, theirs = "a.csv", SLICER_WRITTEN
    keeps = frozenset({"id", "name", "opacity", "layer", "codes", "status"})

    def test_slicer_finds_a_color_in_each_row(self, tmp_path):
        """It gives up the whole table where a cell of a color is empty."""
        text, losses = table_text([Segment(5, name="a")], tmp_path / "a.csv", made_up_color)
        assert ",".join(map(str, (5, '"a"', *made_up_color(5)))) in text
        assert "those that viewers show" in losses[0].what


class TestTsv(TableConformance):
    file, theirs = "a.tsv", BIDS
    keeps = frozenset({"name", "layer"})


class TestColorTable(TableConformance):
    file = "Segmentation-label_ColorTable.ctbl"
    theirs = SLICER_CTBL
    keeps = frozenset({"opacity"})


class TestItkSnap(TableConformance):
    file, theirs = "a.txt", ITKSNAP
    keeps = frozenset({"opacity"})

    def test_itksnap_and_others_read_one_opacity(self, tmp_path):
        """ITK-SNAP cuts 255 times the number off, others round it."""
        segments = [Segment(1 + alpha, color=(1, 2, 3, alpha)) for alpha in range(256)]
        text, _ = table_text(segments, tmp_path / "a.txt", made_up_color)
        numbers = [float(line.split()[4]) for line in text.splitlines()[15:]]
        assert [int(255 * number) for number in numbers] == list(range(256))
        assert [round(255 * number) for number in numbers] == list(range(256))


class TestFreeSurfer(TableConformance):
    file, theirs = "freesurfer_lut.txt", FREESURFER
    keeps = frozenset({"opacity"})


class TestJson(TableConformance):
    file = "a.json"
    theirs = (
        '[\n  {"label_value": 9223372036854775813, "id": "x", "name": "Müller", "color": "#01020380"}\n]\n'
    )
    keeps = frozenset({"opacity", *(field.name for field in dataclasses.fields(Segment))})


@pytest.mark.parametrize("name", ["a.xml", "a", "csv", "a.csv.gz"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(UnknownFormatError, match=r"\.csv \.tsv \.ctbl lut\.txt \.txt \.json"):
        table_text([], tmp_path / name, made_up_color)
