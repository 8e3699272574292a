"""Fixtures: one S3 server per test session, a bucket per test, a proxy that injects faults."""

import fcntl
import itertools
import json
import os
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.storage.proxy import FaultProxy
from tests.storage.server import KEY, SECRET, S3Server, server_kind

ROOT = Path(__file__).parents[2]
NUMBERS = itertools.count()


def _command(folder: Path, name: str):
    def send() -> None:
        (folder / name).touch()
        end = time.monotonic() + 60
        while (folder / name).exists():
            assert time.monotonic() < end, name
            time.sleep(0.02)

    return send


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory, request) -> S3Server:
    """The server, shared by all processes of the session; it ends when the first of them ends."""
    kind = server_kind()
    worker = hasattr(request.config, "workerinput")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if worker else base) / "s3"
    folder.mkdir(exist_ok=True)
    pid = os.getppid() if worker else os.getpid()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "started").exists():
            (folder / "started").touch()
            with (folder / "log").open("wb") as log:
                subprocess.Popen(
                    [sys.executable, "-m", "tests.storage.supervisor", kind, str(folder), str(pid)],
                    cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                    env={**os.environ, "PYTHONWARNINGS": "default"},
                ).returncode = 0  # fmt: skip
                # It is not waited for: it ends by itself after this process.
    end = time.monotonic() + 150
    while not (folder / "server.json").exists():
        assert time.monotonic() < end, (folder / "log").read_text("utf-8")
        time.sleep(0.05)
    answer = json.loads((folder / "server.json").read_text("utf-8"))
    assert "endpoint" in answer, answer.get("error")
    return S3Server(answer["endpoint"], _command(folder, "stop"), _command(folder, "start"))


@dataclass(frozen=True)
class Bucket:
    """A bucket that nobody else uses."""

    name: str
    server: S3Server

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def keys(self) -> dict[str, int]:
        """Keys of all objects with their sizes."""
        pages = self.server.client().get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return {found["Key"]: found["Size"] for page in pages for found in page.get("Contents", [])}

    def read(self, key: str) -> bytes:
        return self.server.client().get_object(Bucket=self.name, Key=key)["Body"].read()


@pytest.fixture
def s3_environment(s3_server, tmp_path, monkeypatch) -> S3Server:
    """The usual variables, set for the server, and nothing of the machine's own."""
    for name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    return s3_server


@pytest.fixture
def bucket(s3_environment) -> Bucket:
    """A new bucket."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    s3_environment.client().create_bucket(Bucket=name)
    return Bucket(name, s3_environment)


@pytest.fixture
def proxy(s3_environment, monkeypatch):
    """A proxy before the server, through which all requests of the code under test go."""
    with FaultProxy(s3_environment.endpoint) as started:
        monkeypatch.setenv("AWS_ENDPOINT_URL", started.url)
        yield started
