"""A primary whose server is killed under load, and threads that write through one repository meanwhile."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from contracts.planning import PLANNING
from contracts.results import DualStorageResult, Outcome
from contracts.vocabulary import StoreName
from storage.breaker import Breaker, Guard
from storage.dual import DualRepository
from storage.local import processes, stores
from storage.local.server import Server
from storage.migrations import Side, migrate
from storage.ports import Row
from storage.replication import adoption
from storage.replication.book import Book
from storage.replication.by_sql import SqlCall
from storage.replication.doors import PrimaryDoors, SecondaryDoors
from storage.replication.relay import Relay
from tests.support.dual import scenario
from tests.support.interrupted import canonical
from tests.support.servers import Pair, Servers, watched_folder

DATABASE = "mortal"
RECOVERING = "automatic recovery in progress"
_SETTINGS = {"max_connections": "50", "shared_buffers": "32MB", "min_wal_size": "32MB", "max_wal_size": "96MB"}
FIELDS = ("genre", "target", "format", "tempo")
"""One for each thread that writes."""
NEW, SHARED = 0.3, 0.7
"""Three of ten writes make a record, four are of records that all threads write."""
_GONE_S = 60.0


class Sides(NamedTuple):
    """What reaches both stores."""

    primary: PrimaryDoors
    secondary: SecondaryDoors
    book: Book
    relay: Relay


@dataclass(frozen=True, slots=True, kw_only=True)
class Mortal:
    """Two stores that replicate; the server of the primary is ours to kill.

    Attributes:
        server: The server.
        pair: The stores.
    """

    server: Server
    pair: Pair

    def kill(self) -> None:
        """End every process of the server at once, with SIGKILL."""
        mark = self.server._mark
        deadline = time.monotonic() + _GONE_S
        while victims := [*processes.postmasters(mark), *processes.children(mark)]:
            for pid in victims:
                processes.send(pid, signal.SIGKILL)
            assert time.monotonic() < deadline, "the server does not die"
            time.sleep(0.002)

    def lose(self, backend: int) -> None:
        """End one process of the server with SIGKILL, whereupon the others begin anew; wait until they have.

        Args:
            backend: Its number.
        """
        with suppress(psycopg.OperationalError), psycopg.connect(self.pair.primary) as witness:
            processes.send(backend, signal.SIGKILL)
            while True:
                witness.execute("SELECT")
        deadline = time.monotonic() + _GONE_S
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                psycopg.connect(self.pair.primary).close()
                return
        raise AssertionError("the server does not come back")

    def start(self) -> None:
        """Start it again; it must find out by itself that it was killed."""
        self.server.start()
        assert RECOVERING in (self.server.folder / "log").read_text(encoding="utf-8"), "nothing had to be recovered"

    @contextmanager
    def reached(self) -> Iterator[Sides]:
        """Reach both stores for as long as the context lasts."""
        with ExitStack() as stack:
            ours = SqlCall(self.pair.primary, PLANNING, Side.PRIMARY)
            stack.callback(ours.close)
            theirs = SqlCall(self.pair.secondary, PLANNING, Side.SECONDARY)
            stack.callback(theirs.close)
            primary, secondary = PrimaryDoors(ours, PLANNING), SecondaryDoors(theirs, PLANNING)
            book = Book(ours, PLANNING)
            yield Sides(primary, secondary, book, Relay(primary, secondary, book))


@contextmanager
def mortal(servers: Servers, template: str) -> Iterator[Mortal]:
    """Start a primary of its own beside the secondary of all tests, and adopt both."""
    with watched_folder() as folder, servers.clones(template) as pair:
        server = Server(
            version=stores.PRIMARY_VERSION,
            folder=folder / "mortal",
            superuser=stores.PRIMARY_SUPERUSER,
            durable=False,  # what was written outlives the processes, and more is not asked of it
            settings=_SETTINGS,
        )
        server.initialise()
        server.start()
        try:
            stores.prepare_primary(server, dbname=DATABASE)
            dsn = server.dsn(DATABASE, stores.APP)
            stores.create_prisma_table(dsn)
            migrate(dsn, Side.PRIMARY)
            found = Mortal(server=server, pair=replace(pair, primary=dsn, primary_superuser=server.dsn(DATABASE)))
            with found.reached() as sides:
                _, theirs = adoption.begin(sides.primary, sides.secondary, sides.book)
                adoption.finish(sides.secondary, sides.book, differing=(), begun=theirs)
            yield found
        finally:
            server.stop(wait_s=0)


class Written(NamedTuple):
    """A write, and what its caller was told.

    Attributes:
        field: The field of the record that its thread writes.
        number: Which of its writes it is; the field holds it from then on.
        key: The record.
        result: What the caller was told.
    """

    field: str
    number: int
    key: str
    result: DualStorageResult


class Load:
    """Threads that write through one repository: records of their own, and some that all of them write.

    Each thread counts its writes in a field of its own, so that a record tells which of them it descends from.

    Args:
        repository: The repository.
        shared: Records that all threads write.
        seed: Chooses what is written.
    """

    def __init__(self, repository: DualRepository, shared: Sequence[str], *, seed: int) -> None:
        self._repository = repository
        self._shared = shared
        self._seed = seed
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(field,)) for field in FIELDS]
        self.written: list[Written] = []
        self.errors: list[BaseException] = []

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Write for as long as the context lasts."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._end.set()
            for thread in self._threads:
                thread.join()

    def _write(self, field: str) -> None:
        random = Random(f"{self._seed} {field}")
        own: list[str] = []
        count = 0
        try:
            while not self._end.is_set():
                count += 1
                chance = random.random()
                if chance < NEW:
                    key = str(UUID(int=random.getrandbits(128), version=4))
                    own.append(key)
                    result = self._repository.save({**scenario(key), field: str(count)})
                else:
                    key = random.choice(self._shared if chance < SHARED or not own else own)
                    result = self._repository.update(key, {field: str(count)})
                self.written.append(Written(field, count, key, result))
        except BaseException as exc:  # noqa: BLE001 - the test looks at it
            self.errors.append(exc)


def repository_of(sides: Sides, *, guarded: bool) -> DualRepository:
    """Return a repository over both stores, with circuit breakers or without."""
    guards = {store: Guard(store, Breaker()) for store in StoreName} if guarded else None
    return DualRepository(sides.primary, sides.secondary, sides.relay, book=sides.book, guards=guards)


def misreported(written: Sequence[Written], sides: Sides) -> Iterator[str]:
    """Hold what callers were told against what both stores hold and what is kept as conflicts."""
    keys = sorted({each.key for each in written})
    ours, theirs = sides.primary.look(keys), sides.secondary.look(keys)
    rows: dict[str, list[Row | None]] = {key: [ours[key].row] for key in keys}
    for key in keys:
        if canonical(ours[key].row) != canonical(theirs[key].row):
            yield f"{key}: the stores differ"
    for conflict in sides.book.conflicts(keys=keys, resolved=True, at_most=100_000):
        rows[conflict.key].append(conflict.loser)
    for each in written:
        told = f"{each.field} {each.number}: {each.result.outcome}, {each.result.error}"
        counts = [_count(row, each.field) for row in rows[each.key]]
        if each.result.success and max(counts) < each.number:
            yield f"an acknowledged write is lost: {told}"
        if not each.result.success and each.result.outcome is not Outcome.UNKNOWN and each.number in counts:
            yield f"a write that failed is there: {told}"


def _count(row: Row | None, field: str) -> int:
    """Return the last write of a thread that a row descends from."""
    content: dict[str, Any] = json.loads((row or {}).get("content") or "{}")
    return int(content.get(field, 0))
