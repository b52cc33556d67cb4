"""What was accepted once: it does not count, and what is new does."""

from __future__ import annotations

import pytest

from contracts.baseline import Baseline
from contracts.gate import Ground
from contracts.verdicts import RowTotals, RunReport
from contracts.vocabulary import StoreName, Verdict
from tests.support.factories import (
    make_difference,
    make_field,
    make_report,
)
from tests.support.gating import (
    DIFFERENCES,
    TITLE,
    baseline,
    differing,
    failed,
    judged,
    policy,
    rulings,
    run_of_check,
)


def test_only_what_is_new_counts_against_a_baseline() -> None:
    """Differences and failures that were accepted are let through, whoever accepted them is named."""
    old = baseline(0, 1, 2, checks={(TITLE, StoreName.PRISMA): 10})
    decision = judged(differing(checks=(failed(),)), policy(nothing_new=True), baselines=old)
    assert decision.verdict is Verdict.PASSED
    assert all("Accepted by Bob on 2026-03-13" in ruling.text for ruling in decision.accepted)


@pytest.mark.parametrize(
    ("report", "old"),
    [
        (differing(), baseline(0, 1)),
        (differing(), baseline()),
        (run_of_check(failed(failing_rows=11)), baseline(checks={(TITLE, StoreName.PRISMA): 10})),
        (run_of_check(failed()), baseline(checks={(TITLE, StoreName.SUPABASE): 10})),
        (differing(differences=tuple(DIFFERENCES[:2])), baseline(0, 1, 2)),
    ],
    ids=["a new row", "an empty baseline", "one more failing row", "the other store", "a row that is not listed"],
)
def test_what_is_not_in_the_baseline_fails(report: RunReport, old: dict[str, Baseline]) -> None:
    """One new row, one more failing row, or a row that nobody can compare with the baseline."""
    assert judged(report, policy(nothing_new=True), baselines=old).verdict is Verdict.FAILED


def test_another_column_of_an_accepted_row_is_new() -> None:
    """The identity of a difference has its columns in it."""
    more = make_difference(1, make_field("title", "a", "A"), make_field("status", "x", "y"))
    decision = judged(
        differing(differences=(more,), differences_total=1, rows=RowTotals(primary=1, secondary=1, differing=1)),
        policy(nothing_new=True),
        baselines=baseline(0),
    )
    assert decision.verdict is Verdict.FAILED


def test_a_baseline_counts_only_where_the_policy_goes_by_it() -> None:
    """Accepted once is not accepted for ever."""
    assert judged(differing(), baselines=baseline(0, 1, 2)).verdict is Verdict.FAILED


def test_without_a_baseline_nothing_can_be_called_old() -> None:
    """With findings nobody can tell; without any the missing baseline is only worth a warning."""
    said = policy(nothing_new=True)
    decision = judged(differing(checks=(failed(),)), said)
    assert (decision.verdict, decision.verdict.exit_code) == (Verdict.INCOMPLETE, 2)
    assert (Ground.BASELINE, Verdict.WARNED) in rulings(decision)
    assert rulings(judged(make_report(), said)) == [(Ground.BASELINE, Verdict.WARNED)]
