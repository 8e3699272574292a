"""The data server: objects of one store over HTTP, by ranges, for those who know the token."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from tornado.web import HTTPError, RequestHandler

from ngffseg.errors import NgffsegError
from ngffseg.ngff import encode_json
from ngffseg.store import is_inside
from ngffseg.viewer.objects import ServedObjects

# RFC 9110, section 14.1.2: one range of bytes; more at a time are answered with the whole, as it allows.
RANGE = re.compile(r"bytes=(?:(\d+)-(\d*)|-(\d+))")


class ObjectHandler(RequestHandler):
    """Answers for one object of the store."""

    def initialize(
        self, objects: ServedObjects, threads: Executor, tell: Callable[[Exception], None]
    ) -> None:
        """Take what all answers share (tornado makes a handler for each request)."""
        self.objects, self.threads, self.tell = objects, threads, tell

    def set_default_headers(self) -> None:
        """Let pages of other origins read: the token is what keeps others out."""
        allow_all(self)
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Content-Type", "application/octet-stream")

    def options(self, key: str) -> None:  # noqa: ARG002
        """Answer what browsers ask before they ask for a range."""
        self.set_status(204)

    async def head(self, key: str) -> None:
        """Tell the size of an object."""
        size = await self._call(self.objects.size, key)
        if size is None:
            self.set_status(404)
            return
        self.set_header("Content-Length", str(size))

    async def get(self, key: str) -> None:
        """Send an object, or a range of it."""
        found = RANGE.fullmatch(self.request.headers.get("Range", ""))
        start, stop = (None, None) if found is None else _bounds(found)
        span = await self._call(self.objects.read, key, start, stop)
        if span is None:
            self.set_status(404)
            return
        if found is not None and not span.data:
            self.set_status(416)
            self.set_header("Content-Range", f"bytes */{span.size}")
            return
        if found is not None:
            self.set_status(206)
            last = span.start + len(span.data) - 1
            self.set_header("Content-Range", f"bytes {span.start}-{last}/{span.size}")
        self.finish(span.data)

    async def _call(self, read: Callable[..., Any], key: str, *more: Any) -> Any:
        """Read what names an object of the store: a path that leaves it names none."""
        if not is_inside(key):
            return None
        return await in_thread(self.threads, self.tell, read, key, *more)


class DocumentHandler(RequestHandler):
    """Answers with JSON documents that are made for the viewer, when they are asked for."""

    def initialize(
        self, documents: Mapping[str, Callable[[], Any]], threads: Executor, tell: Callable[[Exception], None]
    ) -> None:
        """Take the documents by name."""
        self.documents, self.threads, self.tell = documents, threads, tell

    def set_default_headers(self) -> None:
        """Let pages of other origins read."""
        allow_all(self)

    async def get(self, name: str) -> None:
        """Send a document."""
        if name not in self.documents:
            self.set_status(404)
            return
        document = await in_thread(self.threads, self.tell, self.documents[name])
        self.set_header("Content-Type", "application/json")
        self.finish(encode_json(document))


async def in_thread(
    threads: Executor, tell: Callable[[Exception], None], call: Callable[..., Any], *given: Any
) -> Any:
    """What a call gives that reads the store; if that fails it is a bad gateway, and told to who serves it."""
    try:
        return await asyncio.get_running_loop().run_in_executor(threads, call, *given)
    except (NgffsegError, OSError) as error:
        tell(error)
        raise HTTPError(502, reason="the store failed") from error


def allow_all(handler: RequestHandler) -> None:
    """Headers of CORS (https://fetch.spec.whatwg.org), and none that would keep what may change."""
    handler.set_header("Access-Control-Allow-Origin", "*")
    handler.set_header("Access-Control-Allow-Headers", "Range")
    handler.set_header("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
    handler.set_header("Access-Control-Expose-Headers", "Accept-Ranges, Content-Length, Content-Range")
    handler.set_header("Cache-Control", "no-cache")
    handler.set_header("X-Content-Type-Options", "nosniff")


def _bounds(found: re.Match[str]) -> tuple[int | None, int | None]:
    first, last, suffix = found.groups()
    if suffix is not None:
        return (-int(suffix), None) if int(suffix) else (0, 0)
    return int(first), int(last) + 1 if last else None
