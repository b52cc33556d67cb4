"""The index page of all runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.vocabulary import Verdict
from reports.budget import first
from reports.page import render

RUNS_MAX = 1_000
_OLDEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEntry:
    """One run in the index.

    Attributes:
        run_id: Sorts by time.
        started_at: When it started; None where its report cannot be read.
        environment: Name of the pair of stores.
        verdict: Its verdict; None where its report cannot be read.
        reason: Its reason, or why its report cannot be read.
        differences: Number of differences; None where unknown.
        href: Relative address of its page; None where there is none.
    """

    run_id: str
    started_at: datetime | None
    environment: str
    verdict: Verdict | None
    reason: str
    differences: int | None
    href: str | None


def index_html(entries: Sequence[RunEntry]) -> str:
    """Render the index of runs, newest first; what cannot be read is listed too."""
    ordered = sorted(entries, key=lambda e: (e.run_id, e.started_at or _OLDEST), reverse=True)
    return render("index.html.j2", runs=first(ordered, RUNS_MAX))
