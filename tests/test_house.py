"""The house: its rooms, sizes and habits."""

import ast
import importlib.metadata
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import ngffseg

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "ngffseg").rglob("*.py"))
TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}
PROGRAMS = Path(sys.executable).parent


def functions(tree):
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_files_are_near_200_lines_or_smaller():
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in FILES
    }
    assert {name: n for name, n in lengths.items() if n > 220} == {}
    assert statistics.median(lengths.values()) <= 120


def test_functions_fit_a_screen_and_take_at_most_8_parameters():
    for file, tree in TREES.items():
        for function in functions(tree):
            arguments = function.args
            names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
            names += [a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None]
            assert len([n for n in names if n not in ("self", "cls")]) <= 8, f"{file.name}:{function.name}"
            docstring = len((ast.get_docstring(function) or "").splitlines())
            length = function.end_lineno - function.lineno - docstring
            assert length <= 55, f"{file.name}:{function.name} has {length} lines"


def test_file_names_are_one_noun():
    for file in FILES:
        assert re.fullmatch(r"__init__|__main__|[a-z]+(_[a-z]+){0,2}", file.stem), file
        assert not set(file.stem.split("_")) & {
            "utils",
            "util",
            "helper",
            "helpers",
            "manager",
            "container",
            "misc",
        }


def test_nobody_writes_into_a_job():
    """What a job knows of itself changes by its own methods; what it has written is a value, `Written`."""
    for file, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
                assert not ast.unparse(node).startswith("job."), f"{file.name}: {ast.unparse(node)}"


# What people call and what they get; a name that goes, comes or changes is one to review.
PUBLIC = """
Geometry LabelImage NgffsegError PyramidPlan Segment Segmentation Violation Volume WriteOptions __version__ check
export_segmentation follow_links import_segmentation open_image open_labels open_segmentation plan_pyramid plot_levels
plot_slices rebuild_levels segment_index update_labels write_labels
"""


def test_the_public_top_level_is_small_and_real():
    assert ngffseg.__all__ == PUBLIC.split()
    assert len(ngffseg.__all__) < 25
    assert ngffseg.__version__ == importlib.metadata.version("ngffseg")
    assert sorted(ngffseg.__all__) == ngffseg.__all__
    for name in ngffseg.__all__:
        assert getattr(ngffseg, name).__doc__
    assert dir(ngffseg) == ngffseg.__all__
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ngffseg.nonsense


HEAVY = (
    *("dask", "numba", "zarr", "ome_zarr", "nibabel", "matplotlib", "slicerio", "fsspec", "s3fs"),
    *("typer", "click", "rich", "numpy", "jsonschema"),
)


def test_import_ngffseg_loads_next_to_nothing():
    code = (
        f"import sys, ngffseg; print([m for m in sys.modules if m in {HEAVY!r} or m.startswith('ngffseg.')])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert loaded.stdout.strip() == "[]"


def test_labels_load_neither_the_slow_nor_the_optional_libraries():
    code = "import sys, ngffseg.labels; print([m for m in ('ome_zarr', 'nibabel', 'matplotlib', 'pandas') if m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert loaded.stdout.strip() == "[]"


def test_only_the_command_line_prints_or_exits():
    for file, tree in TREES.items():
        if file.parent.name == "cli":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in ("print", "sys.exit", "exit", "quit", "os._exit"), file
            if isinstance(node, ast.Raise) and node.exc is not None:
                assert not ast.unparse(node.exc).startswith("SystemExit"), file


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, "ngffseg" if node.level else node.module


@pytest.mark.parametrize(
    "library",
    [
        "nibabel",
        "matplotlib",
        "slicerio",
        "ome_zarr",
        "s3fs",
        "fsspec",
        "aiohttp",
        "numba",
        "neuroglancer",
        "playwright",
        "tornado",
    ],
)
def test_each_outside_library_is_known_to_one_file(library):
    knowing = {f for f, tree in TREES.items() for _, name in imports(tree) if name.split(".")[0] == library}
    assert len(knowing) <= 1, knowing


def test_internals_of_zarr_are_known_to_one_file():
    knowing = {
        f.name for f, tree in TREES.items() for _, name in imports(tree) if name.startswith("zarr.core")
    }
    assert knowing == {"zarr_internals.py"}


# Words of the past, each with the one that is used now. A word is a part of an identifier: `_draft_of` has `draft`.
# Keys of documents on disk, which are texts, keep theirs.
WORDS = {
    "crew": "executor", "errand": "task", "ledger": "checkpoint log", "census": "statistics",
    "journal": "write-ahead log", "registration": "commit record", "claim": "ownership", "draft": "write plan",
    "shield": "defer interrupts", "shielded": "defer interrupts", "standing": "referenced", "judge": "validate",
    "judged": "validated", "mend": "fix", "mended": "fixed", "fence": "page index", "fences": "page index",
    "calm": "expected", "witness": "probe key", "told": "document, message, stated", "sweep": "pass",
    "forget": "clear cache", "mip": "level", "mag": "level", "fault": "failed request, violation",
}  # fmt: skip


def identifiers(tree):
    for node in ast.walk(tree):
        for key in ("name", "id", "attr", "arg", "asname"):
            if isinstance(getattr(node, key, None), str):
                yield getattr(node, key)


def test_one_word_for_one_thing():
    for file, tree in TREES.items():
        for name in [*identifiers(tree), file.stem]:
            parts = {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}
            for word in parts & WORDS.keys():
                assert name == "Draft202012Validator", f"{file}: {name}: say {WORDS[word]}"


def test_no_import_of_our_own_is_hidden_in_a_function():
    for file, tree in TREES.items():
        for function in functions(tree):
            for _, name in imports(function):
                assert not name.startswith("ngffseg"), f"{file}: {name}"


def test_everything_public_is_documented_with_its_parameters():
    for file, tree in TREES.items():
        assert ast.get_docstring(tree), file
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            assert ast.get_docstring(node), f"{file.name}:{node.name}"
            # The members of a protocol are documented where they are implemented.
            protocol = isinstance(node, ast.ClassDef) and "Protocol" in map(ast.unparse, node.bases)
            for method in [] if protocol else functions(node):
                if not method.name.startswith("_"):
                    assert ast.get_docstring(method), f"{file.name}:{node.name}.{method.name}"


def test_nothing_is_left_for_later():
    for file in FILES:
        assert not re.search(r"TODO|FIXME|XXX|NotImplementedError", file.read_text(encoding="utf-8")), file


def test_the_rooms_are_held_by_a_contract():
    done = subprocess.run(
        [PROGRAMS / "lint-imports"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )
    # Without any contract the tool is content, too.
    assert re.search(r"[1-9]\d* kept, 0 broken", done.stdout), done.stdout + done.stderr


@pytest.mark.parametrize(
    "words",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]],
    ids=" ".join,
)
def test_the_tools_are_content(words):
    done = subprocess.run(
        [PROGRAMS / words[0], *words[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
