"""Names that others have given reach a terminal and a picture as text, whole, and obeyed by nothing."""

import json

import numpy as np
import pytest

from ngffseg import Segment, export_segmentation, write_labels
from ngffseg.cli import answer
from ngffseg.cli.main import run
from ngffseg.pictures import plot_slices, save_picture
from ngffseg.text import plain

LABELS = np.arange(64, dtype=np.uint8).reshape(4, 4, 4) % 3
NAMES = {
    "Kidney [left] lower": "Kidney [left] lower",
    "[/]": "[/]",
    "[link=https://a.b]x[/link]": "[link=https://a.b]x[/link]",
    "[bold red": "[bold red",
    ":smile:": ":smile:",
    "\x1b[2Jgone": "\\x1b[2Jgone",
    "\x1b]0;title\x07": "\\x1b]0;title\\x07",
    "\x1b]8;;https://a.b\x1b\\link\x1b]8;;\x1b\\": "\\x1b]8;;https://a.b\\x1b\\link\\x1b]8;;\\x1b\\",
    "\x9b31mred": "\\x9b31mred",
    "a\nb\tc": "a\\x0ab\\x09c",
    "\u202egnirts": "\\u202egnirts",
    r"$\frac{a}$": r"$\frac{a}$",
    "$x": "$x",
    "Größe": "Größe",
}


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setattr(answer, "WIDTH", 300)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_whole(name, tmp_path, capsys):
    store = tmp_path / "a.zarr"
    write_labels(
        store, LABELS, name="organs", segments=[Segment(1, id="i" + name, name=name), Segment(2, name="y")]
    )
    for verb in ("info", "segments"):
        assert run([verb, str(store)]) == 0
        out = capsys.readouterr().out
        assert NAMES[name] in out
        assert not set(out) & set("\x1b\x9b\x07\u202e")
        assert run([verb, str(store), "--json"]) == 0
        out = capsys.readouterr().out
        assert not set(out) & set("\x1b\x9b\x07\u202e")
        found = json.loads(out)
        rows = found["labels"][0]["segments"] if verb == "info" else found
        assert rows[0]["name"] == name
    save_picture(plot_slices(store), tmp_path / "a.png")


@pytest.mark.parametrize("name", ["[/]", "Kidney [left] lower", "$x"])
def test_an_import_that_has_written_does_not_fail(name, tmp_path, capsys):
    segments = [Segment(1, name=name), Segment(2, name="y")]
    write_labels(tmp_path / "a.zarr", LABELS, name="organs", segments=segments)
    export_segmentation(tmp_path / "a.zarr", tmp_path / "[b].seg.nrrd")
    assert run(["import", str(tmp_path / "[b].seg.nrrd"), str(tmp_path / "b.zarr"), "--name", "[b] :x:"]) == 0
    out = capsys.readouterr().out
    assert name in out
    assert "labels/[b] :x:" in out


def test_half_a_character_is_shown(tmp_path, capsys):
    store = tmp_path / "a.zarr"
    write_labels(store, LABELS, name="organs", segments=[Segment(1, name="half"), Segment(2, name="y")])
    for file in store.rglob("zarr.json"):
        file.write_text(file.read_text("utf-8").replace('"half"', r'"\ud800half"'), "utf-8")
    assert run(["segments", str(store)]) == 0
    assert "\ufffdhalf" in capsys.readouterr().out
    assert run(["segments", str(store), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "\ufffdhalf"
    save_picture(plot_slices(store), tmp_path / "a.png")


def test_an_error_obeys_nothing(tmp_path, capsys):
    assert run(["info", f"{tmp_path}/\x1b[2J[red]x"]) == 2
    error = capsys.readouterr().err
    assert "\\x1b[2J[red]x" in error
    assert "\x1b" not in error


@pytest.mark.parametrize(
    "number", [*range(0xA0), 0x061C, *range(0x200E, 0x2010), *range(0x2028, 0x202F), 0xDFFF]
)
def test_plain_text_has_no_character_that_is_obeyed(number):
    text = plain(chr(number))
    assert text == chr(number) if 0x20 <= number < 0x7F else text.isascii()
    assert text.isprintable()
