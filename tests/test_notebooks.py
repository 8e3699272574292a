"""The notebooks run clean, in a kernel of their own, against a real S3 server and a real cluster.

``NGFFSEG_WRITE_NOTEBOOKS=1`` writes the outputs into them, pictures included; otherwise it is checked that
what is committed shows the same.
"""

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# jupyter_client and its sockets are not ours.
pytestmark = pytest.mark.filterwarnings("ignore")


def texts(book):
    """What each cell printed, without what differs from run to run."""
    printed = []
    for cell in book.cells:
        text = ""  # how it is cut differs from run to run
        for output in cell.get("outputs", []):
            assert output.output_type != "error", output
            assert output.get("name") != "stderr", output
            text += output.get("text", "")
        printed.append(re.sub(r"0x[0-9a-f]+", "", text))
    return printed


def pictures(book):
    return sum(
        "image/png" in output.get("data", {}) for cell in book.cells for output in cell.get("outputs", [])
    )


def test_there_are_notebooks():
    assert {path.stem for path in NOTEBOOKS} == {
        "first_look", "batch_on_a_cluster", "one_segment_of_many", "what_a_pyramid_keeps",
    }  # fmt: skip


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_is_committed(path, bucket, tmp_path, monkeypatch):
    monkeypatch.setenv("NGFFSEG_BUCKET", bucket.name)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    committed = nbformat.read(path, as_version=4)
    book = nbformat.from_dict(committed.copy())
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    NotebookClient(
        book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    found = texts(book)
    assert pictures(book) > 0
    if os.environ.get("NGFFSEG_WRITE_NOTEBOOKS"):
        for cell in book.cells:
            cell.metadata = {}
        book.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
        nbformat.write(book, path)
        return
    assert found == texts(committed), (
        "NGFFSEG_WRITE_NOTEBOOKS=1 pytest tests/test_notebooks.py writes them anew"
    )
    assert pictures(book) == pictures(committed)
    assert path.stat().st_size < 2**20
