"""Changes of the secondary, judged by the primary."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from contracts.errors import ConfigurationError
from contracts.planning import PLANNING
from storage.migrations.values import Side
from storage.replication.book import Book
from storage.replication.by_sql import SqlCall
from tests.support.carrying import delivered, judged, shared
from tests.support.replication import World, keys, record

A, B, C = keys(3)
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY


def test_a_change_of_the_secondary_is_accepted(both: World) -> None:
    """A change, a new row and a deletion are written on the primary where it did not move."""
    shared(both, A, B)
    both.titled(SECONDARY, A, "theirs")
    both.delete(SECONDARY, B)
    both.insert(SECONDARY, C, title="new")
    assert judged(both, A, B, C) == ["accepted"] * 3
    assert [both.title(PRIMARY, key) for key in (A, B, C)] == ["theirs", None, "new"]
    assert delivered(both, A, B, C) == ["applied"] * 3


def test_a_proposal_that_comes_twice_is_judged_once(both: World) -> None:
    """The second one says so, and changes nothing."""
    both.insert(SECONDARY, A, B)
    items = both.secondary.changes(at_most=10).items
    for expected in ("accepted", "judged"):
        assert {verdict.outcome for verdict in both.primary.judge(items)} == {expected}
    assert [len(both.lines(PRIMARY, key)) for key in (A, B)] == [1, 1]


def test_changes_in_a_row_are_accepted_one_after_the_other(both: World) -> None:
    """A second change that was made before the first came back is no conflict: nobody else wrote."""
    shared(both, A)
    for title in ("first", "second", "third"):
        both.titled(SECONDARY, A, title)
        assert judged(both, A) == ["accepted"]
    assert both.title(PRIMARY, A) == "third"


def test_the_loser_is_kept_by_name(both: World) -> None:
    """Where the primary moved it keeps its row, the other is a conflict, and later changes of it are so, too."""
    shared(both, A)
    both.titled(PRIMARY, A, "ours")
    both.titled(SECONDARY, A, "theirs")
    assert judged(both, A) == ["conflict"]
    both.titled(SECONDARY, A, "theirs again")
    assert judged(both, A) == ["conflict"]
    conflicts = both.book.conflicts(keys=[A])
    assert [(found.kind, (found.loser or {})["title"]) for found in conflicts] == [
        ("concurrent", "theirs"),
        ("concurrent", "theirs again"),
    ]
    assert delivered(both, A) == ["applied"]
    assert both.titles(A) == ("ours", "ours")


def test_a_loser_is_read_by_the_columns_that_it_was_kept_with(here: World) -> None:
    """A contract with its columns in another order means the same ones; one with others reads nothing wrong."""
    shared(here, A)
    here.titled(PRIMARY, A, "ours")
    here.titled(SECONDARY, A, "theirs")
    assert judged(here, A) == ["conflict"]
    here.book.keep("adopted", {B: record(B, title="apart")})
    turned = replace(PLANNING, columns=PLANNING.columns[::-1])
    columns = [replace(c, name="origin") if c.name == "source" else c for c in PLANNING.columns]
    changed = replace(PLANNING, columns=tuple(columns))
    with closing(SqlCall(here.dsn(PRIMARY), PLANNING, PRIMARY)) as call:
        assert Book(call, turned).conflicts() == here.book.conflicts()
        with pytest.raises(ConfigurationError, match="kept with other columns"):
            Book(call, changed).conflicts()
    assert [(found.loser or {})["title"] for found in here.book.conflicts()] == ["theirs", "apart"]
    here.run(PRIMARY, "UPDATE twinstore.conflict SET columns = NULL")  # as an earlier version kept them
    assert [(found.loser or {})["title"] for found in here.book.conflicts()] == ["theirs", "apart"]


def test_a_deletion_may_lose_and_may_win(both: World) -> None:
    """A deletion against a change is a conflict, whichever side deletes."""
    shared(both, A, B)
    both.delete(PRIMARY, A)
    both.titled(SECONDARY, A, "theirs")
    both.titled(PRIMARY, B, "ours")
    both.delete(SECONDARY, B)
    assert judged(both, A, B) == ["conflict", "conflict"]
    assert {found.key: found.loser and found.loser["title"] for found in both.book.conflicts()} == {
        A: "theirs",
        B: None,
    }
    assert set(delivered(both, A, B)) == {"applied"}
    assert (both.titles(A), both.titles(B)) == ((None, None), ("ours", "ours"))


def test_both_sides_may_do_the_same(both: World) -> None:
    """Rows that were changed alike, or deleted on both sides, agree."""
    shared(both, A, B)
    both.delete(PRIMARY, A)
    both.delete(SECONDARY, A)
    set_all = "UPDATE public.planning SET title = 'same', updated_at = '2026-03-02' WHERE id = %s"
    both.run(PRIMARY, set_all, B)
    both.run(SECONDARY, set_all, B)
    assert judged(both, A, B) == ["agreed", "agreed"]
    assert both.book.counts() == (0, 0, 0)


def test_a_row_that_came_and_went_tells_nothing(both: World) -> None:
    """A row that the secondary made and deleted before anybody heard of it is accepted without a line."""
    both.insert(SECONDARY, A)
    both.delete(SECONDARY, A)
    assert judged(both, A) == ["accepted"]
    assert both.lines(PRIMARY, A) == []
    both.insert(SECONDARY, A, title="again")
    assert judged(both, A) == ["accepted"]
    assert both.title(PRIMARY, A) == "again"


@pytest.mark.parametrize("alone", [True, False])
def test_a_row_of_the_primary_that_somebody_writes_is_judged_later(both: World, alone: bool) -> None:  # noqa: FBT001 - a parameter
    """Judging waits for nobody; other rows of the batch are judged."""
    shared(both, A, B)
    both.titled(SECONDARY, A, "theirs")
    both.titled(SECONDARY, B, "theirs")
    with psycopg.connect(both.dsn(PRIMARY)) as writer:
        writer.execute("UPDATE public.planning SET title = 'mine' WHERE id = %s", [A])
        items = [item for item in both.secondary.changes(at_most=10).items if not alone or item.key == A]
        found = {verdict.key: verdict.outcome for verdict in both.primary.judge(items)}
        assert found == ({A: "locked"} if alone else {A: "locked", B: "accepted"})
    assert judged(both, A) == ["conflict"]


def test_an_open_difference_of_before_is_never_overwritten(both: World) -> None:
    """A key that differed when the stores were adopted is decided by a person: a later change of it is a conflict."""
    shared(both, A)
    both.book.keep("adopted", {A: record(A, "differed")})
    both.titled(SECONDARY, A, "theirs")
    assert judged(both, A) == ["conflict"]
    assert both.title(PRIMARY, A) == "T"
    for found in both.book.conflicts(keys=[A]):
        with both.book.deciding(found, keep="primary") as undecided:
            assert undecided
    assert delivered(both, A) == ["applied"]
    both.titled(SECONDARY, A, "later")
    assert judged(both, A) == ["accepted"]
