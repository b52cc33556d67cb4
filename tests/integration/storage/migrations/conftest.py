"""Databases for the migrations: both sides, on PostgreSQL 16 and 18."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from storage.local.server import Server
from tests.support.servers import Pair, Servers
from tests.support.stores_of_old import Secondary

VERSIONS = (18, 16)

_HERE = Path(__file__).parent
_numbers = itertools.count(1)

AnyVersion = Callable[[], AbstractContextManager[Secondary]]


@pytest.fixture(scope="session")
def supabase_16() -> Iterator[Server]:
    """A server of version 16 with the roles of Supabase."""
    with tempfile.TemporaryDirectory(prefix="twinstore-test-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            folder.chmod(0o711)  # the account of the server passes through it
        server = Server(version=16, folder=folder / "supabase", superuser="supabase_admin", durable=False)
        server.initialise()
        try:
            server.start()
            with psycopg.connect(server.dsn()) as conn:
                conn.execute((_HERE / "supabase_16.sql").read_bytes())
            yield server
        finally:
            server.stop()


@pytest.fixture(params=VERSIONS)
def secondary(request: pytest.FixtureRequest) -> Iterator[Secondary]:
    """An empty database dressed as Supabase, on both versions."""
    with fresh_secondary(request, request.param) as database:
        yield database


@contextmanager
def fresh_secondary(request: pytest.FixtureRequest, version: int) -> Iterator[Secondary]:
    """Make an empty database dressed as Supabase for as long as the context lasts."""
    if version == 18:
        servers: Servers = request.getfixturevalue("servers")
        with servers.clones(request.getfixturevalue("_empty_template")) as pair:
            yield Secondary(dsn=pair.secondary, superuser=pair.secondary_superuser, gate=pair.secondary_gate)
        return
    server: Server = request.getfixturevalue("supabase_16")
    name = f"supabase_{next(_numbers)}"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} OWNER postgres STRATEGY WAL_LOG".encode())
        try:
            superuser = server.dsn(name)
            with psycopg.connect(superuser) as conn:
                conn.execute((_HERE / "supabase_16_database.sql").read_bytes())
            yield Secondary(
                dsn=make_conninfo(superuser, user="postgres", password="harmless"),
                superuser=superuser,
                gate=make_conninfo(superuser, user="authenticator", password="harmless"),
            )
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module", params=VERSIONS)
def any_version(request: pytest.FixtureRequest) -> AnyVersion:
    """A maker of such databases that a whole module may share, on both versions."""
    return lambda: fresh_secondary(request, request.param)


@pytest.fixture(params=[16, 18])
def primary(request: pytest.FixtureRequest, empty_pair: Pair) -> str:
    """An empty database for a Prisma application, on both versions; the role is no superuser."""
    return empty_pair.primary if request.param == 16 else empty_pair.secondary
