"""A dead letter is given up as somebody looked at it: what was written since is carried over as any change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.replication import DeadLetter, Direction
from storage.migrations.values import Side
from storage.replication.decisions import GivenUp, give_up, resolve
from tests.support.replication import World, keys

(A,) = keys(1)
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY

sides = pytest.mark.parametrize("side", Side)
NO_STATUS = "UPDATE public.planning SET status = 'no such status' WHERE id::text = %s"


def refused(world: World, side: Side) -> DeadLetter:
    """Have a change of one side refused by the other."""
    world.insert(PRIMARY, A)
    world.relay.drain()
    if side is PRIMARY:
        world.run(PRIMARY, NO_STATUS, A)
    else:
        world.run(PRIMARY, "ALTER TABLE public.planning ADD CONSTRAINT no_bad_title CHECK (title <> 'bad')")
        world.titled(SECONDARY, A, "bad")
    world.relay.drain()
    if side is SECONDARY:
        world.run(PRIMARY, "ALTER TABLE public.planning DROP CONSTRAINT no_bad_title")
    (letter,) = world.book.letters()
    assert (letter.direction, letter.change) == (
        Direction.TO_SECONDARY if side is PRIMARY else Direction.TO_PRIMARY,
        world.lines(side, A)[-1],
    )
    return letter


def given_up(world: World, letter: DeadLetter) -> GivenUp:
    """Give a dead letter up."""
    return give_up(letter, primary=world.primary, secondary=world.secondary, book=world.book)


@sides
def test_what_was_refused_is_given_up(here: World, side: Side) -> None:
    """The secondary's row is kept as a conflict, and nothing waits any more."""
    letter = refused(here, side)
    assert given_up(here, letter) is GivenUp.DONE
    assert [conflict.kind for conflict in here.book.conflicts()] == ["discarded"]
    here.relay.drain()
    assert (here.book.letters(), here.lines(PRIMARY, A), here.lines(SECONDARY, A)) == ((), [], [])
    assert here.titles(A) == ("T", "T")


@sides
def test_what_was_mended_since_is_not(here: World, side: Side) -> None:
    """A newer row that can be carried over is, and there is no conflict."""
    letter = refused(here, side)
    here.run(side, "UPDATE public.planning SET status = 'active', title = 'mended' WHERE id::text = %s", A)
    assert given_up(here, letter) is GivenUp.NEWER
    here.relay.drain()
    assert here.titles(A) == ("mended", "mended")
    assert (here.book.letters(), here.book.conflicts()) == ((), ())


@sides
def test_a_dead_letter_of_nothing_is_forgotten(here: World, side: Side) -> None:
    """Where no change waits any more, as after a restore, there is nothing to give up, nor to list."""
    letter = refused(here, side)
    here.run(side, "DELETE FROM twinstore.change")
    assert given_up(here, letter) is GivenUp.NOTHING
    assert (here.book.letters(), here.book.conflicts()) == ((), ())


@pytest.mark.parametrize("keep", ["primary", "secondary"])
def test_a_conflict_is_decided_once(here: World, keep: str) -> None:
    """Who saw the same list changes nothing, though another conflict of the record is open."""
    here.insert(PRIMARY, A)
    here.relay.drain()
    for name in ("first", "second"):
        here.titled(PRIMARY, A, f"P {name}")
        here.titled(SECONDARY, A, f"S {name}")
        here.relay.drain()
    first, _ = here.book.conflicts()
    assert resolve(first, keep="primary", primary=here.primary, book=here.book)
    assert not resolve(first, keep=keep, primary=here.primary, book=here.book)
    here.relay.drain()
    assert here.titles(A) == ("P second", "P second")
    (one, two) = here.book.conflicts(resolved=True)
    assert (one.resolution, two.resolution) == ("primary", None)


def test_two_who_decide_at_once_come_one_after_the_other(here: World) -> None:
    """While somebody writes the row that he chose, nobody else decides."""
    here.insert(PRIMARY, A)
    here.relay.drain()
    here.titled(PRIMARY, A, "P")
    here.titled(SECONDARY, A, "S")
    here.relay.drain()
    (conflict,) = here.book.conflicts()
    with ThreadPoolExecutor() as pool:
        with here.book.deciding(conflict, keep="primary") as undecided:
            assert undecided
            other = pool.submit(resolve, conflict, keep="secondary", primary=here.primary, book=here.book)
            with pytest.raises(TimeoutError):
                other.result(timeout=0.3)
        assert not other.result(timeout=60)
    here.relay.drain()
    assert here.titles(A) == ("P", "P")
