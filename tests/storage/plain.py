"""A plain HTTP server of a folder, which cannot list."""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


class PlainServer:
    """What the server is asked for, and how it answers.

    Parameters
    ----------
    folder
        What it serves.
    missing
        Status for what is not there: 404, or 403 where it hides what is missing.
    ranges
        Whether it heeds ranges; some answer with the whole file.
    """

    def __init__(self, folder: Path, missing: int = 404, *, ranges: bool = True) -> None:
        self.folder, self.missing, self.ranges = folder, missing, ranges
        self.log: list[tuple[str, str, str]] = []
        self.url = ""

    def counts(self) -> Counter:
        """Requests by method."""
        return Counter(method for method, _, _ in self.log)

    def answer(self, path: str, wanted: str) -> tuple[int, bytes, str]:
        """Status, body and Content-Range."""
        file = self.folder / unquote(path).lstrip("/")
        if not file.is_file():
            return self.missing, b"", ""
        data = file.read_bytes()
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted) if self.ranges else None
        if found is None:
            return 200, data, ""
        size = len(data)
        if found[1]:
            start, stop = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
        else:
            start, stop = max(0, size - int(found[2])), size
        if start >= size:
            return 416, b"", f"bytes */{size}"
        return 206, data[start:stop], f"bytes {start}-{stop - 1}/{size}"


@contextmanager
def plain_server(folder: Path, missing: int = 404, *, ranges: bool = True) -> Iterator[PlainServer]:
    """A server on loopback."""
    plain = PlainServer(folder, missing, ranges=ranges)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments):
            pass

        def do_GET(self):
            wanted = self.headers.get("Range", "")
            plain.log.append((self.command, self.path, wanted))
            status, data, content_range = plain.answer(self.path, wanted)
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            if content_range:
                self.send_header("Content-Range", content_range)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_HEAD = do_GET  # noqa: N815

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    plain.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=partial(server.serve_forever, 0.01), daemon=True)
    thread.start()
    try:
        yield plain
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
