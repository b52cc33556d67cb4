"""The planning suite on real servers: it passes on good tables, and each check fails for its own reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from contracts.verdicts import CheckResult
from contracts.vocabulary import CheckSource, CheckStatus, StoreName
from expectations.planning import PlanningThresholds
from expectations.registry import declared_checks
from expectations.runner import run_suite
from tests.support.servers import SEEDED_AT, Pair

ROWS = 300
TREND = (ROWS, ROWS, ROWS)
STRICT = PlanningThresholds()


def run(
    pair: Pair,
    store: StoreName = StoreName.PRISMA,
    *,
    trend: tuple[int, ...] = TREND,
    thresholds: PlanningThresholds = STRICT,
    later: timedelta = timedelta(),
) -> dict[str, CheckResult]:
    """Run the suite on one store; return the results by short id, after checks that hold for any run."""
    results = run_suite(
        "planning",
        store,
        url=pair.primary if store is StoreName.PRISMA else pair.secondary,
        schema="public",
        table="planning",
        now=SEEDED_AT + later,
        trend=trend,
        thresholds=thresholds,
    )
    assert [(r.id, r.severity) for r in results] == [
        (key, severity) for key, severity, _ in declared_checks("planning")
    ]
    assert {(r.source, r.store) for r in results} == {(CheckSource.EXPECTATION, store)}
    return {r.id.removeprefix("planning."): r for r in results}


def assert_only_fails(results: dict[str, CheckResult], name: str) -> CheckResult:
    """Assert that one check failed and all others passed; return it."""
    assert {key: r.status for key, r in results.items() if r.status is not CheckStatus.PASSED} == {
        name: CheckStatus.FAILED
    }
    assert results[name].observed
    return results[name]


def execute(dsn: str, statement: str) -> None:
    """Run one statement."""
    with psycopg.connect(dsn) as connection:
        connection.execute(statement)


@pytest.mark.parametrize("store", StoreName)
def test_a_good_table_passes(still_pair: Pair, store: StoreName) -> None:
    """On the seed records every check passes on both stores, and says what it measured."""
    results = run(still_pair, store)
    assert {r.status for r in results.values()} == {CheckStatus.PASSED}
    assert results["volume_trend"].observed == "300 rows; usual: 300"
    assert all(r.observed and not r.failing_rows and not r.sample_keys for r in results.values())


def test_too_little_history_is_skipped(still_pair: Pair) -> None:
    """Without earlier counts a trend is skipped, not passed; one count is enough for the loss of rows."""
    none, two = run(still_pair, trend=()), run(still_pair, trend=(ROWS, ROWS))
    assert [none[name].status for name in ("volume_trend", "not_shrunk")] == [CheckStatus.SKIPPED] * 2
    assert [two[name].status for name in ("volume_trend", "not_shrunk")] == [CheckStatus.SKIPPED, CheckStatus.PASSED]


def test_shares_of_a_small_table_are_skipped(still_pair: Pair) -> None:
    """Shares say nothing about a handful of rows, so they are skipped."""
    results = run(still_pair, thresholds=replace(STRICT, share_rows=ROWS + 1))
    skipped = {name for name, r in results.items() if r.status is CheckStatus.SKIPPED}
    assert skipped == {
        "null_rate.user_id",
        "null_rate.project_id",
        "null_rate.metadata",
        "type_distribution",
        "status_distribution",
    }


@pytest.mark.parametrize(
    ("name", "trend"),
    [("volume_trend", (1000, 1000, ROWS)), ("volume_trend", (100, 100, 100)), ("not_shrunk", (ROWS, ROWS, 351))],
)
def test_an_unusual_number_of_rows_fails(still_pair: Pair, name: str, trend: tuple[int, ...]) -> None:
    """A number of rows far from the earlier ones, or far below the last one, fails; the slack does not."""
    assert_only_fails(run(still_pair, trend=trend), name)
    assert run(still_pair, trend=(ROWS, ROWS, 350))["not_shrunk"].status is CheckStatus.PASSED


@pytest.mark.parametrize("store", StoreName)
@pytest.mark.parametrize("later", [timedelta(days=7, hours=1), timedelta(days=-1, hours=-2)])
def test_an_old_or_future_change_fails(still_pair: Pair, store: StoreName, later: timedelta) -> None:
    """A table that nobody changed for a week fails, as does one whose newest change is tomorrow."""
    assert_only_fails(run(still_pair, store, later=later), "freshness")


@pytest.mark.parametrize("store", StoreName)
@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("null_rate.user_id", {"null_user_id": 0.01}),
        ("null_rate.project_id", {"null_project_id": 0.01}),
        ("null_rate.metadata", {"null_metadata": 0.01}),
        ("type_distribution", {"type_share_max": 0.2}),
        ("status_distribution", {"failed_share_max": 0.001}),
        ("status_distribution", {"draft_share_max": 0.1}),
        ("growth_per_user", {"owner_day_rows": 1, "owner_day_share": 0.0}),
    ],
)
def test_a_share_beyond_its_limit_fails(still_pair: Pair, store: StoreName, name: str, limits: dict[str, Any]) -> None:
    """Each limit can be broken on each store, and breaks its own check only."""
    result = assert_only_fails(run(still_pair, store, thresholds=replace(STRICT, **limits)), name)
    assert bool(result.sample_keys) == (name == "growth_per_user")


def test_a_uuid_in_two_spellings_fails(seeded_pair: Pair) -> None:
    """Two rows whose ids are one UUID in two spellings are counted and named."""
    execute(
        seeded_pair.primary,
        "INSERT INTO planning (id, type, title, content, status, user_id, created_at, updated_at)"
        " SELECT upper(id), type, title, content, status, user_id, created_at, updated_at FROM planning"
        " WHERE id ~ '[a-f]' ORDER BY id LIMIT 2",
    )
    result = assert_only_fails(run(seeded_pair), "id_unique")
    assert (result.failing_rows, len(result.sample_keys)) == (4, 2)


@pytest.mark.parametrize("store", StoreName)
def test_a_project_without_any_owner_fails(seeded_pair: Pair, store: StoreName) -> None:
    """A project of some records of which none has an owner is found, and its first record is named."""
    dsn = seeded_pair.primary if store is StoreName.PRISMA else seeded_pair.secondary
    execute(
        dsn,
        "UPDATE planning SET user_id = NULL, project_id = '11111111-2222-4333-8444-555555555555'"
        " WHERE id IN (SELECT id FROM planning WHERE project_id IS NULL ORDER BY id LIMIT 4)",
    )
    results = run(seeded_pair, store)
    result = results["orphaned_projects"]
    assert (result.status, result.failing_rows, len(result.sample_keys)) == (CheckStatus.FAILED, 4, 1)
