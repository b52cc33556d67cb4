"""What changed since the run before: pure, from the sightings of this run and the ledger's entries about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.ledger import FLAPPING_RETURNS, FLAPPING_WINDOW, Identity, Sighting, sighting
from contracts.verdicts import CheckResult, Cluster, DatasetReport, Difference, Explanation
from contracts.vocabulary import CheckStatus, DifferenceKind, StoreName, Verdict

CANNOT_TELL = frozenset({Verdict.ERRORED, Verdict.INCOMPLETE})
FAILING = frozenset({CheckStatus.FAILED, CheckStatus.WAIVED})  # a waived check still fails; it is only accepted

CheckKey = tuple[str, StoreName]


_Kind = tuple[DifferenceKind, Explanation]  # what the members of one cluster have in common


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the ledger holds about one identity.

    Attributes:
        id: Its row in the ledger.
        first_seen: When it was first recorded.
        opened_run_id: The run since which it is there without a gap.
        last_run_id: The last run that saw it.
        runs_seen: How many runs saw it since it was opened.
        openings: How often it appeared; 1 unless it came back.
        returns: When it came back, latest first, three at most.
        gone: True when a later run proved that it is no longer there.
    """

    id: int
    first_seen: datetime
    opened_run_id: str
    last_run_id: str
    runs_seen: int
    openings: int
    returns: tuple[datetime, ...]
    gone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """How long a difference has been there, this run included, and what became of it before."""

    first_seen: datetime
    runs_seen: int
    new: bool
    returned_now: bool
    returned: bool
    flapping: bool


def age(entry: Entry | None, *, run_id: str, now: datetime) -> Age:
    """Return the age of a difference that run `run_id` sees, whether or not the ledger took that run in already.

    Args:
        entry: What the ledger holds about it; None when it was never seen.
        run_id: The run that sees it.
        now: When that run began.
    """
    if entry is None:
        return Age(first_seen=now, runs_seen=1, new=True, returned_now=False, returned=False, flapping=False)
    recorded = entry.last_run_id == run_id
    opens = entry.opened_run_id == run_id if recorded else entry.gone
    reopens = opens and (not recorded or entry.openings > 1)
    returns = entry.returns if recorded or not reopens else (now, *entry.returns)
    return Age(
        first_seen=entry.first_seen,
        runs_seen=1 if opens else entry.runs_seen + (not recorded),
        new=opens,
        returned_now=reopens,
        returned=reopens or entry.openings > 1,
        flapping=is_flapping(returns, now),
    )


def is_flapping(returns: Sequence[datetime], now: datetime) -> bool:
    """Say whether a difference came back often enough of late; `returns` has the latest first."""
    return len(returns) >= FLAPPING_RETURNS and now - returns[FLAPPING_RETURNS - 1] <= FLAPPING_WINDOW


def looked_everywhere(report: DatasetReport) -> bool:
    """Say whether a run may prove that something is gone: nothing in it errored or was left out.

    A failed verdict hides lesser ones, therefore the reasons are asked too.
    """
    return report.verdict not in CANNOT_TELL and not any(reason.verdict in CANNOT_TELL for reason in report.reasons)


def failing_checks(checks: Iterable[CheckResult]) -> frozenset[CheckKey]:
    """Return the checks that fail, waived ones included."""
    return frozenset((check.id, check.store) for check in checks if check.status in FAILING)


def passed_checks(checks: Iterable[CheckResult]) -> frozenset[CheckKey]:
    """Return the checks that were judged and hold; skipped and errored ones prove nothing."""
    return frozenset((check.id, check.store) for check in checks if check.status is CheckStatus.PASSED)


class Tally:
    """Adds up the sightings of one run.

    Args:
        listed: The differences whose ages are asked for afterwards.

    Attributes:
        new: Differences that were not there in the run before.
        persisting: Differences that were.
        returned: New ones that had been there earlier.
    """

    def __init__(self, listed: Iterable[Difference]) -> None:
        self.new = 0
        self.persisting = 0
        self.returned = 0
        self._wanted = frozenset(sighting(difference).identity for difference in listed)
        self._ages: dict[Identity, Age] = {}
        self._groups: dict[_Kind, _Group] = {}

    def add(self, seen: Sighting, known: Age) -> None:
        """Count one sighting."""
        self.new += known.new
        self.persisting += not known.new
        self.returned += known.returned_now
        if seen.identity in self._wanted:
            self._ages[seen.identity] = known
        for explanation in seen.explanations:
            self._groups.setdefault((seen.identity.kind, explanation), _Group()).add(known)

    def dated(self, difference: Difference) -> Difference:
        """Return `difference` with its age; as it is when it was not counted."""
        known = self._ages.get(sighting(difference).identity)
        if known is None:
            return difference
        return replace(
            difference,
            first_seen=known.first_seen,
            runs_seen=known.runs_seen,
            returned=known.returned,
            flapping=known.flapping,
        )

    def clustered(self, cluster: Cluster, by_key: Mapping[str, Sighting]) -> Cluster:
        """Return `cluster` with what is new in it and how old it is; as it is when its members cannot be told.

        Args:
            cluster: One cause; its details are those of its sample keys.
            by_key: The sightings, by key; those of the sample keys suffice.
        """
        kinds = {
            (seen.identity.kind, explanation)
            for seen in (by_key[key] for key in cluster.sample_keys if key in by_key)
            for explanation in seen.explanations
            if _fits(cluster, seen, explanation)
        }
        groups = [self._groups[kind] for kind in kinds if kind in self._groups]
        if not groups or sum(group.count for group in groups) != cluster.count:
            return cluster
        oldest = min(group.oldest for group in groups if group.oldest is not None)
        return replace(cluster, new=sum(group.new for group in groups), oldest=oldest)


@dataclass(slots=True)
class _Group:
    count: int = 0
    new: int = 0
    oldest: datetime | None = None

    def add(self, known: Age) -> None:
        self.count += 1
        self.new += known.new
        self.oldest = known.first_seen if self.oldest is None else min(self.oldest, known.first_seen)


def _fits(cluster: Cluster, seen: Sighting, explanation: Explanation) -> bool:
    return (cluster.kind, cluster.cause, cluster.fields, cluster.store) == (
        seen.identity.kind,
        explanation.cause,
        explanation.fields,
        explanation.store,
    )
