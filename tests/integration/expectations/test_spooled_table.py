"""The planning suite on a spooled table: it says of every fault of the catalogue what it says on the server."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.planning import PLANNING
from contracts.verdicts import CheckResult
from contracts.vocabulary import CheckStatus, StoreName
from expectations.planning import SUITE
from expectations.queries import ask_for_violations
from expectations.registry import needed_columns
from expectations.runner import Target, evaluate, run_suite
from expectations.suite import Ask, Facts, Suite
from storage.local import seed
from storage.local.faults import DECOYS, FAULTS, inject
from storage.ports import HashKind
from storage.rest.client import RestAccess
from storage.rest.rows_reader import RestRowsReader
from tests.support.gateway import serve
from tests.support.servers import SEEDED_AT, Pair
from tests.support.spooled import spool

TREND = (300, 300, 300)
WHOLE_TABLES = [one for one in (*FAULTS, *DECOYS) if one.exclusive]
QUICK = {"primary_empty", "table_flooded", "table_with_two_spellings", "decoy_side_empty"}
SINGLE_ROWS = [one for one in (*FAULTS, *DECOYS) if not one.exclusive]
Results = dict[str, CheckResult]


def by_id(results: tuple[CheckResult, ...]) -> Results:
    """Return results by short id."""
    return {result.id.removeprefix("planning."): result for result in results}


def on_the_server(dsn: str, store: StoreName, **options: Any) -> Results:
    """Run the suite where the table lies."""
    run = {"trend": TREND, "now": SEEDED_AT, **options}
    return by_id(run_suite("planning", store, url=dsn, schema="public", table="planning", **run))


def in_a_file(url: str, store: StoreName = StoreName.SUPABASE, **options: Any) -> Results:
    """Run the suite on a spooled table."""
    run = {"trend": TREND, "now": SEEDED_AT, "table": "planning", **options}
    return by_id(run_suite("planning", store, url=url, schema=None, **run))


def assert_the_same(pair: Pair, folder: Path) -> None:
    """Assert that the suite has the same results on each store's server and on its spooled table."""
    for store, dsn in ((StoreName.PRISMA, pair.primary_superuser), (StoreName.SUPABASE, pair.secondary_superuser)):
        url = spool(PLANNING, store, dsn, folder / store, needed_columns("planning"))
        assert in_a_file(url, store, allow_empty=True) == on_the_server(dsn, store, allow_empty=True)


@pytest.fixture
def url(still_pair: Pair, tmp_path: Path) -> str:
    """300 good records of supabase in a file."""
    return spool(PLANNING, StoreName.SUPABASE, still_pair.secondary, tmp_path / "spool", needed_columns("planning"))


def test_a_good_table_passes(url: str) -> None:
    """Only the needed columns are there, and every check passes and says what it measured."""
    results = in_a_file(url)
    assert {result.status for result in results.values()} == {CheckStatus.PASSED}
    assert all(result.observed for result in results.values())


@pytest.mark.parametrize(
    "one",
    [pytest.param(one, id=one.id, marks=() if one.id in QUICK else pytest.mark.soak) for one in WHOLE_TABLES],
)
def test_a_fault_of_a_whole_table_gives_the_same_results(seeded_pair: Pair, tmp_path: Path, one: Any) -> None:
    """Status, numbers, keys and words are those of the server."""
    inject(seeded_pair.primary_superuser, seeded_pair.secondary_superuser, [one])
    assert_the_same(seeded_pair, tmp_path)


def test_all_faults_of_single_rows_at_once_give_the_same_results(pair: Pair, tmp_path: Path) -> None:
    """Odd instants, ids and texts are counted and ordered as on the server."""
    seed.load(pair.primary, pair.secondary, 3_000, now=SEEDED_AT)
    inject(pair.primary_superuser, pair.secondary_superuser, SINGLE_ROWS)
    assert_the_same(pair, tmp_path)


def test_a_table_that_was_read_over_rest_gives_the_same_results(seeded_pair: Pair) -> None:
    """What the REST channel spools for a suite is judged as the server judges the table."""
    whole = next(fault for fault in WHOLE_TABLES if fault.id == "table_owners_lost")
    inject(seeded_pair.primary_superuser, seeded_pair.secondary_superuser, [whole])
    with serve(seeded_pair.secondary_gate, cap=100) as rest:
        access = RestAccess(url=rest.url, key=rest.service_key)
        reader = RestRowsReader(access, PLANNING)
        with reader.snapshot(HashKind.TEXT) as snapshot, snapshot.spool(needed_columns("planning")) as file:
            results = in_a_file(f"sqlite:///{file}")
    assert results == on_the_server(seeded_pair.secondary, StoreName.SUPABASE)
    assert results["null_rate.user_id"].status is CheckStatus.FAILED


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("null_rate.user_id", {"null_user_id": 0.01}),
        ("type_distribution", {"type_share_max": 0.2}),
        ("status_distribution", {"draft_share_max": 0.1}),
        ("growth_per_user", {"owner_day_rows": 1, "owner_day_share": 0.0}),
        ("freshness", {"fresh_days": -1}),
    ],
)
def test_a_limit_is_broken_as_on_the_server(still_pair: Pair, url: str, name: str, limits: dict[str, Any]) -> None:
    """Each kind of query fails in a file as it does on a server."""
    thresholds = replace(SUITE.thresholds, **limits)
    results = in_a_file(url, thresholds=thresholds)
    assert results == on_the_server(still_pair.secondary, StoreName.SUPABASE, thresholds=thresholds)
    assert {key for key, result in results.items() if result.status is CheckStatus.FAILED} == {name}


@pytest.mark.parametrize("column", needed_columns("planning"))
def test_each_needed_column_is_needed(url: str, column: str) -> None:
    """Without a column exactly the checks that declare it are errored: none reads another, and none passes without."""
    change(url, f"ALTER TABLE planning DROP COLUMN [{column}]")
    readers = {check.id.removeprefix("planning.") for check in SUITE.checks if column in check.columns}
    errored = {key for key, result in in_a_file(url).items() if result.status is CheckStatus.ERRORED}
    assert readers
    assert errored == readers


def change(url: str, statement: str) -> None:
    """Run a statement on a spooled table."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
        file.execute(statement)


def assert_errored(results: Results, sentence: str) -> None:
    """Assert that nothing was judged, for this reason."""
    messages = {(result.status, result.message) for result in results.values()}
    assert messages == {(CheckStatus.ERRORED, f"The check could not be evaluated on supabase: {sentence}.")}


def test_a_missing_file_is_errored_and_not_made(tmp_path: Path) -> None:
    """A file that is not there is no empty table."""
    assert_errored(in_a_file(f"sqlite:///{tmp_path / 'gone'}"), "the spooled table is not there")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_errored(tmp_path: Path) -> None:
    """A file that is no database is not read as one."""
    (tmp_path / "spool").write_text("id,title\n" * 1000, encoding="utf-8")
    assert_errored(in_a_file(f"sqlite:///{tmp_path / 'spool'}"), "the spooled table is damaged")


def test_a_missing_table_is_errored(url: str) -> None:
    """A file without the table is told apart from an empty table."""
    assert_errored(in_a_file(url, table="scenes"), "the table is missing")


def test_an_empty_table_is_errored_unless_it_may_be_empty(url: str) -> None:
    """Zero rows prove nothing without permission."""
    change(url, "DELETE FROM planning")
    assert_errored(in_a_file(url), "not a single row is seen in the table")
    assert {r.status for r in in_a_file(url, allow_empty=True).values()} == {CheckStatus.SKIPPED}


def asking(query: str, url: str, timeout_s: float = 10) -> CheckResult:
    """Evaluate a suite of one query that must return no row."""

    def plan(_: Facts[Any]) -> Ask:
        return ask_for_violations(query, str)

    checks = (replace(SUITE.checks[0], plan=plan),)
    suite: Suite[Any] = Suite(dataset_name="planning", checks=checks, thresholds=SUITE.thresholds)
    target = Target(store=StoreName.SUPABASE, url=url, schema=None, table="planning", timeout_s=timeout_s)
    (result,) = evaluate(suite, target, now=SEEDED_AT)
    return result


def test_a_statement_that_takes_too_long_is_errored(url: str) -> None:
    """A query of a file has a time limit, too."""
    forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n, {batch}"
    assert asking(forever, url, timeout_s=0.2).message.endswith("a statement took longer than its limit.")


def test_an_unknown_column_is_no_text(url: str) -> None:
    """A name that SQLite could read as a text is errored, and is not found in every row."""
    result = asking("SELECT 1 FROM {batch} WHERE `no_such_column` = 1", url)
    assert result.message.endswith("a column of the table is missing.")


def test_nothing_is_printed_or_logged(
    url: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a good run nor a failing one prints, logs or leaves a connection to be closed."""
    in_a_file(url)
    asking("SELECT no_such_column FROM {batch}", url)
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []
