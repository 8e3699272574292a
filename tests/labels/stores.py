"""Kinds of stores, and what is in them, seen without the code under test."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec

from ngffseg.labels import check


def digest(folder: Path) -> dict[str, str]:
    """Digest of each file under a folder."""
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def objects(url: str) -> set[str]:
    """Names of all objects of a store in memory."""
    fs, base = fsspec.core.url_to_fs(url)
    return {name.removeprefix(base) for name in fs.find(base)}


def contents(url: str) -> dict[str, bytes]:
    """All objects of a store in memory."""
    fs, base = fsspec.core.url_to_fs(url)
    return {name: fs.cat_file(name) for name in fs.find(base)}


class _Unlistable(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass

    def list_directory(self, _path):
        self.send_error(403, "no listings here")


@contextmanager
def unlistable(folder: Path) -> Iterator[str]:
    """Address of a plain HTTP server of a folder that refuses to list."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Unlistable, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def faults(url):
    """What MUST not be, by our judge."""
    return [v for v in check(url) if v.severity == "MUST"]
