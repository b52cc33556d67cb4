"""A dual repository of a test over two real stores, a clock that the test sets, and stores that go away."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import EllipsisType
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from contracts.errors import OutcomeUnknown, Unavailable
from contracts.planning import PLANNING, ContentType
from contracts.vocabulary import StoreName
from flows.replicating import Replication
from storage.dual import DualRepository
from storage.dual.asking import Guarding
from storage.replication.doors import Call, PrimaryDoors
from storage.replication.relay import Relay
from tests.support.accounts import superuser_of
from tests.support.planning_rows import KEY, OWNER, content
from tests.support.servers import Pair, Servers

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PRISMA, SUPABASE = StoreName
WHO = {"userId": OWNER, "status": "active", "projectId": KEY, "author": "Kim"}
_SHUT = "ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}"
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"


@dataclass
class Clock:
    """A clock that stands still until the test moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """Return the present."""
        return self.now

    def advance(self, milliseconds: int) -> None:
        """Let time pass."""
        self.now += timedelta(milliseconds=milliseconds)

    @property
    def ms(self) -> int:
        """The present in milliseconds since 1970."""
        return round(self.now.timestamp() * 1000)


@dataclass
class Twins:
    """Two stores, adopted, with a repository over them.

    Attributes:
        pair: Their databases.
        replication: What carries their changes.
        servers: Their servers.
        clock: The clock of repositories.
        repository: A repository over both.
    """

    pair: Pair
    replication: Replication
    servers: Servers
    clock: Clock = field(default_factory=Clock)
    repository: DualRepository = field(init=False)

    def __post_init__(self) -> None:
        self.repository = self.open()

    def open(
        self,
        *,
        secondary: bool = True,
        relay: bool = True,
        guards: Mapping[StoreName, Guarding] | None = None,
        primary: PrimaryDoors | None = None,
    ) -> DualRepository:
        """Open another repository over the same stores."""
        held = self.replication
        assert held.secondary is not None
        ours = primary or held.primary
        carrier = Relay(ours, held.secondary, held.book) if relay and secondary else None
        return DualRepository(
            ours,
            held.secondary if secondary else None,
            carrier,
            book=held.book,
            guards=guards,
            clock=self.clock,
            fast_path_s=5.0,  # a machine that is busy is no outage
        )

    def drain(self) -> None:
        """Carry everything over, as the relay's own process does."""
        _, _, relay = self.replication.both()
        relay.drain()

    def away(self, store: StoreName) -> AbstractContextManager[None]:
        """Take a store away for as long as the block runs: its server ends all sessions and lets nobody in."""
        return away(self.servers, self.pair, store)

    def rows(self, store: StoreName, columns: str = "id::text") -> list[tuple[Any, ...]]:
        """Return columns of every row of a store, by id."""
        with psycopg.connect(superuser_of(self.pair, store)) as connection:
            query = f"SELECT {columns} FROM public.planning ORDER BY id"
            return connection.execute(query.encode()).fetchall()

    def run(self, store: StoreName, statement: str, *values: object) -> None:
        """Run a statement on a store, as somebody else does."""
        with psycopg.connect(superuser_of(self.pair, store), autocommit=True) as connection:
            connection.execute(statement.encode(), values)


@contextmanager
def away(servers: Servers, pair: Pair, store: StoreName) -> Iterator[None]:
    """Take a database away for as long as the block runs."""
    server = servers.primary if store is PRISMA else servers.secondary
    name = urlsplit(superuser_of(pair, store)).path.removeprefix("/")

    def let_in(allowed: str) -> None:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(sql.SQL(_SHUT).format(sql.Identifier(name), sql.SQL(allowed)))
            connection.execute(_END, [name])

    let_in("false")
    try:
        yield
    finally:
        let_in("true")


class LostAnswers:
    """A call to a store whose acknowledgement of a write is lost, before or after the write.

    Args:
        call: The call itself.
        carried_out: Whether the write reaches the store.
        meanwhile: What others do before the caller learns that nobody knows.
    """

    def __init__(self, call: Call, *, carried_out: bool, meanwhile: Callable[[], object] = lambda: None) -> None:
        self._call = call
        self._carried_out = carried_out
        self._meanwhile = meanwhile
        self.losing = True

    @property
    def store(self) -> StoreName:
        """The store."""
        return self._call.store

    def __call__(
        self, door: str, arguments: Mapping[str, Any], *, deadline_s: float | None = None, once: bool = False
    ) -> object:
        """Call a function; the answer to a write is lost."""
        if not (once and self.losing):
            return self._call(door, arguments, deadline_s=deadline_s, once=once)
        if self._carried_out:
            self._call(door, arguments, deadline_s=deadline_s, once=once)
        self._meanwhile()
        raise OutcomeUnknown(f"{self.store} went away while it was writing.", "Look.", store=self.store)

    def close(self) -> None:
        """Close the connections."""
        self._call.close()


def losing(doors: PrimaryDoors, *, carried_out: bool, meanwhile: Callable[[], object] = lambda: None) -> PrimaryDoors:
    """Return doors of the primary behind which acknowledgements are lost."""
    return PrimaryDoors(LostAnswers(doors._call, carried_out=carried_out, meanwhile=meanwhile), PLANNING)


class Breaking:
    """A guard that stands for a circuit that is open, or counts what passes."""

    def __init__(self, *, broken: Callable[[], bool] = lambda: False) -> None:
        self.broken = broken
        self.calls = 0

    def call(self, work: Callable[[], Any]) -> Any:
        """Pass a call on."""
        self.calls += 1
        if self.broken():
            raise Unavailable("It is away.", "Wait.")
        return work()


def new_id() -> str:
    """Return an id that nobody has used."""
    return str(uuid.uuid4())


def scenario(
    key: str | None = None, *, metadata: dict[str, Any] | EllipsisType = ..., **changes: Any
) -> dict[str, Any]:
    """Return a scenario with an id of its own; without metadata unless some are given."""
    return content(ContentType.SCENARIO, id=key or new_id(), metadata=metadata, **changes)
