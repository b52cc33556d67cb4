"""A Prefect server for one command, where none is configured.

Prefect would start one by itself, but in our process group: Ctrl-C in a terminal then ends it before the flow run, and
the command spends 70 seconds (measured) on telling a dead server about its end. This one outlives the signal.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from contracts.errors import Unavailable

HOST = "127.0.0.1"
STOP_S = 10.0
_RETRIES = 2  # Prefect's own 5 take a minute; this server is on our machine, and either there or gone


@contextmanager
def prefect_server() -> Iterator[str]:
    """Provide the URL of the configured Prefect API, else of a server that ends with the block.

    Raises:
        Unavailable: The server does not start in time.
    """
    from prefect.logging import get_logger
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, get_current_settings, temporary_settings

    settings = get_current_settings()
    if settings.api.url:
        yield settings.api.url
        return
    port = _free_port()
    api = f"http://{HOST}:{port}/api"
    get_logger("twinstore").info("start a temporary Prefect server on %s:%s", HOST, port)
    with _running(port, settings.to_environment_variables(exclude_unset=True)) as process:
        _await(process, api, settings.server.ephemeral.startup_timeout_seconds)
        with temporary_settings({PREFECT_API_URL: api, PREFECT_CLIENT_MAX_RETRIES: _RETRIES}):
            try:
                yield api
            finally:
                _drain()


def _drain() -> None:
    """Let Prefect send what it holds back of its log and events, as long as somebody listens."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for worker in (APILogWorker, EventsWorker):
        worker.drain_all(timeout=STOP_S, at_exit=False)


def _without_secrets() -> dict[str, str]:
    """Return the environment without what only our own process needs: the server has no use for stores and keys."""
    return {
        k: v for k, v in os.environ.items() if k != "DATABASE_URL" and not k.startswith(("SUPABASE_", "TWINSTORE_"))
    }


@contextmanager
def _running(port: int, settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    app = ("--factory", "prefect.server.api.server:create_app")
    where = ("--host", HOST, "--port", str(port), "--log-level", "error", "--lifespan", "on")
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", *app, *where],
        env={**_without_secrets(), **settings, "PREFECT_SERVER_UI_ENABLED": "false"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], api: str, limit_s: float) -> None:
    end = time.monotonic() + limit_s
    while not _healthy(api):
        if process.poll() is not None:
            raise Unavailable(
                f"Prefect's temporary server ended with code {process.returncode}.",
                "Read what it said above, or run the check without --flow.",
            )
        if time.monotonic() > end:
            raise Unavailable(
                f"Prefect's temporary server did not answer within {limit_s:.0f} s.",
                "Raise PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS, or run the check without --flow.",
            )
        time.sleep(0.1)


def _healthy(api: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=2) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])
