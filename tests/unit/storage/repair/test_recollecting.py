"""What is found out of batches whose answer was lost: by their names, and by the rows once those are forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.repair import Mended, Plan
from contracts.repair.plan import Texts
from contracts.vocabulary import StoreName
from storage.repair.journal import JOURNAL_FILE, Journal
from storage.repair.recollecting import REMEMBERED, recollect
from storage.repair.undoing import undo_steps
from tests.support.memory_side import MemorySide
from tests.support.mending import PRISMA, SUPABASE, plan_of
from tests.support.repair_plans import COLUMNS

AT = datetime(2026, 3, 14, 2, 30, tzinfo=UTC)
OLD: Texts = dict.fromkeys(COLUMNS, "old")
NEW: Texts = {**OLD, "title": "new"}
ELSE: Texts = {**OLD, "title": "somebody else's"}
KEYS = ("put", "kept", "changed", "gone")
LATE = REMEMBERED + timedelta(minutes=1)


def lost(folder: Path, *, written: bool) -> tuple[Plan, Mapping[StoreName, MemorySide], Journal]:
    """Return a plan of which one call has no answer, as the next process finds it; nobody knows its name any more."""
    sides = {PRISMA: MemorySide(PRISMA, {}), SUPABASE: MemorySide(SUPABASE, dict.fromkeys(KEYS, OLD))}
    plan = plan_of(sides, [*((SUPABASE, key, NEW) for key in KEYS[:3]), (SUPABASE, "gone", None)])
    journal = Journal.open(folder)
    journal.intend([1, 2, 3, 4], batch="b", now=AT)
    if written:
        sides[SUPABASE].mend(plan.steps, batch="b")
    sides[SUPABASE].forget()
    return plan, sides, Journal.open(folder)


@pytest.mark.parametrize("noted", [True, False], ids=["", "without times"])
def test_what_is_forgotten_is_told_by_the_rows(tmp_path: Path, *, noted: bool) -> None:
    """As it was to become: written. As it was: not. Else nobody knows: an undo names it, and leaves it."""
    plan, sides, journal = lost(tmp_path, written=True)
    if not noted:
        file = tmp_path / JOURNAL_FILE
        file.write_text(file.read_text().replace(f', "at": "{AT.isoformat()}"', ""))
        journal = Journal.open(tmp_path)
    sides[SUPABASE].rows |= {"kept": dict(OLD), "changed": dict(ELSE)}
    for row in sides[SUPABASE].rows.values():
        row["later"] = "of a column that came since"
    recollect(plan, sides, journal, may_go_on=lambda: None, now=lambda: AT + LATE)
    for found in (journal, Journal.open(tmp_path)):
        outcomes = {number: done.outcome for number, done in found.done.items()}
        assert outcomes == {1: Mended.WRITTEN, 3: Mended.UNCLEAR, 4: Mended.WRITTEN}
        assert found.unanswered == {}
    undo = undo_steps(plan, journal.done, sides, header=plan.header)
    assert ([step.key for step in undo.steps], [left.key for left in undo.left]) == (["gone", "put"], ["changed"])


@pytest.mark.parametrize("age", [timedelta(0), REMEMBERED])
def test_what_is_remembered_is_believed(tmp_path: Path, age: timedelta) -> None:
    """A store that was asked in time and knows nothing of a call never carried it out, whatever the rows are."""
    plan, sides, journal = lost(tmp_path, written=False)
    sides[SUPABASE].rows |= {"put": dict(NEW), "changed": dict(ELSE)}
    recollect(plan, sides, journal, may_go_on=lambda: None, now=lambda: AT + age)
    assert (journal.done, journal.unanswered) == ({}, {})


def test_a_clock_that_was_put_back_proves_nothing(tmp_path: Path) -> None:
    """Then the rows count."""
    plan, sides, journal = lost(tmp_path, written=True)
    recollect(plan, sides, journal, may_go_on=lambda: None, now=lambda: AT - timedelta(hours=1))
    assert {done.outcome for done in journal.done.values()} == {Mended.WRITTEN}
