"""The proxy that gives a bare PostgREST the prefix of a hosted project."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.support.postgrest import PREFIX, Service, prefixed


class _Bare(BaseHTTPRequestHandler):
    """Answers as a PostgREST without a prefix does, and tells what arrived."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Return the request as text."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.path.startswith(PREFIX):
            status, said = 404, '{"code":"PGRST125","message":"Invalid path specified in request URL"}'
        else:
            status, said = 206, f"{self.command} {self.path} {self.headers['Prefer']} {body}"
        self.send_response(status)
        self.send_header("Content-Range", "0-0/9")
        self.send_header("Content-Length", str(len(said.encode())))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said.encode())

    do_GET = do_HEAD = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the names that the base class looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gives
        """Say nothing."""


@pytest.fixture
def bare() -> Iterator[Service]:
    """A service without the prefix."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bare)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    yield Service(url=url, anon_key="a", service_key="s", jwt_secret="j", owner="o")
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "DELETE"])
def test_the_prefix_is_taken_off_and_nothing_else(bare: Service, method: str) -> None:
    """Method, query, headers and body arrive as they were sent; status, headers and body come back."""
    with prefixed(bare) as service, httpx.Client(trust_env=False, timeout=60) as client:
        assert service.url != bare.url
        target = f"{service.url}{PREFIX}/planning?id=eq.%22a%2Cb%22&select=*"
        answer = client.request(method, target, headers={"Prefer": "count=exact"}, content="body")
    assert (answer.status_code, answer.headers["content-range"]) == (206, "0-0/9")
    expected = "" if method == "HEAD" else f"{method} /planning?id=eq.%22a%2Cb%22&select=* count=exact body"
    assert answer.text == expected


def test_a_service_with_the_prefix_is_left_alone(service: Service) -> None:
    """No proxy stands before a service that answers below `/rest/v1`."""
    with prefixed(service) as same:
        assert same is service
