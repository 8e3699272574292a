"""Fixtures that several rooms share."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.examples import examples
from tests.storage.server import server_kind

ROOT = Path(__file__).parent.parent
settings.register_profile("each run", examples(100, print_blob=True))
settings.load_profile("each run")
pytest_plugins = ["tests.storage.fixtures"]


def pytest_report_header() -> str:
    """Say which S3 server is used: the stand-in is never chosen silently."""
    return f"S3 server: {server_kind()} (NGFFSEG_TEST_S3)"


@pytest.fixture
def unmarked(monkeypatch):
    """Short jobs leave no checkpoint behind, also where a busy machine makes them long."""
    from ngffseg.labels.jobs import checkpoints

    monkeypatch.setattr(checkpoints, "PAUSE", 3600.0)


@pytest.fixture
def interruptible():
    """Processes of the test heed SIGINT, also where this one was started as ``nohup … &``.

    There it is ignored, and what is ignored is inherited by all that come from it.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real files, or a skip that says how to name it."""
    folder = Path(os.environ.get("NGFFSEG_TEST_DATA", ROOT / ".." / "shared" / "data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}: set NGFFSEG_TEST_DATA to the folder of real files")
    return folder


@pytest.fixture(scope="session")
def slicer_files() -> Path:
    """The real CT and segmentations that come inside the slicerio wheel."""
    import slicerio

    return Path(slicerio.__file__).parent / "data"
