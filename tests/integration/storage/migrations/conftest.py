"""Databases for the migrations: both sides, on PostgreSQL 16 and 18."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from storage.local.server import Server
from storage.migrations import Side, migrate
from tests.support.servers import Pair, Servers, watched_folder
from tests.support.stores_of_old import Secondary

VERSIONS = (18, 16)
NEWER_AT_LEAST = [18, pytest.param(16, marks=pytest.mark.soak)]
"""The newer version always, the older one in the long tests."""

newer_at_least = pytest.mark.parametrize("secondary", NEWER_AT_LEAST, indirect=True)

_HERE = Path(__file__).parent
_numbers = itertools.count(1)

AnyVersion = Callable[[], AbstractContextManager[Secondary]]


@pytest.fixture(scope="session")
def supabase_16() -> Iterator[Server]:
    """A server of version 16 with the roles of Supabase."""
    with watched_folder() as folder:
        server = Server(version=16, folder=folder / "supabase", superuser="supabase_admin", durable=False)
        server.initialise()
        try:
            server.start()
            with psycopg.connect(server.dsn()) as conn:
                conn.execute((_HERE / "supabase_16.sql").read_bytes())
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def _migrated_16(supabase_16: Server) -> Iterator[str]:
    """Name of a migrated database of that server, from which others are cloned."""
    with _database_16(supabase_16) as database:
        migrate(database.dsn, Side.SECONDARY)
        yield str(conninfo_to_dict(database.dsn)["dbname"])


@pytest.fixture(params=VERSIONS)
def secondary(request: pytest.FixtureRequest) -> Iterator[Secondary]:
    """An empty database dressed as Supabase, on both versions."""
    with fresh_secondary(request, request.param) as database:
        yield database


@pytest.fixture(params=VERSIONS)
def migrated_secondary(request: pytest.FixtureRequest) -> Iterator[Secondary]:
    """A migrated database without rows, on both versions."""
    if request.param == 18:
        with _database_18(request, "_migrated_template") as database:
            yield database
    else:
        with _database_16(request.getfixturevalue("supabase_16"), request.getfixturevalue("_migrated_16")) as database:
            yield database


@contextmanager
def fresh_secondary(request: pytest.FixtureRequest, version: int) -> Iterator[Secondary]:
    """Make an empty database dressed as Supabase for as long as the context lasts."""
    if version == 18:
        with _database_18(request, "_empty_template") as database:
            yield database
    else:
        with _database_16(request.getfixturevalue("supabase_16")) as database:
            yield database


@contextmanager
def _database_18(request: pytest.FixtureRequest, template: str) -> Iterator[Secondary]:
    servers: Servers = request.getfixturevalue("servers")
    with servers.clones(request.getfixturevalue(template)) as pair:
        yield Secondary(dsn=pair.secondary, superuser=pair.secondary_superuser, gate=pair.secondary_gate)


@contextmanager
def _database_16(server: Server, template: str | None = None) -> Iterator[Secondary]:
    name = f"supabase_{next(_numbers)}"
    source = f"TEMPLATE {template} STRATEGY FILE_COPY" if template else "STRATEGY WAL_LOG"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} OWNER postgres {source}".encode())
        try:
            superuser = server.dsn(name)
            if template is None:
                with psycopg.connect(superuser) as conn:
                    conn.execute((_HERE / "supabase_16_database.sql").read_bytes())
            yield Secondary(
                dsn=make_conninfo(superuser, user="postgres", password="harmless"),
                superuser=superuser,
                gate=make_conninfo(superuser, user="authenticator", password="harmless"),
            )
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module", params=NEWER_AT_LEAST)
def any_version(request: pytest.FixtureRequest) -> AnyVersion:
    """A maker of such databases that a whole module may share, on both versions."""
    return lambda: fresh_secondary(request, request.param)


@pytest.fixture(params=[16, 18])
def primary(request: pytest.FixtureRequest, empty_pair: Pair) -> str:
    """An empty database for a Prisma application, on both versions; the role is no superuser."""
    return empty_pair.primary if request.param == 16 else empty_pair.secondary
