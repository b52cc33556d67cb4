"""The index of runs."""

from __future__ import annotations

import re

from contracts.vocabulary import Verdict
from reports.history import RUNS_MAX, RunEntry, index_html
from tests.support.factories import STARTED


def entry(run_id: str, verdict: Verdict | None = Verdict.PASSED, reason: str = "All is well.") -> RunEntry:
    """Return a run; without a verdict it is one that cannot be read."""
    known = verdict is not None
    return RunEntry(
        run_id=run_id,
        started_at=STARTED if known else None,
        environment="production",
        verdict=verdict,
        reason=reason,
        differences=0 if known else None,
        href=f"{run_id}/report.html" if known else None,
    )


def test_the_newest_run_comes_first() -> None:
    """Runs are ordered by id, which sorts by time, and lead to their pages."""
    page = index_html([entry("2026-1"), entry("2026-3"), entry("2026-2")])
    assert re.findall(r'href="(2026[^"]+)"', page) == [f"2026-{n}/report.html" for n in (3, 2, 1)]


def test_unreadable_runs_are_listed() -> None:
    """A run whose report cannot be read is named as such, without a link."""
    page = index_html([entry("2026-1", None, "report.json cannot be read.")])
    assert "unreadable" in page
    assert "report.json cannot be read." in page
    assert 'href="2026' not in page


def test_an_empty_index_says_so() -> None:
    """Before the first run the page is not blank."""
    assert "No run has been published yet." in index_html([])


def test_a_long_history_is_cut() -> None:
    """The index holds the newest runs and counts the rest."""
    page = index_html([entry(f"run-{n:06d}") for n in range(RUNS_MAX + 2)])
    assert page.count('<tr class="item">') == RUNS_MAX
    assert "2 older runs in the same folder" in page


def test_hostile_texts_are_inert() -> None:
    """Text from reports cannot become markup."""
    page = index_html([entry("run", reason='<script>alert(1)</script>"\u202e')])
    assert page.count("<script") == 1
    assert "⟨U+202E⟩" in page
