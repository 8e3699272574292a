"""`FaultProxy`: counts and logs requests to an HTTP server, and makes some of them fail."""

import asyncio
import io
import random
import re
import threading
from collections import Counter
from dataclasses import dataclass, field

import yarl
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}
ANSWER = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>"
# What is answered instead of asking the server.
STATUS = {"503": "SlowDown", "500": "InternalError"}


@dataclass
class Faults:
    """Chances of faults per request, and which requests they are for.

    drop: the connection is cut before the server has heard of it; after: after it has done what was
    asked; truncate: in the middle of the answer; slow: it waits.
    """

    chances: dict[str, float] = field(default_factory=dict)
    match: str = ""
    methods: tuple[str, ...] = ()
    left: float = float("inf")
    delay: float = 1.0
    code: tuple[int, str] | None = None  # every request is answered with this status and code


@dataclass(frozen=True)
class Record:
    """One request."""

    method: str
    path: str
    query: str
    range: str
    status: int
    size: int


class FaultProxy:
    """A proxy on loopback in a thread of its own; a context manager."""

    def __init__(self, upstream: str) -> None:
        self.upstream, self.url = upstream, ""
        self.faults, self.log, self.injected = Faults(), [], Counter()
        self.latency = 0.0
        self._random = random.Random(0)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "FaultProxy":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *_reason: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        self._session = ClientSession(
            connector=TCPConnector(limit=128), auto_decompress=False, timeout=ClientTimeout(60)
        )
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()
        await asyncio.sleep(0)

    def clear(self) -> None:
        """Forget the requests so far."""
        self.log, self.injected = [], Counter()

    def counts(self) -> Counter:
        """Requests by kind: GET, HEAD, PUT, POST, DELETE, and LIST for listings."""
        return Counter(
            "LIST" if r.method == "GET" and ("list-type=2" in r.query or r.path.count("/") < 2) else r.method
            for r in list(self.log)
        )

    def _fault(self, request: web.Request) -> str:
        faults = self.faults
        if faults.left <= 0 or (faults.methods and request.method not in faults.methods):
            return ""
        if faults.match and not re.search(faults.match, request.raw_path):
            return ""
        chance = self._random.random()
        for kind, share in faults.chances.items():
            if chance < share:
                faults.left -= 1
                self.injected[kind] += 1
                return kind
            chance -= share
        return ""

    def _record(self, request: web.Request, status: int, size: int) -> None:
        self.log.append(
            Record(
                request.method,
                request.path,
                request.query_string,
                request.headers.get("Range", ""),
                status,
                size,
            )
        )

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if self.faults.code is not None:
            status, code = self.faults.code
            self._record(request, status, 0)
            return web.Response(status=status, text=ANSWER.format(code=code), content_type="application/xml")
        fault = self._fault(request)
        await asyncio.sleep(self.latency + (self.faults.delay if fault == "slow" else 0))
        if fault in STATUS:
            self._record(request, int(fault), 0)
            return web.Response(
                status=int(fault), text=ANSWER.format(code=STATUS[fault]), content_type="application/xml"
            )
        if fault == "drop":
            self._record(request, 0, 0)
            request.transport.abort()
            return web.Response()
        return await self._forward(request, body, fault)

    async def _forward(self, request: web.Request, body: bytes, fault: str) -> web.StreamResponse:
        # Host and path as they came: they are signed.
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP}
        url = yarl.URL(self.upstream + request.raw_path, encoded=True)
        skip = ("Content-Type", "User-Agent", "Accept", "Accept-Encoding")
        async with self._session.request(
            request.method, url, headers=headers, data=io.BytesIO(body) if body else None, allow_redirects=False, skip_auto_headers=skip
        ) as answer:  # fmt: skip
            data = await answer.read()
        self._record(request, answer.status, len(data))
        if fault == "after":
            request.transport.abort()
            return web.Response()
        dropped = HOP | {"content-length"}
        kept = [(k, v) for k, v in answer.headers.items() if k.lower() not in dropped]
        response = web.StreamResponse(status=answer.status, headers=dict(kept))
        if request.method == "HEAD":
            response.content_length = int(answer.headers.get("Content-Length", 0))
        elif answer.status not in (204, 304):
            response.content_length = len(data)
        await response.prepare(request)
        if request.method != "HEAD":
            half = len(data) // 2 if fault == "truncate" else len(data)
            await response.write(data[:half])
            if fault == "truncate" and data:
                request.transport.abort()
                return response
        await response.write_eof()
        return response
