"""Contract rules and expectations, one line per check with both stores beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.verdicts import CheckResult
from contracts.vocabulary import CheckSource, CheckStatus, Severity, StoreName
from reports.budget import KEYS_MAX, Shown, first
from reports.text import count, duration, number, slug
from reports.words import SEVERITY_RANK, STATUS_RANK


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSide:
    """A check on one store.

    Attributes:
        result: What is rendered.
        outcome: What came of it, in a few words, such as `412 of 5,000 rows fail`.
        keys: Sample keys.
        took: How long it took, in words; empty where that is not known.
    """

    result: CheckResult
    outcome: str
    keys: Shown[str]
    took: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """One check on all stores that it was evaluated on.

    Attributes:
        id: Id of the check.
        anchor: Id of its line on the page.
        source: Contract or expectation.
        severity: The worst severity of its results.
        status: The worst status of its results.
        message: The sentence of the worst result.
        sides: Per store; a store without a result is absent.
    """

    id: str
    anchor: str
    source: CheckSource
    severity: Severity
    status: CheckStatus
    message: str
    sides: dict[StoreName, CheckSide]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the checks of one store, or of all, came out; an inherited one counts by its status as well."""

    passed: int = 0
    failed: int = 0
    errored: int = 0
    skipped: int = 0
    waived: int = 0
    inherited: int = 0

    @property
    def total(self) -> int:
        """How many checks there are."""
        return self.passed + self.failed + self.errored + self.skipped + self.waived

    @property
    def parts(self) -> list[tuple[str, int]]:
        """Status and number, worst first, those that occur."""
        return [(str(s), n) for s in STATUS_RANK if (n := int(getattr(self, s)))]


def tally(checks: Iterable[CheckResult]) -> Tally:
    """Count checks by status."""
    counts = Counter[str]()
    for check in checks:
        counts.update([str(check.status)] + ["inherited"] * check.inherited)
    return Tally(**counts)


def check_views(dataset: str, checks: Sequence[CheckResult]) -> tuple[CheckView, ...]:
    """Return one view per check, the worst first: by status, then severity, then id."""
    by_id: dict[tuple[str, CheckSource], list[CheckResult]] = {}
    for check in checks:
        by_id.setdefault((check.id, check.source), []).append(check)
    views = [_view(dataset, results) for results in by_id.values()]
    return tuple(sorted(views, key=lambda v: (STATUS_RANK[v.status], SEVERITY_RANK[v.severity], v.id)))


def _view(dataset: str, results: Sequence[CheckResult]) -> CheckView:
    lead = min(results, key=lambda r: (STATUS_RANK[r.status], SEVERITY_RANK[r.severity]))
    return CheckView(
        id=lead.id,
        anchor=slug(dataset, lead.source, lead.id),
        source=lead.source,
        severity=lead.severity,
        status=lead.status,
        message=lead.message,
        sides={result.store: _side(result) for result in results},
    )


def _side(result: CheckResult) -> CheckSide:
    return CheckSide(
        result=result,
        outcome=outcome(result),
        keys=first(result.sample_keys, KEYS_MAX, result.failing_rows),
        took="" if result.seconds is None else duration(result.seconds),
    )


def outcome(result: CheckResult) -> str:
    """Return what came of a check in a few words, without its observed value."""
    if result.failing_rows:
        verb = "fails" if result.failing_rows == 1 else "fail"
        if result.checked_rows is None:
            return f"{count(result.failing_rows, 'row')} {verb}"
        return f"{number(result.failing_rows)} of {count(result.checked_rows, 'row')} {verb}"
    if result.status is CheckStatus.PASSED and result.checked_rows is not None:
        return f"{count(result.checked_rows, 'row')} {'holds' if result.checked_rows == 1 else 'hold'}"
    return {
        CheckStatus.PASSED: "holds",
        CheckStatus.FAILED: "does not hold",
        CheckStatus.ERRORED: "could not be evaluated",
        CheckStatus.SKIPPED: "not evaluated",
        CheckStatus.WAIVED: "failure accepted",
    }[result.status]
