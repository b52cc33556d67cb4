"""A served database, and a client that has its key."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.support.gateway import Rest, serve
from tests.support.servers import Pair

_PATIENCE_S = 60.0


@pytest.fixture
def rest(seeded_pair: Pair) -> Iterator[Rest]:
    """The secondary of a pair with 300 records, served over REST."""
    with serve(seeded_pair.secondary_gate) as rest:
        yield rest


@pytest.fixture
def client(rest: Rest) -> Iterator[httpx.Client]:
    """A client of `service_role`."""
    with client_of(rest.url, rest.secret_key) as client:
        yield client


def client_of(url: str, key: str) -> httpx.Client:
    """Return a client that sends a key with every request."""
    return httpx.Client(base_url=f"{url}/rest/v1/", headers={"apikey": key}, trust_env=False, timeout=60)


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something holds; fail if it never does."""
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)
