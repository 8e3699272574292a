"""The directives ``public-names``, ``names-below`` and ``options``: all that is public, also what comes later."""

import importlib
import inspect
import re
import sys
import typing
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

import ngffseg

MEMBERS = "   :members:\n   :special-members: __getitem__"


class PublicNames(SphinxDirective):
    """All public ``functions`` or ``classes`` of ngffseg, in the order of the alphabet."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Have autodoc write each of them."""
        wanted = directives.choice(self.arguments[0], ("functions", "classes"))
        lines: list[str] = []
        for name in ngffseg.__all__:
            value = getattr(ngffseg, name)
            if inspect.isfunction(value) and wanted == "functions":
                lines += [f".. autofunction:: ngffseg.{name}", ""]
            if is_value(value) and wanted == "classes":
                lines += [f".. autoclass:: ngffseg.{name}", MEMBERS, ""]
        return _parsed(self, lines)


class NamesBelow(SphinxDirective):
    """Names that are public below the top level, one a line; those that are at the top level too are left to it."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Have autodoc write each of them."""
        lines: list[str] = []
        for path in self.content:
            module, _, name = path.rpartition(".")
            value = getattr(importlib.import_module(module), name)
            if getattr(ngffseg, name, None) is value:
                continue
            kind = "class" if inspect.isclass(value) else "function"
            lines += [f".. auto{kind}:: {path}", *([MEMBERS] if kind == "class" else []), ""]
        return _parsed(self, lines)


class Options(SphinxDirective):
    """The keywords that public functions take as ``**options``, by the class that lists them."""

    def run(self) -> list[nodes.Node]:
        """Have autodoc write each class."""
        lines: list[str] = []
        for kind in sorted(option_classes(), key=lambda kind: kind.__name__):
            lines += [f".. autoclass:: {_shortest(kind)}", "   :no-members:", ""]
        return _parsed(self, lines)


def _parsed(directive: SphinxDirective, lines: list[str]) -> list[nodes.Node]:
    """Nodes of reStructuredText, which autodoc writes, within a page of Markdown."""
    text = "\n".join(["```{eval-rst}", *lines, "```"])
    return directive.parse_text_to_nodes(text)


def is_value(kind: object) -> bool:
    """Return True if it is a class of values: neither an error nor a table of keywords."""
    return inspect.isclass(kind) and not issubclass(kind, BaseException) and not typing.is_typeddict(kind)


def option_classes() -> set[type]:
    """The tables of keywords of all public functions, those that they extend included."""
    found: set[type] = set()
    for name in ngffseg.__all__:
        function = getattr(ngffseg, name)
        told = re.fullmatch(r"Unpack\[(\w+)]", getattr(function, "__annotations__", {}).get("options", ""))
        if inspect.isfunction(function) and told:
            # Of the other annotations some are imported for the type checker alone.
            found |= _with_bases(inspect.unwrap(function).__globals__[told[1]])
    return found


def _with_bases(kind: type) -> set[type]:
    """A table of keywords and those that it extends: Python 3.11 keeps no bases, so all are taken whose keys it has."""
    near = {found for found in vars(sys.modules[kind.__module__]).values() if typing.is_typeddict(found)}
    bases = {found for found in near - {kind} if _keys(found) < _keys(kind)}
    return {kind}.union(*map(_with_bases, bases))


def _shortest(kind: type) -> str:
    """The shortest path by which a class can be imported."""
    parts = kind.__module__.split(".")
    modules = [".".join(parts[:number]) for number in range(1, len(parts) + 1)]
    module = next(name for name in modules if getattr(sys.modules[name], kind.__name__, None) is kind)
    return f"{module}.{kind.__name__}"


def _keys(kind: Any) -> set[str]:
    return set(kind.__annotations__)


def listed(app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]) -> None:  # noqa: ARG001
    """Give each of the errors that share a sentence a line of its own: napoleon takes them for one name."""
    for number in range(len(lines) - 1, -1, -1):
        if not re.fullmatch(r"[A-Z]\w+(, [A-Z]\w+)+", lines[number]):
            continue
        end = next((n for n in range(number + 1, len(lines)) if not lines[n].startswith("    ")), len(lines))
        meaning = lines[number + 1 : end]
        lines[number:end] = [line for error in lines[number].split(", ") for line in (error, *meaning)]


def shown(*told: Any) -> tuple[str | None, str | None]:
    """Show a default that a dataclass makes anew as ``...``: Sphinx cannot parse how Python shows it."""
    *_, signature, returned = told
    return signature and signature.replace("<factory>", "..."), returned


def resolved(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """Resolve a name of Python by its last part, which docstrings and annotations of other modules use."""
    if node.get("refdomain") != "py":
        return None
    wanted = str(node["reftarget"]).rpartition(".")[2]
    domain = env.domains.python_domain
    found = [name for name in domain.objects if name.rpartition(".")[2] == wanted]
    # The name at the top level is the shortest one.
    best = min(found, key=lambda name: name.count("."), default=None)
    if best is None:
        return None
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", best, node, content)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the directives and of the way to find names."""
    app.add_directive("public-names", PublicNames)
    app.add_directive("names-below", NamesBelow)
    app.add_directive("options", Options)
    app.connect("autodoc-process-docstring", listed, priority=400)  # napoleon has 500
    app.connect("autodoc-process-signature", shown)
    app.connect("missing-reference", resolved)
    return {"parallel_read_safe": True}
