"""Everything that a run found, as plain values: what reports render, the ledger remembers and the gate judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.health import HealthReport
from contracts.replication import Place, ReplicationState, Standing
from contracts.vocabulary import (
    Cause,
    Channel,
    CheckSource,
    CheckStatus,
    Classification,
    DifferenceKind,
    Exclusion,
    Severity,
    StoreName,
    Verdict,
)

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One contract rule or expectation, evaluated on one store.

    Attributes:
        id: Stable id, such as `planning.content_id_matches`.
        source: Contract or expectation.
        store: The store whose rows were judged.
        severity: How bad a failure is.
        status: What became of it.
        message: One sentence: what breaks when this is violated, or why it was skipped or errored.
        failing_rows: Number of rows that violate it; 0 unless failed.
        checked_rows: Number of rows that were judged; None where the check is not about rows.
        sample_keys: Some of the keys that violate it, smallest first.
        observed: What was measured, in words, for checks that are not about single rows.
        inherited: True when the verdict was taken over from the other store, proven equal in the same run.
        waiver: Owner, reason and expiry in one sentence, when waived.
        seconds: Time that the check took, in seconds, where it is known.
    """

    id: str
    source: CheckSource
    store: StoreName
    severity: Severity
    status: CheckStatus
    message: str
    failing_rows: int = 0
    checked_rows: int | None = None
    sample_keys: tuple[str, ...] = ()
    observed: str | None = None
    inherited: bool = False
    waiver: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """One field of one key on which the stores disagree.

    Attributes:
        field: Column name, or a path below a JSON column such as `content.title`.
        primary: Canonical value as text; None where it is NULL; `MISSING` where the path does not exist.
        secondary: The same on the other store.
        classification: Who may see the two values.
        cause: Why this field differs.
    """

    field: str
    primary: str | None
    secondary: str | None
    classification: Classification = Classification.PERSONAL
    cause: Cause = Cause.UNEXPLAINED


MISSING = "\x00missing"  # a JSON path that does not exist, as opposed to one that holds null


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One cause of one difference.

    Attributes:
        cause: The kind of cause.
        fields: The columns or paths that it explains, sorted; `*` stands for any position of a list.
        store: The store whose value is at fault, where the two rows tell.
        detail: What distinguishes it further, in words that are equal for equal causes, such as `9 h later`.
    """

    cause: Cause
    fields: tuple[str, ...]
    store: StoreName | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A confirmed disagreement of the stores about one key.

    Attributes:
        key: Canonical key.
        kind: One-sided, or differing.
        fields: The disagreeing fields; empty for one-sided rows.
        explanations: At least one; two faults on one row give two.
        first_seen: When the ledger first recorded this difference; None without a ledger.
        runs_seen: In how many consecutive runs it was seen, this one included.
        returned: True when it had been gone in an earlier run and came back.
        flapping: True when it came back three times or more within 30 days.
        place: How it stands in replication; None where the stores do not replicate, or nobody could tell.
        waiting_s: For how many seconds its change has waited to be carried over; None where none waits.
    """

    key: str
    kind: DifferenceKind
    fields: tuple[FieldDifference, ...] = ()
    explanations: tuple[Explanation, ...] = (Explanation(cause=Cause.UNEXPLAINED, fields=()),)
    first_seen: datetime | None = None
    runs_seen: int = 1
    returned: bool = False
    flapping: bool = False
    place: Place | None = None
    waiting_s: float | None = None

    @property
    def cause(self) -> str:
        """The causes, sorted and joined by ` + `."""
        return " + ".join(sorted({str(e.cause) for e in self.explanations}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Differences that share one cause.

    Attributes:
        cause: The cause that they share.
        kind: The kind of difference that they share.
        fields: The columns that are concerned.
        store: The store at fault, where known.
        sentence: The cause in words, such as "`content` is a JSON string on prisma".
        count: Number of keys. A row with two causes counts in two clusters.
        sample_keys: Some of the keys, smallest first.
        new: How many of them were not there in the run before; None without a ledger.
        oldest: When the oldest of them was first seen.
    """

    cause: Cause
    kind: DifferenceKind
    fields: tuple[str, ...]
    store: StoreName | None
    sentence: str
    count: int
    sample_keys: tuple[str, ...]
    new: int | None = None
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideCounts:
    """Where the rows of one side went, in one range: each term counted by itself.

    Attributes:
        read: Rows that a separate count found in the same snapshot.
        matched: Rows equal on both sides, representation included or not.
        differing: Rows that the other side holds with other values.
        only: Rows that the other side does not hold.
        deferred: Rows that moved while they were looked at.
        excluded: Rows that are not compared, by reason.
        pending: Rows that differ, or that the other side does not hold, and whose change is under way.
    """

    read: int
    matched: int
    differing: int
    only: int
    deferred: int
    excluded: Mapping[Exclusion, int] = field(default_factory=dict)
    pending: int = 0

    @property
    def balance(self) -> int:
        """Rows read minus rows accounted for; anything but 0 means that the run may not be believed."""
        accounted = self.matched + self.differing + self.only + self.pending + self.deferred
        return self.read - accounted - sum(self.excluded.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeAccount:
    """Conservation of rows in one half-open range of keys.

    Attributes:
        low: First key of the range; None for the open head.
        high: First key after the range; None for the open tail.
    """

    low: str | None
    high: str | None
    primary: SideCounts
    secondary: SideCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTotals:
    """Rows of a dataset, over all ranges."""

    primary: int = 0
    secondary: int = 0
    matched: int = 0
    matched_representation: int = 0  # equal in canonical form only; part of matched
    differing: int = 0
    only_primary: int = 0
    only_secondary: int = 0
    deferred: int = 0
    settled: int = 0  # differed at first and agreed when re-read; matched too if both sides held them at first
    excluded: int = 0
    pending: int = 0  # differ, and their change is under way; part of none of the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for a verdict; the reasons of a run are all listed."""

    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a run cost, as measured, and as estimated beforehand where it was."""

    seconds: float = 0.0
    statements: int = 0
    requests: int = 0
    rows_transferred: int = 0
    bytes_transferred: int = 0
    estimated_seconds: float | None = None
    estimated_rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFacts:
    """What a store was like when the run looked at it."""

    store: StoreName
    channel: Channel | None
    reachable: bool
    server_version: str = ""
    table: str = ""
    estimated_rows: int | None = None  # as the server's statistics have it
    identity: str = ""  # id of the row in twinstore.identity; two stores with the same one are one store
    sees_all_rows: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What changed since the run before; all None or empty when there is no ledger.

    Attributes:
        previous_run_id: The run that this one is compared with.
        new: Differences that were not there, those that came back included.
        gone: Differences that were there and are gone; None where the run could not look everywhere.
        persisting: Differences that were there too; with the new ones, all there are.
        returned: Those of the new ones that had been there before the last time.
        checks_new: Ids of checks that fail and did not.
        checks_gone: Ids of checks that failed and no longer do.
        trend: Oldest first: run id, started_at, verdict, number of differences, rows of primary and secondary.
    """

    previous_run_id: str | None = None
    new: int | None = None
    gone: int | None = None
    persisting: int | None = None
    returned: int | None = None
    checks_new: tuple[str, ...] = ()
    checks_gone: tuple[str, ...] = ()
    trend: tuple[TrendPoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """One earlier run of a dataset, for the charts."""

    run_id: str
    started_at: datetime
    verdict: Verdict
    differences: int
    rows_primary: int
    rows_secondary: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfProof:
    """How a comparison tested itself; had a test failed, there would be no comparison.

    Attributes:
        sent_through: The stores through which hard values of every column were sent and came back as they were.
        values: Number of these values.
        planted: Faults that were planted in the queries of both stores; all of them were found.
        untried: Columns and the like in which no fault could be tried, since the rows changed every time.
        audited: Rows that were called equal, drawn at random and compared field by field; all of them are equal.
        moved: Rows of that sample that changed after they had been compared; they are not counted.
        form: Names the way in which rows are read and hashed; audits of another one do not count.
        total: Rows audited since `since`, those of this run included; None without a ledger.
        since: When the first of the runs began whose audits count.
    """

    sent_through: tuple[StoreName, ...] = ()
    values: int = 0
    planted: int = 0
    untried: tuple[str, ...] = ()
    audited: int = 0
    moved: int = 0
    form: str = ""
    total: int | None = None
    since: datetime | None = None

    @property
    def bound(self) -> float | None:
        """Share of rows that may differ unseen, with 95 % confidence (rule of three); None when none was audited."""
        rows = self.audited if self.total is None else self.total
        return min(1.0, 3 / rows) if rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A key on which the stores differ, and whose change waits to be carried over for no longer than it may.

    Attributes:
        key: Canonical key.
        kind: One-sided, or differing.
        waiting_s: For how many seconds it has waited.
    """

    key: str
    kind: DifferenceKind
    waiting_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCapture:
    """Whether the writes to a store are captured, as a run found it.

    Attributes:
        store: The store.
        standing: What the store says; None where it could not be asked.
        note: Why it could not be asked.
    """

    store: StoreName
    standing: Standing | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationReport:
    """How the replication of a dataset stood when a run looked at it.

    Attributes:
        state: Whether the stores replicate.
        stores: Whether their writes are captured, primary first.
        conflicts: Number of open conflicts; None where the primary could not be asked.
        dead_letters: Number of dead letters; likewise.
        failing: Number of keys that were refused and are tried again; likewise.
        places: Number of confirmed differences by place; those under way are not among them.
        pending: Keys whose change is under way, the oldest first; at most some of them.
        pending_total: How many there are.
        max_lag_s: For how many seconds a change may be under way before it counts as a difference.
        adopting: True in the comparison that an adoption rests on: it ends only afterwards.
    """

    state: ReplicationState
    stores: tuple[StoreCapture, ...] = ()
    conflicts: int | None = None
    dead_letters: int | None = None
    failing: int | None = None
    places: Mapping[Place, int] = field(default_factory=dict)
    pending: tuple[UnderWay, ...] = ()
    pending_total: int = 0
    max_lag_s: float = 0.0
    adopting: bool = False

    @property
    def adopted_at(self) -> datetime | None:
        """Since when changes are carried over; None where nobody adopted the stores, or nobody could tell."""
        return next((s.standing.adopted_at for s in self.stores if s.standing and s.standing.adopted_at), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetReport:
    """What a run found about one dataset.

    Attributes:
        name: Name of the dataset.
        verdict: The worst of its reasons.
        reasons: All reasons, worst first; empty when passed.
        stores: What the two stores were like, primary first.
        rows: Totals over all ranges.
        ranges: Conservation per range.
        differences: The differences that are listed one by one, by key; at most the run's limit.
        differences_total: How many there are.
        clusters: All differences by cause, largest first.
        checks: Contract rules and expectations on both stores.
        history: What changed since the run before.
        proof: How the comparison tested itself; None when nothing was compared.
        notes: Sentences about this dataset that a reader must know.
        replication: How its replication stood; None for a dataset that cannot be replicated.
    """

    name: str
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    stores: tuple[StoreFacts, ...] = ()
    rows: RowTotals = RowTotals()
    ranges: tuple[RangeAccount, ...] = ()
    differences: tuple[Difference, ...] = ()
    differences_total: int = 0
    clusters: tuple[Cluster, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    history: History = History()
    proof: SelfProof | None = None
    notes: tuple[str, ...] = ()
    replication: ReplicationReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run: what reports render.

    Attributes:
        run_id: Sorts by time.
        environment: Name that the user gave to this pair of stores, such as `production`.
        started_at: UTC.
        finished_at: UTC.
        verdict: The worst verdict of its datasets, or errored where none could be judged.
        reason: One sentence.
        reasons: All reasons, worst first.
        datasets: One report per dataset.
        cost: Measured cost of the run.
        masked: True when personal values are masked (the default); the report says so.
        share: True when internal values are masked too.
        version: Version of twinstore that made the run.
        notes: Sentences that a reader must know, such as "history is unknown: no durable state".
        health: How the stores did lately; None where nobody watched them.
    """

    run_id: str
    environment: str
    started_at: datetime
    finished_at: datetime
    verdict: Verdict
    reason: str
    reasons: tuple[Reason, ...]
    datasets: tuple[DatasetReport, ...]
    cost: Cost = Cost()
    masked: bool = True
    share: bool = False
    version: str = ""
    notes: tuple[str, ...] = ()
    health: HealthReport | None = None


def worst(verdicts: list[Verdict]) -> Verdict:
    """Return the verdict that takes precedence; passed for an empty list."""
    return max(verdicts, key=lambda v: v.rank, default=Verdict.PASSED)
