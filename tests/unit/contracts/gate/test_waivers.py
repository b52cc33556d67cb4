"""What somebody answers for until a day: it is let through, and no longer than that."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from contracts.gate import Ground
from contracts.replication import Place
from contracts.verdicts import RowTotals
from contracts.vocabulary import CheckStatus, Severity, Verdict
from contracts.waivers import Waiver
from tests.support.factories import (
    make_check,
    make_report,
)
from tests.support.gating import (
    DIFFERENCES,
    TITLE,
    differing,
    failed,
    judged,
    policy,
    rulings,
    run_of_check,
    waiver,
)


@pytest.mark.parametrize("severity", list(Severity))
def test_an_expired_waiver_fails_whatever_the_severity(severity: Severity) -> None:
    """What somebody promised to mend until a day, and did not, stops the deploy."""
    decision = judged(run_of_check(failed(severity)), policy(waivers=[waiver(expires="2026-11-22")]))
    assert rulings(decision) == [(Ground.WAIVERS, Verdict.FAILED)]
    assert decision.reason == (
        f"The waiver of Ada for {TITLE} expired after 2026-11-22, and `{TITLE}` fails on prisma for 10 rows."
    )
    assert decision.rulings[0].place == ("waivers", 0)


def test_a_waiver_that_is_kept_in_the_memory_expires_as_well() -> None:
    """The run left the check failed; the gate is told of the waiver apart from the policy."""
    kept = Waiver(target=TITLE, dataset="planning", owner="Eve", reason="Later.", expires=date(2026, 1, 1))
    decision = judged(run_of_check(failed(Severity.INFO)), waivers=[kept])
    assert rulings(decision) == [(Ground.WAIVERS, Verdict.FAILED)]
    longer = policy(waivers=[waiver()])
    assert judged(run_of_check(failed(Severity.INFO)), longer, waivers=[kept]).verdict is Verdict.PASSED


def test_an_expired_waiver_of_a_cause_fails() -> None:
    """The rows that it covered are named with it, and not counted again."""
    said = policy(waivers=[waiver(cause="text_case", dataset="planning", expires="2026-11-22")])
    decision = judged(
        differing(differences=tuple(DIFFERENCES[:1]), differences_total=1, rows=RowTotals(differing=1)), said
    )
    assert (Ground.WAIVERS, Verdict.FAILED) in rulings(decision)
    assert "expired after 2026-11-22, and 1 row differs by it" in decision.reason


def test_a_waiver_lets_its_failure_through_and_says_so() -> None:
    """The check is waived in the report that the gate hands on, with owner, end and reason."""
    decision = judged(run_of_check(failed()), policy(waivers=[waiver()]))
    assert (decision.verdict, rulings(decision)) == (Verdict.PASSED, [(Ground.CHECKS, Verdict.PASSED)])
    (check,) = decision.report.datasets[0].checks
    assert (check.status, check.failing_rows) == (CheckStatus.WAIVED, 10)
    assert check.waiver == (f"`{TITLE}` fails on prisma for 10 rows. Waived by Ada until 2026-11-30: Imported rows.")
    assert decision.reason == "The policy lets through all that was found."


def test_a_check_that_the_run_waived_is_listed_as_let_through() -> None:
    """Nobody has to look elsewhere for what was accepted."""
    check = make_check(TITLE, CheckStatus.WAIVED, waiver="Waived by Eve until 2026-12-01: Later.")
    assert [r.text for r in judged(run_of_check(check)).accepted] == [
        f"`{TITLE}` fails on prisma. Waived by Eve until 2026-12-01: Later"
    ]


def test_a_waiver_of_a_cause_answers_only_for_rows_that_it_explains_whole() -> None:
    """A row with a second cause is not excused by a waiver of the first."""
    said = policy(waivers=[waiver(cause="text_case", dataset="planning")], limits={"differences": {"max_rows": 2}})
    texts = [ruling.text for ruling in judged(differing(), said).accepted]
    assert texts == [
        "1 row differs by text_case. Waived by Ada until 2026-11-30: Imported rows",
        "2 rows differ between the stores; the limit is at most 2 rows",
    ]


def test_waivers_that_match_nothing_warn() -> None:
    """Their failure is mended, or their target does not exist, or their dataset was not checked."""
    said = policy(waivers=[waiver(), waiver(cause="text_case", dataset="planning"), waiver(check="users.name")])
    decision = judged(make_report(), said)
    assert (decision.verdict, decision.verdict.exit_code) == (Verdict.WARNED, 0)
    assert [ruling.place for ruling in decision.rulings] == [("waivers", 0), ("waivers", 1), ("waivers", 2)]
    assert "users, which was not checked" in decision.rulings[2].text


def test_an_expired_waiver_that_matches_nothing_only_warns() -> None:
    """What it was about is mended."""
    decision = judged(make_report(), policy(waivers=[waiver(expires="2020-01-01")]))
    assert rulings(decision) == [(Ground.WAIVERS, Verdict.WARNED)]


def test_differences_of_a_place_can_be_waived_whatever_their_cause() -> None:
    """Somebody answers for what is in conflict; a row that was lost is not among it, and a spent waiver fails."""
    conflicts = tuple(replace(d, place=Place.CONFLICT) for d in DIFFERENCES)
    said = policy(waivers=[waiver(place="conflict", dataset="planning")])
    assert judged(differing(differences=conflicts), said).verdict is Verdict.PASSED
    lost = (*conflicts[:2], replace(conflicts[2], place=Place.LOST))
    decision = judged(differing(differences=lost), said)
    assert (Ground.DIFFERENCES, Verdict.FAILED) in rulings(decision)
    spent = policy(waivers=[waiver(place="conflict", dataset="planning", expires="2026-11-22")])
    assert (Ground.WAIVERS, Verdict.FAILED) in rulings(judged(differing(differences=conflicts), spent))
