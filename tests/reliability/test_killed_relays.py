"""A relay is killed at every step: the next one ends what it began, and carries nothing over twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from storage.migrations.values import Side
from tests.support.dual import new_id
from tests.support.interrupted import recover
from tests.support.lives import Nursery, proven_equal
from tests.support.replication import World
from tests.support.turmoil import COURSES, OLD, Course, Turmoil

PAIRS = {"orderly": ("secondary.apply committing",), "disputed": ("primary.judge after",)}
"""The first crashes after which the next relay is killed, too, in the quick tests."""


class Interruptions:
    """Relays that are interrupted, one after the other, each time of changes of their own.

    Args:
        stores: The stores.
        lives: Lets relays live.
        course: What they find.
        times: For how many times records are made at once.
    """

    def __init__(self, stores: World, lives: Nursery, course: Course, *, times: int) -> None:
        self._stores = stores
        self._lives = lives
        self._course = course
        self._times = times
        self._laid: list[str] = []

    def undisturbed(self, *, after: str | None = None) -> tuple[str, ...]:
        """Return the steps of a relay that nobody interrupts, of the second one where the first one is."""
        turmoil = self._stirred()
        if after is not None:
            self._lives.live("drain", stop=after)
        steps = self._lives.live("drain").steps
        self._judge(turmoil)
        return steps

    def tried(self, *steps: str) -> Iterator[str]:
        """Interrupt a relay at the first step, the next one at the second, and yield what is wrong afterwards."""
        turmoil = self._stirred()
        try:
            for step in steps:
                assert self._lives.live("drain", stop=step).killed, f"{step} was never reached"
            self._judge(turmoil)
        except AssertionError as exc:
            yield f"{', then '.join(steps)}: {exc}"

    def end(self) -> None:
        """Have the engine prove that both stores are equal, once all is carried over."""
        recover(self._stores)
        assert self._stores.book.counts()[1:] == (0, 0)
        assert proven_equal(self._stores.pair) > 0

    def _stirred(self) -> Turmoil:
        if not self._laid:
            self._laid = [new_id() for _ in range(self._times * OLD)]
            self._stores.insert(Side.PRIMARY, *self._laid, title="Old")
            recover(self._stores)
        return self._course.stir(self._stores, [self._laid.pop() for _ in range(OLD)])

    def _judge(self, turmoil: Turmoil) -> None:
        """Look at all of it, then make what was refused acceptable: the next relay has that to carry over, too."""
        recover(self._stores)
        turmoil.judge(self._stores)
        turmoil.mend(self._stores)


def try_all(stores: World, lives: Nursery, course: Course) -> None:
    """Interrupt relays at each of their steps."""
    steps = course.steps(rest=lives.over_rest)
    interruptions = Interruptions(stores, lives, course, times=len(steps) + 1)
    assert interruptions.undisturbed() == steps
    assert [wrong for step in steps for wrong in interruptions.tried(step)] == []
    interruptions.end()


def try_pairs(stores: World, lives: Nursery, course: Course, firsts: Sequence[str], *, every: int = 1) -> None:
    """Interrupt relays at these steps, and each time the next one at each of its own."""
    interruptions = Interruptions(stores, lives, course, times=10)
    wrong: list[str] = []
    for first in firsts:
        for second in interruptions.undisturbed(after=first)[::every]:
            wrong += interruptions.tried(first, second)
    assert wrong == []
    interruptions.end()


@pytest.mark.parametrize("name", COURSES)
def test_a_relay_may_die_at_every_step(stores: World, by_sql: Nursery, name: str) -> None:
    """Writes arrive, conflicts and refusals are kept once each, and the engine proves both stores equal.

    The steps are those that a relay takes which nobody interrupts: none is left out.
    """
    try_all(stores, by_sql, COURSES[name])


@pytest.mark.soak
@pytest.mark.parametrize("name", COURSES)
def test_a_relay_may_die_at_every_step_over_rest(stores: World, by_rest: Nursery, name: str) -> None:
    """Likewise where the secondary is reached over REST."""
    try_all(stores, by_rest, COURSES[name])


@pytest.mark.parametrize("name", COURSES)
def test_two_relays_may_die_one_after_the_other(stores: World, by_sql: Nursery, name: str) -> None:
    """A third one ends what they began."""
    try_pairs(stores, by_sql, COURSES[name], PAIRS[name], every=5)


@pytest.mark.soak
@pytest.mark.parametrize("name", COURSES)
def test_two_relays_may_die_at_any_two_steps(stores: World, by_sql: Nursery, name: str) -> None:
    """Every step of the first one with every step of the second one."""
    try_pairs(stores, by_sql, COURSES[name], COURSES[name].steps())
