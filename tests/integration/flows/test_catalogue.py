"""Every fault of the catalogue, alone and in pairs: found, on the right store, with its cause, and nothing invented."""

from __future__ import annotations

import pytest

from contracts.registry import contract_for
from contracts.verdicts import CheckResult, DatasetReport
from contracts.vocabulary import Cause, CheckStatus, DifferenceKind, StoreName, Verdict
from expectations.registry import suite_for
from flows.findings import findings, invented
from storage.local.faults import DECOYS, FAULTS, PAIRS, Fault, fault, inject
from tests.support.checking import check, job_of
from tests.support.servers import Pair

SINGLE = [one for one in (*FAULTS, *DECOYS, *PAIRS) if not one.exclusive]
FIRST = {cause: one for one in reversed(SINGLE) for cause in one.expects.causes}
"""The first fault of each cause; all of them together are tried by the demo and over every channel."""
ALONE = [pytest.param(one, id=one.id, marks=() if one in FIRST.values() else pytest.mark.soak) for one in SINGLE]
EMPTY = [one for one in FAULTS if one.expects.causes == {Cause.SIDE_EMPTY}]
WHOLE_TABLES = [one for one in (*FAULTS, *DECOYS) if one.exclusive and one not in EMPTY]


def test_clean_stores_pass(seeded_pair: Pair) -> None:
    """Without a fault every stage runs, nothing is found, and the verdict is passed."""
    report = check(job_of(seeded_pair))
    assert report.verdict is Verdict.PASSED, report.reasons
    assert (report.rows.primary, report.rows.secondary, report.rows.matched) == (300, 300, 300)
    assert invented([], report) == []


@pytest.mark.parametrize("one", ALONE)
def test_a_fault_alone_is_found_with_its_cause_and_nothing_else(
    seeded_pair: Pair, clean_suite: tuple[CheckResult, ...], one: Fault
) -> None:
    """The report names exactly the fault's keys, kind, fields, causes and failing rules, and has its verdict."""
    planted = inject(seeded_pair.primary, seeded_pair.secondary, [one])
    report = check(job_of(seeded_pair), suite=clean_suite)
    assert [finding.wrong for finding in findings(planted, report)] == [()]
    assert invented(planted, report) == []
    assert report.verdict is one.expects.verdict, report.reasons


@pytest.mark.parametrize("one", EMPTY, ids=lambda f: f.id)
def test_an_empty_side_is_one_finding(seeded_pair: Pair, one: Fault) -> None:
    """It is told once with the number of rows that the other side holds, and not row by row."""
    inject(seeded_pair.primary, seeded_pair.secondary, [one])
    report = check(job_of(seeded_pair))
    assert report.verdict is Verdict.FAILED
    (cluster,) = report.clusters
    assert (cluster.cause, cluster.count) == (Cause.SIDE_EMPTY, 300)
    assert report.differences == ()


@pytest.mark.parametrize("one", WHOLE_TABLES, ids=lambda f: f.id)
def test_a_fault_of_a_whole_table_is_found_alone(seeded_pair: Pair, one: Fault) -> None:
    """With the suites, and three earlier runs to compare with, it breaks exactly what the catalogue says."""
    planted = inject(seeded_pair.primary, seeded_pair.secondary, [one])
    report = check(job_of(seeded_pair), trend=(300, 300, 300))
    assert [finding.wrong for finding in findings(planted, report)] == [()]
    if not one.decoy:  # a nearly empty side breaks what is about size
        assert _failing_checks(report) == one.expects.checks
    assert Cause.SIDE_EMPTY not in {c.cause for c in report.clusters}
    assert report.verdict is one.expects.verdict, report.reasons


def _failing_checks(report: DatasetReport) -> set[tuple[str, StoreName]]:
    return {(c.id, c.store) for c in report.checks if c.status is CheckStatus.FAILED}


def test_every_rule_and_expectation_names_faults_that_break_it() -> None:
    """Each names faults of the catalogue, and each of these is expected to break it."""
    known = {one.id: {check for check, _ in one.expects.checks} for one in (*FAULTS, *DECOYS)}
    named = {rule.id: rule.broken_by for rule in contract_for("planning").rules}
    named |= {expectation.id: expectation.broken_by for expectation in suite_for("planning").checks}
    for name, faults in named.items():
        assert faults, name
        assert all(name in known[one] for one in faults), name


def test_a_rogue_edit_of_an_own_column_comes_out_unexplained(
    seeded_pair: Pair, clean_suite: tuple[CheckResult, ...]
) -> None:
    """What fits no cause is named unexplained: the comparison does not make causes up."""
    inject(seeded_pair.primary, seeded_pair.secondary, [fault("rogue_title_supabase")])
    report = check(job_of(seeded_pair), suite=clean_suite)
    assert {(d.kind, d.cause) for d in report.differences} == {(DifferenceKind.DIFFERING, str(Cause.UNEXPLAINED))}
