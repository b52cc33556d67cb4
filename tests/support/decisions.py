"""What a gate decided, for tests of its renderers: every verdict, every kind of place, something let through."""

from __future__ import annotations

from typing import Any

from contracts.gate import Decision, Ground, Ruling, SourceLine
from contracts.vocabulary import CheckStatus, Verdict
from tests.support.factories import make_check, make_report
from tests.support.troubled_report import make_failed_report

STATUS = make_check("planning.status_known", CheckStatus.FAILED, failing_rows=9)
TITLE = make_check("planning.title_not_blank", CheckStatus.FAILED, failing_rows=2)
RULINGS = (
    Ruling(
        ground=Ground.CHECKS,
        verdict=Verdict.FAILED,
        text="`planning.status_known` fails on prisma for 9 rows",
        dataset="planning",
        check=STATUS,
    ),
    Ruling(ground=Ground.LOOKED, verdict=Verdict.ERRORED, text="the suite broke", dataset="planning"),
    Ruling(
        ground=Ground.WAIVERS,
        verdict=Verdict.WARNED,
        text="the waiver of Ada for planning.x matches nothing: remove it",
        dataset="planning",
        place=("waivers", 0),
    ),
    Ruling(
        ground=Ground.DIFFERENCES,
        verdict=Verdict.PASSED,
        text="3 rows differ as before",
        dataset="planning",
        place=("nothing_new",),
    ),
)


def make_decision(*rulings: Ruling, **rest: Any) -> Decision:
    """Return a decision with these rulings about a run that found a bit of everything."""
    values: dict[str, Any] = {
        "verdict": max((r.verdict for r in rulings), key=lambda v: v.rank, default=Verdict.PASSED),
        "reason": "`planning.status_known` fails on prisma for 9 rows, and 2 more objections.",
        "rulings": rulings,
        "report": make_failed_report() if rulings else make_report(),
    }
    return Decision(**values | rest)


def place_of(ruling: Ruling) -> SourceLine | None:
    """Return a line of a contract for a check, one of the policy for what stands there, else nothing."""
    if ruling.check is not None:
        return SourceLine(path="contracts/planning.py", line=42)
    return SourceLine(path="gate.yaml") if ruling.place else None
