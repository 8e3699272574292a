"""What people can do about an error: in the words of Python everywhere, in those of the command line at the command line."""

import ast
import importlib
import pickle
import re
from pathlib import Path
from typing import get_args

import dask
import numpy as np
import pytest

from ngffseg import errors, open_labels, segment_index, write_labels
from ngffseg.batch import read_rows, run_batch
from ngffseg.cli.hints import WORDS, worded
from ngffseg.cli.main import VERBS, app, run
from ngffseg.errors import Action, Hint, LabelExistsError, NgffsegError, NgffsegWarning, hints_of

PACKAGE = Path(__file__).parents[2] / "ngffseg"
LABELS = np.ones((4, 4, 4), np.uint8)
# Options of a browser, which is a program of others.
OTHERS = {"screenshot.py"}


def texts(tree):
    """All texts of a module but docstrings; what is filled in stands as {}."""
    nodes = list(ast.walk(tree))
    inner = {id(part) for n in nodes if isinstance(n, ast.JoinedStr) for part in n.values}
    inner |= {id(n.value) for n in nodes if isinstance(n, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield "".join(p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield node.value


def messages():
    for file in sorted(PACKAGE.rglob("*.py")):
        for text in texts(ast.parse(file.read_text(encoding="utf-8"))):
            yield file, text


def flags_in(text):
    """Flags in a text, and verbs after the name of the program."""
    # Two hyphens within a sentence, as of the specification, are a dash.
    flags = re.findall(r"(?<![\w-])--[a-z][a-z-]+(?!\w)", text)
    return flags + [f"ngffseg {verb}" for verb in re.findall(r"\bngffseg ([a-z]+)", text) if verb in VERBS]


def test_flags_are_found():
    assert flags_in("{}: export without --strict, or (--anon)") == ["--strict", "--anon"]
    assert flags_in("see ngffseg check") == ["ngffseg check"]
    assert flags_in("applications--notably those; ngffseg.check; import ngffseg") == []


def test_only_the_command_line_speaks_of_flags():
    found = {
        (file.name, text): flags_in(text)
        for file, text in messages()
        if "cli" not in file.parts
        and file.name not in OTHERS
        and "from ngffseg import write_labels" not in text
    }
    assert len(found) > 2000
    assert {where: flags for where, flags in found.items() if flags} == {}


@pytest.mark.parametrize("action", get_args(Action))
def test_the_command_line_has_words_for_each_hint_which_name_what_there_is(action):
    assert set(WORDS) == set(errors.WORDS) == set(get_args(Action))
    hint = Hint(action, "s3://b/{x}.zarr", "n a")
    python, shell = str(hint), worded(f"do {hint}!", [hint])
    assert flags_in(python) == []
    assert python not in shell.replace("(AWS_NO_SIGN_REQUEST=YES)", "").replace("AWS_ENDPOINT_URL (", "")
    verb = re.search(r"\bngffseg (\w+)", shell)
    flags = [flag for flag in flags_in(shell) if flag.startswith("--")]
    assert verb or flags
    verbs = [app.get_command(None, name) for name in ([verb[1]] if verb else VERBS)]
    known = {o for each in verbs for p in each.params for o in (*p.opts, *p.secondary_opts)}
    assert set(flags) <= known
    assert ("{url}" in errors.WORDS[action] or "{url}" in WORDS[action]) == ("s3://b/{x}.zarr" in shell)


def test_words_of_python_name_what_there_is():
    for words in errors.WORDS.values():
        for name in re.findall(r"\bngffseg\.([\w.]+)\(", words):
            module, _, function = f"ngffseg.{name}".rpartition(".")
            assert callable(getattr(importlib.import_module(module), function))


def test_no_hint_asks_for_what_no_verb_does():
    assert "upgrade" not in VERBS
    assert [text for _, text in messages() if re.search(r"\bupgrade (it|the store)\b", text)] == []


CLASSES = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, NgffsegError)]


@pytest.mark.parametrize("kind", CLASSES)
def test_hints_cross_processes(kind):
    """By pickle, and as dask sends exceptions: without `__init__`."""
    from tblib import pickling_support

    error = kind("do it with resume=True", hints=[Hint("resume")])
    pickling_support.install(error)
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), back.hints) == (kind, "do it with resume=True", (Hint("resume"),))
    assert kind("what").hints == ()


def test_hints_come_back_from_a_process_of_a_cluster():
    def fails():
        raise LabelExistsError("overwrite it (overwrite=True)", hints=[Hint("overwrite")])

    with pytest.raises(LabelExistsError) as caught:
        dask.delayed(fails)().compute(scheduler="processes", num_workers=1)
    assert list(hints_of(caught.value)) == [Hint("overwrite")]


def test_hints_of_what_caused_an_error_are_its_own():
    def fails():
        try:
            raise NgffsegError("run again with resume=True", hints=[Hint("resume")])
        except NgffsegError as error:
            raise errors.StoreError(f"block 3 failed: {error}") from error

    with pytest.raises(errors.StoreError) as caught:
        fails()
    assert worded(str(caught.value), hints_of(caught.value)) == "block 3 failed: run again with --resume"


def said(capsys, *words):
    code = run([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.err + captured.out


def test_each_is_told_in_its_own_words(tmp_path, capsys):
    """Python names the keyword, the command line the flag, of the same error."""
    import nibabel

    file, store = tmp_path / "a.nii.gz", tmp_path / "a.zarr"
    nibabel.save(nibabel.Nifti1Image(LABELS, np.eye(4)), file)
    assert said(capsys, "import", file, store, "--name", "a")[0] == 0
    with pytest.raises(LabelExistsError, match=r"or overwrite it \(overwrite=True\)$"):
        write_labels(store, LABELS, name="a")
    code, told = said(capsys, "import", file, store, "--name", "a")
    assert code == 2
    assert told.endswith("choose another name, or overwrite it (--overwrite)\n")

    with pytest.raises(NgffsegError, match=r"see ngffseg\.labels\.list_labels\('.*a\.zarr'\)$"):
        open_labels(store, "b")
    assert said(capsys, "segments", store, "--name", "b")[1].endswith(f"see ngffseg info {store}\n")

    with pytest.raises(NgffsegError, match=r"see ngffseg\.segment_index\(image\)\.labels\(\)$"):
        segment_index(open_labels(store))[9]

    nibabel.save(nibabel.Nifti1Image(LABELS - 1.5, np.eye(4)), tmp_path / "f.nii.gz")
    (tmp_path / "t.csv").write_text(f"source,store,name\n{tmp_path / 'f.nii.gz'},{tmp_path / 'b.zarr'},b\n")
    (result,) = run_batch(read_rows(tmp_path / "t.csv"))
    assert "give it as the image, or" in result.reason
    assert said(capsys, "batch", tmp_path / "t.csv")[0] == 1
    assert "give it with --image, or" in (tmp_path / "t.results.csv").read_text()
    assert "hints" not in (tmp_path / "t.results.csv").read_text()


def test_warnings_are_told_in_words_of_the_command_line(capsys, monkeypatch):
    import warnings

    def warn(_words):
        warnings.warn(NgffsegWarning("say crop=True", hints=[Hint("crop")]), stacklevel=1)

    monkeypatch.setattr(app, "invoke", warn)
    assert said(capsys, "demo") == (0, "ngffseg: say --crop\n")
