"""Which stores may be adopted, by what a comparison found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.errors import Conflict
from contracts.judgement import judge_checks
from contracts.replication import Gap
from contracts.verdicts import DatasetReport, Reason, RowTotals
from contracts.vocabulary import CheckStatus, DifferenceKind, StoreName, Verdict
from flows.adopting import _require_same, refusal
from storage.replication.restores import compared
from tests.support.factories import make_check, make_missing, make_standing


def make_dataset(rows: RowTotals, *, listed: int = 0, reasons: tuple[Reason, ...] = ()) -> DatasetReport:
    """Return what a comparison found, with so many differences listed."""
    differences = tuple(make_missing(number, DifferenceKind.ONLY_PRIMARY) for number in range(listed))
    total = rows.differing + rows.only_primary + rows.only_secondary
    return DatasetReport(
        name="planning",
        verdict=Verdict.FAILED,
        rows=rows,
        differences=differences,
        differences_total=total,
        reasons=reasons,
    )


INCOMPLETE = Reason(verdict=Verdict.INCOMPLETE, text="a page was torn.")
MANY = RowTotals(primary=20_000, secondary=20_000, matched=17_500, differing=2_500)
REFUSED = [
    (make_dataset(RowTotals(primary=5, secondary=5, matched=5), reasons=(INCOMPLETE,)), 2, "a page was torn"),
    (make_dataset(RowTotals(primary=5, secondary=5, matched=4, deferred=1)), 2, "went on changing"),
    (make_dataset(RowTotals(primary=5, secondary=5, matched=4, pending=1)), 2, "went on changing"),
    (
        make_dataset(RowTotals(primary=5, secondary=5, matched=4, deferred=1), reasons=(INCOMPLETE,)),
        2,
        "went on changing",
    ),
    (make_dataset(RowTotals(primary=0, secondary=1, only_secondary=1)), 1, "prisma is empty"),
    (make_dataset(RowTotals(primary=100, secondary=49, matched=49, only_primary=51), listed=51), 1, "cut short"),
    (make_dataset(MANY, listed=2_500), 1, "More than 10% of the keys differ"),
    (make_dataset(RowTotals(primary=90, secondary=90, matched=80, differing=10), listed=9), 2, "Only 9 of 10"),
]


@pytest.mark.parametrize(("report", "code", "words"), REFUSED, ids=lambda value: str(value)[:20])
def test_stores_that_look_like_a_mistake_are_refused(report: DatasetReport, code: int, words: str) -> None:
    """What was not looked at ends in 2, what looks wrong in 1; the number of differing keys lets the latter pass."""
    why = refusal(report, accepted=0)
    assert why is not None
    assert (why.exit_code, words in why.what) == (code, True)
    again = refusal(report, accepted=report.differences_total)
    assert (again is None) is (code == 1)


def test_broken_contracts_and_few_differences_do_not_matter() -> None:
    """Checks that fail or could not be evaluated say nothing about whether stores may be adopted."""
    failed = make_check("planning.x", CheckStatus.FAILED, failing_rows=3)
    errored = make_check("planning.y", CheckStatus.ERRORED, message="The suite broke.")
    report = replace(
        make_dataset(RowTotals(primary=9_000, secondary=9_000, matched=8_000, differing=1_000), listed=1_000),
        checks=(failed, errored),
        reasons=judge_checks((failed, errored), {}),
    )
    assert refusal(report, accepted=0) is None


def test_of_two_adoptions_the_one_that_began_first_is_refused() -> None:
    """The secondary names the later one; on the primary there is none while any is under way."""
    before = make_standing(StoreName.SUPABASE, adoption="first")
    _require_same(before, before)
    with pytest.raises(Conflict, match="Another adoption began"):
        _require_same(before, replace(before, adoption="second"))
    _require_same(make_standing(StoreName.PRISMA), make_standing(StoreName.PRISMA, adoption="first"))


def test_an_older_adoption_that_ends_before_it_does_not_refuse_the_later_one() -> None:
    """Then the primary names the older one, and that is all that is wrong: any other gap refuses both."""
    before = make_standing(StoreName.SUPABASE, adoption="second")
    primary = make_standing(StoreName.PRISMA, adoption="first")
    _, now = compared(primary, before, lambda _: None)
    assert now.gap is Gap.OTHER_ADOPTION
    _require_same(before, now)
    with pytest.raises(Conflict, match="may have passed by"):
        _require_same(before, replace(now, gap=Gap.TRUNCATED))
