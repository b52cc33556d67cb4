"""What changed since the run before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.vocabulary import Verdict


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
