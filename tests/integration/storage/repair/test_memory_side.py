"""The store in memory of unit tests does what a store behind its doors does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.repair import Mended, Step
from contracts.repair.plan import Texts
from contracts.vocabulary import StoreName
from storage.migrations.values import Side
from storage.repair.doors import DoorSide
from storage.repair.ports import RepairSide
from tests.support.memory_side import MemorySide
from tests.support.mending import plan_of
from tests.support.replication import World, keys

A, B, C = keys(3)


@pytest.fixture(params=["doors", "memory"])
def side(request: pytest.FixtureRequest, here: World) -> RepairSide:
    """A secondary that holds two rows, of which one was written a moment ago and waits."""
    here.insert(Side.SECONDARY, A, B)
    here.run(Side.SECONDARY, "DELETE FROM twinstore.change WHERE key = %s", A)
    doors = DoorSide(here.secondary)
    if request.param == "doors":
        return doors
    seen = doors.see([A, B])
    rows = {key: one.row for key, one in seen.items() if one.row is not None}
    return MemorySide(StoreName.SUPABASE, rows, {key: one.line for key, one in seen.items() if one.line is not None})


def step_of(side: RepairSide, key: str, after: Texts | None, number: int = 1) -> Step:
    """Return a step that begins with the row that is there."""
    (step,) = plan_of({StoreName.SUPABASE: side, StoreName.PRISMA: side}, [(StoreName.SUPABASE, key, after)]).steps
    return replace(step, number=number)


def test_keys_are_seen_with_rows_and_lines(side: RepairSide) -> None:
    """One entry for each key that is asked for; what is not there has neither."""
    seen = side.see([A, B, C])
    assert list(seen) == [A, B, C]
    assert [one.row is None for one in seen.values()] == [False, False, True]
    assert [one.line is None for one in seen.values()] == [True, False, True]
    assert side.see([]) == {}


def test_steps_are_taken_only_where_the_row_is_as_planned(side: RepairSide) -> None:
    """Written, already there, moved, waiting: one answer for each step, in their order, and never twice."""
    row = side.see([A])[A].row
    assert row is not None
    changed, new = {**row, "title": "Else"}, {**row, "id": C}
    update, insert = step_of(side, A, changed), step_of(side, C, new, 2)
    waits = replace(step_of(side, B, None, 3), line=None)
    assert [one.outcome for one in side.mend([update, insert, waits], batch="one")] == [
        Mended.WRITTEN,
        Mended.WRITTEN,
        Mended.WAITING,
    ]
    assert [one.outcome for one in side.mend([update, insert])] == [Mended.ALREADY, Mended.ALREADY]
    assert [one.outcome for one in side.mend([replace(update, after={**row, "title": "Third"})])] == [Mended.MOVED]
    assert {number: one.row for number, one in side.see([A, C]).items()} == {A: changed, C: new}
    assert [one.number for one in side.recall("one", [insert])] == [2]
    gone = step_of(side, A, None, 4)
    assert [one.outcome for one in side.mend([gone])] == [Mended.WRITTEN]
    assert side.see([A])[A].row is None
    assert [one.outcome for one in side.mend([gone])] == [Mended.ALREADY]
