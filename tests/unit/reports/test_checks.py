"""Checks with both stores beside each other, and the account of rows."""

from __future__ import annotations

import pytest

from contracts.verdicts import CheckResult, RangeAccount
from contracts.vocabulary import CheckSource, CheckStatus, Exclusion, Severity, StoreName
from reports.accounting import accounts, exclusions, unbalanced
from reports.checks import check_views, outcome, tally
from tests.support.factories import make_check, make_counts, make_dataset
from tests.support.troubled_report import make_failed_report


def test_the_worst_stands_first() -> None:
    """Checks are ordered by status, then severity, then id; the status of a check is that of its worse store."""
    checks = [
        make_check("d.passed"),
        make_check("d.skipped", CheckStatus.SKIPPED),
        make_check("d.info", CheckStatus.FAILED, severity=Severity.INFO),
        make_check("d.one_side"),
        make_check("d.one_side", CheckStatus.FAILED, store=StoreName.SUPABASE, message="worse"),
        make_check("d.errored", CheckStatus.ERRORED),
        make_check("d.waived", CheckStatus.WAIVED),
    ]
    views = check_views("d", checks)
    assert [v.id for v in views] == ["d.one_side", "d.info", "d.errored", "d.waived", "d.skipped", "d.passed"]
    assert (views[0].status, views[0].message, len(views[0].sides)) == (CheckStatus.FAILED, "worse", 2)


def test_a_rule_and_an_expectation_of_one_name_stay_apart() -> None:
    """Two sources may use one id."""
    checks = [make_check("d.rows"), make_check("d.rows", source=CheckSource.EXPECTATION)]
    anchors = {v.anchor for v in check_views("d", checks)}
    assert len(anchors) == 2


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (make_check("c", CheckStatus.FAILED, failing_rows=412), "412 of 5,000 rows fail"),
        (make_check("c", CheckStatus.FAILED, failing_rows=1), "1 of 5,000 rows fails"),
        (make_check("c", CheckStatus.FAILED, failing_rows=1, checked_rows=None), "1 row fails"),
        (make_check("c", CheckStatus.FAILED, failing_rows=2, checked_rows=None), "2 rows fail"),
        (make_check("c"), "5,000 rows hold"),
        (make_check("c", checked_rows=1), "1 row holds"),
        (make_check("c", checked_rows=None), "holds"),
        (make_check("c", CheckStatus.FAILED), "does not hold"),
        (make_check("c", CheckStatus.ERRORED), "could not be evaluated"),
        (make_check("c", CheckStatus.SKIPPED), "not evaluated"),
        (make_check("c", CheckStatus.WAIVED), "failure accepted"),
    ],
)
def test_outcomes_in_words(check: CheckResult, words: str) -> None:
    """What came of a check fits in a few words, with its denominator."""
    assert outcome(check) == words


def test_the_tally_counts_every_status_apart() -> None:
    """Skipped, waived and errored are no kind of passed; inherited ones are also told."""
    counts = tally(make_failed_report().datasets[0].checks)
    assert counts.parts == [("failed", 3), ("errored", 1), ("waived", 1), ("skipped", 2), ("passed", 15)]
    assert (counts.total, counts.inherited) == (22, 5)
    assert tally([]).parts == []


def test_accounts_add_up_the_ranges() -> None:
    """Both sides are summed over all ranges, and the reasons of exclusion are kept apart."""
    dataset = make_failed_report().datasets[0]
    primary, secondary = accounts(dataset)
    assert (primary.counts.read, primary.counts.balance) == (5_008, 0)
    assert (secondary.counts.read, secondary.counts.only) == (4_991, 4)
    assert exclusions(dataset) == {Exclusion.ID_NOT_REPLICABLE: (3, 0)}
    assert unbalanced(dataset) == ()


def test_errors_that_cancel_out_are_still_seen() -> None:
    """A range that lost a row and one that found a row too many balance in total and are both named."""
    wrong = tuple(
        RangeAccount(low=low, high=None, primary=make_counts(matched=5, read=read), secondary=make_counts(matched=5))
        for low, read in ((None, 4), ("8", 6))
    )
    dataset = make_dataset(ranges=wrong)
    assert accounts(dataset)[0].counts.balance == 0
    assert unbalanced(dataset) == wrong


def test_no_ranges_give_no_account() -> None:
    """A run that read nothing has no account, which is not the same as one that adds up."""
    assert accounts(make_dataset(ranges=())) == ()
    assert exclusions(make_dataset(ranges=())) == {}
