"""What the pages say is true: each code block runs, each link leads somewhere, and the pages are built."""

import re
import shutil
import zipfile

import pytest

from tests.docs.pages import ROOT, all_pages, blocks_of, run_page

PAGES = all_pages()
BLOCKS = {name: blocks_of(text) for name, text in PAGES.items()}
RUN = {name: [block for block in blocks if block.why is None] for name, blocks in BLOCKS.items()}
CODE = {"python", "sh"}
WITH_CODE = [name for name, blocks in RUN.items() if CODE & {block.language for block in blocks}]
# Files that a page speaks of as the reader's own.
FILES = ("Segmentation.seg.nrrd", "CTChest4.nrrd")
OLD_STORE = "old.ome.zarr"


def test_there_is_a_page_for_each_subject():
    guides = {"napari", "bucket", "cluster", "batch", "editing", "upgrading"}
    assert {f"docs/guides/{name}.md" for name in guides} <= set(PAGES)
    named = {"quickstart", "layout", "glossary", "command_line", "benchmarks", "decisions/index", "api/index"}
    assert {f"docs/{name}.md" for name in named} <= set(PAGES)


def test_the_quickstart_has_eight_lines_of_python_and_of_shell():
    python, shell = (
        [block.text for block in BLOCKS["docs/quickstart.md"] if block.language == language]
        for language in ("python", "sh")
    )
    assert len([line for line in python[0].splitlines() if line]) == 8
    assert len("".join(shell[1:]).splitlines()) == 8  # the first one installs


def test_each_fence_is_a_block_that_is_known():
    for name, text in PAGES.items():
        languages = re.findall(r"^```(\w+)", text, re.MULTILINE)
        assert len(languages) == len(BLOCKS[name]), name
        assert set(languages) <= CODE | {"text"}, name


@pytest.mark.parametrize("name", WITH_CODE)
def test_each_block_of_a_page_runs(name, request, slicer_files, tmp_path):
    blocks = RUN[name]
    text = "".join(block.text for block in blocks)
    for file in FILES:
        if file in text:
            shutil.copy(slicer_files / file, tmp_path)
    if OLD_STORE in text:
        with zipfile.ZipFile(ROOT / "tests" / "data" / "stores_0_1_0.zip") as stores:
            stores.extractall(tmp_path)
        (tmp_path / "plain.zarr").rename(tmp_path / OLD_STORE)
    if "s3://bucket" in text:
        url = request.getfixturevalue("bucket").url
        blocks = [
            type(block)(block.language, block.text.replace("s3://bucket", url), None) for block in blocks
        ]
    run_page(blocks, tmp_path)
