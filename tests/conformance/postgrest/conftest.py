"""Where the vectors run: the gateway over a database of its own, or the service that the environment names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.resources import files

import httpx
import psycopg
import pytest

from tests.support.postgrest import PREFIX, Service, named_service, our_service, prefixed
from tests.support.servers import Servers

_HERE = files("tests.conformance.postgrest")
_PATIENCE_S = 60.0


@pytest.fixture(scope="package")
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """A REST service whose database has the tables and functions of the vectors."""
    named = named_service()
    if named is not None:
        with prefixed(named) as service:
            _prepare(service)
            yield service
        return
    servers: Servers = request.getfixturevalue("servers")
    with (
        servers.clones(request.getfixturevalue("_empty_template")) as pair,
        our_service(pair.secondary_gate, pair.secondary) as service,
    ):
        _prepare(service)
        yield service


@pytest.fixture(scope="package")
def client(service: Service) -> Iterator[httpx.Client]:
    """A client of the service, without any key."""
    with httpx.Client(base_url=f"{service.url}{PREFIX}/", trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
def fresh_rows(service: Service) -> Iterator[None]:
    """The rows of the vectors as they are; what the test changes is undone after it."""
    yield
    run_script(service, "rows.sql")


def run_script(service: Service, name: str) -> None:
    """Run a script of this folder as the owner of the database."""
    with psycopg.connect(service.owner) as connection:
        connection.execute((_HERE / name).read_bytes())


def _prepare(service: Service) -> None:
    run_script(service, "schema.sql")
    run_script(service, "rows.sql")
    headers = {"apikey": service.service_key, "Authorization": f"Bearer {service.service_key}"}
    deadline = time.monotonic() + _PATIENCE_S
    with httpx.Client(base_url=f"{service.url}{PREFIX}/", trust_env=False, headers=headers, timeout=60) as client:
        while client.post("rpc/tv_setting", json={"name": "role"}).status_code != 200:
            assert time.monotonic() < deadline, "the schema cache was not reloaded"
            time.sleep(0.02)
