"""A plan is applied, verified and taken back: what moved is left, and what became of each step is found out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg
import pytest

from contracts.errors import Conflict, Unavailable
from contracts.repair import Done, Mended, Step, Why
from contracts.vocabulary import StoreName
from storage.migrations.values import Side
from storage.ports import Row
from storage.repair.applying import WORTH_LOOKING_AHEAD
from storage.repair.ports import RepairSide, Seen
from tests.support.mending import PRISMA, SUPABASE, Repairing, canonical, copies, in_form, plan_of, side_of, sides_of
from tests.support.replication import World, keys

A, B, C, D, E, F = keys(6)
_CLEAN = "DELETE FROM twinstore.change"


def clean(world: World) -> None:
    """Take all lines away, as if everything had been carried over."""
    for side in Side:
        world.run(side, _CLEAN)


def lay(world: World, *some: str, **titles: str) -> None:
    """Insert rows on both stores, as if they had been carried over."""
    for side in Side:
        world.insert(side, *some, title=titles.get(side.value, "T"))
    clean(world)


def repairing(world: World, folder: Path, *changes: tuple[StoreName, str, Row | None], **rest: object) -> Repairing:
    """Plan changes."""
    needs: Mapping[int, int] | None = rest.get("needs")  # type: ignore[assignment]  # the only one
    return Repairing(world=world, plan=plan_of(sides_of(world), changes, needs=needs), folder=folder / "repair")


def row(world: World, store: StoreName, key: str, **changes: str | None) -> Row:
    """Return the row that a store holds, with some columns changed."""
    found = world.doors(side_of(store)).look([key])[key].row
    assert found is not None
    return {**found, **changes}


def differing(world: World) -> list[tuple[StoreName, str, Row | None]]:
    """Lay rows that differ in every way, and return what makes the stores agree: steps on either, one row on both."""
    lay(world, A, B, C, primary="right", secondary="wrong")
    world.insert(Side.PRIMARY, D, title="only here")
    world.insert(Side.SECONDARY, E, title="only there")
    clean(world)
    return [
        *copies(world, SUPABASE, A, D, E),
        *copies(world, PRISMA, B),
        (PRISMA, C, row(world, PRISMA, C, title="agreed")),
        (SUPABASE, C, row(world, SUPABASE, C, title="agreed")),
    ]


def test_a_plan_is_applied_verified_and_taken_back(both: World, tmp_path: Path) -> None:
    """Both stores agree afterwards, no change is noted, and undo gives back each row as it was."""
    changes = differing(both)
    before = canonical(both)
    repair = repairing(both, tmp_path, *changes)
    repair.apply()
    assert repair.outcomes == [Mended.WRITTEN] * 6
    after = canonical(both)
    assert {key: in_form(SUPABASE, found) for key, found in after[PRISMA].items()} == after[SUPABASE]
    assert [both.ask(side, "SELECT key FROM twinstore.change") for side in Side] == [[], []]
    verified = repair.verify()
    assert (verified.agree, verified.differ, verified.moved, verified.unconverged) == (5, 0, (), ())
    undo = repair.undo(tmp_path / "undo")
    assert undo.plan.left == ()
    undo.apply()
    assert undo.outcomes == [Mended.WRITTEN] * 6
    assert canonical(both) == before
    verified = undo.verify()
    assert (verified.agree, verified.differ, verified.moved, verified.unconverged) == (0, 5, (), ())
    again = undo.undo(tmp_path / "again")
    again.apply()
    assert canonical(both) == after


def test_rows_that_are_written_on_both_stores_are_looked_at_in_between(here: World, tmp_path: Path) -> None:
    """The next batch is looked at ahead, but not where it holds rows that are being written beside it."""
    some = keys(WORTH_LOOKING_AHEAD + 1)
    lay(here, *some, primary="right", secondary="wrong")
    rows = {store: sides_of(here)[store].see(some) for store in StoreName}
    changes = [(store, key, {**(rows[store][key].row or {}), "title": "agreed"}) for key in some for store in StoreName]
    repair = repairing(here, tmp_path, *changes)
    real = repair.sides[PRISMA]

    class Slow:
        """A store that writes late enough for anybody to look before."""

        store = real.store
        see, recall = real.see, real.recall

        def mend(
            self, steps: Sequence[Step], *, batch: str | None = None, seen: Mapping[str, Seen] | None = None
        ) -> tuple[Done, ...]:
            """Write late."""
            time.sleep(0.2)
            return real.mend(steps, batch=batch, seen=seen)

    repair.sides = {**repair.sides, PRISMA: Slow()}
    repair.apply()
    assert set(repair.outcomes) == {Mended.WRITTEN}
    assert repair.verify().agree == len(some)


def test_what_moved_since_the_plan_is_left_on_either_store(both: World, tmp_path: Path) -> None:
    """The row that would be written, or the one that it would be written from: both stay, and the step says so."""
    lay(both, A, B, C, D, primary="right", secondary="wrong")
    repair = repairing(both, tmp_path, *copies(both, SUPABASE, A, B, C, D))
    both.titled(Side.SECONDARY, A, "theirs")
    both.titled(Side.PRIMARY, B, "theirs")
    both.titled(Side.PRIMARY, C, "x")
    both.titled(Side.PRIMARY, C, "right")
    repair.apply()
    assert repair.outcomes == [Mended.MOVED, Mended.MOVED, Mended.WAITING, Mended.WRITTEN]
    assert [both.title(Side.SECONDARY, key) for key in (A, B, C, D)] == ["theirs", "wrong", "wrong", "right"]


def test_a_change_that_waits_on_the_other_store_is_noticed(both: World, tmp_path: Path) -> None:
    """Its row reads as it was planned, and yet somebody wrote it: the relay will carry it over."""
    lay(both, A, primary="right", secondary="wrong")
    repair = repairing(both, tmp_path, *copies(both, SUPABASE, A))
    both.run(Side.PRIMARY, "UPDATE public.planning SET title = title")
    repair.apply()
    assert repair.outcomes == [Mended.WAITING]


def test_a_row_that_somebody_writes_is_tried_again(both: World, tmp_path: Path) -> None:
    """While it is locked nobody waits for it; the other steps are taken, and it is written when it is free."""
    lay(both, A, B, primary="right", secondary="wrong")
    repair = repairing(both, tmp_path, *copies(both, SUPABASE, A, B))
    with psycopg.connect(both.dsn(Side.SECONDARY)) as app:
        app.execute("SELECT FROM public.planning WHERE id = %s FOR UPDATE", [A])
        waits: list[float] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            assert both.title(Side.SECONDARY, B) == "right"
            if len(waits) == 2:
                app.rollback()

        repair.apply(wait=wait)
    assert (len(waits), repair.outcomes) == (2, [Mended.WRITTEN] * 2)


def test_a_row_that_stays_locked_is_given_up(here: World, tmp_path: Path) -> None:
    """And so is what needs it."""
    lay(here, A, B, primary="right", secondary="wrong")
    repair = repairing(here, tmp_path, *copies(here, SUPABASE, A, B), needs={2: 1})
    with psycopg.connect(here.dsn(Side.SECONDARY)) as app:
        app.execute("SELECT FROM public.planning WHERE id = %s FOR UPDATE", [A])
        repair.apply()
    assert repair.outcomes == [Mended.LOCKED, Mended.HELD]


def test_a_step_is_taken_only_after_the_one_that_it_needs(both: World, tmp_path: Path) -> None:
    """A record that gets another key is not deleted where its new row could not be written; taken back in reverse."""
    old = "not-a-uuid"
    lay(both, D)
    both.insert(Side.PRIMARY, old, title="named oddly")
    clean(both)
    before = canonical(both)
    renamed = row(both, PRISMA, old, id=A)
    changes = [(PRISMA, A, renamed), (PRISMA, old, None), (SUPABASE, A, in_form(SUPABASE, renamed))]
    repair = repairing(both, tmp_path, *changes, needs={2: 1, 3: 1})
    both.insert(Side.PRIMARY, A, title="theirs")
    repair.apply()
    assert repair.outcomes == [Mended.MOVED, Mended.HELD, Mended.HELD]
    both.delete(Side.PRIMARY, A)
    clean(both)
    repair = repairing(both, tmp_path / "again", *changes, needs={2: 1, 3: 1})
    repair.apply()
    assert repair.outcomes == [Mended.WRITTEN] * 3
    assert repair.verify().agree == 2
    undo = repair.undo(tmp_path / "undo")
    assert [(step.act.value, step.needs) for step in undo.plan.steps] == [
        ("delete", None),
        ("insert", None),
        ("delete", 2),
    ]
    undo.apply()
    assert canonical(both) == before


def test_an_undo_loses_no_record_that_was_given_another_key(here: World, tmp_path: Path) -> None:
    """Where the row with the new key was changed since, the one with the old key is not made again, nor it deleted."""
    here.insert(Side.PRIMARY, "odd", title="named oddly")
    clean(here)
    renamed = row(here, PRISMA, "odd", id=A)
    repair = repairing(here, tmp_path, (PRISMA, A, renamed), (PRISMA, "odd", None), needs={2: 1})
    repair.apply()
    here.titled(Side.PRIMARY, A, "later")
    clean(here)
    undo = repair.undo(tmp_path / "undo")
    assert undo.plan.steps == ()
    assert {(left.key, left.why) for left in undo.plan.left} == {(A, Why.MOVED), ("odd", Why.MOVED)}


def test_an_undo_leaves_what_was_changed_since_and_says_so(both: World, tmp_path: Path) -> None:
    """Changed before it is planned, it is listed; changed after, it has moved. The other store counts, too."""
    lay(both, A, B, C, D, E, primary="right", secondary="wrong")
    repair = repairing(both, tmp_path, *copies(both, SUPABASE, A, B, C, D, E))
    repair.apply()
    both.titled(Side.SECONDARY, A, "later")
    both.titled(Side.PRIMARY, B, "later")
    clean(both)
    both.titled(Side.SECONDARY, E, "waits")
    undo = repair.undo(tmp_path / "undo")
    assert {(left.key, left.why) for left in undo.plan.left} == {
        (A, Why.MOVED),
        (B, Why.MOVED),
        (E, Why.UNDER_WAY),
    }
    both.titled(Side.SECONDARY, C, "later still")
    undo.apply()
    assert {step.key: undo.done[step.number].outcome for step in undo.plan.steps} == {
        C: Mended.MOVED,
        D: Mended.WRITTEN,
    }
    assert both.title(Side.SECONDARY, D) == "wrong"


class Broken:
    """A store that goes away in the middle of a call: before it is carried out, or after.

    Args:
        side: The store.
        carried_out: Whether the call is carried out.
    """

    def __init__(self, side: RepairSide, *, carried_out: bool) -> None:
        self.store = side.store
        self._side = side
        self._carried_out = carried_out
        self.see, self.recall = side.see, side.recall

    def mend(
        self, steps: Sequence[Step], *, batch: str | None = None, seen: Mapping[str, Seen] | None = None
    ) -> tuple[Done, ...]:
        """Lose the answer."""
        if self._carried_out:
            self._side.mend(steps, batch=batch, seen=seen)
        raise Unavailable("It went away.", "Try again.")


_REWRITE = (
    "CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN new.version := new.version + 1; RETURN new; END $$;"
    "CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON public.planning FOR EACH ROW EXECUTE FUNCTION public.touch()"
)


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("rewritten", [True, False])
def test_an_answer_that_is_lost_is_found_out(own: World, tmp_path: Path, *, carried_out: bool, rewritten: bool) -> None:
    """The next apply knows what became of it, also of rows that a trigger rewrote, and undo takes them back."""
    lay(own, A, B, primary="right", secondary="wrong")
    if rewritten:
        own.run(Side.SECONDARY, _REWRITE)
    repair = repairing(own, tmp_path, *copies(own, SUPABASE, A, B))
    real = repair.sides
    repair.sides = {**real, SUPABASE: Broken(real[SUPABASE], carried_out=carried_out)}
    with pytest.raises(Unavailable):
        repair.apply()
    assert (repair.journal.intended, repair.done) == ({1, 2}, {})
    repair.sides = real
    repair.apply()
    assert (repair.outcomes, repair.journal.intended) == ([Mended.WRITTEN] * 2, set())
    assert [(found.row or {}).get("version") for found in repair.done.values()] == (
        ["2"] * 2 if rewritten else [None] * 2
    )
    undo = repair.undo(tmp_path / "undo")
    undo.apply()
    assert undo.outcomes == [Mended.WRITTEN] * 2
    assert [own.title(Side.SECONDARY, key) for key in (A, B)] == ["wrong"] * 2


def test_what_somebody_else_did_is_not_taken_back(both: World, tmp_path: Path) -> None:
    """A row that is as it was to become, and not by this repair, stays when the repair is undone."""
    lay(both, A, primary="right", secondary="wrong")
    repair = repairing(both, tmp_path, *copies(both, SUPABASE, A))
    both.titled(Side.SECONDARY, A, "right")
    clean(both)
    repair = Repairing(world=both, plan=repair.plan, folder=repair.folder)
    after = row(both, SUPABASE, A)
    step = repair.plan.steps[0]
    both.run(Side.SECONDARY, "UPDATE public.planning SET updated_at = %s", (step.after or {})["updated_at"])
    clean(both)
    assert after["title"] == "right"
    repair.apply()
    assert repair.outcomes == [Mended.ALREADY]
    assert repair.undo(tmp_path / "undo").plan.steps == ()


def test_a_lease_that_is_lost_stops_it_between_batches(here: World, tmp_path: Path) -> None:
    """What was written is in the journal, and the rest is done when it is applied again."""
    lay(here, A, primary="right", secondary="wrong")
    repair = repairing(here, tmp_path, *copies(here, SUPABASE, A))

    def lost() -> None:
        raise Conflict("Lost.", "Try again.")

    with pytest.raises(Conflict):
        repair.apply(may_go_on=lost)
    assert here.title(Side.SECONDARY, A) == "wrong"
    repair.apply()
    assert repair.outcomes == [Mended.WRITTEN]


def test_a_row_may_come_after_the_one_that_refers_to_it(own: World, tmp_path: Path) -> None:
    """A step that a foreign key refuses is taken again when its parent is there."""
    own.run(Side.SECONDARY, "ALTER TABLE public.planning ADD FOREIGN KEY (project_id) REFERENCES public.planning")
    own.insert(Side.PRIMARY, A, B, title="T")
    own.run(Side.PRIMARY, "UPDATE public.planning SET project_id = %s WHERE id = %s", B, A)
    own.insert(Side.SECONDARY, C)
    clean(own)
    lone = in_form(SUPABASE, {**row(own, SUPABASE, C), "project_id": D})
    repair = repairing(own, tmp_path, (SUPABASE, C, lone), *copies(own, SUPABASE, A), *copies(own, SUPABASE, B))
    repair.apply()
    assert repair.outcomes == [Mended.REJECTED, Mended.WRITTEN, Mended.WRITTEN]


@pytest.mark.parametrize("store", StoreName)
def test_a_repair_stands_aside_for_a_relay_of_its_own_dataset(here: World, tmp_path: Path, store: StoreName) -> None:
    """A row deleted, made again alike and carried over between the two looks is not deleted as if nothing had been."""
    here.insert(side_of(store), A, title="T")
    clean(here)
    repair = repairing(here, tmp_path, (store, A, None))
    kept = row(here, store, A)
    real = repair.sides[store.other]

    class Late:
        """The other store, which is seen just before somebody makes the row again, on both."""

        store = real.store
        mend, recall = real.mend, real.recall

        def see(self, some: Sequence[str]) -> dict[str, Seen]:
            """Look, and let it happen then."""
            found = real.see(some)
            if some and found[A].row is None:
                here.insert(side_of(real.store), A, title="T")
                for name in ("created_at", "updated_at"):
                    here.run(side_of(real.store), f"UPDATE public.planning SET {name} = %s", kept[name])
                here.relay.drain()
            return found

    repair.sides = {**repair.sides, store.other: Late()}
    repair.apply()
    assert repair.outcomes == [Mended.MOVED]
    assert here.titles(A) == ("T", "T")
