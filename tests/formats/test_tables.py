"""Label tables as people and programs write them: each is read as it was meant, or refused in one line."""

import contextlib
import io
import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from ngffseg.errors import FormatError, UsageError
from ngffseg.formats import read_table
from ngffseg.formats.tables.table import segment_of
from ngffseg.model import Code, CodedRegion, Codes, Segment
from tests.examples import examples
from tests.formats.tables import LARGE, TEXTS, code
from tests.formats.test_mutations import changes


def read(folder, text, name="a.txt"):
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [segment_of(row, "") for row in read_table(file).rows]


def brief(segments):
    return [(s.label_value, s.name, s.color) for s in segments]


RED, SEEN_THROUGH = (255, 0, 0, 255), (255, 0, 0, 128)


@pytest.mark.parametrize(
    "text",
    [
        "label_value,name,color\n5,a,#ff0000\n", "Value;Name;Colour\r\n5;a;FF0000\r\n", "\ufeffindex\tname\trgb\n5\ta\t255,0,0\n",
        "# made by hand\n\nid,structure,hex\n\n5,a,#f00000".replace("f00000", "ff0000") + "\n\n",
        "label,name,r,g,b\n5,a,1.0,0.0,0.0\n", "Label;Class;Red;Green;Blue\n5;a;255;0;0\n",
        "index,label,R,G,B,A\n5,a,255,0,0,1.0\n", '"index","name","color"\n"5"," a ","[255, 0, 0]"\n',
        "Name,Label,color,,\na,5,(255 0 0),,\n", "# Color table file x\n5 a 255 0 0 255", "5 a 255.0 0 0 255\n", "5 a 255 0 0",
        "\ufeff5 a 255 0 0 255\r\n", '\ufeff[{"value": 5, "name": "a", "color": "#ff0000"}]',
        "5 a 255 0 0 0\n", "#No. Label Name: R G B A\n5 a 255 0 0 255\n", '5 255 0 0 1 1 1 "a"',
        '[{"value": 5, "name": "a", "color": "#ff0000"}]', '{"5": {"name": "a", "color": [1.0, 0.0, 0]}}',
        '{"labels": {"5": {"name": "a", "color": [255, 0, 0, 1.0]}}}', '[{"index": "5", "label": "a", "r": 255, "g": 0, "b": 0}]',
    ],
)  # fmt: skip
def test_many_ways_to_say_one_thing(tmp_path, text):
    """The suffix says too little: each is a file of one name."""
    assert brief(read(tmp_path, text)) == [(5, "a", RED)]


@pytest.mark.parametrize(
    "text",
    [
        "value,name,color\n1,a,#ff000080\n", "value,name,r,g,b,a\n1,a,255,0,0,128\n", "value,name,r,g,b,a\n1,a,255,0,0,.502\n",
        "value,name,r,g,b,a\n1,a,1.0,0.0,0.0,.502\n", "# Color table file x\n1 a 255 0 0 128\n",
        "#No. Label Name: R G B A\n1 a 255 0 0 127\n", '1 255 0 0 0.502 1 1 "a"', '[{"value": 1, "name": "a", "color": [1.0, 0, 0, 0.502]}]',
    ],
)  # fmt: skip
def test_opacity_and_transparency(tmp_path, text):
    assert brief(read(tmp_path, text)) == [(1, "a", SEEN_THROUGH)]


def test_tables_of_the_programs(tmp_path):
    found = {name: read(tmp_path, text, name) for name, text in TEXTS.items()}
    assert brief(found["slicer.ctbl"]) == [
        (1, "artery", (216, 101, 79, 255)), (2, "bone", (241, 214, 145, 128)),
        (3, "connective tissue", (111, 184, 210, 255)),
    ]  # fmt: skip
    assert found["slicer.csv"][2].codes == Codes(
        Code("49755003", "SCT", "Morphologically Altered Structure"), Code("4147007", "SCT", "Mass"), (),
        (CodedRegion(Code("64033007", "SCT", "Kidney"), (Code("24028007", "SCT", "Right"),)),),
    )  # fmt: skip
    assert found["slicer.csv"][0].codes.type_modifiers == (Code("7771000", "SCT", "Left"),)
    assert [(s.name, dict(s.properties)) for s in found["itksnap.txt"]] == [
        ("LM 01", {}),
        ("Inner ERC/CS", {"visible_3d": False}),
    ]
    assert found["freesurfer_lut.txt"][2] == Segment(1035, name="ctx-lh-insula", color=(255, 192, 32, 200))
    assert found["dseg.tsv"][2] == Segment(
        102, name="Brainstem", color=(54, 222, 114), properties={"abbreviation": "BS", "mapping": 11}
    )
    assert brief(found["dataset.json"]) == [(1, "liver", None), (2, "tumor", None)]


def test_visceral_and_anatomic_regions(tmp_path):
    assert brief(read(tmp_path, "Name of the structure (consistent with RadLex),Label\nLiver,32\n")) == [
        (32, "Liver", None)
    ]
    text = "LabelValue,Name,AnatomicRegion_CodingScheme,AnatomicRegion_CodeValue,AnatomicRegion_CodeMeaning\n1,a,SCT,T-Liver,Liver\n"
    assert read(tmp_path, text)[0].codes == Codes(regions=(CodedRegion(code("Liver")),))


@pytest.mark.parametrize("value", [2**53 + 1, LARGE, 2**64 - 1])
@pytest.mark.parametrize(
    "text",
    [
        "index\tname\n{}\ta\n",
        "{} a 1 2 3 255\n",
        '{} 1 2 3 1 1 1 "a"',
        '{{"{}": "a"}}',
        '[{{"value": {}, "name": "a"}}]',
    ],
)
def test_large_label_values_are_exact(tmp_path, text, value):
    (segment,) = read(tmp_path, text.format(value))
    assert segment.label_value == value


def test_columns_of_numbers_become_numbers(tmp_path):
    text = "index\tname\tcode\tarea\tcount\tchecked\tmixed\n1\ta\t007\t1.5\t9007199254740993\ttrue\t1\n2\tb\t12\t2\t-3\tfalse\tx\n3\tc\tn/a\t\t0\tn/a\t2\n"
    assert [dict(s.properties) for s in read(tmp_path, text)] == [
        {"code": "007", "area": 1.5, "count": 2**53 + 1, "checked": True, "mixed": "1"},
        {"code": "12", "area": 2, "count": -3, "checked": False, "mixed": "x"},
        {"count": 0, "mixed": "2"},
    ]


BAD = {
    "a value twice": ("index,name\n1,a\n2,b\n1,c\n", r"value 1 stands there twice"),
    "a name twice": ("index,name\n1,a\n2,a\n3,b\n4,b\n", r"name 'a', 'b' stands there twice"),
    "many names twice": ("index,name\n" + "".join(f"{n},{n // 2}\n" for n in range(2, 20)), r"'1', '2', '3' and 6 more"),
    "a value twice in JSON": ('{"1": "a", "1": "b"}', r"'1' stands there twice"),
    "a value twice in nnU-Net": ('{"labels": {"a": 1, "b": 1}}', r"value 1 stands there twice"),
    "a value twice in a color table": ("1 a 9 9 9\n1 b 9 9 9\n", r"value 1 stands there twice"),
    "a fraction": ("index,name\n5.0,a\n", r"line 2: label value '5\.0' is no whole number: .*without a point"),
    "a fraction in JSON": ('[{"value": 5.0, "name": "a"}]', r"entry 1: label value '5\.0' is no whole number"),
    "lines of Windows": ("index,name\r\n1,a\r\n5.0,b\r\n", r"line 3: label value '5\.0' is no whole number"),
    "negative": ("index,name\n-1,a\n", r"line 2: label value '-1' is negative"),
    "too large": ("index,name\n18446744073709551616,a\n", r"line 2: label value 18446744073709551616 is above 2\^64-1"),
    "no value": ("index,name\n,a\n", r"line 2: label value '' is no whole number"),
    "thousands": ("index;name\n1,000;a\n", r"line 2: label value '1,000' is no whole number"),
    "decimal comma": ("index;name;r;g;b\n1;a;0,5;0;1\n", r"line 2: '0,5' has a decimal comma: write 0\.5"),
    "decimal comma between commas": ("index,name,r,g,b\n1,a,0,5,0,5,0,5\n", r"line 2: it has 8 cells where line 1 names 5.*with a point"),
    "a row too short": ("index,name,color\n1,a\n", r"line 2: it has 2 cells where line 1 names 3"),
    "0 and 1": ("index,name,r,g,b\n1,a,1,0,0\n", r"0 and 1 alone may be black or bright: write 0 and 255, or 0\.0 and 1\.0"),
    "a color above 255": ("1 a 256 0 0 255\n", r"line 1: '256' is no part of a color"),
    "a color word": ("index,name,color\n1,a,red\n", r"line 2: 'red' is no part of a color"),
    "two parts": ("index,name,color\n1,a,1 2\n", r"line 2: a color of 2 parts"),
    "one part missing": ("index,name,r,g,b\n1,a,1,,2\n", r"line 2: '' is no part of a color"),
    "quotation marks": ('index,name\n1,"a" b\n', r"line 2: .*check its quotation marks"),
    "an open quotation mark": ('index,name\n1,"a\n2,b\n', r"line 3: .*check its quotation marks"),
    "no header": ("1,liver\n2,spleen\n", r"is no label table: its first line must name its columns"),
    "only values": ("index\n1\n", r"is no label table"),
    "not a table": ("Dear all,\nindex is ill\n", r"is no label table"),
    "empty": ("", r"is no label table"),
    "no rows": ("index\tname\n0\tBackground\n", r"names no label value but the background"),
    "spaces in a name": ("# Color table file x\n1 left kidney 1 2 3 255\n", r"line 2: it has 7 words.*no spaces in names"),
    "opacity or transparency": ("1 a 9 9 9 0\n2 b 9 9 9 255\n", r"may be opacity or transparency: begin it with the line '# Color table file'"),
    "a scale of colors": ("# Color procedural file x\n0 0 0 0\n1 1 1 1\n", r"it is a scale of colors and names no labels"),
    "a line of ITK-SNAP": ('1 2 3 4 1 1 1 "a"\n2 b 3 4 1 1 1 "b\n', r"line 2: IDX R G B A VIS MSH"),
    "opacity of ITK-SNAP": ('1 2 3 4 255 1 1 "a"\n', r"line 1: opacity 255 is above 1"),
    "latin-1": (b"index,name\n1,M\xfcller\n", r"is not in UTF-8: save it as UTF-8"),
    "UTF-16": ("index,name\n1,a\n".encode("utf-16"), r"is not in UTF-8"),
    "names as keys": ('{"liver": 1}', r"'liver' is no label value: .*under the key 'labels'"),
    "regions of nnU-Net": ('{"labels": {"background": 0, "whole": [1, 2]}}', r"'whole' is a region of several labels"),
    "no JSON": ('{"1": "a"', r"it is no JSON"),
    "NaN": ('[{"value": 1, "name": "a", "x": NaN}]', r"NaN is no number of JSON"),
    "infinity": ('[{"value": 1, "name": "a", "x": 1e999}]', r"label value 1: .*inf"),
    "half a character": ('[{"value": 1, "name": "\\ud800"}]', r"lone surrogate"),
    "deep": ("[" * 100_000, r"nested too deeply"),
    "deep properties": ('[{"value": 1, "x": ' + "[" * 402 + "]" * 402 + "}]", r"label value 1: .*'x' is nested more than 400 deep"),
    "codes": ('[{"value": 1, "codes": {"type": 5}}]', r"entry 1: its codes.* cannot be understood"),
    "terminology": ('[{"value": 1, "codes": {"terminology": 5}}]', r"entry 1: its codes.* cannot be understood"),
    "a number for a name": ('{"1": 2}', r"entry 1: its name 2 is no text"),
    "a list of numbers": ("[1, 2]", r"it holds no objects of segments"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_tables_are_refused_in_one_line(tmp_path, case):
    text, message = BAD[case]
    with pytest.raises(FormatError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert "a.txt" in str(caught.value)


def test_no_such_file(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_table(tmp_path / "a.csv")


def test_the_background_is_left_out_whatever_it_is_called(tmp_path):
    for name in ("Background", "Clear Label", "Unknown", "a"):
        assert brief(read(tmp_path, f"index,name\n0,{name}\n1,a\n")) == [(1, "a", None)]


@pytest.mark.parametrize("name", TEXTS)
@examples(25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=changes)
def test_damaged_tables(name, drawn, tmp_path):
    """Whatever bytes change, what comes out is a table of exact values, or one clear line."""
    damaged = bytearray(TEXTS[name].encode())
    for kind, place, what in drawn:
        at = place % len(TEXTS[name])
        if kind == "set":
            damaged[at : at + len(what)] = what
        elif kind == "cut":
            del damaged[at : at + what]
        else:
            damaged[at:at] = what
    said = ""
    with contextlib.suppress(FormatError):
        try:
            assert all(isinstance(segment, Segment) for segment in read(tmp_path, bytes(damaged), name))
        except FormatError as error:
            said = str(error)
            raise
    assert "\n" not in said


@examples(30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["1", "2", "labels", "value", "name", "color", "codes", "tags", "x"]), inner, max_size=3),
        max_leaves=12,
    )
)  # fmt: skip
def test_any_json(content, tmp_path):
    with contextlib.suppress(FormatError):
        read(tmp_path, json.dumps(content), "a.json")


def test_tables_need_no_pandas():
    code = (
        "import sys, ngffseg.formats\n"
        "from ngffseg.formats.tables.csv_table import parse\n"
        "assert parse('index,name\\n1,a\\n', 'a.csv') == [{'label_value': 1, 'name': 'a'}]\n"
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_independent_readers_find_what_is_written(tmp_path):
    """The csv of Python and pandas read our CSV and TSV as they read any."""
    import csv

    import pandas as pd

    from ngffseg.formats import table_text
    from ngffseg.ngff import made_up_color
    from tests.formats.tables import WHOLE

    text, _ = table_text(WHOLE, tmp_path / "a.csv", made_up_color)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["Name"] for row in rows] == [s.name for s in WHOLE]
    assert [int(row["LabelValue"]) for row in rows] == [s.label_value for s in WHOLE]
    text, _ = table_text(WHOLE, tmp_path / "a.tsv", made_up_color)
    frame = pd.read_csv(io.StringIO(text), sep="\t", dtype={"index": "uint64"}, na_values="n/a")
    assert frame["index"].tolist() == [s.label_value for s in WHOLE]
    assert frame["name"].tolist() == [s.name for s in WHOLE]
    assert list(frame.columns[:5]) == ["index", "name", "abbreviation", "color", "mapping"]
