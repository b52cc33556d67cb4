"""Changes of the primary, delivered to the secondary: by SQL, and over REST."""

from __future__ import annotations

import psycopg
import pytest

from contracts.replication import Applied, Judged
from storage.migrations.values import Side
from tests.support.carrying import delivered, judged, shared
from tests.support.replication import World, keys

A, B, C = keys(3)
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY

BESIDE = """
CREATE OR REPLACE FUNCTION public.beside() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.id = '{key}' THEN UPDATE public.planning SET source = new.title WHERE id = '{other}'; END IF;
  RETURN NULL;
END $$
"""
BESIDE_TRIGGER = "CREATE TRIGGER beside AFTER UPDATE ON public.planning FOR EACH ROW EXECUTE FUNCTION public.beside()"


def test_a_delivered_row_is_the_row(both: World) -> None:
    """Every column arrives, in the form of the other store, and an update and a delete do."""
    both.insert(PRIMARY, A, title="ä ☃ 'quoted' \\")
    delivered(both, A)
    ours, theirs = both.primary.look([A])[A], both.secondary.look([A])[A]
    assert ours.row is not None
    assert theirs.row == {
        **ours.row,
        "created_at": f"{ours.row['created_at']}+00",
        "updated_at": f"{ours.row['updated_at']}+00",
    }
    both.titled(PRIMARY, A, "changed")
    assert delivered(both, A) == ["applied"]
    assert both.titles(A) == ("changed", "changed")
    both.delete(PRIMARY, A)
    assert delivered(both, A) == ["applied"]
    assert both.titles(A) == (None, None)


def test_what_is_delivered_is_no_change_of_the_secondary(both: World) -> None:
    """What a delivery writes leaves no line there, in a batch and alone."""
    shared(both, A, B)
    both.titled(PRIMARY, A, "alone")
    assert delivered(both, A) == ["applied"]
    assert both.secondary.changes(at_most=10).items == ()


def test_what_is_accepted_is_delivered_back_and_no_more(both: World) -> None:
    """A proposal that was accepted is one change of the primary, and its delivery is none of the secondary."""
    shared(both, A, B)
    both.titled(SECONDARY, A, "theirs")
    both.titled(SECONDARY, B, "theirs")
    assert judged(both, A, B) == ["accepted", "accepted"]
    assert [len(both.lines(PRIMARY, key)) for key in (A, B)] == [1, 1]
    assert delivered(both, A, B) == ["applied", "applied"]
    assert (both.primary.changes(at_most=9).items, both.secondary.changes(at_most=9).items) == ((), ())


def test_a_delivery_that_comes_twice_changes_nothing(both: World) -> None:
    """The second one is stale, also when its first acknowledgement was lost."""
    both.insert(PRIMARY, A, B)
    items = both.primary.changes(at_most=10).items
    assert [verdict.outcome for verdict in both.secondary.apply(items)] == ["applied", "applied"]
    assert [verdict.outcome for verdict in both.secondary.apply(items)] == ["stale", "stale"]
    assert delivered(both, A, B) == ["stale", "stale"]


def test_an_older_delivery_changes_nothing(both: World) -> None:
    """A delivery that was overtaken by a later one of its key is stale."""
    both.insert(PRIMARY, A)
    old = both.primary.changes(at_most=10).items
    both.titled(PRIMARY, A, "newer")
    assert delivered(both, A) == ["applied"]
    assert [verdict.outcome for verdict in both.secondary.apply(old)] == ["stale"]
    assert both.title(SECONDARY, A) == "newer"


def test_a_late_delivery_does_not_bring_a_deleted_row_back(both: World) -> None:
    """What is remembered of a key outlives its row; a row that is made anew goes on from there."""
    shared(both, A)
    both.titled(PRIMARY, A, "late")
    late = both.primary.changes(at_most=10).items
    both.delete(PRIMARY, A)
    assert delivered(both, A) == ["applied"]
    assert [verdict.outcome for verdict in both.secondary.apply(late)] == ["stale"]
    assert both.titles(A) == (None, None)
    both.insert(PRIMARY, A, title="again")
    assert delivered(both, A) == ["applied"]
    assert both.titles(A) == ("again", "again")


def test_a_delivery_waits_for_what_the_primary_has_not_judged(both: World) -> None:
    """A key that the secondary changed is busy until that change was judged, alone and in a batch with others."""
    shared(both, A, B)
    both.titled(SECONDARY, A, "theirs")
    both.titled(PRIMARY, A, "ours")
    both.titled(PRIMARY, B, "ours")
    assert delivered(both, A) == ["busy"]
    assert sorted(delivered(both, A, B)) == ["applied", "busy"]
    assert both.titles(A) == ("ours", "theirs")
    assert judged(both, A) == ["conflict"]
    assert delivered(both, A) == ["applied"]
    assert both.titles(A) == ("ours", "ours")


@pytest.mark.parametrize("alone", [True, False])
def test_a_row_that_is_refused_leaves_the_others(both: World, alone: bool) -> None:  # noqa: FBT001 - a parameter
    """A value that the secondary cannot hold is rejected with its code and rule; rows beside it are written."""
    both.insert(PRIMARY, A, B)
    both.run(PRIMARY, "UPDATE public.planning SET status = 'unknown' WHERE id = %s", A)
    items = [item for item in both.primary.changes(at_most=10).items if not alone or item.key == A]
    verdicts = {verdict.key: verdict for verdict in both.secondary.apply(items)}
    assert verdicts[A].outcome == Applied.REJECTED
    assert (verdicts[A].code, verdicts[A].rule) == ("23514", "planning_status_known")
    assert both.title(SECONDARY, A) is None
    assert alone or (verdicts[B].outcome, both.title(SECONDARY, B)) == ("applied", "T")


@pytest.mark.parametrize("alone", [True, False])
def test_a_row_that_somebody_writes_is_left_for_later(both: World, alone: bool) -> None:  # noqa: FBT001 - a parameter
    """Nobody is waited for, whether a row is being changed, deleted or made; the other rows are written."""
    shared(both, A, B)
    both.insert(PRIMARY, C)
    for key in (A, B):
        both.titled(PRIMARY, key, "ours")
    with psycopg.connect(both.dsn(SECONDARY)) as writer:
        writer.execute("UPDATE public.planning SET title = 'mine' WHERE id = %s", [A])
        items = [item for item in both.primary.changes(at_most=10).items if not alone or item.key == A]
        found = {verdict.key: verdict.outcome for verdict in both.secondary.apply(items)}
        assert found == ({A: "locked"} if alone else {A: "locked", B: "applied", C: "applied"})
    assert delivered(both, A) == ["busy"]


def test_a_row_that_is_being_made_is_left_for_later(both: World) -> None:
    """An INSERT in flight is waited for briefly, and then left; nothing else of the batch is."""
    both.insert(PRIMARY, A, B)
    with psycopg.connect(both.dsn(SECONDARY)) as writer:
        writer.execute("INSERT INTO public.planning (id, type, title, content) VALUES (%s, 'story', 'm', '{}')", [A])
        assert sorted(delivered(both, A, B)) == ["applied", "locked"]
        writer.rollback()
    assert delivered(both, A) == ["applied"]


def test_a_batch_of_nothing_is_nothing(both: World) -> None:
    """No item is no error."""
    assert (both.secondary.apply([]), both.primary.judge([])) == ((), ())


def test_a_key_twice_in_a_batch_is_applied_in_order(both: World) -> None:
    """The later one of a key wins, as if they had come one after the other."""
    both.insert(PRIMARY, A)
    (old,) = both.primary.changes(at_most=9).items
    both.titled(PRIMARY, A, "new")
    (new,) = both.primary.changes(at_most=9).items
    assert [verdict.outcome for verdict in both.secondary.apply([old, new])] == ["applied", "applied"]
    assert both.title(SECONDARY, A) == "new"


def test_a_trigger_that_writes_beside_a_delivery_is_a_change(both: World) -> None:
    """What a trigger of the secondary writes into another row is captured, whether that row is in the batch or not."""
    shared(both, A, B, C)
    both.run(SECONDARY, BESIDE.format(other=B, key=A))
    both.run(SECONDARY, BESIDE_TRIGGER)
    try:
        both.titled(PRIMARY, A, "ours")
        both.titled(PRIMARY, C, "ours")
        assert delivered(both, A, C) == ["applied", "applied"]
        assert [item.key for item in both.secondary.changes(at_most=9).items] == [B]
        both.titled(PRIMARY, A, "ours again")
        both.titled(PRIMARY, B, "ours again")
        assert judged(both, B) == ["conflict"]
        found = dict(zip((A, B), delivered(both, A, B), strict=True))
        assert found == {A: "applied", B: "busy"}
    finally:
        both.run(SECONDARY, "DROP TRIGGER beside ON public.planning")
    assert Judged.CONFLICT in judged(both, B)
