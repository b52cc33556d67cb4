"""What a run leaves in Prefect, as values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.vocabulary import CheckStatus
from flows.artifacts import artifact_key, checks_table, clusters_table
from tests.support.factories import make_check, make_dataset, make_report
from tests.support.troubled_report import make_failed_report


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ("production", "twinstore-production-summary"),
        ("Staging EU_2", "twinstore-staging-eu-2-summary"),
        ("--a//b--", "twinstore-a-b-summary"),
        ("운영", "twinstore-summary"),
        ("", "twinstore-summary"),
    ],
)
def test_keys_are_what_prefect_accepts(environment: str, key: str) -> None:
    """A key has lower-case letters, digits and single dashes, whatever the environment is called."""
    assert artifact_key(environment, "summary") == key


def test_checks_that_passed_are_left_out() -> None:
    """A run whose checks all passed has an empty table."""
    assert checks_table(make_report()) == []


def test_checks_are_ordered_worst_first_and_say_why() -> None:
    """Failed comes before errored, waived and skipped; a waived one tells its waiver."""
    checks = (
        make_check("planning.a", CheckStatus.SKIPPED),
        make_check("planning.b", CheckStatus.WAIVED, waiver="Accepted by Ada until 2026-12-31."),
        make_check("planning.c", CheckStatus.ERRORED),
        make_check("planning.d", CheckStatus.FAILED, failing_rows=3),
        make_check("planning.e"),
    )
    table = checks_table(make_report(datasets=(make_dataset(checks=checks),)))
    assert [row["check"] for row in table] == ["planning.d", "planning.c", "planning.b", "planning.a"]
    assert table[0]["rows"] == 3
    assert table[2]["message"] == "Accepted by Ada until 2026-12-31."


def test_clusters_are_ordered_by_rows_and_hold_no_key_and_no_value() -> None:
    """The table names causes, fields and counts; keys and values of records stay in the report."""
    report = make_failed_report()
    table = clusters_table(report)
    counts = [row["rows"] for row in table]
    assert counts == sorted(counts, reverse=True)
    assert sum(int(row["rows"]) for row in table) == sum(c.count for c in report.datasets[0].clusters)
    text = str(table)
    for difference in report.datasets[0].differences:
        assert difference.key not in text


def test_unknown_history_is_called_unknown() -> None:
    """Without a ledger neither age nor novelty is claimed."""
    report = make_failed_report()
    dataset = report.datasets[0]
    clusters = tuple(replace(c, new=None, oldest=None) for c in dataset.clusters)
    table = clusters_table(replace(report, datasets=(replace(dataset, clusters=clusters),)))
    assert {(row["new"], row["oldest"]) for row in table} == {("unknown", "unknown")}
