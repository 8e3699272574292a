"""What public functions are called with: nothing is accepted and ignored, and no value of a wrong kind."""

import importlib
import inspect
import re
from pathlib import Path

import dask.array as da
import numpy as np
import pytest

import ngffseg
from ngffseg import Segmentation, open_labels, plan_pyramid, write_labels
from ngffseg.batch import read_rows, run_batch
from ngffseg.cli.main import run
from ngffseg.convert import export_segmentation, import_segmentation
from ngffseg.errors import UsageError
from ngffseg.geometry import identity
from ngffseg.labels import WriteOptions, rebuild_levels, write_segmentation
from ngffseg.labels.plan.options import WRITE_KEYWORDS
from ngffseg.model import Volume
from ngffseg.planning import calibrate
from ngffseg.pyramid import PYRAMID_KEYWORDS, PyramidOptions
from tests.labels.stores import digest

ROOMS = sorted(p.parent.name for p in Path(ngffseg.__file__).parent.glob("*/__init__.py"))
LABELS = np.ones((8, 8, 8), "uint8")


def public_functions():
    """All functions that the package or a room of it names as public, by room and name."""
    modules = [ngffseg, *(importlib.import_module(f"ngffseg.{room}") for room in ROOMS)]
    return {
        f"{module.__name__}.{name}": found
        for module in modules
        for name in getattr(module, "__all__", ())
        if inspect.isfunction(found := getattr(module, name))
    }


def with_options(function):
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(function).parameters.values())


# Each function that takes options by name, and each one of the public top level.
STRICT = {
    name: function
    for name, function in public_functions().items()
    if with_options(function) or (name.count(".") == 1 and inspect.signature(function).parameters)
}


def test_functions_that_take_options_are_found():
    """A signature that hides its options from this file would not be tried."""
    taking = {name.rpartition(".")[2] for name, function in STRICT.items() if with_options(function)}
    assert taking >= {"write_labels", "write_segmentation", "rebuild_levels", "plan_pyramid", "plan_above"}
    assert taking >= {"import_segmentation", "forecast", "forecast_import", "is_current", "is_imported"}


@pytest.mark.parametrize("name", STRICT)
def test_a_misspelled_keyword_is_refused_with_the_nearest_one(name):
    """Before anything else is looked at: even what the function needs is missing here."""
    function = STRICT[name]
    own = [p.name for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]
    meant = own[-1]
    wrong = meant[:-1] + "_" + meant[-1]
    with pytest.raises(
        UsageError, match=rf"^unknown option '{wrong}' of {function.__name__}: did you mean '{meant}'"
    ) as caught:
        function(**{wrong: 1})
    assert isinstance(caught.value, TypeError)
    assert "\n" not in str(caught.value)
    assert all(each in str(caught.value) for each in own)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"overwite": True}, "did you mean 'overwrite'"),
        ({"chunk": 32}, "did you mean 'chunks'"),
        ({"resmue": True}, "did you mean 'resume'"),
        ({"scales": (1, 2, 3)}, "did you mean 'scale'"),
        ({"storage_options": {"anon": True}}, "settings of the store come from the environment"),
        (
            {"qqqq": 1},
            r"unknown option 'qqqq' of write_labels \(known: axes, cascade, chunks, cluster, codec, ",
        ),
    ],
)
def test_nothing_is_written_with_an_unknown_option(tmp_path, wrong, said):
    """Each of these was accepted and ignored."""
    write_labels(tmp_path / "a.zarr", LABELS, name="a")
    before = digest(tmp_path)
    with pytest.raises(TypeError, match=said):
        write_labels(tmp_path / "a.zarr", LABELS * 2, name="b", **wrong)
    assert digest(tmp_path) == before


WRONG = [
    *({"levels": v} for v in ("3", 2.0, True, (2, 2))),
    *({"chunks": v} for v in ("64,64,64", (4.0, 4, 4), True, {4})),
    *({"shards": v} for v in ("none", 4.5)),
    *({"factors": v} for v in ("2", 2.0, [[2, 2, 2], 2], ["2", "2", "2"])),
    *({"method": v} for v in ("Mode", None, ["mode"])),
    *({"tie": v} for v in ("Balanced", 3)),
    *({"cascade": v} for v in ("no", 0)),
    *({"codec": v} for v in (3, b"zstd-3")),
]
WRONG_WRITES = [
    *WRONG,
    *({"workers": v} for v in (0, -1, "2", 1.0, True)),
    *({"resume": v} for v in ("no", 1, None)),
    *({"overwrite": v} for v in ("no", "False", 0)),
    *({"ngff": v} for v in ("0.6", 0.5)),
    *({"cluster": v} for v in (3, ["threads"])),
]


@pytest.mark.parametrize("wrong", WRONG_WRITES, ids=str)
def test_values_of_a_wrong_kind_are_refused_with_what_is_allowed(tmp_path, wrong):
    """In one line, before anything is written: 'no' meant yes, 2.0 was taken for 2, '3' ended in a traceback."""
    ((key, value),) = wrong.items()
    with pytest.raises(UsageError, match=rf"^{key} of write_labels is .*: give ") as caught:
        write_labels(tmp_path / "a.zarr", LABELS, name="a", **wrong)
    assert repr(value) in str(caught.value)
    assert isinstance(caught.value, TypeError)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_plan_refuses_the_same(wrong):
    with pytest.raises(TypeError, match=r"of plan_pyramid is .*: give "):
        plan_pyramid((8, 8, 8), "uint8", **wrong)


@pytest.mark.parametrize(
    "good",
    [
        *({"levels": v} for v in (1, np.int64(2), None)),
        *({"chunks": v} for v in (4, np.uint8(4), [4, 4, 4], np.array([4, 4, 4]), None)),
        *({"shards": v} for v in (8, None)),
        *({"factors": v} for v in (2, [2, 2, 2], [[2, 2, 2]], np.array([[1, 2, 2]]), [], None)),
        *({"cascade": v} for v in (False, np.bool_(True))),
        {"codec": None},
    ],
    ids=str,
)
def test_values_that_are_right_are_taken(tmp_path, good):
    """Numbers of numpy, too; and a run that resumes knows them again."""
    plain = {key: value.tolist() if hasattr(value, "tolist") else value for key, value in good.items()}
    write_labels(tmp_path / "a.zarr", LABELS, name="a", **good)
    before = digest(tmp_path)
    write_labels(tmp_path / "a.zarr", LABELS, name="a", resume=True, **plain)
    assert digest(tmp_path) == before


def test_every_option_has_a_rule_for_its_values():
    """A new option cannot be forgotten."""
    assert set(PYRAMID_KEYWORDS) == set(PyramidOptions.__annotations__)
    assert set(WRITE_KEYWORDS) == set(WriteOptions.__annotations__) | set(PyramidOptions.__annotations__)


@pytest.mark.parametrize(
    "call",
    [
        lambda store: write_segmentation(store, None, name="a", overwrite="no"),
        lambda store: rebuild_levels(store, resume="no"),
        lambda store: import_segmentation("a.nrrd", store, overwrite="no"),
        lambda store: export_segmentation(store, "a.nrrd", strict="no"),
        lambda store: ngffseg.check(store, fix="no"),
        lambda _: run_batch([], workers=0),
        lambda _: run_batch([], worker=1),
        lambda _: calibrate("uint8", 1, chunks=32),
    ],
)
def test_other_functions_refuse_before_they_look(tmp_path, call):
    """A text is no truth value: `fix="no"` repaired the store."""
    with pytest.raises(TypeError, match=r"no': give True or False|workers of|unknown option"):
        call(tmp_path / "a.zarr")


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("lazy", [False, True])
def test_a_list_of_arrays_is_refused(tmp_path, kind, lazy):
    """Two masks became two time points."""
    mask = da.ones((4, 8, 8), dtype="uint8") if lazy else np.ones((4, 8, 8), "uint8")
    with pytest.raises(
        UsageError, match=r"^labels are a (list|tuple) of 2 arrays: .*np\.stack.*Segmentation\(layers="
    ) as caught:
        write_labels(tmp_path / "a.zarr", kind([mask, mask]), name="a")
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match=r"np\.stack"):
        write_labels(tmp_path / "a.zarr", [[mask], [mask]], name="a")
    assert list(tmp_path.iterdir()) == []


def test_what_the_refusal_of_a_list_says_can_be_done(tmp_path):
    """One array of more axes, or layers that may overlap."""
    first, second = np.ones((2, 4, 8, 8), "uint8")
    second[:2] = 0
    time = write_labels(tmp_path / "a.zarr", np.stack([first, second]), name="a")
    assert time.shape == (2, 4, 8, 8)
    layers = Segmentation(layers=(first, second), segments=(), geometry=identity((4, 8, 8)))
    assert write_segmentation(tmp_path / "b.zarr", layers, name="b").layers == ("b", "b__layer1")


def test_labels_typed_by_hand_are_an_array(tmp_path):
    """Nested lists of whole numbers, those of numpy too."""
    image = write_labels(tmp_path / "a.zarr", [[1, np.uint8(2)], (3, 4)], name="a")
    np.testing.assert_array_equal(open_labels(image.url).read(), [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"geometry": (1.0, 1.0, 1.0)}, "geometry is a tuple: give a Geometry"),
        ({"segments": {1: "liver"}}, "segments hold a int: give values of Segment"),
        ({"segments": "liver"}, "segments hold a str: give values of Segment"),
        ({"image": "ct.nii.gz"}, "an image is a str: give an array"),
        ({"image": [[1, 2], [3, 4]]}, "an image is a list: give an array"),
        ({"image": np.ones((2, 2))}, r"an image of shape \(2, 2\) does not fit labels \(z=8, y=8, x=8\)"),
    ],
)
def test_parts_of_a_wrong_kind_are_refused_in_one_line(tmp_path, wrong, said):
    """They ended in an AttributeError or a ValueError of zarr."""
    with pytest.raises(UsageError, match=said):
        write_labels(tmp_path / "a.zarr", LABELS, name="a", **wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_volume_is_checked_by_itself():
    with pytest.raises(UsageError, match="an image has shape"):
        Volume(LABELS, identity((8, 8)))


@pytest.mark.parametrize(
    ("head", "cell", "said"),
    [
        ("chunk", "32", "did you mean 'chunks'"),
        ("sorce", "x", "did you mean 'source'"),
        ("levels", "1,2", r"line 2: levels is \(1, 2\): give a whole number$"),
        ("levels", "two", "line 2: levels 'two' is no whole number"),
        ("overwrite", "True", "line 2: overwrite 'True' is none of yes, no"),
    ],
)
def test_a_table_names_what_is_wrong_in_it(tmp_path, head, cell, said):
    (tmp_path / "a.csv").write_text(f'source,store,{head}\na.nrrd,b.zarr,"{cell}"\n', "utf-8")
    with pytest.raises(UsageError, match=said):
        read_rows(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["improt", "a", "b"], "No such command 'improt'. Did you mean 'import'?"),
        (["import", "a", "b", "--overwite"], "No such option '--overwite'. Did you mean '--overwrite'?"),
    ],
)
def test_the_command_line_names_the_nearest_too(capsys, words, said):
    assert run(words) == 2
    # click 8.1 has no quotes in it.
    told = re.findall(r"[\w-]+", capsys.readouterr().err)
    assert " ".join(re.findall(r"[\w-]+", said)) in " ".join(told)
