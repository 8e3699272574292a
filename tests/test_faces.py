"""Faces of rooms: their names are loaded when they are used, and are what they say."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FACES = {
    ".".join(file.parent.relative_to(ROOT).parts): ast.parse(file.read_text(encoding="utf-8"))
    for file in sorted((ROOT / "ngffseg").rglob("*/__init__.py"))
    if "lazy_face" in file.read_text(encoding="utf-8")
}


def typed_names(room):
    """Names that type checkers see in a face, with the modules that they are from."""
    (block,) = [node for node in FACES[room].body if isinstance(node, ast.If)]
    return {
        alias.name: node.module.removeprefix(f"{room}.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_each_room_has_a_face():
    rooms = {
        "batch",
        "chunks",
        "convert",
        "formats",
        "geometry",
        "labels",
        "model",
        "ngff",
        "pictures",
        "planning",
    }
    assert {f"ngffseg.{room}" for room in rooms | {"pyramid", "store", "viewer", "workers"}} <= set(FACES)


@pytest.mark.parametrize("room", FACES)
def test_a_face_has_the_names_that_it_tells(room):
    face = importlib.import_module(room)
    assert dir(face) == sorted(face.__all__) == sorted(typed_names(room))
    for name, module in typed_names(room).items():
        assert getattr(face, name) is getattr(importlib.import_module(f"{room}.{module}"), name)
    with pytest.raises(AttributeError, match=f"module '{room}' has no attribute 'nonsense'"):
        _ = face.nonsense


@pytest.mark.parametrize("room", FACES)
def test_no_module_hides_a_name_of_its_face(room):
    """Python puts each module that it imports into its package, over a name that is there."""
    folder = ROOT.joinpath(*room.split("."))
    modules = {
        path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }

    assert modules & set(typed_names(room)) == set()
