"""Every fault of a network, on each store, at every step: what the caller sees, and what the stores hold in the end.

The table of faults is in `tests/support/fault_table.py`, and in `docs/results.md`. They are brought about by real
proxies before real servers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import Invalid
from contracts.results import Consistency, DegradationMode
from contracts.vocabulary import StoreName
from storage.breaker import State
from storage.dual import permission
from tests.support.dual import new_id, scenario
from tests.support.fault_table import PRISMA, SUPABASE, TABLE, Case, Way, cases
from tests.support.fault_trial import Trial
from tests.support.faulty_proxy import Fault as HttpFault
from tests.support.faulty_stores import FaultyStores, faulty_stores, guards
from tests.support.servers import Servers
from tests.support.tcp_proxy import Fault, Plan

DOCS = Path(__file__).parents[4] / "docs" / "results.md"


def _params(way: Way) -> list[Any]:
    return [pytest.param(case, id=str(case), marks=() if case.quick else pytest.mark.soak) for case in cases(way)]


@pytest.fixture(scope="module")
def by_sql_faulty(servers: Servers, _migrated_template: str) -> Iterator[FaultyStores]:
    """Two adopted stores behind proxies, both reached by SQL, for all tests here."""
    with servers.clones(_migrated_template) as pair, faulty_stores(pair, rest=False) as found:
        yield found


@pytest.fixture(scope="module")
def by_rest_faulty(servers: Servers, _migrated_template: str) -> Iterator[FaultyStores]:
    """The same with the secondary reached over REST."""
    with servers.clones(_migrated_template) as pair, faulty_stores(pair, rest=True) as found:
        yield found


@pytest.mark.parametrize("case", _params(Way.SQL))
def test_a_fault_by_sql_has_its_documented_result(by_sql_faulty: FaultyStores, case: Case) -> None:
    """The caller sees what the table says, nothing hangs, nothing is lost, and the stores agree in the end."""
    Trial(by_sql_faulty, case).run()


@pytest.mark.parametrize("case", _params(Way.REST))
def test_a_fault_over_rest_has_its_documented_result(by_rest_faulty: FaultyStores, case: Case) -> None:
    """The same where the secondary is reached over REST."""
    Trial(by_rest_faulty, case).run()


def test_the_table_is_the_documented_one() -> None:
    """Each row of the table stands in the documentation as it is tested, and no other row does."""
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    documented = [line for line in lines if re.fullmatch(r"\| .* \| (SQL|REST|SQL, REST) \| .*", line)]
    assert documented == [row.markdown for row in TABLE]


# Circuits


CIRCUITS = [(PRISMA, Way.SQL), (SUPABASE, Way.SQL), (SUPABASE, Way.REST)]


@pytest.fixture
def faulty(request: pytest.FixtureRequest) -> FaultyStores:
    """The stores, the secondary by the way that the test names."""
    found = request.getfixturevalue("by_rest_faulty" if request.param is Way.REST else "by_sql_faulty")
    assert isinstance(found, FaultyStores)
    return found


@pytest.mark.parametrize(("store", "faulty"), CIRCUITS, indirect=["faulty"], ids=str)
def test_three_failures_open_the_circuit_and_spare_the_calls(store: StoreName, faulty: FaultyStores) -> None:
    """From then on nothing reaches the store, whatever is asked, until a probe finds it well."""
    now = [1000.0]
    known = guards(clock=lambda: now[0])
    repository = faulty.repository(known=known)
    proxy, bodies = faulty.proxies[store], [scenario() for _ in range(6)]
    repository.get(new_id())  # so that connections are there, which the fault ends
    with proxy.suffering(Plan(fault=Fault.FULL)):
        seen = [repository.save(body) for body in bodies[:3]]
        assert known[store].state is State.OPEN
        reached = proxy.connections
        assert reached >= 3
        seen += [repository.save(body) for body in bodies[3:5]]
        assert repository.find(new_id()).degradation_mode == f"{store}-circuit-open"
        assert repository.list().degradation_mode == f"{store}-circuit-open"
        assert proxy.connections == reached
    stated = [(r.details.of(store).attempted, str(r.degradation_mode)) for r in seen if r.details is not None]
    assert stated == [(True, "none")] * 3 + [(False, f"{store}-circuit-open")] * 2
    assert all(result.success and result.consistency is Consistency.PARTIAL for result in seen)
    spared = seen[-1].details
    assert spared is not None
    assert re.search(f"{store} was not called, since too many calls to it failed", spared.of(store).error or "")
    assert spared.of(store).timing_ms is None
    now[0] += 300.0
    assert repository.find(new_id()).complete
    faulty.drain()
    assert known[store].state is State.CLOSED
    for body in bodies[:5]:
        assert None not in faulty.tones(body["id"])
    assert repository.save(bodies[5]).consistency is Consistency.FULL


@pytest.mark.parametrize("fault", [HttpFault.RESTRICTED, HttpFault.TOO_LONG, HttpFault.TIMEOUT])
def test_a_refusal_opens_no_circuit(by_rest_faulty: FaultyStores, fault: HttpFault) -> None:
    """A store that says no is there: 402, 414, a statement that took too long. Each call reaches it."""
    known, http = guards(), by_rest_faulty.http
    repository = by_rest_faulty.repository(known=known)
    http.fault, http.first, before = fault, http.requests, http.requests
    try:
        seen = [repository.save(scenario()) for _ in range(5)]
    finally:
        http.fault = None
    assert http.requests == before + 5
    assert {str(result.degradation_mode) for result in seen} == {"none"}
    assert {(result.success, str(result.consistency)) for result in seen} == {(True, "partial")}
    assert {guard.state for guard in known.values()} == {State.CLOSED}
    by_rest_faulty.drain()


def test_a_refusal_of_the_primary_opens_no_circuit(by_sql_faulty: FaultyStores) -> None:
    """Nor is anything written to the other store in its place; a broken contract does not even reach it."""
    known = guards()
    repository = by_sql_faulty.repository(known=known)
    rename = "ALTER FUNCTION twinstore.{}(jsonb) RENAME TO {}"
    by_sql_faulty.apps[PRISMA].execute(rename.format("planning_put", "planning_was_put").encode())
    try:
        seen = [repository.save(scenario()) for _ in range(5)]
    finally:
        by_sql_faulty.apps[PRISMA].execute(rename.format("planning_was_put", "planning_put").encode())
    for result in seen:
        assert (result.success, result.outcome, result.consistency) == (False, "failed", Consistency.FAILED)
        assert (result.degradation_mode, result.supabase_success) == (DegradationMode.NONE, False)
        assert str(result.error).startswith("The save failed on prisma: prisma is not what we expect")
        assert by_sql_faulty.tones(result.id) == (None, None)
    for _ in range(5):
        with pytest.raises(Invalid):
            repository.save(scenario(type="poem"))
    assert {guard.state for guard in known.values()} == {State.CLOSED}


@pytest.mark.parametrize(
    ("fault", "calls", "asked_s", "wait_s"),
    [
        (HttpFault.BUSY, 3, 900.0, 900.0),
        (HttpFault.BUSY, 3, 47.0, 300.0),
        (HttpFault.TOO_MANY, 10, 900.0, 900.0),
    ],
)
def test_a_store_that_asks_for_patience_gets_it(
    by_rest_faulty: FaultyStores, fault: HttpFault, calls: int, asked_s: float, wait_s: float
) -> None:
    """`Retry-After` prolongs the time for which calls are spared, never shortens it; 429 counts in the share only."""
    known, http = guards(clock=lambda: 1000.0), by_rest_faulty.http
    repository = by_rest_faulty.repository(known=known)
    http.fault, http.first, http.retry_after_s, before = fault, http.requests, asked_s, http.requests
    try:
        for number in range(calls):
            assert known[SUPABASE].state is State.CLOSED, number
            assert repository.save(scenario()).success
        assert (known[SUPABASE].state, known[SUPABASE].wait_s) == (State.OPEN, wait_s)
        spared = repository.save(scenario())
    finally:
        http.fault = None
    assert (spared.success, spared.degradation_mode) == (True, DegradationMode.SUPABASE_CIRCUIT_OPEN)
    assert f"it is tried again in {wait_s:.0f} s" in str(spared.error)
    assert http.requests == before + calls
    by_rest_faulty.drain()


@pytest.mark.parametrize("faulty", Way, indirect=True, ids=str)
def test_a_write_waits_for_the_secondary_for_a_moment_only(
    faulty: FaultyStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A black hole costs the moment that the secondary has after a write, the first one a step; no whole statement."""
    monkeypatch.setattr(permission, "ASK_S", 1.0)
    repository = faulty.repository(fast_path_s=0.3)
    repository.find(new_id())
    with faulty.proxies[SUPABASE].suffering(Plan(fault=Fault.BLACK_HOLE)):
        begun, anew = repository.save(scenario()), repository.save(scenario())
    for result in (begun, anew):
        assert (result.success, result.consistency) == (True, Consistency.PARTIAL)
        assert result.details is not None
        assert result.details.supabase.timing_ms is not None
        assert result.details.supabase.timing_ms < 9_000  # a whole statement has ten seconds
    faulty.drain()


def test_the_server_gives_up_a_client_that_went_away(by_sql_faulty: FaultyStores) -> None:
    """A transaction that nobody ends holds its locks for half a minute at most."""
    with by_sql_faulty.usual.book._call.session() as session:
        assert session.execute("SHOW idle_in_transaction_session_timeout").fetchall() == [("30s",)]


def test_a_lost_acknowledgement_leaves_no_trace(by_sql_faulty: FaultyStores, caplog: pytest.LogCaptureFixture) -> None:
    """The connection, on which an answer may still come, is thrown away without a word: the pool never mends it."""
    lost = Plan(fault=Fault.ANSWER_NEVER, after=(b"planning_put", b"COMMIT"), times=1)
    repository = by_sql_faulty.repository(impatient=True)
    with by_sql_faulty.proxies[PRISMA].suffering(lost):
        assert repository.save(scenario()).consistency is Consistency.FULL
    assert lost.hits == 1
    assert caplog.records == []
