"""Real PostgreSQL servers for tests, and databases on them that cost some hundredths of a second."""

from __future__ import annotations

import itertools
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from storage.local import seed, stores
from storage.local.server import Server
from storage.migrations import Side, migrate

SEEDED = 300
SEEDED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""The moment at which the newest seeded records end."""

SHARED = "TWINSTORE_TEST_SERVERS"
"""Names the folder of servers that run already: a test process that a test starts need not start its own."""

_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "32MB",
    "min_wal_size": "32MB",
    "max_wal_size": "96MB",
    "autovacuum": "off",  # its locks, transactions and statistics come at moments that no test knows
}
_MEMORY = Path("/dev/shm")  # noqa: S108 - below it every folder is made with a name of its own, for its owner
_ROOM = 4 << 30  # bytes: several test processes with two servers each need less than half of it
_OURS = f"guest_{os.getpid()}_" if SHARED in os.environ else ""
"""What the names of our databases begin with, so that processes that share servers share no database."""
_EMPTY, _MIGRATED, _SEEDED = (f"{_OURS}template_{form}" for form in ("empty", "migrated", "seeded"))
_numbers = itertools.count(1)
_CLONE = "CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY"  # without fsync the fastest by far

# Waits until its input ends, which happens however the test process ends; then no server may live on.
_WATCHDOG = """
read _
find "$1" -path '*/data/postmaster.pid' -exec head -n 1 {} \\; | xargs -r kill -QUIT
rm -rf -- "$1"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """URLs of two databases, made for one test.

    Attributes:
        primary: As the application's role, who owns the database.
        secondary: As `postgres`, the customer's role of a hosted project: no superuser, bypasses row level security.
        primary_superuser: The same database of the primary, as its superuser.
        secondary_superuser: The same database of the secondary, as `supabase_admin`.
        secondary_gate: The same database of the secondary, as `authenticator`.
    """

    primary: str
    secondary: str
    primary_superuser: str
    secondary_superuser: str
    secondary_gate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The two servers of a test session: PostgreSQL 16, and 18 with the roles of Supabase."""

    primary: Server
    secondary: Server

    def pair(self, dbname: str) -> Pair:
        """Return the URLs of the databases called `dbname` on both servers."""
        return Pair(
            primary=self.primary.dsn(dbname, stores.APP),
            secondary=self.secondary.dsn(dbname, stores.CUSTOMER),
            primary_superuser=self.primary.dsn(dbname),
            secondary_superuser=self.secondary.dsn(dbname),
            secondary_gate=self.secondary.dsn(dbname, stores.GATE),
        )

    @contextmanager
    def clones(self, template: str) -> Iterator[Pair]:
        """Clone both databases called `template` for as long as the context lasts."""
        name = f"{_OURS}test_{next(_numbers)}"
        owners = ((self.primary, stores.APP), (self.secondary, stores.CUSTOMER))
        try:
            _on_both(owners, lambda server, owner: _execute(server, _CLONE.format("{}", template, owner), name))
            yield self.pair(name)
        finally:
            _on_both(owners, lambda server, _: _execute(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name))


def _on_both(owners: tuple[tuple[Server, str], ...], do: Callable[[Server, str], None]) -> None:
    """Do something on both servers at once."""
    with ThreadPoolExecutor(len(owners)) as pool:
        list(pool.map(lambda pair: do(*pair), owners))


def _fast_folder() -> Path | None:
    """Return a file system in memory that has room and may hold programs; None if TMPDIR chooses another place.

    What tests keep need not outlive the machine, and a database is cloned there in a tenth of the time.
    """
    try:
        found = os.statvfs(_MEMORY)
        facts = dict(line.split(":") for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    except OSError:
        return None
    room = min(found.f_bavail * found.f_frsize, int(facts["MemAvailable"].split()[0]) * 1024)
    usable = os.access(_MEMORY, os.W_OK) and not found.f_flag & os.ST_NOEXEC and "TMPDIR" not in os.environ
    return _MEMORY if usable and room >= _ROOM else None


@contextmanager
def watched_folder() -> Iterator[Path]:
    """Make a folder for servers, which every account may enter, in memory if that has room; remove it at the end.

    However the test process ends, the servers whose data are below this folder end as well.
    """
    folder = Path(tempfile.mkdtemp(prefix="twinstore-test-", dir=_fast_folder()))
    if os.geteuid() == 0:
        folder.chmod(0o711)  # the account of the servers passes through it
    watchdog = subprocess.Popen(
        ["/bin/sh", "-c", _WATCHDOG, "sh", str(folder)], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield folder
    finally:
        watchdog.communicate()


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Start the two servers in a folder of their own; stop them at the end, however that comes.

    Those that `SHARED` names run already, and go on: only the databases that were made on them are dropped.
    """
    if shared := os.environ.get(SHARED):
        servers = _servers_in(Path(shared))
        try:
            yield servers
        finally:
            for server in (servers.primary, servers.secondary):
                _drop_ours(server)
        return
    with watched_folder() as folder, ExitStack() as stack:
        servers = _servers_in(folder)
        for server in (servers.primary, servers.secondary):
            server.initialise()
            stack.callback(server.stop, wait_s=0)
            server.start()
        yield servers


def make_empty_templates(servers: Servers) -> str:
    """Make the template of two empty stores, and return its name."""
    stores.prepare_primary(servers.primary, dbname=_EMPTY)
    stores.prepare_secondary(servers.secondary, dbname=_EMPTY)
    return _EMPTY


def make_migrated_templates(servers: Servers, empty: str) -> str:
    """Make the template of two stores with their planning tables, ready for use, and return its name."""
    _copy_templates(servers, empty, _MIGRATED)
    pair = servers.pair(_MIGRATED)
    stores.create_prisma_table(pair.primary)
    migrate(pair.primary, Side.PRIMARY)
    migrate(pair.secondary, Side.SECONDARY)
    return _MIGRATED


def make_seeded_templates(servers: Servers, migrated: str) -> str:
    """Make the template of two stores with the same `SEEDED` records, and return its name."""
    _copy_templates(servers, migrated, _SEEDED)
    pair = servers.pair(_SEEDED)
    seed.load(pair.primary, pair.secondary, SEEDED, now=SEEDED_AT)
    return _SEEDED


def _servers_in(folder: Path) -> Servers:
    return Servers(
        primary=_server(folder, "primary", stores.PRIMARY_VERSION, stores.PRIMARY_SUPERUSER),
        secondary=_server(folder, "secondary", stores.SECONDARY_VERSION, stores.SECONDARY_SUPERUSER),
    )


def _drop_ours(server: Server) -> None:
    """Drop the databases that this process made on a server of somebody else's."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        made = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_OURS]).fetchall()
        for (name,) in made:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _server(folder: Path, name: str, version: int, superuser: str) -> Server:
    return Server(version=version, folder=folder / name, superuser=superuser, durable=False, settings=_SETTINGS)


def _copy_templates(servers: Servers, source: str, name: str) -> None:
    for server, owner in ((servers.primary, stores.APP), (servers.secondary, stores.CUSTOMER)):
        _execute(server, f"CREATE DATABASE {{}} TEMPLATE {source} OWNER {owner}", name)


def _execute(server: Server, statement: str, dbname: str) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(dbname)))
