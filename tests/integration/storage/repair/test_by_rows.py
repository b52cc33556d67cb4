"""Repair of a project without our functions: row by row, as planned as far as a request can ask; no delete."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from contracts.errors import OutcomeUnknown
from contracts.planning import PLANNING
from contracts.repair import Mended
from storage.migrations.values import Side
from storage.repair.by_rows import RowsSide
from storage.repair.doors import DoorSide
from storage.repair.ports import RepairSide, Seen
from storage.rest.client import RestAccess, RestClient
from tests.support.gateway import Rest, serve
from tests.support.mending import PRISMA, SUPABASE, Change, Repairing, copies, plan_of
from tests.support.replication import World, keys

A, B, C, D = keys(4)


@pytest.fixture
def rest(here: World) -> Iterator[Rest]:
    """The secondary, served over REST."""
    with serve(here.pair.secondary_gate) as found:
        yield found


@pytest.fixture
def rows(rest: Rest) -> Iterator[RowsSide]:
    """The secondary as rows."""
    with RestClient(RestAccess(url=rest.url, key=rest.secret_key)) as client:
        yield RowsSide(client, PLANNING)


def repairing(world: World, rows: RepairSide, folder: Path, *changes: Change) -> Repairing:
    """Plan changes of a secondary without functions; nothing is known of lines there."""
    sides = {PRISMA: DoorSide(world.primary), SUPABASE: rows}
    repair = Repairing(world=world, plan=plan_of(sides, changes), folder=folder)
    repair.sides = sides
    return repair


def lay(world: World) -> None:
    """Lay rows that differ, one on each store alone."""
    world.insert(Side.PRIMARY, A, B, C, title="right")
    world.insert(Side.SECONDARY, A, B, D, title="wrong")
    for side in Side:
        world.run(side, "DELETE FROM twinstore.change")


def test_rows_are_seen_as_by_our_functions(here: World, rows: RowsSide) -> None:
    """Text for text; a key that the store cannot hold is absent."""
    lay(here)
    by_door = DoorSide(here.secondary).see([A, C, "odd"])
    assert rows.see([A, C, "odd"]) == {key: Seen(seen.row, None) for key, seen in by_door.items()}


def test_rows_are_written_as_planned(here: World, rows: RowsSide, tmp_path: Path) -> None:
    """Updated and inserted, bodies as JSON; a delete is refused, since nothing tells what would go with it."""
    lay(here)
    repair = repairing(here, rows, tmp_path, *copies(here, SUPABASE, A, C, D))
    repair.apply()
    assert repair.outcomes == [Mended.WRITTEN, Mended.WRITTEN, Mended.REJECTED]
    assert repair.done[3].code == "TW004"
    assert [here.title(Side.SECONDARY, key) for key in (A, C, D)] == ["right", "right", "wrong"]
    assert here.ask(Side.SECONDARY, "SELECT DISTINCT jsonb_typeof(content) FROM public.planning") == [("object",)]
    verified = repair.verify()
    assert (verified.agree, [found.key for found in verified.unconverged]) == (2, [D])
    assert rows.mend(repair.plan.steps[:2]) == rows.mend(repair.plan.steps[:2])
    assert [done.outcome for done in rows.mend(repair.plan.steps[:2])] == [Mended.ALREADY] * 2


def test_what_moved_is_left(here: World, rows: RowsSide, tmp_path: Path) -> None:
    """Before the row is read, and between that and the request."""
    lay(here)
    repair = repairing(here, rows, tmp_path, *copies(here, SUPABASE, A, B, C))
    here.titled(Side.SECONDARY, A, "theirs")
    real = rows.see

    def see(some: Sequence[str]) -> dict[str, Seen]:
        """Look, and let somebody write then."""
        found = real(some)
        if here.title(Side.SECONDARY, B) == "wrong":
            here.titled(Side.SECONDARY, B, "theirs")
            here.insert(Side.SECONDARY, C, title="theirs")
        return found

    rows.see = see  # type: ignore[method-assign, assignment]  # somebody is faster
    assert [done.outcome for done in rows.mend(repair.plan.steps)] == [Mended.MOVED] * 3
    assert [here.title(Side.SECONDARY, key) for key in (A, B, C)] == ["theirs"] * 3


def test_what_the_store_refuses_or_rewrites_is_told(own: World, tmp_path: Path) -> None:
    """With its SQLSTATE, and the row as it stands."""
    lay(own)
    own.run(
        Side.SECONDARY,
        "ALTER TABLE public.planning ADD CONSTRAINT no_b CHECK (title <> 'right' OR id::text <> '" + B + "');"
        "CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN new.version := new.version + 1; RETURN new; END $$;"
        "CREATE TRIGGER touch BEFORE UPDATE ON public.planning FOR EACH ROW EXECUTE FUNCTION public.touch()",
    )
    with serve(own.pair.secondary_gate) as rest, RestClient(RestAccess(url=rest.url, key=rest.secret_key)) as client:
        repair = repairing(own, RowsSide(client, PLANNING), tmp_path, *copies(own, SUPABASE, A, B))
        repair.apply()
        assert repair.outcomes == [Mended.WRITTEN, Mended.REJECTED]
        assert (repair.done[1].row or {})["version"] == "2"
        assert repair.done[2].code == "23514"
        assert [found.fields for found in repair.verify().unconverged] == [("version",), ("title",)]


def test_a_number_that_would_lose_digits_on_its_way_is_not_written(here: World, rows: RowsSide, tmp_path: Path) -> None:
    """A client of the REST API sends numbers as it has them: one that it has not exactly is refused."""
    lay(here)
    body = json.dumps({"id": "x", "type": "story", "n": 0}).replace("0}", "12345678901234567.123456789}")
    here.run(Side.PRIMARY, "UPDATE public.planning SET content = %s WHERE id = %s", body, A)
    here.run(Side.PRIMARY, "DELETE FROM twinstore.change")
    repair = repairing(here, rows, tmp_path, *copies(here, SUPABASE, A))
    repair.apply()
    assert (repair.outcomes, repair.done[1].code) == ([Mended.REJECTED], "22003")


@pytest.mark.parametrize("carried_out", [True, False])
def test_an_answer_that_is_lost_is_found_out(here: World, rest: Rest, tmp_path: Path, *, carried_out: bool) -> None:
    """By what the row is afterwards: one that is as it was to become was written by this repair."""
    lay(here)
    with RestClient(RestAccess(url=rest.url, key=rest.secret_key)) as client:
        side = RowsSide(client, PLANNING)
        repair = repairing(here, side, tmp_path, *copies(here, SUPABASE, A))
        real = client.write

        def write(builder: object, columns: Sequence[str]) -> list[tuple[str | None, ...]]:
            """Lose the answer."""
            if carried_out:
                real(builder, columns)  # type: ignore[arg-type]  # as it came
            raise OutcomeUnknown("Nobody knows.", "Look.")

        client.write = write  # type: ignore[method-assign]  # the network
        with pytest.raises(OutcomeUnknown):
            repair.apply()
        client.write = real  # type: ignore[method-assign]  # it is back
        repair.apply()
        assert repair.outcomes == [Mended.WRITTEN]
