"""A proxy between a client and a server, on real sockets, that does to their bytes what networks and poolers do.

It knows nothing of what passes but where a fault begins: behind words that the client sent, such as the name of a
function and then COMMIT. It serves PostgreSQL and, where only the connection matters, HTTP.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit, urlunsplit

_HOST = "127.0.0.1"
_PIECE = 1 << 16
_LOOK_S = 0.02
_RESET = struct.pack("ii", 1, 0)  # closing sends RST, and throws away what was not sent
_PAGE = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<!doctype html><title>Sign in</title>"
_FULL = b"SFATAL\0VFATAL\0C53300\0Mtold by the proxy\0\0"


class Fault(StrEnum):
    """What happens to connections."""

    REFUSED = "the port refuses connections, and those that there were are reset"
    BLACK_HOLE = "nothing comes through in either direction, and nothing is closed"
    SLOW = "every answer is held back for a while"
    NOT_POSTGRES = "something that speaks HTTP answers in the place of the server"
    FULL = "the server has no connection left (SQLSTATE 53300)"
    RESET_BEFORE = "the connection is reset before the request passes"
    RESET_MIDWAY = "the connection is reset in the middle of the answer"
    ANSWER_LOST = "the request passes, and the connection closes in place of the answer"
    ANSWER_NEVER = "the request passes, and no answer ever comes"


_ENDS_ALL = frozenset({Fault.REFUSED, Fault.NOT_POSTGRES, Fault.FULL})
"""These meet connections as they come about; those that there are end."""


@dataclass(slots=True, kw_only=True)
class Plan:
    """A fault, and whom it hits.

    Attributes:
        fault: What happens.
        after: What a client must have sent on one connection, in this order; nothing, and it happens at once.
        times: How many connections it hits; None for all.
        then: What happens from then on to all connections; None for nothing.
        delay_s: How long an answer is held back, where answers are slow.
        hits: How many connections it hit so far.
    """

    fault: Fault
    after: tuple[bytes, ...] = ()
    times: int | None = None
    then: Fault | None = None
    delay_s: float = 0.02
    hits: int = 0


class TcpProxy:
    """Passes connections on to a server for as long as the context lasts.

    Args:
        host: Where the server is.
        port: Its port.
    """

    def __init__(self, host: str, port: int) -> None:
        self.upstream = (host, port)
        self.plan: Plan | None = None
        self.connections = 0
        self.lock = threading.Lock()
        self._links: list[_Link] = []
        self._stack = ExitStack()
        self._listening: socket.socket | None = None
        self.port = 0

    def __enter__(self) -> Self:
        held = self._stack.enter_context(_bound(0))  # keeps the port while nobody listens there
        self.port = held.getsockname()[1]
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._refuse()
        self._end_links()
        self._stack.close()

    def url(self, url: str) -> str:
        """Return the URL of the server as one of this proxy."""
        parts = urlsplit(url)
        login, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{login}{at}{_HOST}:{self.port}"))

    @contextmanager
    def suffering(self, plan: Plan | None) -> Iterator[None]:
        """Let a fault last for as long as the block runs; what hangs by then is reset."""
        self.begin(plan)
        try:
            yield
        finally:
            self.end()

    def begin(self, plan: Plan | None) -> None:
        """Let a fault begin; None ends the one that there is, without a word to anybody."""
        self.plan = plan
        if plan is not None and plan.fault in _ENDS_ALL and not plan.after:
            self.strike(plan.fault)

    def end(self) -> None:
        """End the fault, and reset the connections that it hit; the others never learn of it."""
        self.plan = None
        self._end_links(only_hit=True)
        if self._listening is None:
            self._listen()

    def strike(self, fault: Fault) -> None:
        """Let a fault begin that concerns the port, and end all connections but the one that asks for it."""
        if fault in _ENDS_ALL:
            if fault is Fault.REFUSED:
                self._refuse()
            self._end_links()

    def _listen(self) -> None:
        listening = _bound(self.port)
        listening.listen(64)
        self._listening = listening
        threading.Thread(target=self._accept, args=[listening], daemon=True).start()

    def _refuse(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in it
            listening.close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:  # closed
                return
            link = _Link(self, client)
            with self.lock:
                self.connections += 1
                self._links = [known for known in self._links if known.is_alive()]
                self._links.append(link)
                link.start()

    def _end_links(self, *, only_hit: bool = False) -> None:
        with self.lock:
            ended = [link for link in self._links if link.fault is not None or not only_hit]
        others = [link for link in ended if link is not threading.current_thread()]
        for link in others:
            link.ended.set()
        for link in others:
            link.join()


class _Link(threading.Thread):
    """One connection of a client, and the one to the server that belongs to it."""

    def __init__(self, proxy: TcpProxy, client: socket.socket) -> None:
        super().__init__(daemon=True)
        self.fault: Fault | None = None
        self.ended = threading.Event()
        self._proxy = proxy
        self._plan = proxy.plan
        self._client = client
        self._server: socket.socket | None = None
        self._sent = b""
        self._words = 0

    def run(self) -> None:
        try:
            self._greet()
            while not self.ended.is_set() and self._passed():
                pass
        except OSError:
            pass  # one of both went away
        finally:
            for end in (self._client, self._server):
                if end is not None:
                    with suppress(OSError):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    end.close()

    def _greet(self) -> None:
        plan = self._proxy.plan
        if plan is not None and not plan.after and plan.fault in (*_ENDS_ALL, Fault.BLACK_HOLE):
            self._hit(plan)
        if self.fault in (Fault.NOT_POSTGRES, Fault.FULL):
            self._client.recv(_PIECE)
            self._client.sendall(_PAGE if self.fault is Fault.NOT_POSTGRES else b"E" + _sized(_FULL))
            self._client.shutdown(socket.SHUT_WR)
            self._client.recv(_PIECE)
            self.ended.set()
        elif self.fault is None:
            self._server = socket.create_connection(self._proxy.upstream)
            for end in (self._client, self._server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _passed(self) -> bool:
        """Pass on what came since; False when the connection is over."""
        if self._server is None or self.fault is Fault.BLACK_HOLE:
            return not self.ended.wait(_LOOK_S)
        ready, _, _ = select.select([self._client, self._server], [], [], _LOOK_S)
        if self._client in ready and not self._asked(self._server):
            return False
        return self._server not in ready or self._answered(self._server)

    def _asked(self, server: socket.socket) -> bool:
        piece = self._client.recv(_PIECE)
        self._listen_for(piece)
        if self.fault is Fault.BLACK_HOLE:
            return True
        if not piece or self.fault is Fault.RESET_BEFORE:
            return False
        server.sendall(piece)
        return True

    def _answered(self, server: socket.socket) -> bool:
        piece = server.recv(_PIECE)
        if not piece or self.fault is Fault.ANSWER_LOST:
            return False
        if self.fault is Fault.ANSWER_NEVER:
            return True
        if self.fault is Fault.RESET_MIDWAY:
            self._client.sendall(piece[: len(piece) // 2])
            return False
        if self.fault is Fault.SLOW and self._plan is not None:
            time.sleep(self._plan.delay_s)
        self._client.sendall(piece)
        return True

    def _listen_for(self, piece: bytes) -> None:
        """Find out whether a fault begins for this connection."""
        plan = self._proxy.plan
        if plan is None or self.fault is not None:
            return
        if plan is not self._plan:
            self._plan, self._sent, self._words = plan, b"", 0
        self._sent += piece
        while self._words < len(plan.after):
            _, found, rest = self._sent.partition(plan.after[self._words])
            if not found:
                return
            self._sent, self._words = rest, self._words + 1
        self._hit(plan)

    def _hit(self, plan: Plan) -> None:
        with self._proxy.lock:
            hit = plan.times is None or plan.hits < plan.times
            plan.hits += hit
        if not hit:
            return
        self._plan, self.fault = plan, plan.fault
        if plan.then is not None:
            self._proxy.plan = Plan(fault=plan.then)
            self._proxy.strike(plan.then)


def _sized(body: bytes) -> bytes:
    return struct.pack("!i", len(body) + 4) + body


def _bound(port: int) -> socket.socket:
    """Return a socket that is bound but does not listen; several may be bound to one port."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((_HOST, port))
    return made


@contextmanager
def tcp_proxy(url: str) -> Iterator[TcpProxy]:
    """Stand before the server of a URL for as long as the context lasts."""
    parts = urlsplit(url)
    with TcpProxy(str(parts.hostname), parts.port or 0) as proxy:
        yield proxy
