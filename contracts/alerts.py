"""The rules of alerts: what is judged from stored probes and figures alone, so that any process comes to the same.

A rule says of its subject that it holds, that it does not, or nothing: what nobody could look at neither raises an
alert nor resolves one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.health import KNOWN, AlertRule, LastRun, Operation, Probe, Timing, failed_for, trailing_failures
from contracts.replication import MANY, MAX_LAG_S, Standing, SyncStatus
from contracts.vocabulary import Severity, StoreName, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From when on something is worth an alert.

    Attributes:
        failed: How long one store must have failed.
        save_s: Seconds that a save may take.
        read_s: Seconds that a read may take.
        consistency_s: Seconds that a consistency check may take.
        probe_s: Seconds that a probe may take.
        slow_window: How far back slow operations count.
        dirty: How long a change may wait to be carried over.
        backup: How old the last verified backup may be.
    """

    failed: timedelta = timedelta(minutes=30)
    save_s: float = 5.0
    read_s: float = 3.0
    consistency_s: float = 10.0
    probe_s: float = 3.0
    slow_window: timedelta = timedelta(minutes=5)
    dirty: timedelta = timedelta(seconds=MAX_LAG_S)
    backup: timedelta = timedelta(days=8)

    def limit_s(self, operation: Operation) -> float:
        """Return the seconds that an operation may take."""
        return {
            Operation.SAVE: self.save_s,
            Operation.READ: self.read_s,
            Operation.CONSISTENCY: self.consistency_s,
            Operation.PROBE: self.probe_s,
        }[operation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What is known about backups.

    Attributes:
        verified_at: When one was restored and compared last; None when none ever was.
    """

    verified_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the rules look at.

    Attributes:
        now: The present, UTC.
        probes: Per store that is configured its probes, oldest first; at least those of the last hour.
        timings: Operations that were measured.
        sync: How far the stores have come, per dataset.
        runs: The last run of each dataset.
        backup: What is known about backups; None where nobody makes them.
    """

    now: datetime
    probes: Mapping[StoreName, tuple[Probe, ...]] = field(default_factory=dict)
    timings: tuple[Timing, ...] = ()
    sync: tuple[SyncStatus, ...] = ()
    runs: tuple[LastRun, ...] = ()
    backup: Backup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a rule says about its subject.

    Attributes:
        rule: The rule.
        subject: A store, an operation or a dataset; empty where there is only one.
        holds: True when there is something to alert about, False when there is not.
        severity: How bad it is.
        text: One sentence about it; empty where it does not hold.
        since: When it began, where that is known; the present otherwise.
    """

    rule: AlertRule
    subject: str
    holds: bool
    severity: Severity
    text: str = ""
    since: datetime


def rulings(facts: Facts, thresholds: Thresholds | None = None) -> tuple[Ruling, ...]:
    """Return what the rules say; nothing about a subject that nobody could look at."""
    limits = thresholds or Thresholds()
    return (
        *_stores(facts, limits),
        *_slow(facts, limits),
        *_gates(facts),
        *(ruling for status in facts.sync for ruling in _sync(status, facts.now, limits)),
        *_backups(facts, limits),
    )


def _stores(facts: Facts, limits: Thresholds) -> Iterator[Ruling]:
    seen = {store: probes for store, probes in facts.probes.items() if _speaks(probes, facts.now)}
    if len(seen) == len(StoreName):
        yield _both(seen, facts.now)
    for store, probes in seen.items():
        run = trailing_failures(probes)
        if run and failed_for(probes) < limits.failed:
            continue  # it fails, and not for long enough: that neither raises the alert nor resolves it
        yield Ruling(
            rule=AlertRule.STORE_FAILED,
            subject=store,
            holds=bool(run),
            severity=Severity.WARNING,
            text=f"{store} has failed for {span_text(failed_for(probes))}: {run[-1].what or run[-1].error}"
            if run
            else "",
            since=run[0].at if run else facts.now,
        )


def _speaks(probes: tuple[Probe, ...], now: datetime) -> bool:
    return bool(probes) and now - probes[-1].at <= KNOWN


def _both(seen: Mapping[StoreName, tuple[Probe, ...]], now: datetime) -> Ruling:
    failing = {store: trailing_failures(probes) for store, probes in seen.items()}
    holds = all(failing.values())
    whys = " ".join(f"{run[-1].what or run[-1].error}" for run in failing.values() if run)
    return Ruling(
        rule=AlertRule.BOTH_FAILED,
        subject="",
        holds=holds,
        severity=Severity.CRITICAL,
        text=f"Both stores have failed. {whys}" if holds else "",
        since=max(run[0].at for run in failing.values()) if holds else now,
    )


def _slow(facts: Facts, limits: Thresholds) -> Iterator[Ruling]:
    probed = [
        (f"{Operation.PROBE} of {store}", Operation.PROBE, probe.at, probe.response_ms)
        for store, probes in facts.probes.items()
        for probe in probes
        if probe.healthy
    ]
    timed = [(str(timing.operation), timing.operation, timing.at, timing.ms) for timing in facts.timings]
    recent: dict[str, list[tuple[Operation, datetime, int]]] = {}
    for subject, operation, at, ms in (*probed, *timed):
        if facts.now - at <= limits.slow_window:
            recent.setdefault(subject, []).append((operation, at, ms))
    for subject, found in recent.items():
        limit_s = limits.limit_s(found[0][0])
        slow = [(at, ms) for _, at, ms in found if ms > limit_s * 1000]
        worst = max((ms for _, ms in slow), default=0)
        yield Ruling(
            rule=AlertRule.SLOW,
            subject=subject,
            holds=bool(slow),
            severity=Severity.INFO,
            text=f"A {subject} took {worst / 1000:.1f} s; the limit is {limit_s:g} s." if slow else "",
            since=slow[0][0] if slow else facts.now,
        )


def _gates(facts: Facts) -> Iterator[Ruling]:
    for run in facts.runs:
        if run.verdict in (Verdict.ERRORED, Verdict.INCOMPLETE):
            continue  # it could not tell
        failed = run.verdict is Verdict.FAILED
        yield Ruling(
            rule=AlertRule.GATE_FAILED,
            subject=run.dataset,
            holds=failed,
            severity=Severity.CRITICAL,
            text=f"The last run over {run.dataset} failed, with {run.differences:,} differences." if failed else "",
            since=run.at if failed else facts.now,
        )


def _sync(status: SyncStatus, now: datetime, limits: Thresholds) -> Iterator[Ruling]:
    sides = [side for side in (status.primary, status.secondary) if side is not None and side.since is not None]
    adopted = status.primary is not None and status.primary.adopted_at is not None
    for side in sides:  # of a store that is not captured nobody knows what passed by, nor what waits
        if side.gap is not None or adopted:
            yield _capture(status.dataset, side, now)
        yield _dirty(status.dataset, side, now, limits)
    counted = (
        (AlertRule.DEAD_LETTERS, status.dead_letters, "changes of {} could not be carried over (dead letters)"),
        (AlertRule.CONFLICTS, status.conflicts, "conflicts of {} wait for somebody to decide"),
    )
    for rule, number, words in counted:
        if number is not None:
            text = f"{number:,} {words.format(status.dataset)}." if number else ""
            yield Ruling(
                rule=rule, subject=status.dataset, holds=number > 0, severity=Severity.WARNING, text=text, since=now
            )


def _capture(dataset: str, side: Standing, now: datetime) -> Ruling:
    holds = side.gap is not None
    text = f"Writes to {dataset} on {side.store} may have passed by capture ({side.gap}); nothing is carried over."
    return Ruling(
        rule=AlertRule.CAPTURE_GAP,
        subject=f"{dataset} on {side.store}",
        holds=holds,
        severity=Severity.CRITICAL,
        text=text if holds else "",
        since=side.gap_at if holds and side.gap_at else now,
    )


def _dirty(dataset: str, side: Standing, now: datetime, limits: Thresholds) -> Ruling:
    age = timedelta(seconds=side.oldest_s)
    holds = age > limits.dirty
    number = f"{side.dirty:,}" if side.dirty <= MANY else f"More than {MANY:,}"
    text = f"{number} changes of {dataset} on {side.store} wait, the oldest for {span_text(age)}."
    return Ruling(
        rule=AlertRule.DIRTY_TOO_OLD,
        subject=f"{dataset} on {side.store}",
        holds=holds,
        severity=Severity.WARNING,
        text=text if holds else "",
        since=now - age if holds else now,
    )


def _backups(facts: Facts, limits: Thresholds) -> Iterator[Ruling]:
    if facts.backup is None:
        return
    verified = facts.backup.verified_at
    if verified is not None and verified > facts.now:
        verified = None  # noted while a clock was ahead: that proves nothing of today
    holds = verified is None or facts.now - verified > limits.backup
    age = "never" if verified is None else f"{span_text(facts.now - verified)} ago"
    yield Ruling(
        rule=AlertRule.BACKUP_UNVERIFIED,
        subject="",
        holds=holds,
        severity=Severity.WARNING,
        text=f"A backup was verified {age}; the limit is {span_text(limits.backup)}." if holds else "",
        since=facts.now if verified is None else verified + limits.backup if holds else facts.now,
    )


def span_text(span: timedelta) -> str:
    """Return a span of time in the unit that matters: minutes, hours or days."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:  # noqa: PLR2004 - two hours
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
