"""The gateway as an HTTP server on the loopback interface: a thin ASGI application under uvicorn."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread
from typing import Any

from storage.local.gateway.exchange import JSON, Request, Response
from storage.local.gateway.service import Gateway
from storage.local.loopback import HOST

_BACKLOG, _NO_CONTENT = 128, 204
_Message = MutableMapping[str, Any]
_Application = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]
_TOO_LARGE = Response(status=413, headers=(("Content-Type", JSON),), body=b'{"message":"Payload too large"}')


def listening_socket(port: int = 0) -> socket.socket:
    """Return a socket that listens on the loopback interface; on any free port by default."""
    # The protocol is named, since asyncio sends small packets at once on sockets that say TCP only.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def serve_forever(gateway: Gateway, listener: socket.socket, *, prepared: Callable[[], None]) -> None:
    """Serve until the process is told to end by SIGINT or SIGTERM; requests under way are answered.

    Args:
        gateway: What answers.
        listener: Where it listens.
        prepared: Called when all code is loaded, before the first request.
    """
    import uvicorn

    with listener, ThreadPoolExecutor(_threads(gateway)) as pool:
        config = _config(application(gateway, pool))
        config.load()
        prepared()
        gateway.start()
        uvicorn.Server(config).run(sockets=[listener])
    gateway.close()


@contextmanager
def served(gateway: Gateway, port: int = 0) -> Iterator[int]:
    """Serve in a thread of this process for as long as the context lasts; yield the port, any free one by default."""
    import uvicorn

    gateway.start()
    with listening_socket(port) as listener, ThreadPoolExecutor(_threads(gateway)) as pool:
        server = uvicorn.Server(_config(application(gateway, pool)))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="gateway")
        thread.start()
        try:
            yield listener.getsockname()[1]  # who connects before the loop runs waits in the backlog
        finally:
            server.should_exit = server.force_exit = True
            thread.join()
    gateway.close()


def application(gateway: Gateway, pool: ThreadPoolExecutor) -> _Application:
    """Return the ASGI application; requests are answered by the threads of `pool`."""

    async def application(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        body = await _body(receive, gateway.options.max_body_bytes)
        if body is None:
            response = _TOO_LARGE
        else:
            work = asyncio.get_running_loop().run_in_executor(pool, gateway.answer, _request(scope, body))
            await asyncio.sleep(gateway.options.latency_s)
            response = await work
        headers = [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in response.headers]
        if scope["method"] != "HEAD" and response.status != _NO_CONTENT:
            headers.append((b"Content-Length", str(len(response.body)).encode("ascii")))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    return application


def _request(scope: MutableMapping[str, Any], body: bytes) -> Request:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
    )


async def _body(receive: Callable[[], Awaitable[_Message]], most: int) -> bytes | None:
    """Return the body of a request; None if it is longer than `most` bytes."""
    parts, size = [], 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _threads(gateway: Gateway) -> int:
    return 2 * gateway.options.connections  # so that a request can wait for a connection, as PostgREST lets it


def _config(app: _Application) -> Any:
    import uvicorn

    return uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=60,  # a hosted gate keeps idle connections for about as long
    )
