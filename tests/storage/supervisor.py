"""Runs the S3 server of a test session in a process of its own, until the session is gone.

``python -m tests.storage.supervisor KIND FOLDER PID`` writes FOLDER/server.json once the server
answers, and ends it when the process PID ends, however that was. Commands are files in FOLDER:
``stop`` and ``start`` are carried out and removed.
"""

import json
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from tests.storage.ceph import Ceph
from tests.storage.server import S3Server


@contextmanager
def moto():
    """The stand-in, in this process."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()

        def cannot() -> None:
            raise RuntimeError("moto keeps its objects in the process: it cannot be interrupted")

        yield S3Server(f"http://{host}:{port}", cannot, cannot)
    finally:
        server.stop()


def main(kind: str, folder: Path, parent: int) -> None:
    """Start the server, say where it is, carry out commands until the parent is gone."""
    try:
        with Ceph(folder / "ceph") if kind == "ceph" else moto() as server:
            _put(folder, {"endpoint": server.endpoint})
            while _alive(parent) and not (folder / "end").exists():
                for name, action in (("stop", server.stop), ("start", server.start)):
                    if (folder / name).exists():
                        action()
                        (folder / name).unlink()
                time.sleep(0.05)
    except Exception as error:
        _put(folder, {"error": str(error)})
        raise
    finally:
        (folder / "ended").touch()


def _put(folder: Path, answer: dict) -> None:
    (folder / "answer").write_text(json.dumps(answer), encoding="utf-8")
    (folder / "answer").rename(folder / "server.json")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text("utf-8").split(")")[-1].split()[0] != "Z"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
