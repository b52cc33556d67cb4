"""Carry changes over between two stores by their doors, without a relay."""

from __future__ import annotations

from storage.migrations.values import Side
from tests.support.replication import World


def delivered(world: World, *wanted: str) -> list[str]:
    """Deliver what is dirty of these keys, settle it, and return what became of it."""
    items = [item for item in world.primary.changes(at_most=100).items if item.key in wanted]
    verdicts = world.secondary.apply(items)
    acks = [(i.key, i.change or 0) for i, v in zip(items, verdicts, strict=True) if v.outcome in ("applied", "stale")]
    world.primary.settle(acks)
    return [verdict.outcome for verdict in verdicts]


def judged(world: World, *wanted: str) -> list[str]:
    """Judge what is dirty of these keys, settle it, and return what became of it."""
    items = [item for item in world.secondary.changes(at_most=100).items if item.key in wanted]
    verdicts = world.primary.judge(items)
    world.secondary.settle([(item.key, item.change or 0) for item in items])
    return [verdict.outcome for verdict in verdicts]


def shared(world: World, *wanted: str) -> None:
    """Have both stores hold rows with these keys."""
    world.insert(Side.PRIMARY, *wanted)
    assert set(delivered(world, *wanted)) == {"applied"}
