"""A dead letter is given up as somebody looked at it: what was written since is carried over as any change."""

from __future__ import annotations

import pytest

from contracts.replication import DeadLetter, Direction
from storage.migrations.values import Side
from storage.replication.decisions import give_up
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


def given_up(world: World, letter: DeadLetter) -> bool:
    """Give a dead letter up."""
    return give_up(letter, primary=world.primary, secondary=world.secondary, book=world.book)


@sides
def test_what_was_refused_is_given_up(here: World, side: Side) -> None:
    """The secondary's row is kept as a conflict, and nothing waits any more."""
    letter = refused(here, side)
    assert given_up(here, letter)
    assert [conflict.kind for conflict in here.book.conflicts()] == ["discarded"]
    here.relay.drain()
    assert (here.book.letters(), here.lines(PRIMARY, A), here.lines(SECONDARY, A)) == ((), [], [])
    assert here.titles(A) == ("T", "T")


@sides
def test_what_was_mended_since_is_not(here: World, side: Side) -> None:
    """A newer row that can be carried over is, and there is no conflict."""
    letter = refused(here, side)
    here.run(side, "UPDATE public.planning SET status = 'active', title = 'mended' WHERE id::text = %s", A)
    assert not given_up(here, letter)
    here.relay.drain()
    assert here.titles(A) == ("mended", "mended")
    assert (here.book.letters(), here.book.conflicts()) == ((), ())


@sides
def test_a_dead_letter_of_nothing_is_forgotten(here: World, side: Side) -> None:
    """Where no change waits any more, as after a restore, there is nothing to give up, nor to list."""
    letter = refused(here, side)
    here.run(side, "DELETE FROM twinstore.change")
    assert not given_up(here, letter)
    assert (here.book.letters(), here.book.conflicts()) == ((), ())
