"""How steps are taken where a store cannot take as many at once as it is asked to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from contracts.errors import TimedOut
from contracts.repair import Done, Mended, Step
from storage.repair.applying import apply
from storage.repair.journal import Journal
from storage.repair.ports import Seen
from tests.support.memory_side import MemorySide
from tests.support.mending import PRISMA, SUPABASE, plan_of
from tests.support.repair_plans import COLUMNS


class _Slow(MemorySide):
    """A store that gives up on more rows at once than it gets through, and on one row always."""

    most = 3
    never = "k05"

    def mend(
        self, steps: Sequence[Step], *, batch: str | None = None, seen: Mapping[str, Seen] | None = None
    ) -> tuple[Done, ...]:
        """Take steps, or none where they are too many."""
        if len(steps) > self.most or any(step.key == self.never for step in steps):
            raise TimedOut("A statement took too long.", "Try fewer rows.", store=self.store)
        return super().mend(steps, batch=batch, seen=seen)


@pytest.mark.parametrize("again", [False, True])
def test_a_batch_that_takes_too_long_goes_in_halves(tmp_path: Path, *, again: bool) -> None:
    """Every row that the store gets through is written; the one that it never does is left, and nothing is in doubt."""
    row: dict[str, str | None] = dict.fromkeys(COLUMNS, "old")
    keys = [f"k{number:02}" for number in range(16)]
    sides = {PRISMA: MemorySide(PRISMA, {}), SUPABASE: _Slow(SUPABASE, dict.fromkeys(keys, row))}
    plan = plan_of(sides, [(SUPABASE, key, row | {"title": "new"}) for key in keys])
    for _ in range(1 + again):
        journal = Journal.open(tmp_path)
        apply(
            plan,
            sides,
            journal,
            columns=COLUMNS,
            progress=lambda _: None,
            may_go_on=lambda: None,
            wait=lambda _: None,
        )
    outcomes = {keys[number - 1]: done.outcome for number, done in journal.done.items()}
    assert outcomes == {key: Mended.LOCKED if key == _Slow.never else Mended.WRITTEN for key in keys}
    assert journal.unanswered == {}
    assert [key for key, found in sides[SUPABASE].rows.items() if found["title"] == "old"] == [_Slow.never]


def test_what_stands_in_conflict_by_now_is_not_written(tmp_path: Path) -> None:
    """Nor is a step that needs it; the rest of the plan is."""
    row: dict[str, str | None] = dict.fromkeys(COLUMNS, "old")
    keys = ["k1", "k2", "k3"]
    sides = {PRISMA: MemorySide(PRISMA, {}), SUPABASE: MemorySide(SUPABASE, dict.fromkeys(keys, row))}
    plan = plan_of(sides, [(SUPABASE, key, row | {"title": "new"}) for key in keys], needs={2: 1})
    journal = Journal.open(tmp_path)
    apply(
        plan,
        sides,
        journal,
        columns=COLUMNS,
        progress=lambda _: None,
        may_go_on=lambda: None,
        disputed={"k1"},
        wait=lambda _: None,
    )
    outcomes = {number: done.outcome for number, done in journal.done.items()}
    assert outcomes == {1: Mended.WAITING, 2: Mended.HELD, 3: Mended.WRITTEN}
    assert [key for key, found in sides[SUPABASE].rows.items() if found["title"] == "new"] == ["k3"]
