"""The door by which a repair writes: a row only as it was planned, once, and never carried over."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import psycopg
import pytest

from contracts.repair import Mended
from storage.migrations.values import Side
from storage.ports import Row
from storage.replication.messages import Mend, Remedy
from tests.support.replication import World, keys

A, B, C, D = keys(4)

sides = pytest.mark.parametrize("side", Side)


def stored(world: World, side: Side, key: str) -> Row | None:
    """Return a row as its store writes it."""
    return world.doors(side).look([key])[key].row


def put(world: World, side: Side, key: str, title: str = "old") -> Row:
    """Insert a row as an application does, and take its lines away; return it as its store writes it."""
    world.insert(side, key, title=title)
    clean(world, side, key)
    row = stored(world, side, key)
    assert row is not None
    return row


def clean(world: World, side: Side, *some: str) -> None:
    """Take lines away, as if they had been carried over."""
    for key in some:
        world.run(side, "DELETE FROM twinstore.change WHERE key = %s", key)


def mended(world: World, side: Side, *mends: Mend, batch: str | None = None) -> tuple[Remedy, ...]:
    """Take steps."""
    return world.doors(side).mend(mends, batch=batch)


def outcomes(remedies: Sequence[Remedy]) -> list[Mended]:
    """Return what became of each."""
    return [remedy.outcome for remedy in remedies]


def given(world: World, side: Side, key: str, title: str = "new") -> Row:
    """Return a row in the form in which a store holds it."""
    world.insert(side, key, title=title)
    row = stored(world, side, key)
    assert row is not None
    world.delete(side, key)
    clean(world, side, key)
    return row


@sides
@pytest.mark.parametrize("together", [True, False])
def test_rows_are_written_as_planned_and_not_carried_over(both: World, side: Side, together: bool) -> None:  # noqa: FBT001 - a case
    """Inserted, updated, deleted, by one call or several; times stay as they are given, and no line is added."""
    new = given(both, side, A)
    old, gone = put(both, side, B), put(both, side, C)
    mends = [
        Mend(key=A, before=None, after=new),
        Mend(key=B, before=old, after={**old, "title": "new", "user_id": None}),
        Mend(key=C, before=gone, after=None),
    ]
    taken = mended(both, side, *mends) if together else [mended(both, side, mend)[0] for mend in mends]
    assert [(r.outcome, r.code) for r in taken] == [(Mended.WRITTEN, None)] * 3
    assert [remedy.row for remedy in taken] == [None] * 3
    assert [stored(both, side, key) for key in (A, B, C)] == [mend.after for mend in mends]
    assert [both.lines(side, key) for key in (A, B, C)] == [[], [], []]
    assert outcomes(mended(both, side, *mends)) == [Mended.ALREADY] * 3


@sides
@pytest.mark.parametrize("together", [True, False])
def test_a_row_that_moved_is_not_overwritten(both: World, side: Side, together: bool) -> None:  # noqa: FBT001 - a case
    """Another value, a row that came, a row that went: it stays, and the other steps are taken."""
    here, gone, new = put(both, side, A), put(both, side, B), given(both, side, C)
    both.titled(side, A, "somebody else's")
    both.delete(side, B)
    both.insert(side, C, title="somebody else's")
    fine = put(both, side, D)
    clean(both, side, A, B, C)
    mends = [
        Mend(key=A, before=here, after=None),
        Mend(key=B, before=gone, after={**gone, "title": "new"}),
        Mend(key=C, before=None, after=new),
        Mend(key=D, before=fine, after={**fine, "title": "new"}),
    ]
    taken = mended(both, side, *mends) if together else [mended(both, side, mend)[0] for mend in mends]
    assert outcomes(taken) == [*[Mended.MOVED] * 3, Mended.WRITTEN]
    assert [both.title(side, key) for key in (A, B, C, D)] == ["somebody else's", None, "somebody else's", "new"]


@sides
def test_a_change_that_waits_is_not_overtaken(both: World, side: Side) -> None:
    """Where a line is there that the plan did not know of, or another one, nothing is written."""
    row = put(both, side, A)
    both.titled(side, A, "somebody else's")
    both.titled(side, A, "old")
    both.insert(side, B)
    both.delete(side, B)
    new = {**row, "id": B}
    (line,) = both.lines(side, A)[-1:]
    row = stored(both, side, A) or {}
    mends = [Mend(key=A, before=row, after=None), Mend(key=B, before=None, after=new)]
    assert outcomes(mended(both, side, *mends)) == [Mended.WAITING] * 2
    assert outcomes(mended(both, side, Mend(key=A, before=row, after=None, line=line - 1))) == [Mended.WAITING]
    assert outcomes(mended(both, side, Mend(key=A, before=row, after=None, line=line))) == [Mended.WRITTEN]
    assert both.lines(side, A)[-1] == line


@sides
def test_a_row_that_was_written_since_is_known_though_it_reads_the_same(both: World, side: Side) -> None:
    """Deleted and made again between two looks: it is another row, which is looked at again before anything is done."""
    row = put(both, side, A)
    mark = both.doors(side).look([A])[A].mark
    both.delete(side, A)
    put(both, side, A)
    both.run(
        side,
        "UPDATE public.planning SET created_at = %s, updated_at = %s",
        *[row[n] for n in ("created_at", "updated_at")],
    )
    clean(both, side, A)
    assert stored(both, side, A) == row
    assert outcomes(mended(both, side, Mend(key=A, before=row, after=None, mark=mark))) == [Mended.LOCKED]
    mark = both.doors(side).look([A])[A].mark
    assert outcomes(mended(both, side, Mend(key=A, before=row, after=None, mark=mark))) == [Mended.WRITTEN]


@sides
def test_an_insert_that_came_and_went_before_it_was_seen_is_noticed(both: World, side: Side) -> None:
    """A transaction that inserts and deletes leaves no row, but a line: a repair that waited for it stands aside."""
    new = given(both, side, A)
    before = both.doors(side).look([A])[A].mark
    with psycopg.connect(both.dsn(side)) as app:
        app.execute(
            "INSERT INTO public.planning (id, type, title, content, version, created_at, updated_at)"
            " VALUES (%s, 'story', 'x', '{}', 1, now(), now())",
            [A],
        )
        app.execute("DELETE FROM public.planning WHERE id = %s", [A])
        timer = threading.Timer(0.05, app.commit)
        timer.start()
        (taken,) = mended(both, side, Mend(key=A, before=None, after=new, mark=before))
        timer.join()
    assert taken.outcome in (Mended.WAITING, Mended.LOCKED)
    assert both.title(side, A) is None
    assert outcomes(mended(both, side, Mend(key=A, before=None, after=new))) == [Mended.WAITING]


@sides
@pytest.mark.parametrize("there", [True, False])
def test_nobody_is_waited_for(both: World, side: Side, there: bool) -> None:  # noqa: FBT001 - a case
    """A row that an application is writing is locked, one that it is inserting, too; the others are written."""
    new = given(both, side, A)
    before = put(both, side, A) if there else None
    row = put(both, side, B)
    with psycopg.connect(both.dsn(side)) as app:
        if there:
            app.execute("UPDATE public.planning SET title = 'theirs' WHERE id = %s", [A])
        else:
            app.execute(
                "INSERT INTO public.planning (id, type, title, content, version, created_at, updated_at)"
                " VALUES (%s, 'story', 'theirs', '{}', 1, now(), now())",
                [A],
            )
        mends = [Mend(key=A, before=before, after=new), Mend(key=B, before=row, after=None)]
        assert outcomes(mended(both, side, *mends)) == [Mended.LOCKED, Mended.WRITTEN]
    assert both.title(side, A) == "theirs"


@sides
def test_a_call_is_carried_out_once(both: World, side: Side) -> None:
    """Sent again, or recalled, it tells what became of it then; one that was asked for in vain never is carried out."""
    row = put(both, side, A)
    doors = both.doors(side)
    mend = Mend(key=A, before=row, after={**row, "title": "new"})
    first = mended(both, side, mend, batch="r.1")
    assert outcomes(first) == [Mended.WRITTEN]
    assert doors.recall("r.1") == first
    both.titled(side, A, "somebody else's")
    assert mended(both, side, mend, batch="r.1") == first
    assert doors.recall("r.2") is None
    now = stored(both, side, A)
    clean(both, side, A)
    with pytest.raises(Exception, match="no list"):
        mended(both, side, Mend(key=A, before=now, after=None), batch="r.2")
    assert both.title(side, A) == "somebody else's"


@sides
def test_nothing_of_a_row_is_kept_by_which_a_call_is_known_again(own: World, side: Side) -> None:
    """Beside the outcome stands a hash at most; it tells whether the row still is as it was left."""
    own.run(
        side,
        "CREATE FUNCTION public.shout() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN new.title := upper(new.title); RETURN new; END $$",
    )
    row = put(own, side, A)
    own.run(side, "CREATE TRIGGER shout BEFORE UPDATE ON public.planning FOR EACH ROW EXECUTE FUNCTION public.shout()")
    (taken,) = mended(own, side, Mend(key=A, before=row, after={**row, "title": "secret"}), batch="r")
    assert (taken.outcome, taken.row) == (Mended.WRITTEN, {**row, "title": "SECRET"})
    assert own.doors(side).recall("r") == (taken,)
    ((kept,),) = own.ask(side, "SELECT answer::text FROM twinstore.request")
    assert "secret" not in kept.lower()
    own.titled(side, A, "later")
    assert own.doors(side).recall("r") == (Remedy(key=A, outcome=Mended.WRITTEN, row=None, code=None, rule=None),)


BROKEN: dict[str, tuple[dict[str, str | None], str, str | None]] = {
    "a value": ({"version": "many"}, "22P02", None),
    "a value that is missing": ({"title": None}, "23502", None),
}


@sides
@pytest.mark.parametrize("name", BROKEN)
def test_a_row_that_cannot_be_held_is_refused_alone(both: World, side: Side, name: str) -> None:
    """The others are written; the refusal has its SQLSTATE."""
    changes, code, rule = BROKEN[name]
    row, fine = put(both, side, A), put(both, side, B)
    mends = [Mend(key=A, before=row, after={**row, **changes}), Mend(key=B, before=fine, after=None)]
    refused, written = mended(both, side, *mends)
    assert (refused.outcome, refused.code, refused.rule) == (Mended.REJECTED, code, rule)
    assert written.outcome is Mended.WRITTEN
    assert stored(both, side, A) == row


_SUPPRESS = """
CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER no BEFORE INSERT OR UPDATE OR DELETE ON public.planning FOR EACH ROW EXECUTE FUNCTION public.no()
"""
_OTHER_KEY = """
CREATE FUNCTION public.other() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN new.id := gen_random_uuid(); RETURN new; END $$;
CREATE TRIGGER other BEFORE INSERT OR UPDATE ON public.planning
FOR EACH ROW WHEN (new.title = 'new') EXECUTE FUNCTION public.other()
"""
_LATE = """
CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF new.title = 'new' THEN RAISE EXCEPTION 'no'; END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE ON public.planning DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION public.late()
"""
_GENERATED = """
ALTER TABLE public.planning DROP COLUMN source;
ALTER TABLE public.planning ADD COLUMN source text GENERATED ALWAYS AS (lower(title)) STORED
"""
REFUSING = {
    "a trigger that suppresses": (_SUPPRESS, "TW003", None),
    "a trigger that gives another key": (_OTHER_KEY, "TW003", None),
    "a rule": ("ALTER TABLE public.planning ADD CONSTRAINT not_new CHECK (title <> 'new')", "23514", "not_new"),
    "a trigger at the end of the transaction": (_LATE, "P0001", None),
    "a generated column": (_GENERATED, "428C9", "source"),
}


@sides
@pytest.mark.parametrize("name", REFUSING)
def test_a_store_that_refuses_says_how(own: World, side: Side, name: str) -> None:
    """A trigger, a rule, a generated column: whatever comes back names its reason, and nothing is half-written."""
    statement, code, rule = REFUSING[name]
    row, new = put(own, side, A), {**given(own, side, B), "title": "new"}
    own.run(side, statement)
    row = stored(own, side, A) or {}
    for mends in (
        [Mend(key=A, before=row, after={**row, "title": "new"})],
        [Mend(key=A, before=row, after={**row, "title": "new"}), Mend(key=B, before=None, after=new)],
    ):
        taken = mended(own, side, *mends)
        assert [(remedy.outcome, remedy.code, remedy.rule) for remedy in taken] == [
            (Mended.REJECTED, code, rule)
        ] * len(mends)
    assert own.ask(side, "SELECT id::text FROM public.planning") == [(A,)]
    assert stored(own, side, A) == row


@sides
@pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "SET DEFAULT", "NO ACTION"])
def test_nothing_is_deleted_that_rows_of_other_tables_hang_on(own: World, side: Side, action: str) -> None:
    """Where they would go, or change, with it; a row on which none hangs is deleted."""
    hung, free = put(own, side, A), put(own, side, B)
    kind = "text" if side is Side.PRIMARY else "uuid"
    own.run(
        side,
        f"CREATE TABLE public.note (n int, planning_id {kind} REFERENCES public.planning"
        f" ON DELETE {action} ON UPDATE CASCADE)",
    )
    own.run(side, "INSERT INTO public.note VALUES (1, %s)", A)
    for key, row in ((A, hung), (B, free)):
        changed = {**row, "title": "new"}
        assert outcomes(mended(own, side, Mend(key=key, before=row, after=changed))) == [Mended.WRITTEN]
    mends = [Mend(key=key, before={**row, "title": "new"}, after=None) for key, row in ((A, hung), (B, free))]
    refused, deleted = mended(own, side, *mends)
    code = "23503" if action == "NO ACTION" else "TW004"
    assert (refused.outcome, refused.code, refused.rule) == (Mended.REJECTED, code, "note_planning_id_fkey")
    assert deleted.outcome is Mended.WRITTEN
    assert own.ask(side, "SELECT planning_id::text FROM public.note") == [(A,)]


@sides
def test_no_other_table_is_changed_by_a_value_that_its_rows_refer_to(own: World, side: Side) -> None:
    """A foreign key onto a column that is no key, ON UPDATE CASCADE: the row is refused, unless that value stays."""
    row = put(own, side, A, title="one")
    own.run(side, "ALTER TABLE public.planning ADD CONSTRAINT one_title UNIQUE (title)")
    own.run(side, "CREATE TABLE public.note (title text REFERENCES public.planning (title) ON UPDATE CASCADE)")
    own.run(side, "INSERT INTO public.note VALUES ('one')")
    (refused,) = mended(own, side, Mend(key=A, before=row, after={**row, "title": "two"}))
    assert (refused.outcome, refused.code) == (Mended.REJECTED, "TW004")
    (written,) = mended(own, side, Mend(key=A, before=row, after={**row, "version": "2"}))
    assert written.outcome is Mended.WRITTEN


@sides
def test_what_triggers_make_of_a_row_is_told(own: World, side: Side) -> None:
    """A trigger of the application's own that touches a row, before or after: the row comes back as it stands."""
    row = put(own, side, A)
    new = given(own, side, B)
    own.run(
        side,
        "CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN new.updated_at := '2030-01-01'; RETURN new; END $$;"
        "CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON public.planning FOR EACH ROW EXECUTE FUNCTION public.touch()",
    )
    mends = [Mend(key=A, before=row, after={**row, "title": "new"}), Mend(key=B, before=None, after=new)]
    for remedy in mended(own, side, *mends):
        assert remedy.outcome is Mended.WRITTEN
        assert remedy.row == stored(own, side, remedy.key)
        assert remedy.row is not None
        assert (remedy.row["updated_at"] or "").startswith("2030-01-01")


def test_capture_need_not_be_on(own: World) -> None:
    """The door needs nothing but our functions."""
    for side in Side:
        own.doors(side).capture(wanted=False)
        row = put(own, side, A)
        (taken,) = mended(own, side, Mend(key=A, before=row, after={**row, "title": "new"}))
        assert taken.outcome is Mended.WRITTEN


def test_what_a_trigger_writes_beside_a_row_is_captured(own: World) -> None:
    """Only what the repair says that it writes is left out."""
    side = Side.SECONDARY
    rows = {key: put(own, side, key) for key in (A, B, C)}
    own.run(
        side,
        "CREATE FUNCTION public.beside() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" UPDATE public.planning SET version = version + 1 WHERE id = '{C}'; RETURN NULL; END $$;"
        "CREATE TRIGGER beside AFTER UPDATE OF title ON public.planning FOR EACH ROW"
        f" WHEN (new.id <> '{C}' AND new.title <> old.title) EXECUTE FUNCTION public.beside()",
    )
    mends = [Mend(key=key, before=rows[key], after={**rows[key], "title": "new"}) for key in (A, B)]
    assert outcomes(mended(own, side, *mends)) == [Mended.WRITTEN] * 2
    assert [len(own.lines(side, key)) for key in (A, B, C)] == [0, 0, 2]
