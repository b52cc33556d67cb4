"""A process that writes or carries over, and is killed at a named step: `python -m tests.support.crashing`.

It stays warm and forks for every task that it reads, so that a crash costs hundredths of a second. The steps are those
of the real calls: what stands between the product and its drivers names each of them as it comes. A child is killed
with SIGKILL, so that nothing of it runs any more: no handler, no rollback, no close. What it told before, it told.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, cast

import psycopg
from psycopg import sql

from contracts.dataset import Dataset
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.dual import DualRepository
from storage.migrations.replication_doors import REPLICATION_DOORS, replication
from storage.migrations.values import Side
from storage.repair.applying import apply
from storage.repair.doors import DoorSide
from storage.repair.journal import JOURNAL_FILE, Journal
from storage.repair.plan_file import PLAN_FILE, read_plan
from storage.replication.book import Book
from storage.replication.by_rest import RestCall
from storage.replication.by_sql import SqlCall
from storage.replication.doors import Call, PrimaryDoors, SecondaryDoors
from storage.replication.relay import Relay
from storage.rest.client import RestAccess, RestClient
from tests.support.dual import LostAnswers

ANSWERED = "answered"
"""The step after the result of a write was told."""
Tell = Callable[[Mapping[str, object]], None]


class Steps:
    """Names the steps of a process as it takes them, and kills it at one of them.

    An act is one call of a door, or one transaction of the book. Its steps: `before`; `statement N` before each of its
    further statements; `uncommitted`, all statements answered and no COMMIT sent; `committing`, COMMIT sent and its
    answer not read; `after`. Over REST: `before`; `unread`, the request sent and its answer not read; `after`. An act
    that only reads has no step but `before`: nothing depends on where it ends. A step that comes again is numbered.

    Args:
        tell: Tells somebody outside.
        stop: The step at which to die; None to live.
    """

    def __init__(self, tell: Tell, stop: str | None) -> None:
        self._tell = tell
        self._stop = stop
        self._times: Counter[str] = Counter()
        self._act: str | None = None
        self._writes = False
        self._statements = 0

    def reach(self, name: str, *, last: Callable[[], None] = lambda: None) -> None:
        """Take a step; where it is the one, do `last` and die."""
        self._times[name] += 1
        step = name if self._times[name] == 1 else f"{name} ({self._times[name]})"
        self._tell({"step": step})
        if step == self._stop:
            last()
            die()

    @contextmanager
    def act(self, name: str, *, writes: bool) -> Iterator[None]:
        """Take the steps of an act."""
        self._act, self._writes, self._statements = name, writes, 0
        self.reach(f"{name} before")
        yield
        if self._writes:
            self.reach(f"{name} after")
        self._act = None

    def statement(self, query: object) -> None:
        """Take the step before a statement of the act."""
        self._statements += 1
        if self._act is None:
            return
        if isinstance(query, str) and not query.lstrip().startswith("SELECT"):
            self._writes = True
        if self._statements > 1:
            self.reach(f"{self._act} statement {self._statements}")

    def commit(self, connection: psycopg.Connection[Any]) -> None:
        """Take the steps around COMMIT."""
        if self._act is None or not self._writes:
            return

        def send() -> None:
            connection.pgconn.send_query(b"COMMIT")
            while connection.pgconn.flush():
                pass

        self.reach(f"{self._act} uncommitted")
        self.reach(f"{self._act} committing", last=send)

    def sent(self) -> None:
        """Take the step after a request was sent over REST."""
        if self._act is not None and self._writes:
            self.reach(f"{self._act} unread")


def die() -> NoReturn:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)
    while True:
        signal.pause()


class _Stepping(psycopg.Connection[Any]):
    """A connection whose statements are steps."""

    steps: Steps

    def execute(self, query: Any, *values: Any, **options: Any) -> psycopg.Cursor[Any]:
        """Execute a statement."""
        if query == "COMMIT":
            self.steps.commit(self)
        elif not _begins(query):
            self.steps.statement(query)
        return super().execute(query, *values, **options)


def _stepping(kind: type[psycopg.Connection[Any]]) -> type[_Stepping]:
    """Return connections of a kind, with steps."""
    return type("Stepping", (_Stepping, kind), {})


def _begins(query: str | sql.Composed) -> bool:
    first = query if isinstance(query, str) else next(iter(query)).as_string()
    return first.startswith("BEGIN")


class SteppingSql(SqlCall):
    """A store reached by SQL, whose steps have names.

    Args:
        dsn: Connection string.
        dataset: The dataset.
        side: The side.
        steps: Names them.
        tell: Is told the number of every process that the server starts for us.
    """

    def __init__(self, dsn: str, dataset: Dataset, side: Side, *, steps: Steps, tell: Tell) -> None:
        super().__init__(dsn, dataset, side)
        self._name = side.value
        self._steps = steps
        self._tell = tell
        self.method = ""

    def __call__(
        self, door: str, arguments: Mapping[str, Any], *, deadline_s: float | None = None, once: bool = False
    ) -> object:
        """Call one function."""
        with self._steps.act(f"{self._name}.{door}", writes=not REPLICATION_DOORS[door].reads):
            return super().__call__(door, arguments, deadline_s=deadline_s, once=once)

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        """Borrow a connection for one transaction of the book."""
        with self._steps.act(f"book.{self.method}", writes=False), super().session() as connection:
            yield connection

    def _connect(self, *limits: Any) -> Any:
        real = super()._connect(*limits)
        connection: Any = real
        self._tell({"backend": [self._name, real.info.backend_pid]})
        connection.__class__ = _stepping(type(real))
        connection.steps = self._steps
        return connection


class _NamedBook:
    """The book, telling its connection which of its methods is at work."""

    def __init__(self, call: SteppingSql) -> None:
        self._call = call
        self._book = Book(call, PLANNING)

    def __getattr__(self, name: str) -> Any:
        self._call.method = name
        return getattr(self._book, name)


class SteppingRest:
    """A project reached over REST, whose steps have names.

    Args:
        access: Where it is.
        steps: Names them.
    """

    store = StoreName.SUPABASE

    def __init__(self, access: RestAccess, steps: Steps) -> None:
        self._steps = steps
        client = RestClient(access)
        session = client._client.options.httpx_client
        assert session is not None
        session.event_hooks["request"].append(self._follow)
        self._call = RestCall(client, PLANNING)

    def __call__(
        self, door: str, arguments: Mapping[str, Any], *, deadline_s: float | None = None, once: bool = False
    ) -> object:
        """Call one function."""
        with self._steps.act(f"secondary.{door}", writes=not REPLICATION_DOORS[door].reads):
            return self._call(door, arguments, deadline_s=deadline_s, once=once)

    def close(self) -> None:
        """Close the connections."""
        self._call.close()

    def _follow(self, request: Any) -> None:
        def happened(event: str, _: object) -> None:
            if event == "http11.receive_response_headers.started":
                self._steps.sent()

        request.extensions["trace"] = happened


class SteppingJournal(Journal):
    """The journal of a repair, whose steps have names: before a line is written, half of it written, and after.

    Args:
        file: Where it is.
        steps: Names them.
    """

    def __init__(self, file: Path, steps: Steps) -> None:
        super().__init__(file)
        self._steps = steps

    def _add(self, line: Mapping[str, object]) -> None:
        name = f"journal.{next(iter(line))}"

        def tear() -> None:
            with self._file.open("ab") as file:
                file.write(json.dumps(line).encode()[: len(json.dumps(line)) // 2])

        self._steps.reach(f"{name} before")
        self._steps.reach(f"{name} torn", last=tear)
        super()._add(line)
        self._steps.reach(f"{name} after")


def repair(folder: Path, primary: PrimaryDoors, secondary: SecondaryDoors, steps: Steps) -> None:
    """Apply the plan that lies in a folder, or what is left of it."""
    plan, plan_hash = read_plan(folder / PLAN_FILE)
    journal = SteppingJournal(folder / JOURNAL_FILE, steps)
    journal.begin(plan_hash=plan_hash, by="a process", overrides=(), now=datetime.now(UTC))
    apply(
        plan,
        {side.store: side for side in (DoorSide(primary), DoorSide(secondary))},
        journal,
        columns=plan.header.columns,
        progress=lambda _: None,
        may_go_on=lambda: None,
    )


def work(task: Mapping[str, Any], tell: Tell) -> None:
    """Carry out a task as a fresh process of an application, or of the relay, does.

    Args:
        task: `primary` and `secondary`: URLs; `rest`: URL and key where the secondary is reached over REST; `stop`: the
            step at which to die; `do`: `drain`, `repair` with the folder of its plan, or a method of the
            repository with `arguments`, `named` and `now_ms`; `lost`: for a write whose acknowledgement by the primary
            is lost, whether it was carried out.
        tell: Tells somebody outside.
    """
    steps = Steps(tell, task["stop"])
    by_primary = SteppingSql(task["primary"], PLANNING, Side.PRIMARY, steps=steps, tell=tell)
    ours: Call = by_primary if task["lost"] is None else LostAnswers(by_primary, carried_out=task["lost"])
    theirs: Call
    if task["rest"] is None:
        theirs = SteppingSql(task["secondary"], PLANNING, Side.SECONDARY, steps=steps, tell=tell)
    else:
        theirs = SteppingRest(RestAccess(url=task["rest"][0], key=task["rest"][1]), steps)
    primary, secondary = PrimaryDoors(ours, PLANNING), SecondaryDoors(theirs, PLANNING)
    relay = Relay(primary, secondary, cast("Book", _NamedBook(by_primary)))
    if task["do"] == "drain":
        tell({"drained": dict(relay.drain().outcomes)})
        return
    if task["do"] == "repair":
        repair(Path(task["arguments"][0]), primary, secondary, steps)
        return
    now = datetime.fromtimestamp(task["now_ms"] / 1000, UTC)
    repository = DualRepository(primary, secondary, relay, clock=lambda: now, fast_path_s=5.0)
    result = getattr(repository, task["do"])(*task["arguments"], **task["named"])
    tell({"result": result.to_json()})
    steps.reach(ANSWERED)


def serve() -> None:
    """Fork for every task that comes, one at a time, and answer with what the child told and how it ended."""
    for side in Side:
        replication(PLANNING, side)  # loads what doors load when they are first asked
    gc.freeze()  # a collection in a child would copy all memory
    for line in sys.stdin:
        task = json.loads(line)
        if task["rest"] is not None:
            import supabase  # noqa: F401, PLC0415 - loaded once, before the fork
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            _live(task, theirs)
        os.close(theirs)
        end = threading.Timer(task["killed_after_s"] or 0, os.kill, (child, signal.SIGKILL))
        if task["killed_after_s"] is not None:
            end.start()
        with os.fdopen(ours, encoding="utf-8") as told:
            lines = [json.loads(each) for each in told]
        end.cancel()  # before it is waited for: nobody else has its number until then
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({"told": lines, "ended": os.waitstatus_to_exitcode(status)}) + "\n")
        sys.stdout.flush()


def _live(task: Mapping[str, Any], out: int) -> NoReturn:
    def tell(what: Mapping[str, object]) -> None:
        os.write(out, (json.dumps(what) + "\n").encode())

    code = 0
    try:
        work(task, tell)
    except BaseException:  # noqa: BLE001 - told, and the process ends
        tell({"error": traceback.format_exc()})
        code = 1
    os._exit(code)


if __name__ == "__main__":
    serve()
