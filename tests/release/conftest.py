"""The sdist and the wheel of this tree, built once for all processes of a session."""

import fcntl
import json
from pathlib import Path

import pytest

from tests.release.distributions import Distributions, build


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the lanes: each takes a minute, and at the end all other processes would wait for the last."""
    items.sort(key=lambda item: not item.name.startswith("test_the_core["))


@pytest.fixture(scope="session")
def distributions(tmp_path_factory, request) -> Distributions:
    """Both, as they would be uploaded."""
    worker = hasattr(request.config, "workerinput")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if worker else base) / "dist"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        names = folder / "names.json"
        if not names.exists():
            built = build(folder)
            names.write_text(json.dumps([str(built.sdist), str(built.wheel)]))
        sdist, wheel = json.loads(names.read_text())
    return Distributions(Path(sdist), Path(wheel))
