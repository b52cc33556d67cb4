"""A proxy between a client and a project, on real sockets, that spoils what passes as networks and gateways do."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import urlsplit

_HOST = "127.0.0.1"
_PER_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "accept-encoding"})
_PORTAL = b"<!doctype html><title>Sign in</title><p>Accept our terms to go on."


class Fault(StrEnum):
    """What happens to an answer."""

    HTML = "a page of HTML with status 200"
    HTML_CALLED_JSON = "the same, called JSON"
    HALF_JSON = "half of the JSON with status 200"
    NO_BODY = "nothing with status 200"
    CUT_OFF = "half of the body, then the connection closes"
    CLOSED_AT_ONCE = "the connection closes without an answer"
    CLOSED_AFTERWARDS = "the connection closes after the answer, unannounced"
    SILENT = "no answer ever"
    STUCK = "headers, and then no body ever"
    DRIPPING = "a body that comes byte by byte, without end"
    ROWS_LOST = "rows are taken out of the body"
    ROWS_LOST_QUIETLY = "rows are taken out, and the header is made to fit"
    TAIL_LOST_QUIETLY = "only the first row is left, and the header is made to fit"
    NOTHING_QUIETLY = "no rows, and a header that fits"
    NUMBERS = "texts that look like numbers become numbers"
    NOT_ROWS = "an object in place of rows"
    NO_RANGE = "no Content-Range"
    REDIRECT = "a redirection to another host"
    TOO_MANY = "429 with Retry-After"
    BUSY = "503 of PostgREST with Retry-After"
    NO_SCHEMA = "503, since PostgREST has not read the schema yet"
    LOST_BEHIND = "503 of PostgREST, whose own connection broke: nobody knows what the database did"
    BAD_GATEWAY = "502 with a page of HTML"
    TIMEOUT = "500 with code 57014: a statement took too long"
    TOO_LONG = "414"
    RESTRICTED = "402"
    PAUSED = "540"


_NOT_ASKED = frozenset({Fault.TOO_MANY, Fault.BUSY, Fault.NO_SCHEMA, Fault.TOO_LONG, Fault.RESTRICTED, Fault.PAUSED})
"""What answers so has not asked the project."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on its way."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def _error(status: int, code: str | None, **headers: str) -> Reply:
    body = {"code": code, "message": "told by the proxy", "details": None, "hint": None}
    return Reply(status, {"Content-Type": "application/json", **headers}, json.dumps(body).encode())


def _without_rows(reply: Reply, keep: Callable[[list[Any]], list[Any]], *, header: bool) -> Reply:
    rows = keep(json.loads(reply.body))
    headers = dict(reply.headers)
    if header:
        _, _, total = headers["Content-Range"].partition("/")
        headers["Content-Range"] = f"0-{len(rows) - 1}/{total}" if rows else f"*/{total}"
    return replace(reply, headers=headers, body=json.dumps(rows).encode())


def _as_numbers(reply: Reply) -> Reply:
    rows = [{k: int(v) if v and v.isdigit() else v for k, v in row.items()} for row in json.loads(reply.body)]
    return replace(reply, body=json.dumps(rows).encode())


def _spoil(fault: Fault, reply: Reply, retry_after_s: float) -> Reply:
    wait = {"Retry-After": f"{retry_after_s:g}"}
    spoilt: dict[Fault, Callable[[], Reply]] = {
        Fault.HTML: lambda: Reply(200, {"Content-Type": "text/html"}, _PORTAL),
        Fault.HTML_CALLED_JSON: lambda: replace(reply, body=_PORTAL),
        Fault.HALF_JSON: lambda: replace(reply, body=reply.body[: len(reply.body) // 2]),
        Fault.NO_BODY: lambda: Reply(200, {"Content-Type": "application/json"}),
        Fault.ROWS_LOST: lambda: _without_rows(reply, lambda rows: rows[:1] + rows[2:], header=False),
        Fault.ROWS_LOST_QUIETLY: lambda: _without_rows(reply, lambda rows: rows[:1] + rows[2:], header=True),
        Fault.TAIL_LOST_QUIETLY: lambda: _without_rows(reply, lambda rows: rows[:1], header=True),
        Fault.NOTHING_QUIETLY: lambda: _without_rows(reply, lambda _: [], header=True),
        Fault.NUMBERS: lambda: _as_numbers(reply),
        Fault.NOT_ROWS: lambda: replace(reply, body=b'{"rows": []}'),
        Fault.NO_RANGE: lambda: replace(
            reply, headers={k: v for k, v in reply.headers.items() if k.lower() != "content-range"}
        ),
        Fault.REDIRECT: lambda: Reply(302, {"Location": "https://elsewhere.invalid/"}),
        Fault.TOO_MANY: lambda: Reply(429, {"Content-Type": "application/json", **wait}, b'{"message": "slow down"}'),
        Fault.BUSY: lambda: _error(503, "PGRST000", **wait),
        Fault.NO_SCHEMA: lambda: _error(503, "PGRST002", **wait),
        Fault.LOST_BEHIND: lambda: _error(503, "PGRST001"),
        Fault.BAD_GATEWAY: lambda: Reply(502, {"Content-Type": "text/html"}, _PORTAL),
        Fault.TIMEOUT: lambda: _error(500, "57014"),
        Fault.TOO_LONG: lambda: Reply(414, {"Content-Type": "text/html"}, _PORTAL),
        Fault.RESTRICTED: lambda: _error(402, None),
        Fault.PAUSED: lambda: _error(540, None),
    }
    return spoilt.get(fault, lambda: reply)()


@dataclass(slots=True)
class Plan:
    """Which answers are spoilt, and how; may be changed at any time.

    Attributes:
        fault: What happens to them; None for nothing.
        first: How many requests pass unspoilt before.
        times: How many are spoilt; None for all that follow.
        retry_after_s: What `Retry-After` says.
        requests: How many requests came so far.
    """

    fault: Fault | None = None
    first: int = 0
    times: int | None = None
    retry_after_s: float = 0.05
    requests: int = 0

    def next_fault(self) -> Fault | None:
        """Return what happens to the answer of the request that came just now."""
        number, self.requests = self.requests, self.requests + 1
        due = number >= self.first and (self.times is None or number < self.first + self.times)
        return self.fault if due else None


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, upstream: str, plan: Plan) -> None:
        super().__init__((_HOST, 0), _Handler)
        self.upstream = urlsplit(upstream)
        self.plan = plan
        self.counting = threading.Lock()
        self.ended = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away: that is what the tests make them do."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        proxy = cast("_Proxy", self.server)
        with proxy.counting:
            fault = proxy.plan.next_fault()
        if fault is Fault.CLOSED_AT_ONCE:
            self.close_connection = True
            return
        if fault is Fault.SILENT:
            self._hang(proxy)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        reply = Reply(200) if fault in _NOT_ASKED else self._forwarded(proxy, body)
        if fault is not None:
            reply = _spoil(fault, reply, proxy.plan.retry_after_s)
        self._send(proxy, fault, reply)

    do_GET = do_HEAD = do_POST = _pass_on  # noqa: N815 - the names that the base class looks for

    def _forwarded(self, proxy: _Proxy, body: bytes) -> Reply:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _PER_HOP}
        connection = http.client.HTTPConnection(str(proxy.upstream.hostname), proxy.upstream.port, timeout=30)
        try:
            connection.request(self.command, self.path, body=body or None, headers=headers)
            answer = connection.getresponse()
            passed = {k: v for k, v in answer.getheaders() if k.lower() not in _PER_HOP}
            return Reply(answer.status, passed, answer.read())
        finally:
            connection.close()

    def _send(self, proxy: _Proxy, fault: Fault | None, reply: Reply) -> None:
        body = reply.body
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        length = len(body) * 2 + 1 if fault in (Fault.STUCK, Fault.DRIPPING) else len(body)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if fault is Fault.STUCK:
            self._hang(proxy)
        elif fault is Fault.DRIPPING:
            self._drip(proxy)
        elif fault is Fault.CUT_OFF:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection = self.close_connection or fault is Fault.CLOSED_AFTERWARDS

    def _hang(self, proxy: _Proxy) -> None:
        proxy.ended.wait(60)
        self.close_connection = True

    def _drip(self, proxy: _Proxy) -> None:
        while not proxy.ended.wait(0.02):
            self.wfile.write(b" ")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def faulty_proxy(upstream: str, plan: Plan) -> Iterator[str]:
    """Stand between a client and a project for as long as the context lasts; yields the URL for the client."""
    with _Proxy(upstream, plan) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://{_HOST}:{proxy.server_port}"
        finally:
            proxy.ended.set()
            proxy.shutdown()
            thread.join()


@contextmanager
def nobody_listens() -> Iterator[str]:
    """Yield a URL whose port refuses connections."""
    with socket.socket() as taken:
        taken.bind((_HOST, 0))  # bound but not listening: nobody else gets the port meanwhile
        yield f"http://{_HOST}:{taken.getsockname()[1]}"


@contextmanager
def nobody_accepts() -> Iterator[str]:
    """Yield a URL whose port neither accepts nor refuses: its queue of connections is full."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind((_HOST, 0))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listening.getsockname())
        yield f"http://{_HOST}:{listening.getsockname()[1]}"
