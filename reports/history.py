"""The index page of all runs, of the repairs that rest on them, and of the backups with their drills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.backups import KeptBackup
from contracts.repair import Repair
from contracts.vocabulary import Verdict
from reports.budget import first
from reports.page import render
from reports.repair.words import OUTCOMES, STATUSES, ending

RUNS_MAX = 1_000
REPAIRS_MAX = 200
BACKUPS_MAX = 100
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairEntry:
    """One repair in the index.

    Attributes:
        repair: What is remembered of it.
        href: Relative address of its page; None where there is none.
    """

    repair: Repair
    href: str | None

    @property
    def status(self) -> str:
        """The status whose symbol and colour its ending has."""
        return STATUSES[self.repair.ended]

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        return ending(self.repair)

    @property
    def came_to(self) -> str:
        """What became of its steps, in words."""
        return ", ".join(f"{number:,} {OUTCOMES[one]}" for one, number in self.repair.outcomes.items() if number)


def index_html(
    entries: Sequence[RunEntry], *, repairs: Sequence[RepairEntry] = (), backups: Sequence[KeptBackup] = ()
) -> str:
    """Render the index, newest first; what cannot be read is listed too.

    Args:
        entries: The runs.
        repairs: The plans of repair, with what became of them.
        backups: The backups, with what the last drill of each found.
    """
    ordered = sorted(entries, key=lambda e: (e.run_id, e.started_at or _OLDEST), reverse=True)
    return render(
        "index.html.j2",
        runs=first(ordered, RUNS_MAX),
        repairs=first(sorted(repairs, key=lambda e: e.repair.id, reverse=True), REPAIRS_MAX),
        backups=first(sorted(backups, key=lambda e: e.id, reverse=True), BACKUPS_MAX),
    )
