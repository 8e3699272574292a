"""Fixtures that several rooms share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


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
