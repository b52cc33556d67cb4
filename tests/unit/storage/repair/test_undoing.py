"""What an undo takes back: rows that still are as the repair left them, whoever made them so."""

from __future__ import annotations

from contracts.planning import PLANNING
from contracts.repair import Done, Mended, Verified, Why
from contracts.repair.plan import Texts
from contracts.vocabulary import StoreName
from storage.repair.undoing import undo_steps
from storage.repair.verifying import verify
from tests.support.memory_side import MemorySide
from tests.support.mending import PRISMA, SUPABASE, plan_of
from tests.support.repair_plans import COLUMNS, make_header, older

OLD: Texts = dict.fromkeys(COLUMNS, "old")
NEW: Texts = {**OLD, "title": "new"}
LATER = "metadata"
"""A column that came after a plan was made."""


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


def test_columns_that_came_later_stay_as_they_are() -> None:
    """A row that was changed gets back what it was, and keeps what the repair did not know; others stay, named."""
    sides = pair()
    for side in sides.values():
        side.rows |= {"gone": dict(OLD)}
    changes = [(SUPABASE, "k", NEW), (SUPABASE, "new", NEW), (SUPABASE, "gone", None)]
    plan = older(plan_of(sides, changes), sides, LATER)
    done = {step.number: Done(number=step.number, outcome=Mended.WRITTEN) for step in plan.steps}
    sides[SUPABASE].rows = {"k": {**NEW, LATER: "came since"}, "new": dict(NEW)}
    undo = undo_steps(plan, done, sides, header=make_header())
    assert [(step.key, step.after) for step in undo.steps] == [("k", {**OLD, LATER: "came since"})]
    assert [(left.key, "columns by now" in left.sentence) for left in undo.left] == [("gone", True), ("new", True)]
    assert verify(plan, done, sides, PLANNING) == Verified(differ=3)


def test_what_was_taken_back_by_half_is_taken_back_wholly() -> None:
    """An undo that was cut off took back one of two rows of a record: that is not somebody's change."""
    sides = pair()
    plan = plan_of(sides, [(PRISMA, "k", NEW), (SUPABASE, "k", NEW)])
    done = {one.number: one for step in plan.steps for one in sides[step.store].mend([step])}
    first, second = undo_steps(plan, done, sides, header=plan.header).steps
    sides[first.store].mend([first])
    again = undo_steps(plan, done, sides, header=plan.header)
    assert [(step.store, step.after) for step in again.steps] == [(second.store, OLD)]
    assert [left.why for left in again.left] == [Why.SETTLED]
