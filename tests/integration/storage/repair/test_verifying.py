"""What keeps a repair from staying is recognised and said, instead of being repaired for ever."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.errors import Refused
from contracts.repair import Mended, Unconverged, Verified
from storage.migrations.values import Side
from storage.ports import Row
from tests.support.mending import SUPABASE, Change, Repairing, copies, plan_of, sides_of
from tests.support.replication import World, keys

A, B, C = keys(3)
_TRIGGER = (
    "CREATE FUNCTION public.app() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
    "CREATE TRIGGER app {when} ON public.planning FOR EACH ROW EXECUTE FUNCTION public.app()"
)


def trigger(body: str, when: str = "BEFORE INSERT OR UPDATE") -> str:
    """Return a trigger of an application."""
    return _TRIGGER.format(body=body, when=when)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What stands in the way of a repair of the secondary.

    Attributes:
        broken: How the application's table came to be so.
        fields: The columns that are not as planned.
        why: What the sentence says.
        outcome: What becomes of the step.
        source: Value of that column in the row that is written; None for none.
        delete: True when the row is deleted.
    """

    broken: str
    fields: tuple[str, ...]
    why: str
    outcome: Mended = Mended.WRITTEN
    source: str | None = "right"
    delete: bool = False


CASES = {
    "a touch trigger": Case(
        broken=trigger("new.updated_at := now(); RETURN new;"),
        fields=("updated_at",),
        why="sets at every write updated_at",
    ),
    "a trigger that fills": Case(
        broken=trigger("new.source := coalesce(new.source, 'web'); RETURN new;"),
        fields=("source",),
        why="fills, by a default or a trigger, what is given without a value: source",
        source=None,
    ),
    "a trigger that keeps": Case(
        broken=trigger("new.source := old.source; RETURN new;", "BEFORE UPDATE"),
        fields=("source",),
        why="keeps as it was source",
    ),
    "a trigger that rewrites, and touches": Case(
        broken=trigger("new.source := upper(new.source); new.updated_at := now(); RETURN new;"),
        fields=("source", "updated_at"),
        why="sets at every write updated_at; rewrites source",
    ),
    "a trigger that suppresses": Case(
        broken=trigger("RETURN NULL;"),
        fields=("source",),
        why="suppresses the write",
        outcome=Mended.REJECTED,
    ),
    "a generated column": Case(
        broken=(
            "ALTER TABLE public.planning DROP COLUMN source;"
            "ALTER TABLE public.planning ADD COLUMN source text GENERATED ALWAYS AS (lower(title)) STORED"
        ),
        fields=("source",),
        why="generates the column source itself",
        outcome=Mended.REJECTED,
    ),
    "an identity": Case(
        broken=(
            "ALTER TABLE public.planning ALTER COLUMN version DROP DEFAULT, ALTER COLUMN version SET NOT NULL;"
            "ALTER TABLE public.planning ALTER COLUMN version ADD GENERATED ALWAYS AS IDENTITY"
        ),
        fields=("source",),
        why="generates the column version itself",
        outcome=Mended.REJECTED,
    ),
    "a check constraint": Case(
        broken="ALTER TABLE public.planning ADD CONSTRAINT no_source CHECK (source IS NULL) NOT VALID",
        fields=("source",),
        why="The check constraint no_source of supabase refuses the row",
        outcome=Mended.REJECTED,
    ),
    "a trigger that raises": Case(
        broken=trigger("RAISE EXCEPTION 'no';"),
        fields=("source",),
        why="refuses the row by an error of its own",
        outcome=Mended.REJECTED,
    ),
    "a trigger that asks for more rights": Case(
        broken=trigger("RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'not yours';"),
        fields=("source",),
        why="A policy of row level security, or a missing grant",
        outcome=Mended.REJECTED,
    ),
    "a trigger that makes the row again": Case(
        broken=trigger("INSERT INTO public.planning SELECT old.*; RETURN NULL;", "AFTER DELETE"),
        fields=(),
        why="makes the row again when it is deleted",
        delete=True,
    ),
    "rows of another table": Case(
        broken=(
            "CREATE TABLE public.note (planning_id uuid REFERENCES public.planning ON DELETE SET NULL);"
            f"INSERT INTO public.note VALUES ('{A}')"
        ),
        fields=(),
        why="by the foreign key note_planning_id_fkey",
        outcome=Mended.REJECTED,
        delete=True,
    ),
}


def repaired(world: World, folder: Path, *changes: Change) -> tuple[Repairing, Verified]:
    """Apply changes and read both stores again."""
    repair = Repairing(world=world, plan=plan_of(sides_of(world), changes), folder=folder)
    repair.apply()
    return repair, repair.verify()


def lay(world: World, source: str | None) -> Row:
    """Lay a row that differs in one column; return how it is to be on the secondary."""
    for side in Side:
        world.insert(side, A, B)
    world.run(Side.PRIMARY, "UPDATE public.planning SET source = %s WHERE id = %s", source, A)
    world.run(Side.SECONDARY, "UPDATE public.planning SET source = 'wrong', updated_at = updated_at WHERE id = %s", A)
    for side in Side:
        world.run(side, "DELETE FROM twinstore.change")
    ((_, _, row),) = copies(world, SUPABASE, A)
    assert row is not None
    return row


@pytest.mark.parametrize("name", CASES)
def test_what_stands_in_the_way_is_said(own: World, tmp_path: Path, name: str) -> None:
    """The column, and the reason, of a row that the store rewrites or refuses; without a value of the record."""
    case = CASES[name]
    row = lay(own, case.source)
    own.run(Side.SECONDARY, case.broken)
    own.run(Side.SECONDARY, "DELETE FROM twinstore.change")
    repair, verified = repaired(own, tmp_path, (SUPABASE, A, None if case.delete else row))
    assert repair.outcomes == [case.outcome]
    (found,) = verified.unconverged
    assert isinstance(found, Unconverged)
    assert (found.number, found.store, found.key) == (1, SUPABASE, A)
    assert case.why in found.why
    assert found.fields == case.fields or case.delete
    assert "right" not in found.why
    assert (verified.agree, verified.differ, verified.moved) == (0, 0, ())


def test_row_level_security_that_binds_us_stops_a_repair(own: World, tmp_path: Path) -> None:
    """Rows that a policy would hide are an error, never absent: nothing is concluded, and nothing written."""
    row = lay(own, "right")
    repair = Repairing(world=own, plan=plan_of(sides_of(own), [(SUPABASE, A, row)]), folder=tmp_path)
    own.run(Side.PRIMARY, "ALTER TABLE public.planning ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    with pytest.raises(Refused):
        repair.apply()
    own.run(Side.PRIMARY, "ALTER TABLE public.planning NO FORCE ROW LEVEL SECURITY")
    repair.apply()
    assert repair.outcomes == [Mended.WRITTEN]


def test_a_row_that_something_puts_back_is_told_from_one_that_somebody_changed(both: World, tmp_path: Path) -> None:
    """As it was before, and no change noted: a loop. Another value: somebody. Alike on both stores: fine."""
    for side in Side:
        both.insert(side, A, B, C, title=side.value)
        both.run(side, "DELETE FROM twinstore.change")
    repair, verified = repaired(both, tmp_path, *copies(both, SUPABASE, A, B, C))
    assert (verified.agree, verified.unconverged) == (3, ())
    both.titled(Side.SECONDARY, A, "secondary")
    both.run(
        Side.SECONDARY, "UPDATE public.planning SET updated_at = %s", (repair.plan.steps[0].before or {})["updated_at"]
    )
    both.titled(Side.SECONDARY, B, "later")
    both.run(Side.SECONDARY, "DELETE FROM twinstore.change")
    verified = repair.verify()
    assert [(found.key, found.fields) for found in verified.unconverged] == [(A, ("title",))]
    assert "puts the row of supabase back" in verified.unconverged[0].why
    assert (verified.agree, verified.moved) == (1, (B,))


def test_fields_that_were_not_asked_for_may_differ(both: World, tmp_path: Path) -> None:
    """A plan that changes one field leaves the others: that is no failure of it."""
    for side in Side:
        both.insert(side, A, title=side.value)
        both.run(side, "UPDATE public.planning SET version = 7 WHERE id = %s", A) if side is Side.PRIMARY else None
        both.run(side, "DELETE FROM twinstore.change")
    ((_, _, row),) = copies(both, SUPABASE, A)
    wrong = both.secondary.look([A])[A].row
    assert row is not None
    assert wrong is not None
    repair, verified = repaired(both, tmp_path, (SUPABASE, A, {**wrong, "title": row["title"]}))
    assert repair.outcomes == [Mended.WRITTEN]
    assert (verified.agree, verified.differ, verified.moved, verified.unconverged) == (0, 1, (), ())
    both.titled(Side.PRIMARY, A, "later")
    assert repair.verify().moved == (A,)
