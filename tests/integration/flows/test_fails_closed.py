"""Whatever keeps a store from being read whole: no verdict of passed, no invented difference, one clear sentence."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

import psycopg
import pytest
from psycopg import sql

from contracts.verdicts import DatasetReport
from contracts.vocabulary import Cause, CheckSource, CheckStatus, StoreName, Verdict
from expectations import planning
from expectations.planning import SUITE, PlanningThresholds
from expectations.queries import ask_for_violations
from expectations.suite import Ask, DeclaredCheck, Facts, Suite
from storage.local.faults import FAULTS, inject
from tests.support.accounts import DEAD_PORT, PASSWORD, account, changed, superuser_of, url_of, with_url
from tests.support.checking import check, job_of
from tests.support.servers import Pair, Servers

PRISMA, SUPABASE = StoreName
EITHER = pytest.mark.parametrize("store", [PRISMA, pytest.param(SUPABASE, marks=pytest.mark.soak)])
"""One store is tried always, both in the long tests: they are looked at by the same code."""
FAULT = {fault.id: fault for fault in FAULTS}


def titles(pair: Pair) -> set[str]:
    """Return the titles of all records: values that no error may show."""
    with psycopg.connect(pair.primary_superuser) as connection:
        return {title for (title,) in connection.execute("SELECT title FROM public.planning") if len(title) > 3}


def statuses(report: DatasetReport, store: StoreName, source: CheckSource | None = None) -> set[CheckStatus]:
    """Return what became of the checks on a store."""
    return {c.status for c in report.checks if c.store is store and source in (None, c.source)}


def assert_nothing_is_told(report: DatasetReport, pair: Pair, values: Collection[str] = ()) -> None:
    """Assert that no sentence of a report holds a password, a URL or a value of a row."""
    sentences = [reason.text for reason in report.reasons] + [check.message for check in report.checks]
    sentences += [facts.note for facts in report.stores] + list(report.notes)
    secrets = {PASSWORD, "://", *values}
    secrets |= {match[1] for url in (pair.primary, pair.secondary) if (match := re.search(r":([^:@/]+)@", url))}
    told = [secret for secret in secrets for sentence in sentences if secret in sentence]
    assert not told


def assert_closed(report: DatasetReport, says: str, verdict: Verdict = Verdict.ERRORED) -> None:
    """Assert that nothing was concluded, and that the first reason says why."""
    assert report.verdict is verdict, report.reasons
    assert report.verdict.exit_code == 2
    assert re.search(says, report.reasons[0].text), report.reasons
    assert (report.differences, report.differences_total, report.clusters) == ((), 0, ())


def assert_blind(report: DatasetReport, store: StoreName) -> None:
    """Assert that nothing was passed on the store that could not be read, and that the other one was judged."""
    assert CheckStatus.PASSED not in statuses(report, store)
    assert CheckStatus.FAILED not in statuses(report, store)
    assert CheckStatus.PASSED in statuses(report, store.other, CheckSource.CONTRACT)
    assert CheckStatus.PASSED in statuses(report, store.other, CheckSource.EXPECTATION)
    assert CheckStatus.ERRORED not in statuses(report, store.other)


@EITHER
def test_a_role_that_may_read_and_nothing_else_is_enough(seeded_pair: Pair, store: StoreName) -> None:
    """What the accidents below take away from such a role is what keeps the check from passing."""
    with account(seeded_pair, store) as reader:
        report = check(job_of(with_url(seeded_pair, store, reader.url)))
    assert report.verdict is Verdict.PASSED, report.reasons
    assert report.rows.matched == 300


def on_either(names: Iterable[str]) -> list[Any]:
    """Return each name with both stores; tried always is one of them, by turns."""
    always = dict(zip(names, cycle(StoreName), strict=False))
    return [
        pytest.param(name, store, marks=() if always[name] is store else pytest.mark.soak)
        for name in always
        for store in StoreName
    ]


REFUSALS = {"port": "cannot be reached", "password": "refuses us", "database": "has no such database"}


@pytest.mark.parametrize(("part", "store"), on_either(REFUSALS))
def test_a_store_that_does_not_let_us_in(still_pair: Pair, part: str, store: StoreName) -> None:
    """A server that is down, a wrong password and a missing database are told apart by name."""
    wrong = {
        "port": changed(url_of(still_pair, store), port=DEAD_PORT),
        "password": changed(url_of(still_pair, store), password=PASSWORD),
        "database": changed(url_of(still_pair, store), database="no_such_database"),
    }
    broken = with_url(still_pair, store, wrong[part])
    report = check(job_of(broken))
    assert_closed(report, f"^{store} {REFUSALS[part]}")
    assert len(report.reasons) == 1
    assert_blind(report, store)
    assert_nothing_is_told(report, broken, titles(still_pair))


@dataclass(frozen=True, slots=True)
class Accident:
    """What is done to a store, as its superuser, and what the reason must say then.

    Attributes:
        statements: SQL; `{role}` stands for our role.
        says: A pattern of the reason, in which STORE stands for the store and ROLE for our role.
    """

    statements: tuple[str, ...]
    says: str


_COLUMNS = "id, type, content, status, user_id, project_id, version, metadata, storage, source, storage_status"
ACCIDENTS = {
    "no_grant_on_the_table": Accident(
        ("REVOKE SELECT ON public.planning FROM {role}",),
        r"STORE does not let ROLE read public\.planning.*GRANT SELECT ON public\.planning TO ROLE",
    ),
    "no_grant_on_a_column": Accident(
        (
            "REVOKE SELECT ON public.planning FROM {role}",
            f"GRANT SELECT ({_COLUMNS}, created_at, updated_at) ON public.planning TO {{role}}",
        ),
        r"STORE does not let ROLE read public\.planning",
    ),
    "no_usage_of_the_schema": Accident(
        ("REVOKE USAGE ON SCHEMA public FROM PUBLIC, {role}",),
        r"STORE does not let ROLE read public\.planning.*GRANT USAGE ON SCHEMA public TO ROLE",
    ),
    "no_grant_on_our_own_schema": Accident(
        ("REVOKE USAGE ON SCHEMA twinstore FROM {role}",), "STORE refuses us.*twinstore"
    ),
    "column_missing": Accident(
        ("ALTER TABLE public.planning DROP COLUMN title CASCADE",), r"STORE has no column title in public\.planning"
    ),
    "column_of_another_type": Accident(
        ("ALTER TABLE public.planning ALTER COLUMN version TYPE bigint",),
        r"Column version of public\.planning on STORE is bigint, not integer",
    ),
    "table_missing": Accident(("DROP TABLE public.planning CASCADE",), r"STORE has no table public\.planning"),
    "nothing_migrated": Accident(("DROP SCHEMA twinstore CASCADE",), "Migrations of STORE are not applied: 0001_"),
    "migration_missing": Accident(
        ("DELETE FROM twinstore.migration_log WHERE name LIKE '0001_%'",), "Migrations of STORE are not applied: 0001_"
    ),
    "migration_changed": Accident(
        ("UPDATE twinstore.migration_log SET checksum = repeat('0', 64) WHERE name LIKE '0001_%'",),
        "Migrations of STORE are not those of this version: 0001_",
    ),
    "migration_of_a_newer_version": Accident(
        (
            """INSERT INTO twinstore.migration_log
            SELECT (jsonb_populate_record(log, '{{"name": "9999_newer"}}')).*
            FROM twinstore.migration_log AS log LIMIT 1""",
        ),
        "Migrations of STORE are not those of this version: 9999_newer",
    ),
}


@pytest.mark.parametrize(("name", "store"), on_either(ACCIDENTS))
def test_a_store_that_is_not_what_we_need(seeded_pair: Pair, name: str, store: StoreName) -> None:
    """A missing grant, column, table or migration is named with its store; the other store is judged as ever."""
    values = titles(seeded_pair)
    with account(seeded_pair, store) as reader:
        reader.run(*ACCIDENTS[name].statements)
        broken = with_url(seeded_pair, store, reader.url)
        report = check(job_of(broken))
        says = ACCIDENTS[name].says.replace("STORE", store).replace("ROLE", reader.role)
    assert_closed(report, says)
    assert len(report.reasons) == 1
    assert_blind(report, store)
    assert_nothing_is_told(report, broken, values)


@pytest.mark.parametrize(("policy", "store"), on_either(["no row", "some rows"]))
def test_rows_that_may_be_hidden_are_not_called_missing(seeded_pair: Pair, policy: str, store: StoreName) -> None:
    """Under row level security the run is incomplete: no difference, and no check on the visible part is passed."""
    with account(seeded_pair, store) as reader:
        reader.run("ALTER ROLE {role} NOBYPASSRLS", "ALTER TABLE public.planning ENABLE ROW LEVEL SECURITY")
        if policy == "some rows":
            reader.run("CREATE POLICY videos ON public.planning FOR SELECT TO {role} USING (type = 'video')")
        report = check(job_of(with_url(seeded_pair, store, reader.url)))
    assert_closed(report, f"on {store} rows may be hidden from our role", Verdict.INCOMPLETE)
    assert statuses(report, store) == {CheckStatus.SKIPPED}
    assert_blind(report, store)
    assert_nothing_is_told(report, seeded_pair, titles(seeded_pair))


@EITHER
def test_an_empty_side_that_we_see_whole_is_one_finding(seeded_pair: Pair, store: StoreName) -> None:
    """An empty store is failed, with one cluster and no list of missing rows; every row is accounted for."""
    fault = FAULT["primary_empty" if store is StoreName.PRISMA else "secondary_empty"]
    inject(seeded_pair.primary, seeded_pair.secondary, [fault])
    report = check(job_of(seeded_pair))
    assert report.verdict is Verdict.FAILED
    assert report.reasons[0].text == f"{store} is empty"
    assert report.differences == ()
    assert [(c.cause, c.store, c.count) for c in report.clusters] == [(Cause.SIDE_EMPTY, store, 300)]
    assert all(a.primary.balance == a.secondary.balance == 0 for a in report.ranges)
    assert CheckStatus.PASSED not in statuses(report, store, CheckSource.EXPECTATION)


@EITHER
def test_an_empty_side_that_may_hide_rows_is_no_finding(seeded_pair: Pair, store: StoreName) -> None:
    """A store that shows no row to a role from which rows may be hidden is incomplete, not empty."""
    fault = FAULT["primary_empty" if store is StoreName.PRISMA else "secondary_empty"]
    inject(seeded_pair.primary, seeded_pair.secondary, [fault])
    with account(seeded_pair, store) as reader:
        reader.run("ALTER ROLE {role} NOBYPASSRLS", "ALTER TABLE public.planning ENABLE ROW LEVEL SECURITY")
        report = check(job_of(with_url(seeded_pair, store, reader.url)))
    assert_closed(report, f"on {store} rows may be hidden", Verdict.INCOMPLETE)


def test_both_urls_that_reach_one_database_are_refused(still_pair: Pair) -> None:
    """A store is never compared with itself, whichever of the two it is."""
    for store in StoreName:
        report = check(job_of(with_url(still_pair, store, url_of(still_pair, store.other))))
        assert_closed(report, "two different databases")
        assert_blind(report, store)


@contextmanager
def locked(pair: Pair, store: StoreName) -> Iterator[psycopg.Connection]:
    """Hold the strongest lock on the table for as long as the context lasts, or until the connection rolls back."""
    with psycopg.connect(superuser_of(pair, store)) as connection:
        connection.execute("LOCK TABLE public.planning IN ACCESS EXCLUSIVE MODE")
        yield connection


@EITHER
def test_a_lock_that_is_held_ends_the_check_of_that_store(still_pair: Pair, store: StoreName) -> None:
    """Statements that wait for a lock are given up within the statement's limit; nothing on that store is judged."""
    with locked(still_pair, store):
        report = check(job_of(still_pair, statement_timeout_s=2.0))
    assert_closed(report, f"{store} gave up: a statement or a lock took longer than its limit")
    assert statuses(report, store) == {CheckStatus.ERRORED}
    assert_blind(report, store)
    assert_nothing_is_told(report, still_pair, titles(still_pair))


@pytest.mark.soak
@pytest.mark.parametrize("table", ["public.planning", "twinstore.identity", "twinstore.migration_log"])
def test_a_lock_is_not_waited_for_as_long_as_a_statement_may_take(seeded_pair: Pair, table: str) -> None:
    """With the limits that everybody has, any lock on any table that a check reads ends it within a minute."""
    began = time.monotonic()
    with psycopg.connect(seeded_pair.secondary_superuser) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        report = check(job_of(seeded_pair))
    assert_closed(report, "supabase gave up: a statement or a lock took longer than its limit")
    assert_blind(report, StoreName.SUPABASE)
    assert time.monotonic() - began < 60


_HUGE = """
UPDATE public.planning SET content = jsonb_build_object('id', id, 'type', type, 'text', repeat(id::text, 60000))
WHERE id::text IN (SELECT id::text FROM public.planning ORDER BY 1 LIMIT 150)
"""


@EITHER
def test_a_statement_that_takes_too_long_is_given_up(seeded_pair: Pair, store: StoreName) -> None:
    """A digest beyond the limit compares nothing: the rows that differ already are not called different."""
    with psycopg.connect(superuser_of(seeded_pair, store)) as connection:
        connection.execute(_HUGE)
    report = check(job_of(seeded_pair, statement_timeout_s=1.0))
    assert_closed(report, f"{store} gave up")
    assert statuses(report, store, CheckSource.CONTRACT) == {CheckStatus.ERRORED}
    assert CheckStatus.PASSED in statuses(report, store.other, CheckSource.CONTRACT)


_WAITING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'twinstore check' AND wait_event_type = 'Lock'
"""


def kill_the_check(pair: Pair, store: StoreName, held: psycopg.Connection, servers: Servers, *, for_good: bool) -> None:
    """Wait until the check waits for a lock, end its backend, and let go of the lock; for good: let nobody in again."""
    server = servers.primary if store is StoreName.PRISMA else servers.secondary
    with psycopg.connect(server.dsn(), autocommit=True) as outside, held:
        watch = psycopg.connect(superuser_of(pair, store), autocommit=True)
        with watch:
            deadline = time.monotonic() + 60
            while (found := watch.execute(_WAITING).fetchone()) is None and time.monotonic() < deadline:
                time.sleep(0.02)
        if for_good:
            name = sql.Identifier(held.info.dbname)
            outside.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        outside.execute("SELECT pg_terminate_backend(%s)", [found[0] if found else 0])


@pytest.mark.parametrize(("how_long", "store"), on_either(["once", "for good"]))
def test_a_store_that_goes_away_in_the_middle(
    seeded_pair: Pair, servers: Servers, how_long: str, store: StoreName
) -> None:
    """A connection that dies under the comparison ends it; what could be judged afterwards was judged, nothing else."""
    values, for_good = titles(seeded_pair), how_long == "for good"
    held = psycopg.connect(superuser_of(seeded_pair, store))
    held.execute("LOCK TABLE public.planning IN ACCESS EXCLUSIVE MODE")
    killer = threading.Thread(
        target=kill_the_check, args=(seeded_pair, store, held, servers), kwargs={"for_good": for_good}
    )
    killer.start()
    report = check(job_of(seeded_pair))
    killer.join()
    assert_closed(report, rf"{store} cannot be reached \(SQLSTATE 57P01\)")
    if for_good:
        assert statuses(report, store) == {CheckStatus.ERRORED}
        assert_blind(report, store)
    else:
        assert statuses(report, store) == statuses(report, store.other)
        assert CheckStatus.ERRORED not in statuses(report, store)
    assert_nothing_is_told(report, seeded_pair, values)


def raising(facts: Facts[PlanningThresholds]) -> Ask:
    """Fail to plan, with a value in the error."""
    raise RuntimeError(f"{PASSWORD} {facts.rows}")


def test_an_expectation_that_raises_is_errored_alone(still_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """One check that cannot be evaluated makes the run errored; the others and the comparison stand."""
    bad = replace(SUITE.checks[0], id="planning.raises", plan=raising)
    suite = replace(SUITE, checks=(*SUITE.checks, bad))
    monkeypatch.setattr(planning, "SUITE", suite)
    report = check(job_of(still_pair))
    assert_closed(report, r"planning\.raises\b.*\bprisma")
    assert {(c.id, c.store) for c in report.checks if c.status is CheckStatus.ERRORED} == {
        ("planning.raises", store) for store in StoreName
    }
    assert report.rows.matched == 300
    assert_nothing_is_told(report, still_pair)


def asked_of_no_column(facts: Facts[PlanningThresholds]) -> Ask:
    """Ask for something that the server cannot answer."""
    return ask_for_violations("SELECT no_such_column FROM {batch}", str)


def test_an_expectation_that_the_server_refuses_is_errored(still_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expectation whose statement fails is neither passed nor failed."""
    bad = replace(SUITE.checks[0], id="planning.refused", plan=asked_of_no_column)
    monkeypatch.setattr(planning, "SUITE", replace(SUITE, checks=(*SUITE.checks, bad)))
    report = check(job_of(still_pair))
    assert_closed(report, r"planning\.refused\b.*\bprisma")


def test_an_empty_suite_is_errored(still_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite that declares nothing proves nothing."""
    none: tuple[DeclaredCheck[object], ...] = ()
    monkeypatch.setattr(planning, "SUITE", Suite(dataset_name="planning", checks=none, thresholds=None))
    report = check(job_of(still_pair))
    assert_closed(report, r"planning\.suite\b.*\bprisma")


def test_everything_at_once_names_both_stores(still_pair: Pair) -> None:
    """With both stores out of reach both are named, and nothing was judged at all."""
    primary = changed(still_pair.primary, port=DEAD_PORT)
    secondary = changed(still_pair.secondary, password=PASSWORD)
    report = check(job_of(replace(still_pair, primary=primary, secondary=secondary)))
    assert_closed(report, "^prisma cannot be reached")
    assert [reason.text.split(" ")[0] for reason in report.reasons] == ["prisma", "supabase"]
    assert report.checks == ()
