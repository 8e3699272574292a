"""The pages are built without a warning, so each reference and link within them leads somewhere."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.docs.pages import ROOT, all_pages

# Of links between files, those on GitHub; Sphinx checks those between pages.
OUTSIDE = {name: text for name, text in all_pages().items() if not name.startswith("docs/")}
OUTSIDE["CONTRIBUTING.md"] = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def build(root, target, **environment):
    """What the program that builds the pages answers."""
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", target],
        cwd=root, env={**os.environ, **environment}, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip


def test_the_pages_are_built_and_tell_all_that_is_public(tmp_path):
    """One test, so that one process builds them."""
    # No proxy answers there: who asks the network fails.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    done = build(ROOT, tmp_path, **nowhere)
    assert done.returncode == 0, done.stdout + done.stderr
    check_names(tmp_path / "api")
    check_options(text_of(tmp_path / "command_line.html"))
    check_schemas("".join(text_of(tmp_path / "schemas" / f"{name}.html") for name in ("ngffseg", "ome_zarr")))


def text_of(page):
    return re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))


def check_names(folder):
    """Each public name has an entry."""
    import ngffseg

    pages = [
        (folder / f"{name}.html").read_text("utf-8") for name in ("functions", "values", "options", "errors")
    ]
    for name in ngffseg.__all__:
        entry = re.compile(rf'id="ngffseg\.(\w+\.)?{name}"')
        assert name.startswith("__") or any(map(entry.search, pages)), name


def check_options(page):
    """Each option of each verb is told."""
    from ngffseg.cli.main import VERBS, app

    for name in VERBS:
        assert f"ngffseg {name}" in page, name
        for parameter in app.get_command(None, name).params:
            told = (
                parameter.opts if parameter.param_type_name == "option" else [parameter.human_readable_name]
            )
            assert [option for option in told if option not in page] == [], name


def check_schemas(pages):
    """Each field of each schema is told."""
    files = sorted((ROOT / "schemas").rglob("*.json"))
    assert len(files) >= 19
    for file in files:
        schema = json.loads(file.read_text(encoding="utf-8"))
        assert schema["$id"] in pages, file
        assert [field for field in fields(schema) if field not in pages] == [], file


def fields(schema):
    """Names of all fields, however deep."""
    yield from schema.get("properties", {})
    inner = [
        *schema.get("properties", {}).values(),
        *schema.get("$defs", {}).values(),
        *schema.get("oneOf", ()),
    ]
    inner += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    for each in inner:
        yield from fields(each)


def links():
    return [
        (name, link)
        for name, text in OUTSIDE.items()
        for link in re.findall(r"\]\(((?!http)[^)#]+)[^)]*\)", text)
    ]


@pytest.mark.parametrize(("name", "link"), links())
def test_links_of_files_outside_the_pages_lead_somewhere(name, link):
    assert (ROOT / name).parent.joinpath(link).exists()


@pytest.mark.long
def test_wrong_references_break_the_build(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "*.zarr", "tests"))
    page = copy / "docs" / "glossary.md"
    wrong = "[a](no_page.md) [b](index.md#no-heading) {py:obj}`ngffseg.no_name` {term}`no term`"
    page.write_text(f"{page.read_text('utf-8')}\n{wrong}\n", encoding="utf-8")
    done = build(copy, tmp_path / "built")
    assert done.returncode != 0
    for told in ("no_page", "no-heading", "no_name", "no term"):
        assert told in done.stderr
