"""Whatever public functions and verbs are called with: what numpy means by it, or one line that says what to give."""

import inspect

import numpy as np
import pytest

import ngffseg
from ngffseg import open_labels, segment_index, update_labels, write_labels
from ngffseg.cli.main import VERBS, app, run
from ngffseg.errors import NgffsegError, OptionError
from ngffseg.geometry import identity
from ngffseg.keywords import ANNOTATED
from ngffseg.labels import list_labels, open_contents, store_tree
from tests.labels.stores import digest

LABELS = np.ones((8, 8, 8), "uint8")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad") / "a.zarr"
    write_labels(folder, LABELS, name="a", levels=2, chunks=4)
    return folder


@pytest.fixture(scope="module")
def image(store):
    return open_labels(store)


FUNCTIONS = {
    name: getattr(ngffseg, name) for name in ngffseg.__all__ if inspect.isfunction(getattr(ngffseg, name))
}
FUNCTIONS |= {f.__name__: f for f in (open_contents, list_labels, store_tree)}
PARAMETERS = [
    (name, parameter.name, parameter.annotation)
    for name, function in FUNCTIONS.items()
    for parameter in inspect.signature(function).parameters.values()
    if parameter.annotation in ANNOTATED
]
# Values that are of none of these kinds.
WRONG = [1.5, b"a", {1: 2}, [[1.0]], LABELS > 0, object(), ...]
# The rest of what is needed.
NEEDED = {"name": "b", "labels": LABELS, "box": None, "geometry": (8, 8, 8), "dtype": "uint8"}


def test_parameters_are_found():
    """A function whose arguments are all of other kinds would not be tried."""
    assert {name for name, _, _ in PARAMETERS} == set(FUNCTIONS) - {"follow_links"}
    assert len(PARAMETERS) > 30


@pytest.mark.parametrize(("name", "parameter", "annotation"), PARAMETERS)
def test_a_value_of_a_wrong_kind_is_told_with_what_to_give(
    name, parameter, annotation, store, image, tmp_path
):
    """By name and by place, before anything is read or written: these were AttributeErrors of other libraries."""
    function, before = FUNCTIONS[name], digest(store)
    known = list(inspect.signature(function).parameters.values())
    given = {
        "url": tmp_path / "new.zarr",
        "source": "a.nii.gz",
        "target": tmp_path / "b.nrrd",
        "image": image,
    } | NEEDED
    by_name = {p.name: given[p.name] for p in known if p.default is p.empty and p.kind is not p.VAR_KEYWORD}
    place = [p.name for p in known if p.kind is p.POSITIONAL_OR_KEYWORD]
    wrong = [*WRONG, *([] if annotation.endswith("None") else [None])]
    for value in [*wrong, 7] if annotation in ("bool", "str") or "PathLike" in annotation else wrong:
        calls = [((), by_name | {parameter: value})]
        if parameter in place:
            before_it = [by_name.get(p) for p in place[: place.index(parameter)]]
            rest = {
                key: own for key, own in by_name.items() if key not in place[: place.index(parameter) + 1]
            }
            calls.append(((*before_it, value), rest))
        for args, kwargs in calls:
            with pytest.raises(OptionError, match=rf"^{parameter} of {name} is .*: give ") as caught:
                function(*args, **kwargs)
            assert "\n" not in str(caught.value)
            assert len(str(caught.value)) < 250
            assert isinstance(caught.value, TypeError | ValueError)
    assert list(tmp_path.iterdir()) == []
    assert digest(store) == before


BOXES = [
    (5, "a box is a int: give a slice or a pair"),
    ("abc", "a box is a str: give"),
    ({1: 2}, "a box is a dict: give"),
    (slice(0, 4), "a box is a slice: give"),
    (LABELS > 0, r"a box is a mask: index with it, as in image\[mask\]"),
    (iter([(0, 1)]), "a box is a list_iterator: give"),
    ([5, 5, 5], "a range of a box is 5: give"),
    ([(0, 1, 2)] * 3, r"a range of a box is \(0, 1, 2\): give"),
    ([(0.0, 1.0)] * 3, r"a range of a box is \(0.0, 1.0\): give"),
    (["ab"] * 3, "a range of a box is 'ab': give"),
    ([None] * 3, "a range of a box is None: give"),
    ([LABELS > 0] * 3, r"a range of a box is array\(.*…: give"),
    ((slice(0, 2), ...), "has 2 axes, the image 3"),
    ([(0, 1)] * 2, "has 2 axes, the image 3: give one range per axis"),
    ([(0, 9)] * 3, "range 0:9 does not lie in 0:8"),
    ([(-1, 2)] * 3, "range -1:2 does not lie in 0:8"),
    ([(2, 1)] * 3, "range 2:1 does not lie in 0:8"),
    ([slice(0, 4, -1)] * 3, "give start and stop inside it, and no step"),
    ([slice(None, None, 2)] * 3, "give start and stop inside it, and no step"),
]


@pytest.mark.parametrize(("box", "said"), BOXES, ids=[said for _, said in BOXES])
def test_a_wrong_box_is_told_in_one_line(box, said, image, store):
    before = digest(store)
    for call in (
        lambda: image.read(box),
        lambda: update_labels(image, box, LABELS),
        lambda: open_labels(store).read(box, level=1) if not isinstance(box, list) else image.read(box),
    ):
        with pytest.raises(NgffsegError, match=said) as caught:
            call()
        assert isinstance(caught.value, ValueError)
        assert "\n" not in str(caught.value)
    assert digest(store) == before


@pytest.mark.parametrize(
    "box", [None, [(0, 2)] * 3, [slice(2)] * 3, np.array([[0, 2]] * 3), (slice(None),) * 3]
)
def test_boxes_of_all_kinds_are_taken(box, image):
    assert image.read(box).shape in {(2, 2, 2), (8, 8, 8)}


@pytest.mark.parametrize("wrong", [7, -1, 0, 2**64, 1.0, "1", None, [1], LABELS > 0], ids=repr)
def test_a_label_that_is_none_is_told_in_one_line(wrong, image):
    index = segment_index(image)
    for call in (lambda: index[wrong], lambda: index.chunks(wrong)):
        with pytest.raises(
            NgffsegError, match=r"holds no label|a label value is .*: give a whole number"
        ) as caught:
            call()
        assert "\n" not in str(caught.value)
    if isinstance(wrong, int):
        assert wrong not in index
    else:
        with pytest.raises(NgffsegError, match="give a whole number"):
            _ = wrong in index


OPTIONS = [
    (verb, option)
    for verb in VERBS
    for parameter in app.get_command(None, verb).params
    for option in parameter.opts
    if option.startswith("--")
]


@pytest.mark.parametrize("verb", VERBS)
def test_each_misspelled_option_of_a_verb_is_told_with_the_nearest(verb, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = [option for of, option in OPTIONS if of == verb]
    needed = [p.name for p in app.get_command(None, verb).params if p.param_type_name == "argument"]
    assert own or verb == "conformance"
    for option in own:
        wrong = f"{option[:-1]}_{option[-1]}"
        assert run([verb, *needed, wrong]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"ngffseg: No such option '{wrong}'. ")
        assert "Did you mean" in line
        assert f"'{option}'" in line
    assert list(tmp_path.iterdir()) == []


BAD_WORDS = [
    (["segments", "{store}", "--label", "x"], "'x' is not a valid int"),
    (["segments", "{store}", "--label", "-3"], "holds no label -3: see ngffseg segments"),
    (["segments", "{store}", "--label", "99"], "holds no label 99: see ngffseg segments"),
    (["segments", "{store}", "--name", "b"], "has no label image 'b': see ngffseg info"),
    (["plan", "--shape", "8,x,8", "--dtype", "uint8"], "give whole numbers parted by commas"),
    (["plan", "--shape=-8,8,8", "--dtype", "uint8"], ""),
    (["plan", "--shape", "8,8,8", "--dtype", "float32"], "float32"),
    (["pyramid", "{store}", "--levels", "-1"], ""),
    (["pyramid", "{store}", "--chunks", "0"], ""),
    (["export", "{store}", "{store}.qqq"], ""),
]


@pytest.mark.parametrize(
    ("words", "said"), BAD_WORDS, ids=lambda part: " ".join(part) if isinstance(part, list) else ""
)
def test_bad_words_of_verbs_are_told_in_one_line(words, said, store, capsys):
    before = digest(store)
    assert run([word.format(store=store) for word in words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ngffseg: ")
    assert said in line
    assert digest(store) == before


def test_grids_and_types_of_plans():
    """A Geometry is taken, too; a type that is none of integers holds no labels."""
    assert ngffseg.plan_pyramid(identity((8, 8, 8)), np.uint16).levels
    for dtype in (float, "float32", bool, None, "U4"):
        with pytest.raises(OptionError, match=r"dtype of plan_pyramid is .*: give a type of integers"):
            ngffseg.plan_pyramid((8, 8, 8), dtype)
