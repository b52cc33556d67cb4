"""A webhook on this machine, which keeps what it is sent and can be out of order."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Hook:
    """A webhook.

    Attributes:
        url: Its address.
        answers: Statuses of the next answers; then 200.
        attempts: How many requests came.
        taken: What it took, parsed.
    """

    url: str = ""
    answers: list[int] = field(default_factory=list)
    attempts: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)

    def told(self) -> list[tuple[str, str]]:
        """Return the rule and the phase of every message, oldest first, and forget them."""
        told = [(message["rule"], message["status"]) for message in self.taken]
        self.taken.clear()
        return told


@contextmanager
def hook() -> Iterator[Hook]:
    """Run a webhook for as long as the block."""
    kept = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.attempts += 1
            status = kept.answers.pop(0) if kept.answers else 200
            if status == 200:
                kept.taken.append(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/T0K3N"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
