"""Sphinx builds these pages: ``sphinx-build -W --keep-going docs TARGET``. Nothing is fetched from the network."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "ngffseg"
author = "The ngffseg developers"
copyright = "The ngffseg developers"  # noqa: A001 - the name is Sphinx's
version = release = version_of("ngffseg")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "extension.schema_page",
    "extension.public_names",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"ngffseg {version}"
html_show_sphinx = False
# The pages are read as they are; copies of the sources would double the build.
html_copy_source = False

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_type_aliases = {"npt.DTypeLike": "DTypeLike", "npt.ArrayLike": "ArrayLike"}
autodoc_member_order = "bysource"
napoleon_use_rtype = False
# What docstrings put between single backticks is a name of Python.
default_role = "py:obj"
# `--json` is no dash.
smartquotes = False

nitpicky = True
# Types of other libraries have their pages elsewhere, and the build reads no network.
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|np|npt|os|collections|typing|pathlib|dask|da|zarr|distributed|matplotlib|click)\b.*"),
    # Types that appear in annotations and are no names that people call.
    ("py:class", r"(.*\.)?(Box|BoxLike|Cluster|Drawing|Frame|IndexLayout|LazyLevel|Levels|Order)"),
    ("py:.*", r"(optional|Any|Self|ArrayLike|DTypeLike|ndarray|Unpack|Mapping|Sequence|Iterable|Iterator)"),
]
