"""A program as a whole process: wall and CPU time, and the peak memory of it and all that it starts."""

import itertools
import os
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

# Seconds between looks at the memory; short processes are looked at more often.
SAMPLES = (0.004,) * 25 + (0.02,)
PAGE = os.sysconf("SC_PAGESIZE")


@dataclass(frozen=True)
class Measured:
    """Seconds and megabytes of a process, and what it printed."""

    wall: float
    cpu: float
    memory: float
    printed: str


def measure(words: list[str]) -> Measured:
    """Run a program and wait for it."""
    # Users keep compiled bytecode; some machines of developers do not.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(words, stdout=out, stderr=errors, env=environment, start_new_session=True)
        peak = _Peak(process.pid)
        peak.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        peak.done.set()
        peak.join()
        errors.seek(0)
        assert os.waitstatus_to_exitcode(status) == 0, errors.read().decode()[-2000:]
        out.seek(0)
        return Measured(wall, used.ru_utime + used.ru_stime, peak.bytes / 1e6, out.read().decode())


class _Peak(threading.Thread):
    """Sums the resident memory of all processes of a session; pages that they share count for each.

    The kernel keeps the peak of each process itself, which no sample misses; that of getrusage
    would begin with the memory of this process.
    """

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self.session, self.bytes, self.done = session, 0, threading.Event()

    def run(self) -> None:
        pauses = itertools.chain(SAMPLES, itertools.repeat(SAMPLES[-1]))
        while not self.done.wait(next(pauses)):
            found = [self._resident(folder) for folder in Path("/proc").glob("[0-9]*")]
            self.bytes = max(self.bytes, sum(now for now, _ in found), *(peak for _, peak in found))

    def _resident(self, folder: Path) -> tuple[int, int]:
        """Bytes of a process now and at its peak; 0 if it is of another session, or has ended."""
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) != self.session:
                return 0, 0
            peak = (folder / "status").read_text().partition("VmHWM:")[2].split()[0]
            return int(fields[21]) * PAGE, 1024 * int(peak)
        except (OSError, IndexError, ValueError):
            return 0, 0
