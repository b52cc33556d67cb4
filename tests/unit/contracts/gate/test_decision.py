"""The gate tests itself: for every severity and every rule of a policy, a run that must fail does fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from contracts.baseline import Baseline
from contracts.gate import Decision, Ground, Ruling, decide
from contracts.gate.case import Case
from contracts.gate.decision import RULES
from contracts.ledger import sighting
from contracts.policy import CheckPolicy, Limits, Policy, WaiverEntry
from contracts.replication import Place
from contracts.verdicts import CheckResult, DatasetReport, RangeAccount, Reason, RowTotals, RunReport
from contracts.vocabulary import Cause, CheckStatus, DifferenceKind, Severity, StoreName, Verdict
from contracts.waivers import Waiver
from tests.support.factories import (
    make_check,
    make_cluster,
    make_counts,
    make_dataset,
    make_difference,
    make_field,
    make_missing,
    make_replication,
    make_report,
)

TODAY = date(2026, 11, 23)
TITLE = "planning.title_not_blank"
DIFFERENCES = [
    make_difference(1, make_field("title", "a", "A", cause=Cause.TEXT_CASE)),
    make_difference(2, make_field("title", "b", "B", cause=Cause.TEXT_CASE), make_field("type", "c", "d")),
    make_missing(3, DifferenceKind.ONLY_PRIMARY),
]


def policy(**keys: Any) -> Policy:
    """Return the policy with these keys, read as from its file."""
    return Policy.model_validate_json(json.dumps({"version": 1, **keys}))


def waiver(**rest: str) -> dict[str, str]:
    """Return a waiver that holds until the end of the month, of a check unless a cause is named."""
    target = {} if {"cause", "place"} & rest.keys() else {"check": TITLE}
    return {**target, "owner": "Ada", "reason": "Imported rows.", "expires": "2026-11-30", **rest}


def failed(severity: Severity = Severity.CRITICAL, **rest: Any) -> CheckResult:
    """Return a check that 10 of 5 000 rows fail."""
    return make_check(TITLE, CheckStatus.FAILED, severity=severity, **{"failing_rows": 10, **rest})


def run(**dataset: Any) -> RunReport:
    """Return a run of one dataset, passed unless said otherwise; its verdict is that of the dataset."""
    found = make_dataset(**dataset)
    return make_report(verdict=found.verdict, reason="Something.", datasets=(found,))


def run_of_check(*checks: CheckResult, **dataset: Any) -> RunReport:
    """Return a run with these checks; failed where a critical one is."""
    critical = any(c.status is CheckStatus.FAILED and c.severity is Severity.CRITICAL for c in checks)
    verdict = Verdict.FAILED if critical else Verdict.PASSED
    return run(**{"checks": checks, "verdict": verdict, **dataset})


def differing(**dataset: Any) -> RunReport:
    """Return a run with the three differences among 5 000 rows."""
    return run(
        **{
            "verdict": Verdict.FAILED,
            "reasons": (Reason(verdict=Verdict.FAILED, text="3 rows differ between the stores"),),
            "rows": RowTotals(primary=5_000, secondary=4_999, matched=4_997, differing=2, only_primary=1),
            "differences": tuple(DIFFERENCES),
            "differences_total": 3,
            "clusters": (make_cluster(DIFFERENCES[:2], "titles differ in case"),),
            **dataset,
        }
    )


def baseline(*numbers: int, checks: Mapping[tuple[str, StoreName], int] | None = None) -> dict[str, Baseline]:
    """Return a baseline of planning that holds some of the differences, by position, and some checks."""
    return {
        "planning": Baseline(
            run_id="20260313-020000-5b1d",
            owner="Bob",
            reason="Known since March.",
            accepted_at=datetime(2026, 3, 13, tzinfo=UTC),
            differences=frozenset(sighting(DIFFERENCES[n]).identity for n in numbers),
            checks=checks or {},
        )
    }


def judged(report: RunReport, said: Policy | None = None, **rest: Any) -> Decision:
    """Return the decision of today."""
    return decide(report, said or policy(), **{"today": TODAY, "baselines": {}, **rest})


def rulings(decision: Decision) -> list[tuple[Ground, Verdict]]:
    """Return what was decided, worst first."""
    return [(ruling.ground, ruling.verdict) for ruling in decision.rulings]


def test_a_run_in_which_all_is_well_is_passed() -> None:
    """There is nothing to rule, and the reason is the run's own."""
    decision = judged(make_report())
    assert (decision.verdict, decision.rulings, decision.reason) == (Verdict.PASSED, (), make_report().reason)


@pytest.mark.parametrize("fail_on", list(Severity))
@pytest.mark.parametrize("severity", list(Severity))
def test_a_failed_check_fails_from_its_severity_on(severity: Severity, fail_on: Severity) -> None:
    """As severe as the policy says, or more: failed. Less: a warning warns, and an info is silent."""
    order = [Severity.INFO, Severity.WARNING, Severity.CRITICAL]
    decision = judged(run_of_check(failed(severity)), policy(fail_on=str(fail_on)))
    milder = Verdict.PASSED if severity is Severity.INFO else Verdict.WARNED
    assert decision.verdict is (Verdict.FAILED if order.index(severity) >= order.index(fail_on) else milder)
    assert decision.verdict.exit_code == (decision.verdict is Verdict.FAILED)


MUST_NOT_PASS: dict[str, tuple[RunReport, Policy, Ground, Verdict]] = {
    "fail_on": (run_of_check(failed(Severity.WARNING)), policy(fail_on="warning"), Ground.CHECKS, Verdict.FAILED),
    "nothing_new": (differing(), policy(nothing_new=True), Ground.DIFFERENCES, Verdict.INCOMPLETE),
    "limits.differences": (
        differing(),
        policy(limits={"differences": {"max_rows": 2}}),
        Ground.DIFFERENCES,
        Verdict.FAILED,
    ),
    "limits.deferred": (
        run(rows=RowTotals(primary=5_000, secondary=5_000, matched=4_998, deferred=2)),
        policy(limits={"deferred": {"max_rows": 1}}),
        Ground.DEFERRED,
        Verdict.INCOMPLETE,
    ),
    "limits.excluded": (
        run(rows=RowTotals(primary=5_000, secondary=5_000, matched=4_998, excluded=2)),
        policy(limits={"excluded": {"max_share": 0.0003}}),
        Ground.EXCLUDED,
        Verdict.FAILED,
    ),
    "limits.pending": (
        run(rows=RowTotals(primary=5_000, secondary=5_000, matched=4_998, pending=2)),
        policy(limits={"pending": {"max_rows": 1}}),
        Ground.CARRYING,
        Verdict.FAILED,
    ),
    "limits.min_rows": (make_report(), policy(limits={"min_rows": 5_001}), Ground.ROWS, Verdict.INCOMPLETE),
    "datasets": (
        differing(),
        policy(limits={"differences": {"max_rows": 9}}, datasets={"planning": {"differences": {"max_share": 0.0005}}}),
        Ground.DIFFERENCES,
        Verdict.FAILED,
    ),
    "checks.severity": (
        run_of_check(failed(Severity.WARNING)),
        policy(checks={TITLE: {"severity": "critical"}}),
        Ground.CHECKS,
        Verdict.FAILED,
    ),
    "checks.tolerate": (
        run_of_check(failed()),
        policy(checks={TITLE: {"tolerate": {"max_rows": 9}}}),
        Ground.CHECKS,
        Verdict.FAILED,
    ),
    "checks.required": (
        run_of_check(make_check(TITLE, CheckStatus.SKIPPED)),
        policy(checks={TITLE: {"required": True}}),
        Ground.CHECKS,
        Verdict.INCOMPLETE,
    ),
    "waivers.check": (
        run_of_check(failed()),
        policy(waivers=[waiver(check="planning.title_not_blan")]),
        Ground.CHECKS,
        Verdict.FAILED,
    ),
    "waivers.cause": (
        differing(),
        policy(waivers=[waiver(cause="text_case", dataset="planning")]),
        Ground.DIFFERENCES,
        Verdict.FAILED,
    ),
    "waivers.place": (
        differing(differences=tuple(replace(d, place=Place.DEAD_LETTER) for d in DIFFERENCES)),
        policy(waivers=[waiver(place="conflict", dataset="planning")]),
        Ground.DIFFERENCES,
        Verdict.FAILED,
    ),
    "waivers.dataset": (
        differing(differences=tuple(DIFFERENCES[:1]), differences_total=1),
        policy(waivers=[waiver(cause="text_case", dataset="users")]),
        Ground.DIFFERENCES,
        Verdict.FAILED,
    ),
    "waivers.store": (
        run_of_check(failed()),
        policy(waivers=[waiver(store="supabase")]),
        Ground.CHECKS,
        Verdict.FAILED,
    ),
    "waivers.expires": (
        run_of_check(failed()),
        policy(waivers=[waiver(expires="2026-11-22")]),
        Ground.WAIVERS,
        Verdict.FAILED,
    ),
}
"""Per rule of a policy: a run, a policy that uses the rule, and what must come of it."""


@pytest.mark.parametrize("rule", MUST_NOT_PASS)
def test_every_rule_of_a_policy_stops_a_run_that_breaks_it(rule: str) -> None:
    """The ruling is about the right thing, and the exit code is not 0."""
    report, said, ground, verdict = MUST_NOT_PASS[rule]
    decision = judged(report, said)
    assert (ground, verdict) in rulings(decision)
    assert decision.verdict.exit_code != 0
    assert decision.reason.endswith(".")


def test_every_rule_of_a_policy_is_put_to_the_test() -> None:
    """A key that is added to the policy without a run that it stops is noticed here."""
    inside: dict[str, type[BaseModel]] = {"limits": Limits, "checks": CheckPolicy, "waivers": WaiverEntry}
    said_only = {"version", "waivers.owner", "waivers.reason"}
    keys = {f"{key}.{name}" for key, model in inside.items() for name in model.model_fields}
    keys |= set(Policy.model_fields) - inside.keys()
    assert keys - said_only == set(MUST_NOT_PASS)


COULD_NOT_TELL: dict[str, tuple[RunReport, Verdict]] = {
    "nothing was checked": (make_report(datasets=()), Verdict.ERRORED),
    "an errored run without a reason": (make_report(verdict=Verdict.ERRORED), Verdict.ERRORED),
    "an incomplete run without a reason": (make_report(verdict=Verdict.INCOMPLETE), Verdict.INCOMPLETE),
    "an errored dataset without a reason": (run(verdict=Verdict.ERRORED), Verdict.ERRORED),
    "an errored reason": (run(reasons=(Reason(verdict=Verdict.ERRORED, text="it broke"),)), Verdict.ERRORED),
    "an incomplete reason": (run(reasons=(Reason(verdict=Verdict.INCOMPLETE, text="hidden"),)), Verdict.INCOMPLETE),
    "no account": (run(ranges=()), Verdict.ERRORED),
    "an account that does not add up": (
        run(ranges=(RangeAccount(low=None, high=None, primary=make_counts(read=2), secondary=make_counts(read=0)),)),
        Verdict.ERRORED,
    ),
    "empty stores": (run(rows=RowTotals(), ranges=()), Verdict.INCOMPLETE),
    **{
        f"an errored check, {severity}": (
            run_of_check(make_check(TITLE, CheckStatus.ERRORED, severity=severity)),
            Verdict.ERRORED,
        )
        for severity in Severity
    },
}
LENIENT = policy(
    limits={name: {"max_share": 1} for name in ("differences", "deferred", "excluded")},
    checks={TITLE: {"tolerate": {"max_share": 1}}},
    waivers=[waiver()],
)


@pytest.mark.parametrize("name", COULD_NOT_TELL)
def test_what_could_not_be_told_cannot_be_excused(name: str) -> None:
    """Exit code 2 whatever the policy says."""
    report, verdict = COULD_NOT_TELL[name]
    for said in (policy(), LENIENT):
        decision = judged(report, said)
        assert (decision.verdict, decision.verdict.exit_code) == (verdict, 2)


WARNS: dict[str, tuple[RunReport, Policy]] = {
    "an idle waiver": (make_report(), policy(waivers=[waiver()])),
    "no baseline": (make_report(), policy(nothing_new=True)),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_rule_can_be_left_out(rule: Callable[[Case], Iterator[Ruling]], monkeypatch: pytest.MonkeyPatch) -> None:
    """With one rule switched off some run is judged better than it deserves, so that the tests above would notice."""
    runs = [
        *((report, said) for report, said, *_ in MUST_NOT_PASS.values()),
        *((report, policy()) for report, _ in COULD_NOT_TELL.values()),
        *WARNS.values(),
    ]
    honest = [judged(report, said).verdict.rank for report, said in runs]
    monkeypatch.setattr("contracts.gate.decision.RULES", tuple(other for other in RULES if other is not rule))
    assert any(judged(report, said).verdict.rank < rank for (report, said), rank in zip(runs, honest, strict=True))


def test_a_failure_that_no_rule_knows_counts_as_it_stands() -> None:
    """Neither a dataset nor a run that failed for another reason is let through."""
    reasons = (Reason(verdict=Verdict.FAILED, text="something new is wrong."),)
    assert judged(run(verdict=Verdict.FAILED, reasons=reasons), LENIENT).reason.startswith("Something new is wrong")
    assert judged(run(verdict=Verdict.FAILED), LENIENT).verdict is Verdict.FAILED
    assert judged(make_report(verdict=Verdict.FAILED), LENIENT).verdict is Verdict.FAILED


def test_an_empty_store_fails_under_every_policy() -> None:
    """Neither limit, baseline nor waiver makes up for a store that lost its rows."""
    cluster = make_cluster(DIFFERENCES[2:], "supabase holds no row.", cause=Cause.SIDE_EMPTY)
    decision = judged(differing(clusters=(cluster,)), LENIENT)
    assert rulings(decision)[0] == (Ground.DIFFERENCES, Verdict.FAILED)
    assert decision.reason.startswith("Supabase holds no row")


def test_failed_stands_before_what_could_not_be_told() -> None:
    """A confirmed disagreement remains one, and both are listed."""
    report = differing(reasons=(Reason(verdict=Verdict.ERRORED, text="the suite broke"),))
    assert [v for _, v in rulings(judged(report))] == [Verdict.FAILED, Verdict.ERRORED]


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


def test_tolerated_rows_are_let_through() -> None:
    """Up to the number itself, as a number or as a share."""
    for limit in ({"max_rows": 10}, {"max_share": 0.002}):
        decision = judged(run_of_check(failed()), policy(checks={TITLE: {"tolerate": limit}}))
        assert rulings(decision) == [(Ground.CHECKS, Verdict.PASSED)]


def test_a_failure_that_is_not_about_rows_is_never_few() -> None:
    """A stale table fails as a whole: no number of rows excuses that. Nor does a share of an unknown number."""
    for check in (failed(failing_rows=0), failed(checked_rows=None)):
        said = policy(checks={TITLE: {"tolerate": {"max_share": 1}}})
        assert judged(run_of_check(check), said).verdict is Verdict.FAILED


def test_a_required_check_that_is_not_there_at_all_is_missed() -> None:
    """Having no result is not better than having been skipped; judged on both stores it is satisfied."""
    said = policy(checks={TITLE: {"required": True}})
    assert judged(run_of_check(make_check("planning.other")), said).verdict is Verdict.INCOMPLETE
    both = [make_check(TITLE, store=store) for store in StoreName]
    assert judged(run_of_check(*both), said).verdict is Verdict.PASSED
    half = [both[0], replace(both[1], status=CheckStatus.SKIPPED)]
    assert "not judged on supabase" in judged(run_of_check(*half), said).reason


def test_excluded_rows_warn_until_a_limit_is_set() -> None:
    """They are not compared, so that somebody should know; a limit that is kept lets them through."""
    report = run(rows=RowTotals(primary=5_000, secondary=5_000, matched=4_998, excluded=2))
    assert judged(report).verdict is Verdict.WARNED
    assert judged(report, policy(limits={"excluded": {"max_rows": 2}})).verdict is Verdict.PASSED


def test_rows_under_way_warn_until_a_limit_is_set() -> None:
    """They are no differences yet; a limit that is kept lets them through."""
    report = run(rows=RowTotals(primary=5_000, secondary=5_000, matched=4_998, pending=2))
    decision = judged(report)
    assert rulings(decision) == [(Ground.CARRYING, Verdict.WARNED)]
    assert judged(report, policy(limits={"pending": {"max_rows": 2}})).verdict is Verdict.PASSED


def test_what_waits_for_a_person_warns() -> None:
    """Open conflicts of stores that agree stop no deploy, and are told."""
    decision = judged(run(replication=make_replication(conflicts=2)))
    assert rulings(decision) == [(Ground.CARRYING, Verdict.WARNED)]
    assert decision.reason.startswith("2 conflicts wait for a decision")


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


def test_a_report_that_contradicts_itself_counts_the_most() -> None:
    """More listed or counted by kind than in total: the highest number is judged."""
    said = policy(limits={"differences": {"max_rows": 2}})
    assert judged(differing(differences_total=0), said).verdict is Verdict.FAILED
    none = differing(differences_total=0, differences=(), clusters=())
    assert judged(none, said).verdict is Verdict.FAILED


def test_every_dataset_is_judged_by_itself() -> None:
    """The gate takes the worst of them, and each ruling says whose it is."""
    users: DatasetReport = replace(differing().datasets[0], name="users")
    report = make_report(datasets=(make_dataset(), users), verdict=Verdict.FAILED)
    decision = judged(report, policy(datasets={"planning": {"differences": {"max_rows": 9}}}))
    assert [(r.dataset, r.verdict) for r in decision.rulings] == [("users", Verdict.FAILED)]


def test_the_reason_counts_the_other_objections() -> None:
    """The worst is told, and how many more there are."""
    decision = judged(differing(checks=(failed(),)))
    assert decision.reason == "3 rows differ between the stores, and 1 more objection."
    assert len(decision.objections) == 2
