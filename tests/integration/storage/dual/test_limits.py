"""What a repository asks of a store at most, and when it asks nothing any more."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from contracts.errors import ConfigurationError, Exhausted, Invalid, Unavailable
from contracts.planning import PLANNING
from contracts.results import Consistency, DegradationMode, Outcome
from contracts.vocabulary import StoreName
from storage.breaker import Breaker, EventKind, Guard, State
from storage.dual import DualRepository, permission, saving
from storage.replication.by_sql import CONNECTIONS
from storage.replication.doors import Call, PrimaryDoors, SecondaryDoors
from storage.replication.relay import Relay
from tests.support.accounts import superuser_of
from tests.support.dual import PRISMA, SUPABASE, Twins, new_id, scenario
from tests.support.faulty_stores import faulty_stores, guards
from tests.support.replication import PATIENT_S
from tests.support.servers import Pair
from tests.support.tcp_proxy import Fault, Plan

MOST_S = 3.0
_OURS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'twinstore sync'"
)

_WAITS = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(autouse=True)
def patient_repositories(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here limits are those of an application; only what a store said of itself counts for longer."""
    monkeypatch.setattr(permission, "FRESH_S", PATIENT_S)


class Watched:
    """A call to a store that notes its limits instead of keeping them, and may fail at one door.

    Args:
        call: The call itself.
        limits: Gets door and limit of every call.
        failing: The door at which it fails.
    """

    def __init__(self, call: Call, limits: list[tuple[str, float | None]], failing: str | None = None) -> None:
        self._call = call
        self._limits = limits
        self._failing = failing

    @property
    def store(self) -> StoreName:
        """The store."""
        return self._call.store

    def __call__(
        self, door: str, arguments: Mapping[str, Any], *, deadline_s: float | None = None, once: bool = False
    ) -> object:
        """Call it."""
        self._limits.append((f"{self.store}.{door}", deadline_s))
        if door == self._failing:
            raise Unavailable(f"{self.store} cannot be reached.", "Wait.", store=self.store)
        patient_s = None if deadline_s is None else max(deadline_s, PATIENT_S)
        return self._call(door, arguments, deadline_s=patient_s, once=once)

    def close(self) -> None:
        """Close the connections."""
        self._call.close()


def watched(
    twins: Twins,
    failing: str | None = None,
    guards: Mapping[StoreName, Guard] | None = None,
    fast_path_s: float = 2.5,
) -> tuple[DualRepository, list[tuple[str, float | None]]]:
    """Return a repository, and the limits of its calls as they are made; the primary may fail at one door."""
    limits: list[tuple[str, float | None]] = []
    held = twins.replication
    assert held.secondary is not None
    primary = PrimaryDoors(Watched(held.primary._call, limits, failing), PLANNING)
    secondary = SecondaryDoors(Watched(held.secondary._call, limits), PLANNING)
    relay = Relay(primary, secondary, held.book)
    made = DualRepository(
        primary, secondary, relay, book=held.book, guards=guards, clock=twins.clock, fast_path_s=fast_path_s
    )
    return made, limits


def test_every_call_has_a_limit(by_sql: Twins) -> None:
    """No step of a write or a read waits for longer than three seconds, whichever way it takes."""
    repository, limits = watched(by_sql)
    lent, body = scenario(), scenario()
    with by_sql.away(PRISMA):
        assert repository.save(lent).success
    assert repository.update(lent["id"], {"tone": "Calm"}).consistency is Consistency.FULL
    for repeated in (False, True):
        saved = repository.save(body, idempotency_key="request", expected_version=0)
        assert (saved.consistency, saved.repeated) == (Consistency.FULL, repeated)
    assert repository.get(new_id()) is None
    assert repository.list().records
    assert repository.delete(body["id"]).success
    doors = {door for door, _ in limits}
    assert doors >= {f"{store}.{door}" for store in StoreName for door in ("look", "put", "settle")}
    assert not doors & {"prisma.standing", "supabase.standing"}  # which count what waits
    assert {"prisma.judge", "prisma.glance", "prisma.page", "supabase.apply", "supabase.changes"} <= doors
    assert [(door, limit_s) for door, limit_s in limits if limit_s is None or limit_s > MOST_S] == []


def test_another_server_of_the_primary_is_held_against_the_secondary_within_a_moment(by_sql: Twins) -> None:
    """Nothing is counted for it, the secondary has as long as for a delivery, and the next one asks nothing."""
    repository, limits = watched(by_sql, fast_path_s=0.3)
    repository.save(scenario())
    relay = repository._saving._relay
    assert relay is not None
    assert relay._proven is not None
    relay._proven -= timedelta(hours=1)
    limits.clear()
    for _ in range(2):
        assert repository.save(scenario()).consistency is Consistency.FULL
    asked = [limit for limit in limits if limit[0].startswith("supabase")]
    assert asked == [("supabase.glance", 0.3), ("supabase.apply", 0.3), ("supabase.apply", 0.3)]
    assert [(door, limit_s) for door, limit_s in limits if limit_s is None or limit_s > MOST_S] == []


def test_while_a_circuit_is_open_a_write_costs_what_it_costs_on_the_primary(by_sql: Twins) -> None:
    """The primary is not asked how it stands, since nothing can be delivered; as soon as a call may pass it is."""
    guard, body = Guard(SUPABASE, Breaker()), scenario()
    repository, calls = watched(by_sql, guards={SUPABASE: guard})
    guard.force(State.FORCED_OPEN)
    for title in ("one", "two"):
        result = repository.save(body | {"title": title})
        assert (result.success, result.degradation_mode) == (True, DegradationMode.SUPABASE_CIRCUIT_OPEN)
    assert [door for door, _ in calls] == ["prisma.look", "prisma.put"] * 2
    guard.force(State.CLOSED)
    assert repository.save(body | {"title": "three"}).consistency is Consistency.FULL
    assert {"prisma.glance", "supabase.glance", "supabase.apply"} < {door for door, _ in calls}


def test_the_secondary_is_asked_only_for_what_the_answer_needs(by_sql: Twins) -> None:
    """A save that writes delivers, and nothing else; one that need not write looks, for as long as a delivery has."""
    repository, calls = watched(by_sql)
    body = scenario()
    repository.save(body)
    asked = []
    for title in ("one", "one", "two"):
        calls.clear()
        assert repository.save(body | {"title": title}).consistency is Consistency.FULL
        asked.append([(door, round(limit_s or 0, 1)) for door, limit_s in calls if door.startswith("supabase")])
    delivered = [("supabase.apply", 2.5)]
    assert asked == [delivered, [("supabase.look", 2.5)], delivered]


def test_a_secondary_that_is_slow_to_say_how_it_stands_is_no_outage(twins: Twins) -> None:
    """It has seconds for that, and a moment for the delivery itself."""
    repository, limits = watched(twins, guards=(known := guards()), fast_path_s=0.3)
    with psycopg.connect(superuser_of(twins.pair, SUPABASE)) as other, ThreadPoolExecutor() as pool:
        other.execute("LOCK TABLE twinstore.capture IN ACCESS EXCLUSIVE MODE")
        work = pool.submit(repository.save, scenario())
        with psycopg.connect(superuser_of(twins.pair, SUPABASE), autocommit=True) as watch:
            while not work.done() and watch.execute(_WAITS).fetchone() is None:
                time.sleep(0.01)
        assert not work.done()
        other.commit()  # at once: beside its own limit a statement has one for locks
        assert work.result().consistency is Consistency.FULL
    assert known[SUPABASE].numbers[EventKind.FAILURE] == 0
    assert [limit for limit in limits if limit[0] in ("supabase.glance", "supabase.apply")] == [
        ("supabase.glance", MOST_S),
        ("supabase.apply", 0.3),
    ]


def test_a_secondary_that_failed_just_now_has_a_moment_until_it_is_probed(by_sql: Twins) -> None:
    """The first write of an outage waits for it, the next ones hardly, and a probe may take its time again."""
    now = [0.0]
    repository, limits = watched(by_sql, guards=guards(clock=lambda: now[0]), fast_path_s=0.3)
    with by_sql.away(SUPABASE):
        for _ in range(4):
            assert repository.save(scenario()).consistency is Consistency.PARTIAL
    now[0] = 300.0
    for _ in range(2):
        assert repository.save(scenario()).consistency is Consistency.FULL
    asked = [limit_s for door, limit_s in limits if door == "supabase.glance"]
    assert asked == [MOST_S, 0.3, 0.3, MOST_S]


def test_a_circuit_whose_time_comes_at_this_moment_is_tried_by_the_next_write(by_sql: Twins) -> None:
    """The write that looked a moment before is owed, and takes the place of no probe."""
    now = [0.0]
    guard = Guard(SUPABASE, Breaker(), clock=lambda: now.pop(0) if len(now) > 1 else now[0])
    repository, _ = watched(by_sql, guards={SUPABASE: guard})
    guard.force(State.OPEN)
    now[:] = [299.9, 300.0]
    late, next_one = repository.save(scenario()), repository.save(scenario())
    assert (late.success, late.consistency, late.degradation_mode) == (True, Consistency.PARTIAL, DegradationMode.NONE)
    assert "may be asked again" in str(late.error)
    assert (next_one.consistency, guard.state) == (Consistency.FULL, State.CLOSED)


@pytest.mark.soak
def test_a_primary_that_swallows_answers_costs_seconds(pair: Pair) -> None:
    """The secondary takes the write in its place, long before a statement of the relay would be given up."""
    with faulty_stores(pair, rest=False) as stores:
        repository = stores.repository()
        repository.find(new_id())
        with stores.proxies[PRISMA].suffering(Plan(fault=Fault.BLACK_HOLE)):
            started = time.monotonic()
            result = repository.save(scenario())
            assert time.monotonic() - started < 5.0
        assert (result.success, result.prisma_success, result.supabase_success) == (True, False, True)


@contextmanager
def all_in_use(twins: Twins) -> Iterator[None]:
    """Make as many calls to the primary as may be made at a time, for as long as the block runs."""
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(twins.replication.primary._call.session())  # type: ignore[attr-defined]  # it is by SQL
        yield


def test_too_many_calls_at_a_time_are_no_outage(by_sql: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is there: no circuit opens, nothing goes to the other store instead, and the sentence says why."""
    guards = {store: Guard(store, Breaker()) for store in StoreName}
    repository = by_sql.open(guards=guards)
    body = scenario()
    with all_in_use(by_sql), monkeypatch.context() as hurried:
        hurried.setattr(saving, "WRITE_S", 0.05)
        results = [repository.save(body) for _ in range(4)]
        with pytest.raises(Exhausted):
            by_sql.replication.primary.look([body["id"]], deadline_s=0.05)
    for result in results:
        assert (result.success, result.outcome, result.consistency) == (False, Outcome.FAILED, Consistency.FAILED)
        assert f"The save failed on prisma: This process makes {CONNECTIONS} calls to prisma already" in str(
            result.error
        )
    assert by_sql.rows(SUPABASE) == []
    assert guards[PRISMA].state is State.CLOSED
    assert repository.save(body).consistency is Consistency.FULL


def test_a_delivery_that_cannot_be_noted_was_made_all_the_same(by_sql: Twins) -> None:
    """The secondary said that it holds the row; the relay finds that out once more."""
    repository, _ = watched(by_sql, failing="settle")
    body = scenario()
    result = repository.save(body)
    assert (result.success, result.consistency, result.error) == (True, Consistency.FULL, None)
    assert result.details is not None
    assert (result.details.supabase.attempted, result.details.supabase.outcome) == (True, "applied")
    assert by_sql.replication.primary.standing().dirty == 1
    by_sql.drain()
    assert by_sql.replication.primary.standing().dirty == 0


def test_nothing_is_asked_of_a_repository_that_was_closed(by_sql: Twins) -> None:
    """Its connections end, those in use as soon as they are not, and none is made any more."""
    repository = by_sql.open()
    repository._close = by_sql.replication.close
    repository.save(scenario())
    with by_sql.replication.primary._call.session() as session:  # type: ignore[attr-defined]  # it is by SQL
        repository.close()
    assert session.closed
    for ask in (lambda: repository.save(scenario()), repository.list, lambda: repository.get(new_id())):
        with pytest.raises(ConfigurationError, match="was closed"):
            ask()
    repository.close()
    for store in StoreName:
        with psycopg.connect(superuser_of(by_sql.pair, store)) as connection:
            deadline = time.monotonic() + 60
            while connection.execute(_OURS).fetchone() != (0,):
                assert time.monotonic() < deadline, store
                connection.rollback()  # within a transaction the same sessions would be seen for ever
                time.sleep(0.02)


def test_a_key_that_no_store_can_hold_is_refused(by_sql: Twins) -> None:
    """Before any store is asked."""
    keys: tuple[Any, ...] = ("", "x" * 201, "a\0b", "\ud800", 7)
    for key in keys:
        with pytest.raises(Invalid, match="a text of 1 to 200 characters"):
            by_sql.repository.save(scenario(), idempotency_key=key)
