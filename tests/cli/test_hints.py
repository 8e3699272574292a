"""Hints in messages name verbs and options that there are."""

import ast
import re
from pathlib import Path

from ngffseg.cli.main import VERBS, app

PACKAGE = Path(__file__).parents[2] / "ngffseg"
HINT = re.compile(r"\bngffseg ([a-z]+)((?: (?:\{\}|--[a-z-]+))*)")
# What follows the name where it is the subject of a sentence.
NO_VERBS = {"did", "does", "itself", "knows"}


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
            yield file.name, text


def test_hints_name_verbs_and_options_that_there_are():
    found = [
        (file, verb, re.findall(r"--[a-z-]+", words))
        for file, text in messages()
        for verb, words in HINT.findall(text)
        if verb not in NO_VERBS and "import write_labels" not in text
    ]
    assert len(found) > 8
    for file, verb, words in found:
        assert verb in VERBS, (file, verb)
        options = {o for p in app.get_command(None, verb).params for o in (*p.opts, *p.secondary_opts)}
        assert set(words) <= options, (file, verb, words)


def test_no_hint_asks_for_what_no_verb_does():
    assert "upgrade" not in VERBS
    assert [text for _, text in messages() if re.search(r"\bupgrade (it|the store)\b", text)] == []
