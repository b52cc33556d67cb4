"""How the stores are: what a probe saw, what was measured, and the figures that follow. Pure values, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from contracts.replication import Standing, SyncStatus
from contracts.vocabulary import Severity, StoreName, Verdict

KNOWN = timedelta(minutes=3)
"""How long a probe speaks for its store; what lies between two probes further apart is unknown."""


class Operation(StrEnum):
    """What takes time and has a limit."""

    PROBE = "probe"
    SAVE = "save"
    READ = "read"
    CONSISTENCY = "consistency"


class AlertRule(StrEnum):
    """What may raise an alert; `contracts.alerts` decides when."""

    BOTH_FAILED = "both_failed"
    STORE_FAILED = "store_failed"
    SLOW = "slow"
    GATE_FAILED = "gate_failed"
    DIRTY_TOO_OLD = "dirty_too_old"
    DEAD_LETTERS = "dead_letters"
    CONFLICTS = "conflicts"
    CAPTURE_GAP = "capture_gap"
    BACKUP_UNVERIFIED = "backup_unverified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One look at one store.

    Attributes:
        store: The store.
        at: When, UTC.
        healthy: True when it answered a read as it should.
        response_ms: Milliseconds until the answer or the error came.
        error: Class of the error, a name of `contracts.errors` or below; None when healthy.
        what: The error in one sentence, without a secret or a value of a record.
    """

    store: StoreName
    at: datetime
    healthy: bool
    response_ms: int
    error: str | None = None
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long one operation took, as whoever made it measured it."""

    operation: Operation
    at: datetime
    ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The last run over one dataset: its inconsistencies.

    Attributes:
        dataset: The dataset.
        run_id: The run.
        at: When it began, UTC.
        verdict: Its verdict on the dataset.
        differences: Number of differences that it found.
    """

    dataset: str
    run_id: str
    at: datetime
    verdict: Verdict
    differences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert that is open, or was.

    Attributes:
        rule: The rule that raised it.
        subject: What it is about: a store, an operation or a dataset; empty where there is only one.
        severity: How bad it is.
        text: One sentence, without a secret or a value of a record.
        since: When it began, UTC.
        resolved_at: When it ended; None while it is open.
    """

    rule: AlertRule
    subject: str
    severity: Severity
    text: str
    since: datetime
    resolved_at: datetime | None = None


class Phase(StrEnum):
    """What a message says about its alert."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is to be sent about an alert, once.

    Attributes:
        alert: The alert.
        phase: That it began, or that it ended.
        channel: Where it is sent.
        raised_at: When the alert was noticed, UTC.
        attempts: How often that was tried.
    """

    alert: Alert
    phase: Phase
    channel: str
    raised_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreState:
    """How one store did.

    Attributes:
        store: The store.
        configured: False when no setting leads to it, so that the other one serves alone.
        last: The last probe; None when there was none.
        failing_since: When the first of the failed probes since the last healthy one was; None when it is healthy.
        failures: Number of failed probes since the last healthy one.
        last_failure: When the last failed probe was, among those looked at.
        probes: Number of probes that were looked at.
        error_rate: Share of them that failed; None without any.
        mean_ms: Mean response time of the healthy ones; None without any.
        p95_ms: Response time that 95 of 100 of them kept within; likewise.
        circuit: State of its circuit breaker, as the last process saved it; None where none did.
    """

    store: StoreName
    configured: bool = True
    last: Probe | None = None
    failing_since: datetime | None = None
    failures: int = 0
    last_failure: datetime | None = None
    probes: int = 0
    error_rate: float | None = None
    mean_ms: float | None = None
    p95_ms: int | None = None
    circuit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncFigures:
    """How far the stores had come with one dataset; None where nobody could tell.

    Attributes:
        dataset: The dataset.
        at: When, UTC.
        dirty_primary: Number of keys that waited on the primary to be carried over, as far as they were counted.
        oldest_primary_s: For how many seconds the oldest of them had waited.
        dirty_secondary: The same of the secondary.
        oldest_secondary_s: Likewise.
        dead_letters: Number of changes that were given up.
        conflicts: Number of open conflicts.
        failing: Number of keys that were refused and are tried again.
    """

    dataset: str
    at: datetime
    dirty_primary: int | None = None
    oldest_primary_s: float | None = None
    dirty_secondary: int | None = None
    oldest_secondary_s: float | None = None
    dead_letters: int | None = None
    conflicts: int | None = None
    failing: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """How both stores and what lies between them are, at one moment.

    Attributes:
        at: The moment, UTC.
        window_h: Hours over which probes are summed up.
        stores: Both stores, primary first.
        sync: How far the stores had come when they were asked last, per dataset that is replicated.
        runs: The last run of each dataset.
        alerts: Open alerts, the worst first.
        notes: Sentences about what could not be found out.
    """

    at: datetime
    window_h: int
    stores: tuple[StoreState, ...] = ()
    sync: tuple[SyncFigures, ...] = ()
    runs: tuple[LastRun, ...] = ()
    alerts: tuple[Alert, ...] = ()
    notes: tuple[str, ...] = ()


def summed_up(
    store: StoreName, probes: Sequence[Probe], *, circuit: str | None = None, configured: bool = True
) -> StoreState:
    """Return the figures of one store.

    Args:
        store: The store.
        probes: Its probes, oldest first.
        circuit: State of its circuit breaker.
        configured: Whether a setting leads to it.
    """
    times = sorted(probe.response_ms for probe in probes if probe.healthy)
    failed = [probe for probe in probes if not probe.healthy]
    run = trailing_failures(probes)
    return StoreState(
        store=store,
        configured=configured,
        last=probes[-1] if probes else None,
        failing_since=run[0].at if run else None,
        failures=len(run),
        last_failure=failed[-1].at if failed else None,
        probes=len(probes),
        error_rate=len(failed) / len(probes) if probes else None,
        mean_ms=sum(times) / len(times) if times else None,
        p95_ms=percentile(times, 0.95),
        circuit=circuit,
    )


def figures_of(status: SyncStatus, at: datetime) -> SyncFigures:
    """Return how far the stores have come, as figures to keep."""
    dirty_primary, oldest_primary_s = _waiting(status.primary)
    dirty_secondary, oldest_secondary_s = _waiting(status.secondary)
    return SyncFigures(
        dataset=status.dataset,
        at=at,
        dirty_primary=dirty_primary,
        oldest_primary_s=oldest_primary_s,
        dirty_secondary=dirty_secondary,
        oldest_secondary_s=oldest_secondary_s,
        dead_letters=status.dead_letters,
        conflicts=status.conflicts,
        failing=status.failing,
    )


def _waiting(side: Standing | None) -> tuple[int | None, float | None]:
    """Return how many keys wait on a store, and for how long; None for both where its writes are not captured."""
    return (None, None) if side is None or side.since is None else (side.dirty, side.oldest_s)


def percentile(ordered: Sequence[int], share: float) -> int | None:
    """Return the smallest value that a share of all values does not exceed (nearest rank); None without values."""
    if not ordered:
        return None
    rank = max(1, -(-len(ordered) * round(share * 1000) // 1000))
    return ordered[rank - 1]


def trailing_failures(probes: Iterable[Probe]) -> tuple[Probe, ...]:
    """Return the failed probes since the last healthy one, oldest first."""
    run: list[Probe] = []
    for probe in probes:
        run = [] if probe.healthy else [*run, probe]
    return tuple(run)


def failed_for(probes: Iterable[Probe]) -> timedelta:
    """Return for how long a store is known to have failed without a healthy probe between.

    What lies between two probes further apart than `KNOWN` is unknown: it neither counts nor ends the failure.
    """
    run = trailing_failures(probes)
    steps = (after.at - before.at for before, after in pairwise(run))
    return sum((step for step in steps if step <= KNOWN), timedelta())
