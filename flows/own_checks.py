"""The checks that are about the comparison and what it rests on, not about rows."""

from __future__ import annotations

from contracts.verdicts import CheckResult
from contracts.vocabulary import CheckSource, CheckStatus, Severity, StoreName
from flows.job import Job
from flows.outcomes import Comparison

SETTLE_RULE = "rows_settle"
SETTLE_SENTENCE = "No row may keep changing whenever it is compared: what never stands still is never proven."
CAPTURE_RULE = "capture_gap"
CAPTURE_SENTENCE = "No write may pass by capture: what does is never carried over, and the stores stay unequal."
OF_THE_COMPARISON = {SETTLE_RULE: Severity.WARNING, CAPTURE_RULE: Severity.CRITICAL}
"""Checks that are about the comparison and what it rests on, not about rows, with their severities."""


def settle_check(job: Job, comparison: Comparison, never_still: frozenset[str]) -> tuple[CheckResult, ...]:
    """Return the check that no row was deferred in three runs in a row."""
    if not comparison.looked:
        return ()
    status = CheckStatus.FAILED if never_still else CheckStatus.PASSED
    return tuple(
        CheckResult(
            id=f"{job.name}.{SETTLE_RULE}",
            source=CheckSource.CONTRACT,
            store=store,
            severity=Severity.WARNING,
            status=status,
            message=SETTLE_SENTENCE,
            failing_rows=len(never_still),
            sample_keys=tuple(sorted(never_still)[:20]),
        )
        for store in StoreName
    )
