"""What an undo takes back: rows that still are as the repair left them, whoever made them so."""

from __future__ import annotations

from contracts.repair import Mended, Why
from contracts.repair.plan import Texts
from contracts.vocabulary import StoreName
from storage.repair.undoing import undo_steps
from tests.support.memory_side import MemorySide
from tests.support.mending import PRISMA, SUPABASE, plan_of
from tests.support.repair_plans import COLUMNS

OLD: Texts = dict.fromkeys(COLUMNS, "old")
NEW: Texts = {**OLD, "title": "new"}


def pair() -> dict[StoreName, MemorySide]:
    """Return both stores, each with one row."""
    return {store: MemorySide(store, {"k": OLD}) for store in StoreName}


def test_a_step_that_somebody_else_took_is_how_the_repair_left_the_row() -> None:
    """Of a record that was written on one store, and found as planned on the other one, what was written goes back."""
    sides = pair()
    plan = plan_of(sides, [(PRISMA, "k", NEW), (SUPABASE, "k", NEW)])
    sides[PRISMA].rows["k"] = dict(NEW)
    done = {step.number: one for step in plan.steps for one in sides[step.store].mend([step])}
    assert [done[number].outcome for number in (1, 2)] == [Mended.ALREADY, Mended.WRITTEN]
    undo = undo_steps(plan, done, sides, header=plan.header)
    assert ([(step.store, step.after) for step in undo.steps], undo.left) == ([(SUPABASE, OLD)], ())


def test_what_nobody_carries_over_is_not_waited_for() -> None:
    """Captured changes of stores that were not adopted tell nothing: the rows do."""
    sides = pair()
    plan = plan_of(sides, [(SUPABASE, "k", NEW)])
    done = {one.number: one for one in sides[SUPABASE].mend(plan.steps)}
    sides[PRISMA].lines["k"] = 7  # somebody wrote the row as it was
    waits = undo_steps(plan, done, sides, header=plan.header)
    assert ([left.why for left in waits.left], waits.steps) == ([Why.UNDER_WAY], ())
    (step,) = undo_steps(plan, done, sides, header=plan.header, adopted=False).steps
    assert (step.after, step.other_line) == (OLD, 7)
    sides[PRISMA].rows["k"]["title"] = "somebody's"
    moved = undo_steps(plan, done, sides, header=plan.header, adopted=False)
    assert ([left.why for left in moved.left], moved.steps) == ([Why.MOVED], ())
