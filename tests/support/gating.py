"""Runs and policies for tests of the gate, and what it decides about them today."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from contracts.baseline import Baseline
from contracts.gate import Decision, Ground, decide
from contracts.ledger import sighting
from contracts.policy import Policy
from contracts.verdicts import CheckResult, Reason, RowTotals, RunReport
from contracts.vocabulary import Cause, CheckStatus, DifferenceKind, Severity, StoreName, Verdict
from tests.support.factories import (
    make_check,
    make_cluster,
    make_dataset,
    make_difference,
    make_field,
    make_missing,
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
