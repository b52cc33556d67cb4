"""Whether two stores replicate and every write is captured, as a check asks before it compares.

A check does not need replication: where nothing shows that a store is captured, it says so and goes on. Where something
does, a store that cannot be asked is an error, never a pass.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from contracts.errors import Refused, SchemaMismatch, TwinstoreError
from contracts.replication import Heard, ReplicationState, Standing
from contracts.verdicts import CheckResult, ReplicationReport, StoreCapture
from contracts.vocabulary import Channel, CheckSource, CheckStatus, Severity, StoreName
from flows.job import Job
from flows.outcomes import Capture, Look
from flows.own_checks import CAPTURE_RULE, CAPTURE_SENTENCE
from flows.replicating import Replication, open_replication
from flows.unexpected import understood

if TYPE_CHECKING:
    from storage.parity.standing import Placing
    from storage.replication.doors import Doors
    from storage.urls import StoreUrl

_ADOPT = "Look at what differs, then run `twinstore adopt`."
_NO_FUNCTIONS = "it has no functions of replication"
_OVER_ROWS = "over rows alone it cannot be asked whether its writes are captured"
_NO_KEY = "no key of service_role leads to it"
_NOT_LOOKED_AT = "it could not be looked at"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What one store said.

    Attributes:
        store: The store.
        standing: How it stands; None where it did not say.
        note: Why it did not say, in one clause; empty where it did.
        error: What kept it from saying; None where it was not asked, or knows nothing of replication.
        marked: True when its table shows that its writes are captured, though it did not say.
    """

    store: StoreName
    standing: Standing | None = None
    note: str = ""
    error: TwinstoreError | None = None
    marked: bool = False

    @property
    def captured(self) -> bool:
        """True when something shows that its writes are captured."""
        return self.marked or (self.standing is not None and self.standing.since is not None)

    @property
    def alarming(self) -> bool:
        """True when it should have been able to say, captured or not: only a grant or a version may keep it."""
        return self.error is not None and not isinstance(self.error, Refused | SchemaMismatch)


def prove_capture(job: Job, looks: tuple[Look, Look]) -> Capture:
    """Ask both stores whether their writes are captured; a store that cannot say is never taken for one that is."""
    if not job.dataset.replicated:
        return Capture()
    try:
        replication = job.replication(lambda: _opened(job, looks))
        at = time.monotonic()
        primary = _ask(job, replication, looks[0])
        asked = primary, _ask(job, replication, looks[1], primary.standing.heard if primary.standing else ())
        return _concluded(job, replication, _compared(replication, *asked), at)
    except Exception as exc:  # noqa: BLE001 - whatever it is, nobody knows whether writes pass by
        error = understood(exc, None)
        report = ReplicationReport(
            state=ReplicationState.UNKNOWN,
            stores=tuple(StoreCapture(store=store, note=error.what) for store in StoreName),
            max_lag_s=job.settings.max_lag_s,
        )
        wrong = (_result(job, store, CheckStatus.ERRORED, str(error)) for store in StoreName)
        return Capture(report=report, checks=tuple(wrong))


def _opened(job: Job, looks: tuple[Look, Look]) -> Replication:
    """Open the doors of both sides, of the primary alone where the secondary is read over rows."""
    facts = looks[1].facts
    if facts is not None and facts.channel is Channel.ROWS:
        alone: dict[StoreName, StoreUrl] = {StoreName.PRISMA: job.stores.sql(StoreName.PRISMA)}
        stores = replace(job.stores, urls=alone, rest=None)
        return open_replication(job.settings, stores, job.name, meters=job.meters)
    return open_replication(job.settings, job.stores, job.name, meters=job.meters)


def _ask(job: Job, replication: Replication, look: Look, heard: Heard = ()) -> _Asked:
    doors = replication.primary if look.store is StoreName.PRISMA else replication.secondary
    if look.facts is None:
        return _Asked(store=look.store, note=_NOT_LOOKED_AT)
    if doors is None:
        return _Asked(store=look.store, note=_OVER_ROWS if look.facts.channel is Channel.ROWS else _NO_KEY)
    try:
        return _Asked(store=look.store, standing=doors.standing(heard=heard))
    except SchemaMismatch as exc:
        if not _has_functions(doors):
            return _Asked(store=look.store, note=_NO_FUNCTIONS)
        error: TwinstoreError = exc
    except TwinstoreError as exc:
        error = exc
    return _Asked(store=look.store, note=error.what, error=error, marked=_marked(job, look.store))


def _compared(replication: Replication, primary: _Asked, secondary: _Asked) -> tuple[_Asked, _Asked]:
    """Return what both said, a restore of either included."""
    from storage.replication.restores import compared

    if primary.standing is None or secondary.standing is None:
        return primary, secondary
    ours, theirs = compared(
        primary.standing, secondary.standing, lambda heard: replication.primary.standing(heard=heard)
    )
    return replace(primary, standing=ours), replace(secondary, standing=theirs)


def _has_functions(doors: Doors) -> bool:
    """Tell functions of another version from none."""
    try:
        doors.look([])
    except SchemaMismatch:
        return False
    except TwinstoreError:
        return True
    return True


def _marked(job: Job, store: StoreName) -> bool:
    if not job.stores.by_sql(store):
        return False
    from storage.replication.evidence import has_triggers

    try:
        return has_triggers(job.stores.sql(store).dsn, store, job.dataset)
    except TwinstoreError:
        return False  # the error of the functions says more


def _concluded(job: Job, replication: Replication, asked: tuple[_Asked, ...], at: float) -> Capture:
    state = _state(asked)
    report = ReplicationReport(
        state=state,
        stores=tuple(StoreCapture(store=one.store, standing=one.standing, note=one.note) for one in asked),
        max_lag_s=job.settings.max_lag_s,
        adopting=job.adopting and state is ReplicationState.STARTING,
    )
    checks = tuple(check for one in asked if (check := _check(job, one, state, asked)) is not None)
    standings = {one.store: one.standing for one in asked if one.standing is not None}
    primary = standings.get(StoreName.PRISMA)
    if primary is not None and primary.since is not None:
        conflicts, dead, failing = replication.book.counts()
        report = replace(report, conflicts=conflicts, dead_letters=dead, failing=failing)
    placing = _placing(job, replication, standings, at) if state is ReplicationState.ON else None
    return Capture(report=report, checks=checks, placing=placing)


def _state(asked: tuple[_Asked, ...]) -> ReplicationState:
    primary = asked[0]
    if primary.standing is not None and primary.standing.since is not None:
        return ReplicationState.ON if primary.standing.adopted_at else ReplicationState.STARTING
    if any(one.captured for one in asked) or primary.standing is None or any(one.error for one in asked):
        return ReplicationState.UNKNOWN
    return ReplicationState.OFF


def _check(job: Job, one: _Asked, state: ReplicationState, asked: tuple[_Asked, ...]) -> CheckResult | None:
    """Return the result for one store; none where the stores do not replicate, or were not adopted."""
    if state is ReplicationState.STARTING:
        return _result(job, one.store, CheckStatus.ERRORED, str(one.error)) if one.alarming else None
    if not any(other.captured for other in asked) and not one.alarming:
        return None
    if one.error is not None:
        return _result(job, one.store, CheckStatus.ERRORED, str(one.error))
    if one.standing is None:
        return _result(job, one.store, CheckStatus.SKIPPED, f"{one.store} was not asked: {one.note}.")
    return _judged(job, one.standing)


def _judged(job: Job, standing: Standing) -> CheckResult:
    from storage.replication.relay import GAPS

    if standing.since is None:
        why = f"Writes to {standing.store} are not captured, while those to {standing.store.other} are."
        return _result(job, standing.store, CheckStatus.FAILED, f"{why} {_ADOPT}", observed="capture is off")
    if standing.gap is None:
        return _result(job, standing.store, CheckStatus.PASSED, CAPTURE_SENTENCE)
    when = f" since {standing.gap_at:%Y-%m-%d %H:%M:%S} UTC" if standing.gap_at else ""
    why = f"{GAPS[standing.gap]}, so that writes may have passed by and nothing is carried over."
    return _result(job, standing.store, CheckStatus.FAILED, f"{why} {_ADOPT}", observed=f"{standing.gap}{when}")


def _result(
    job: Job, store: StoreName, status: CheckStatus, message: str, *, observed: str | None = None
) -> CheckResult:
    return CheckResult(
        id=f"{job.name}.{CAPTURE_RULE}",
        source=CheckSource.CONTRACT,
        store=store,
        severity=Severity.CRITICAL,
        status=status,
        message=message,
        observed=observed,
    )


def _placing(job: Job, replication: Replication, standings: Mapping[StoreName, Standing], at: float) -> Placing | None:
    if replication.secondary is None or len(standings) < len(StoreName):
        return None
    from storage.replication.places import Places

    return Places(
        replication.primary,
        replication.secondary,
        replication.book,
        dataset=job.dataset,
        standings=standings,
        asked_at=at,
        max_lag_s=job.settings.max_lag_s,
    )
