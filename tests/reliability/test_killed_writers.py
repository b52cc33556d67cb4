"""A process that writes is killed at every step: no acknowledged write is lost, and nothing is half-written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from storage.dual import DualRepository
from tests.support.dual import scenario
from tests.support.interrupted import WRITES, Scene, recover
from tests.support.lives import Nursery, proven_equal
from tests.support.replication import World

QUICK = {
    "with both stores": ("create", "replace", "update", "delete"),
    "without the primary": ("create without the primary", "update without the primary", "delete without the primary"),
    "whose answer is lost": ("update without acknowledgement",),
}
LONG = tuple(name for name in WRITES if not any(name in names for names in QUICK.values()))
PAIRS = {
    "update": "secondary.apply committing",
    "update without acknowledgement": "secondary.put after",
    "create without the primary": "secondary.put committing",
}
"""Of these writes, the first crash after which a recovery is killed in the quick tests."""


def singles(scene: Scene) -> Iterator[str]:
    """Interrupt a write at each of its steps, recover, and yield what is wrong afterwards."""
    keys = scene.prepare(len(scene.steps))
    lives = [scene.interrupt(key, step) for key, step in zip(keys, scene.steps, strict=True)]
    recover(scene.stores)
    for key, life, step in zip(keys, lives, scene.steps, strict=True):
        try:
            scene.judge(key, life, step)
            if scene.since_commit(step) >= 0:
                scene.repeat(key)
        except AssertionError as exc:
            yield f"{step}: {exc}"


def pairs(scene: Scene, lives: Nursery, firsts: Sequence[str], *, every: int = 1) -> Iterator[str]:
    """Interrupt a write at a step, then the relay that recovers it, recover once more, and yield what is wrong."""
    for first in firsts:
        (key,) = scene.prepare(1)
        scene.interrupt(key, first)
        for second in lives.live("drain").steps[::every]:
            (key,) = scene.prepare(1)
            life = scene.interrupt(key, first)
            try:
                assert lives.live("drain", stop=second).killed, "the relay was not killed"
                recover(scene.stores)
                scene.judge(key, life, first)
            except AssertionError as exc:
                yield f"{first}, then {second}: {exc}"


def anchored(stores: World) -> None:
    """Let there be a record that nobody touches, so that there is something to compare when all others are gone."""
    assert DualRepository(stores.primary, stores.secondary, stores.relay).save(scenario()).success


def try_all(stores: World, lives: Nursery, names: Sequence[str]) -> None:
    """Interrupt writes at each of their steps."""
    anchored(stores)
    wrong: list[str] = []
    for name in names:
        scene = Scene(stores, lives, WRITES[name])
        assert scene.rehearse() == scene.steps
        wrong += [f"{name}: {each}" for each in singles(scene)]
    assert wrong == []
    assert stores.book.counts() == (0, 0, 0)
    proven_equal(stores.pair)


@pytest.mark.parametrize("kind", QUICK)
def test_a_writer_may_die_at_every_step(stores: World, by_sql: Nursery, kind: str) -> None:
    """The relay recovers it, the same request sent again counts once, and the engine proves both stores equal.

    The steps are those that a write takes which nobody interrupts: none is left out.
    """
    try_all(stores, by_sql, QUICK[kind])


@pytest.mark.soak
@pytest.mark.parametrize("name", LONG)
def test_a_writer_may_die_at_every_step_elsewhere(stores: World, by_sql: Nursery, name: str) -> None:
    """Likewise for writes that find the record in another state."""
    try_all(stores, by_sql, [name])


@pytest.mark.soak
@pytest.mark.parametrize("name", WRITES)
def test_a_writer_may_die_at_every_step_over_rest(stores: World, by_rest: Nursery, name: str) -> None:
    """Likewise where the secondary is reached over REST."""
    try_all(stores, by_rest, [name])


@pytest.mark.parametrize("name", PAIRS)
def test_the_recovery_of_a_writer_may_die_too(stores: World, by_sql: Nursery, name: str) -> None:
    """A second recovery ends what the first one began."""
    anchored(stores)
    scene = Scene(stores, by_sql, WRITES[name])
    scene.rehearse()
    assert list(pairs(scene, by_sql, [PAIRS[name]], every=4)) == []
    proven_equal(stores.pair)


@pytest.mark.soak
@pytest.mark.parametrize("name", WRITES)
def test_the_recovery_of_a_writer_may_die_at_every_step(stores: World, by_sql: Nursery, name: str) -> None:
    """Every step of a write with every step of the recovery that follows."""
    anchored(stores)
    scene = Scene(stores, by_sql, WRITES[name])
    scene.rehearse()
    assert list(pairs(scene, by_sql, scene.steps)) == []
    assert stores.book.counts() == (0, 0, 0)
    proven_equal(stores.pair)
