"""The gate tests itself: for every severity and every rule of a policy, a run that must fail does fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from pydantic import BaseModel

from contracts.gate import Ground, Ruling
from contracts.gate.case import Case
from contracts.gate.decision import RULES
from contracts.policy import CheckPolicy, Limits, Policy, WaiverEntry
from contracts.replication import Place
from contracts.verdicts import DatasetReport, RangeAccount, Reason, RowTotals, RunReport
from contracts.vocabulary import Cause, CheckStatus, Severity, StoreName, Verdict
from tests.support.factories import (
    make_check,
    make_cluster,
    make_counts,
    make_dataset,
    make_replication,
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
    run,
    run_of_check,
    waiver,
)


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
