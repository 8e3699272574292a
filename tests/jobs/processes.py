"""Writers, schedulers and workers as processes of their own, to be killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests import forks
from tests.jobs import writer

ROOT = Path(__file__).parents[2]
FORM = {"chunks": 64, "shards": None}


class Writer:
    """A write in a process."""

    def __init__(self, source, store, *, slowly=0.01, **options):
        # Files, to be looked at while it runs.
        self.out, self.error = (
            tempfile.NamedTemporaryFile("w")  # noqa: SIM115
            for _ in range(2)
        )
        self.process = forks.start(
            writer.main, str(source), str(store), FORM | options, SLOWLY=str(slowly),
            out=self.out.name, error=self.error.name,
        )  # fmt: skip

    def live(self, rng, longest):
        """Wait for a random moment of its life: mostly so many seconds of its work, else of its start."""
        if rng.random() < 0.2:
            time.sleep(rng.uniform(0.2, 1.5))
            return
        while self.process.exitcode is None and "[" not in self._said():
            time.sleep(0.02)
        time.sleep(rng.uniform(0, longest))

    def _said(self):
        return Path(self.out.name).read_text("utf-8")

    def kill(self):
        """End it as the system ends what needs too much memory."""
        self.process.kill()
        return self.end()

    def end(self, timeout=180):
        """Wait for it: exit code, blocks done at the beginning and at the end, blocks in all, errors."""
        self.process.join(timeout)
        code = self.process.exitcode
        assert code is not None, self._said()
        out, error = self._said(), Path(self.error.name).read_text("utf-8")
        self.out.close()
        self.error.close()
        return code, [json.loads(line) for line in out.splitlines() if line.startswith("[")], error


class Cluster:
    """A scheduler and workers, each a process."""

    def __init__(self, folder, *, workers=2, nanny=True, run=(), host="127.0.0.1"):
        self.folder, self.nanny, self.run, self.host = Path(folder), nanny, list(run), host
        self.file = self.folder / "scheduler.json"
        self.processes = []
        self.start(workers)

    def start(self, workers=2):
        """Start what is not running."""
        self.file.unlink(missing_ok=True)
        self.scheduler = self._begin(
            self.run[:1], "scheduler", "--host", self.host, "--port", "0", "--no-dashboard",
            "--scheduler-file", str(self.file),
        )  # fmt: skip
        end = time.monotonic() + 60
        while self._document() is None:
            assert time.monotonic() < end
            assert self.scheduler.poll() is None, (self.folder / "log").read_text("utf-8")
            time.sleep(0.05)
        self.workers = [self.add() for _ in range(workers)]

    def _document(self):
        """What the scheduler has written of itself; None until all of it is there."""
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return json.loads(self.file.read_text("utf-8"))

    @property
    def address(self):
        return self._document()["address"]

    def add(self):
        """Start another worker."""
        nanny = "--nanny" if self.nanny else "--no-nanny"
        return self._begin(
            self.run[1:2], "worker", self.address, "--nthreads", "1", nanny, "--no-dashboard",
            "--local-directory", str(self.folder),
        )  # fmt: skip

    def _begin(self, inside, *words):
        command = [*(inside[0] if inside else ()), sys.executable, "-m", "dask", *words]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "PYTHONWARNINGS": "default"}
            )
        self.processes.append(process)
        return process

    def kill_worker(self, number):
        """Kill a worker; of one with a nanny the child, which the nanny starts again."""
        process = self.workers[number]
        if self.nanny:
            for child in _children(process.pid):
                if "spawn_main" in _command(child):
                    os.kill(child, signal.SIGKILL)
            return
        process.kill()
        process.wait()
        self.workers[number] = self.add()

    def kill_scheduler(self):
        """Kill the scheduler, and start it and its workers again."""
        self.close()
        self.start()

    def close(self):
        """Kill all."""
        for process in self.processes:
            for child in _children(process.pid):
                _kill(child)
            _kill(process.pid)
            process.wait()
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(child) for child in found.stdout.split()]


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""
