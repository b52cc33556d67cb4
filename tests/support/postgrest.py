"""The REST service that conformance tests talk to: ours over a database of theirs, or one from the environment."""

from __future__ import annotations

import http.client
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import httpx

from tests.support.gateway import serve

PREFIX = "/rest/v1"
VARIABLES = tuple(
    f"TWINSTORE_TEST_SUPABASE_{part}" for part in ("URL", "ANON_KEY", "SERVICE_KEY", "JWT_SECRET", "DB_URL")
)
"""What names a service: where it is, its keys, and its database as the owner of its tables."""

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A REST service and its database.

    Attributes:
        url: What `SUPABASE_URL` would be.
        anon_key: Key of the role `anon`.
        service_key: Key of the role `service_role`.
        jwt_secret: What its tokens are signed with.
        owner: URL of the database as the role that owns its tables.
    """

    url: str
    anon_key: str
    service_key: str
    jwt_secret: str
    owner: str


def named_service() -> Service | None:
    """Return the service that `TWINSTORE_TEST_SUPABASE_URL` and its siblings name; None if they are unset."""
    if not os.environ.get(VARIABLES[0]):
        return None
    url, anon_key, service_key, jwt_secret, owner = (os.environ[name] for name in VARIABLES)
    return Service(url=url.rstrip("/"), anon_key=anon_key, service_key=service_key, jwt_secret=jwt_secret, owner=owner)


@contextmanager
def prefixed(service: Service) -> Iterator[Service]:
    """Make sure that a service answers below `/rest/v1`: a bare PostgREST gets a proxy that strips the prefix."""
    with httpx.Client(trust_env=False, headers={"apikey": service.service_key}, timeout=60) as client:
        answer = client.get(f"{service.url}{PREFIX}/twinstore_no_such_table")
    if answer.status_code == 404 and "PGRST205" not in answer.text:
        with stripping_proxy(service.url) as url:
            yield Service(
                url=url,
                anon_key=service.anon_key,
                service_key=service.service_key,
                jwt_secret=service.jwt_secret,
                owner=service.owner,
            )
    else:
        yield service


@contextmanager
def our_service(gate: str, owner: str, *, cap: int | None = 1000) -> Iterator[Service]:
    """Serve a database by the gateway.

    Args:
        gate: Its URL as `authenticator`.
        owner: Its URL as the role that owns its tables.
        cap: The row cap.
    """
    with serve(gate, cap=cap) as rest:
        yield Service(
            url=rest.url,
            anon_key=rest.anon_key,
            service_key=rest.service_key,
            jwt_secret=rest.jwt_secret,
            owner=owner,
        )


@contextmanager
def stripping_proxy(target: str) -> Iterator[str]:
    """Serve `target` below `/rest/v1` for as long as the context lasts; yield the URL."""
    parts = urlsplit(target)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection

    class Handler(BaseHTTPRequestHandler):
        """Hands a request on without its prefix, and the answer back."""

        protocol_version = "HTTP/1.1"

        def hand_on(self) -> None:
            """Hand one request on."""
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size) if size else None
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}
            }
            connection = kind(parts.hostname or "", parts.port, timeout=60)
            try:
                path = self.path.removeprefix(PREFIX)
                connection.request(self.command, parts.path.rstrip("/") + path, body=body, headers=headers)
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
            self.send_response(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def __getattr__(self, name: str) -> object:
            """Return what handles a method, whichever it is; the base class asks for `do_` and its name."""
            if name.startswith("do_"):
                return self.hand_on
            raise AttributeError(name)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gives
            """Say nothing: paths hold values."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="prefix-proxy")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
