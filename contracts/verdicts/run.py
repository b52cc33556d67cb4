"""One run: its verdict and reasons, its stores and cost, and what it found about each dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.health import HealthReport
from contracts.verdicts.accounts import RangeAccount, RowTotals
from contracts.verdicts.checks import CheckResult
from contracts.verdicts.differences import Cluster, Difference
from contracts.verdicts.history import History
from contracts.verdicts.proof import SelfProof
from contracts.verdicts.replication import ReplicationReport
from contracts.vocabulary import Channel, DifferenceKind, StoreName, Verdict


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


PLACED = "at "
"""How a database is known again that shows no id begins like this, and goes on with where it is.

That is the reference of a Supabase project, or an address, which has a slash in it and may change.
"""


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
    known_as: str = ""  # by what the database is known again in later runs; empty where nothing tells
    sees_all_rows: bool = False
    note: str = ""


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
        unsettled: Keys about which the run can say nothing, since they moved at every look or their change is under
            way, and how the stores disagreed about each at last. What was known of them stays so.
    """

    name: str
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    stores: tuple[StoreFacts, ...] = ()
    rows: RowTotals = RowTotals()  # noqa: RUF009 - frozen
    ranges: tuple[RangeAccount, ...] = ()
    differences: tuple[Difference, ...] = ()
    differences_total: int = 0
    clusters: tuple[Cluster, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    history: History = History()  # noqa: RUF009 - frozen
    proof: SelfProof | None = None
    notes: tuple[str, ...] = ()
    replication: ReplicationReport | None = None
    unsettled: Mapping[str, DifferenceKind] = field(default_factory=dict)


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
