"""From findings to a verdict: precedence, reasons, and that what is missing is never passed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.judgement import headline, judge_checks, judge_replication, sort_reasons, verdict_of
from contracts.replication import ReplicationState
from contracts.verdicts import CheckResult, DatasetReport, Reason, RowTotals, StoreCapture
from contracts.vocabulary import CheckSource, CheckStatus, Severity, StoreName, Verdict
from tests.support.factories import STARTED, make_replication, make_standing


def make(
    status: CheckStatus, severity: Severity = Severity.CRITICAL, name: str = "planning.rule", message: str = "Because."
) -> CheckResult:
    """Return one result on prisma."""
    return CheckResult(
        id=name,
        source=CheckSource.CONTRACT,
        store=StoreName.PRISMA,
        severity=severity,
        status=status,
        message=message,
        failing_rows=1200 if status is CheckStatus.FAILED else 0,
    )


@pytest.mark.parametrize(
    ("status", "severity", "verdict"),
    [
        (CheckStatus.PASSED, Severity.CRITICAL, Verdict.PASSED),
        (CheckStatus.SKIPPED, Severity.CRITICAL, Verdict.PASSED),
        (CheckStatus.WAIVED, Severity.CRITICAL, Verdict.PASSED),
        (CheckStatus.FAILED, Severity.CRITICAL, Verdict.FAILED),
        (CheckStatus.FAILED, Severity.WARNING, Verdict.WARNED),
        (CheckStatus.FAILED, Severity.INFO, Verdict.PASSED),
        (CheckStatus.ERRORED, Severity.CRITICAL, Verdict.ERRORED),
        (CheckStatus.ERRORED, Severity.WARNING, Verdict.ERRORED),
        (CheckStatus.ERRORED, Severity.INFO, Verdict.ERRORED),
    ],
)
def test_a_check_counts_by_status_and_severity(status: CheckStatus, severity: Severity, verdict: Verdict) -> None:
    """Only failed critical checks fail, failed warnings warn, and whatever errored could not be told."""
    assert verdict_of(judge_checks([make(status, severity)], {})) is verdict


def test_a_declared_check_without_a_result_is_errored() -> None:
    """A result that never came is not a passed one; the reason names it and the store."""
    declared = {StoreName.PRISMA: ["planning.rule", "planning.other"], StoreName.SUPABASE: ["planning.rule"]}
    reasons = judge_checks([make(CheckStatus.PASSED)], declared)
    assert [(r.verdict, r.text) for r in reasons] == [
        (Verdict.ERRORED, "`planning.other` gave no result on prisma"),
        (Verdict.ERRORED, "`planning.rule` gave no result on supabase"),
    ]


def test_checks_that_errored_for_one_cause_give_one_reason() -> None:
    """Twenty checks that a missing grant kept from being judged are one sentence, with the cause."""
    checks = [make(CheckStatus.ERRORED, name=f"planning.{n}", message="The store refuses us.") for n in "cab"]
    checks.append(make(CheckStatus.ERRORED, name="planning.d", message="It raised."))
    assert [r.text for r in judge_checks(checks, {})] == [
        "`planning.a` and 2 other checks on prisma: the store refuses us",
        "`planning.d` on prisma: it raised",
    ]


def test_reasons_are_sorted_worst_first_and_each_is_given_once() -> None:
    """Failed comes before errored, incomplete and warned, whatever the order in which they were found."""
    found = [Reason(verdict=v, text=v) for v in (*Verdict, Verdict.FAILED)]
    assert [r.verdict for r in sort_reasons(found)] == sorted(Verdict, key=lambda v: -v.rank)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_exit_code_follows_the_verdict(verdict: Verdict) -> None:
    """0 for passed and warned, 1 for failed, 2 for what could not be told."""
    expected = {"passed": 0, "warned": 0, "failed": 1, "errored": 2, "incomplete": 2}
    assert verdict.exit_code == expected[verdict]


def test_the_headline_says_the_worst_and_how_much_more() -> None:
    """One sentence: the first reason, and the number of the others."""
    reasons = (Reason(verdict=Verdict.FAILED, text="3 rows differ"), Reason(verdict=Verdict.WARNED, text="old"))
    dataset = DatasetReport(name="planning", verdict=Verdict.FAILED, reasons=reasons)
    assert headline([dataset]) == "3 rows differ, and 1 more reason."
    passed = DatasetReport(name="planning", verdict=Verdict.PASSED, rows=RowTotals(matched=1200))
    assert headline([passed]).startswith("All 1,200 rows are equal")
    assert headline([]) == "No dataset was checked."


def told(**replication: object) -> list[tuple[Verdict, str]]:
    """Return what stands against a replication."""
    return [(reason.verdict, reason.text) for reason in judge_replication(make_replication(**replication))]


def test_a_replication_that_is_off_or_well_has_nothing_against_it() -> None:
    """Nor has one that nobody could ask about."""
    assert told() == []
    assert list(judge_replication(None)) == []
    for state in (ReplicationState.OFF, ReplicationState.UNKNOWN):
        assert told(state=state, conflicts=1, dead_letters=1) == []


def test_what_waits_for_people_is_told_by_how_bad_it_is() -> None:
    """What was given up fails; what only waits for a decision or for the relay warns."""
    assert told(dead_letters=1)[0][0] is Verdict.FAILED
    assert told(dead_letters=2)[0][1].startswith("2 changes were refused")
    assert told(conflicts=1) == [
        (Verdict.WARNED, "1 conflict waits for a decision; `twinstore sync conflicts list` shows them")
    ]
    assert told(state=ReplicationState.STARTING)[0][0] is Verdict.WARNED
    assert told(state=ReplicationState.STARTING, adopting=True) == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(900, "15 minutes"), (3_600, "1 hour"), (7_300, "2 hours"), (90_000, "1 day")]
)
def test_changes_that_wait_for_too_long_are_told_with_their_age(seconds: int, words: str) -> None:
    """By the clock of the store, in the largest unit; a younger change is not told."""
    standing = make_standing(StoreName.PRISMA, dirty=2, oldest_at=STARTED - timedelta(seconds=seconds))
    side = (StoreCapture(store=StoreName.PRISMA, standing=standing),)
    assert f"changes of prisma have waited for {words} to be" in told(stores=side)[0][1]
    assert told(stores=side, max_lag_s=seconds + 1.0) == []
    young = replace(side[0], standing=replace(standing, oldest_at=STARTED - timedelta(seconds=20)))
    assert "20 seconds" in told(stores=(young,), max_lag_s=5.0)[0][1]
