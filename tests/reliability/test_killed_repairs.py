"""A repair is killed at every step, and at any time: applied again it ends as planned, and its journal is true.

So is an undo. What stands in the stores afterwards, and in the journal, is what stands there when nobody interferes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contracts.repair import Done, Mended
from contracts.vocabulary import StoreName
from storage.migrations.values import Side
from storage.ports import Row
from tests.support.lives import Life, Nursery
from tests.support.mending import PRISMA, SUPABASE, Change, Repairing, canonical, copies, plan_of, side_of, sides_of
from tests.support.replication import AT, World, keys

A, B, C, D, E, F, G = keys(7)
POINTS = 50
QUICK_POINTS = 2
KILLS = 2  # in a row
LONGEST_S = 0.25  # in which a process has applied a plan
Rows = Mapping[StoreName, Mapping[str, Row]]
_ROW = """
INSERT INTO public.planning (id, type, title, content, status, version, created_at, updated_at)
SELECT *, 'story', {title}, '{{"id": "x", "type": "story"}}', 'draft', 1, '{at}', '{at}' FROM unnest(%s::{type}[])
"""
_REWRITES = """
CREATE OR REPLACE FUNCTION public.rewrite() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN new.version := new.version + 1; RETURN new; END $$;
CREATE OR REPLACE TRIGGER rewrite BEFORE INSERT OR UPDATE ON public.planning
FOR EACH ROW WHEN (new.title = 'rewritten') EXECUTE FUNCTION public.rewrite()
"""


@dataclass(slots=True, kw_only=True)
class Trial:
    """A repair that is killed, and what comes of it when it is not.

    Attributes:
        stores: The stores.
        lives: Lets processes live.
        folder: Where plans are.
        whole: False for the steps that one call on each store takes; True for all that a plan may hold.
    """

    stores: World
    lives: Nursery
    folder: Path
    whole: bool
    number: int = 0
    before: Rows = field(init=False)
    applied: Rows = field(init=False)
    done: Mapping[int, Done] = field(init=False)
    undone: Mapping[int, Done] = field(init=False)
    steps: Mapping[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        for side in Side:
            self.stores.run(side, _REWRITES)
        repair = self.planned()
        self.before = canonical(self.stores)
        applying = self.live(repair)
        self.done, self.applied = repair.done, canonical(self.stores)
        undo = self.undoing(repair)
        undoing = self.live(undo)
        self.undone = undo.done
        assert canonical(self.stores) == self.before
        self.steps = {"apply": applying.steps, "undo": undoing.steps}

    def lay(self) -> None:
        """Lay rows that differ, the same each time."""
        for side, title in ((Side.PRIMARY, "'right'"), (Side.SECONDARY, "'wrong'")):
            kind = "text" if side is Side.PRIMARY else "uuid"
            some = [A, C, D, E, F, G] if side is Side.PRIMARY else [B, C, D, E, F, G]
            self.stores.run(side, "DELETE FROM public.planning")
            self.stores.run(side, _ROW.format(title=title, at=AT, type=kind), some)
            self.stores.run(side, "DELETE FROM twinstore.change")

    def planned(self) -> Repairing:
        """Plan to repair them: a row that comes, one that goes, some that change, one of which a trigger rewrites."""
        self.lay()
        rewritten = {**(self.stores.secondary.look([D])[D].row or {}), "title": "rewritten"}
        changes: list[Change] = [
            *copies(self.stores, SUPABASE, A, B, C),
            (SUPABASE, D, rewritten),
            *copies(self.stores, PRISMA, E),
        ]
        needs = {}
        if self.whole:
            for store in StoreName:
                row = self.stores.doors(side_of(store)).look([F])[F].row or {}
                changes.append((store, F, {**row, "title": "agreed"}))
            changes.append((PRISMA, G, None))
            needs = {7: 2, 8: 5}
        plan = plan_of(sides_of(self.stores), changes, needs=needs)
        self.number += 1
        return Repairing(world=self.stores, plan=plan, folder=self.folder / f"{self.number}")

    def undoing(self, repair: Repairing) -> Repairing:
        """Plan to take it back."""
        undo = repair.undo(repair.folder / "undo")
        assert undo.plan.left == ()
        return undo

    def live(self, repair: Repairing, stop: str | None = None, killed_after_s: float | None = None) -> Life:
        """Let a process apply it, until it ends or is killed."""
        return self.lives.live("repair", str(repair.folder), stop=stop, killed_after_s=killed_after_s)

    def judge(self, what: str, repair: Repairing) -> None:
        """Apply it again, and compare with what comes of it when nobody interferes."""
        told = repair.done
        assert all(told[number] == (self.done if what == "apply" else self.undone)[number] for number in told)
        repair.apply()
        expected, rows = (self.done, self.applied) if what == "apply" else (self.undone, self.before)
        assert repair.done == expected
        assert repair.journal.intended == set()
        assert canonical(self.stores) == rows
        assert not any(found.outcome is not Mended.WRITTEN for found in repair.done.values())

    def prepared(self, what: str) -> Repairing:
        """Return what is to be killed, planned anew."""
        repair = self.planned()
        if what == "apply":
            return repair
        repair.apply()
        return self.undoing(repair)

    def at_every_step(self, what: str, *, every: int = 1) -> Iterator[str]:
        """Kill it at each of its steps, or at some, and yield what is wrong afterwards."""
        for step in self.steps[what][::every]:
            repair = self.prepared(what)
            assert self.live(repair, stop=step).killed, f"nothing died at {step}"
            try:
                self.judge(what, repair)
            except AssertionError as exc:
                yield f"{what}, {step}: {exc}"

    def at_random(self, what: str, points: int, seed: int) -> Iterator[str]:
        """Kill it wherever it is after some time, several times in a row, and yield what is wrong afterwards."""
        rolls = random.Random(seed)
        for point in range(points):
            repair = self.prepared(what)
            for _ in range(KILLS):
                self.live(repair, killed_after_s=rolls.uniform(0.0, LONGEST_S))
            try:
                self.judge(what, repair)
            except AssertionError as exc:
                yield f"{what}, point {point} of seed {seed}: {exc}"


WHATS = pytest.mark.parametrize("what", ["apply", "undo"])


@pytest.mark.parametrize(("what", "every"), [("apply", 1), ("undo", 3)])
def test_a_repair_may_die_at_every_step(stores: World, by_sql: Nursery, tmp_path: Path, what: str, every: int) -> None:
    """Each statement, each line of the journal: half of it written, too. An undo takes the same steps."""
    trial = Trial(stores=stores, lives=by_sql, folder=tmp_path, whole=False)
    assert {f"{store}.mend committing" for store in ("primary", "secondary")} <= set(trial.steps[what])
    assert list(trial.at_every_step(what, every=every)) == []


def test_a_repair_may_die_at_any_time(stores: World, by_sql: Nursery, tmp_path: Path) -> None:
    """Killed from outside, several times in a row."""
    trial = Trial(stores=stores, lives=by_sql, folder=tmp_path, whole=True)
    assert list(trial.at_random("apply", QUICK_POINTS, seed=1)) == []


@pytest.mark.soak
@WHATS
def test_a_whole_repair_may_die_at_every_step(stores: World, by_sql: Nursery, tmp_path: Path, what: str) -> None:
    """Likewise with rows that are written on both stores, and steps that need others."""
    trial = Trial(stores=stores, lives=by_sql, folder=tmp_path, whole=True)
    assert list(trial.at_every_step(what)) == []


@pytest.mark.soak
@WHATS
def test_a_repair_may_die_at_every_step_over_rest(stores: World, by_rest: Nursery, tmp_path: Path, what: str) -> None:
    """Likewise where the secondary is reached over REST: a request that was sent goes on without its process."""
    trial = Trial(stores=stores, lives=by_rest, folder=tmp_path, whole=True)
    assert list(trial.at_every_step(what)) == []


@pytest.mark.soak
@WHATS
@pytest.mark.parametrize("channel", ["by_sql", "by_rest"])
def test_a_repair_may_die_at_many_points(
    stores: World, request: pytest.FixtureRequest, tmp_path: Path, what: str, channel: str
) -> None:
    """Fifty random points of each."""
    trial = Trial(stores=stores, lives=request.getfixturevalue(channel), folder=tmp_path, whole=True)
    assert list(trial.at_random(what, POINTS, seed=2)) == []
