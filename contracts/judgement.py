"""From findings to a verdict: one place, no I/O. What was not looked at is never called passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from contracts.replication import ReplicationState
from contracts.verdicts import CheckResult, DatasetReport, Reason, ReplicationReport, worst
from contracts.vocabulary import CheckStatus, Severity, StoreName, Verdict

_FAILED = {Severity.CRITICAL: Verdict.FAILED, Severity.WARNING: Verdict.WARNED}


def judge_checks(checks: Sequence[CheckResult], declared: Mapping[StoreName, Iterable[str]]) -> tuple[Reason, ...]:
    """Return why the checks keep a dataset from being passed, worst first.

    Args:
        checks: The results.
        declared: Ids of the checks that each store must have a result for; a missing one is errored.
    """
    reasons = [*_errored(checks), *(reason for check in checks if (reason := _reason(check)) is not None)]
    answered = {(c.id, c.store) for c in checks}
    for store, ids in declared.items():
        missing = sorted(check for check in ids if (check, store) not in answered)
        if missing:
            reasons.append(Reason(verdict=Verdict.ERRORED, text=f"{_some(missing)} gave no result on {store}"))
    return sort_reasons(reasons)


def judge_replication(report: ReplicationReport | None) -> Iterator[Reason]:
    """Yield what stands against the replication as a whole; differences and gaps have reasons of their own."""
    if report is None or report.state in (ReplicationState.OFF, ReplicationState.UNKNOWN):
        return
    if report.state is ReplicationState.STARTING and not report.adopting:
        text = "writes are captured and nobody adopted the stores, so that nothing is carried over"
        yield Reason(verdict=Verdict.WARNED, text=text)
    if report.dead_letters:
        changes = _number(report.dead_letters, "change was", "changes were")
        text = f"{changes} refused and given up; `twinstore sync dead-letters list` shows them"
        yield Reason(verdict=Verdict.FAILED, text=text)
    if report.conflicts:
        conflicts = _number(report.conflicts, "conflict waits", "conflicts wait")
        text = f"{conflicts} for a decision; `twinstore sync conflicts list` shows them"
        yield Reason(verdict=Verdict.WARNED, text=text)
    for side in report.stores:
        if side.standing is not None and side.standing.dirty and side.standing.oldest_s >= report.max_lag_s:
            text = f"changes of {side.store} have waited for {_age(side.standing.oldest_s)} to be carried over"
            yield Reason(verdict=Verdict.WARNED, text=f"{text}; `twinstore sync status` says why")


def sort_reasons(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return the reasons, worst first, each once, otherwise in their order."""
    return tuple(sorted(dict.fromkeys(reasons), key=lambda r: -r.verdict.rank))


def verdict_of(reasons: Iterable[Reason]) -> Verdict:
    """Return the verdict that these reasons make; passed when there are none."""
    return worst([reason.verdict for reason in reasons])


def headline(datasets: Sequence[DatasetReport]) -> str:
    """Say in one sentence why a run has its verdict."""
    reasons = sort_reasons(reason for dataset in datasets for reason in dataset.reasons)
    if not datasets:
        return "No dataset was checked."
    if not reasons:
        rows = sum(d.rows.matched for d in datasets)
        return f"All {rows:,} rows are equal on both stores, and every check that could be judged passed."
    first = reasons[0].text
    more = len(reasons) - 1
    others = f", and {more} more {'reason' if more == 1 else 'reasons'}" if more else ""
    return f"{first[0].upper()}{first[1:]}{others}."


def _errored(checks: Sequence[CheckResult]) -> list[Reason]:
    """Return one reason per store and cause: what keeps one check from being judged mostly keeps others, too."""
    causes: dict[tuple[StoreName, str], list[str]] = {}
    for check in checks:
        if check.status is CheckStatus.ERRORED:
            causes.setdefault((check.store, check.message.rstrip(".")), []).append(check.id)
    return [
        Reason(verdict=Verdict.ERRORED, text=f"{_some(sorted(ids))} on {store}: {why[:1].lower()}{why[1:]}")
        for (store, why), ids in causes.items()
    ]


def _reason(check: CheckResult) -> Reason | None:
    match check.status:
        case CheckStatus.FAILED if check.severity in _FAILED:
            rows = f" for {_number(check.failing_rows, 'row', 'rows')}" if check.failing_rows else ""
            return Reason(verdict=_FAILED[check.severity], text=f"`{check.id}` fails on {check.store}{rows}")
        case _:
            return None


def _some(ids: Sequence[str]) -> str:
    others = len(ids) - 1
    return f"`{ids[0]}`" + (f" and {others} other {'check' if others == 1 else 'checks'}" if others else "")


def _number(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _age(seconds: float) -> str:
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return _number(int(seconds // length), unit, f"{unit}s")
    return _number(int(seconds), "second", "seconds")
