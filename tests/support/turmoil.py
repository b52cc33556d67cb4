"""Changes of both stores that wait for a relay, and what must have become of each once it has come by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from contracts.replication import Direction
from storage.migrations.values import Side
from tests.support.dual import new_id
from tests.support.interrupted import canonical
from tests.support.lives import steps_of
from tests.support.replication import World

REFUSED = "Refused"
"""The title that the primary of these tests cannot hold."""
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY
OLD = 4
Titles = Mapping[str, str | None]
"""The title of each record; None where there is none."""

_BEGIN = ("primary.standing", "secondary.standing", "primary.glance", "book.counts")
_IN = ("secondary.changes", "book.waiting", "primary.judge", "secondary.settle")
_OUT = ("primary.changes", "book.waiting", "secondary.apply", "primary.settle")
_STATUS = "UPDATE public.planning SET status = %s WHERE id = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turmoil:
    """What must have become of some records.

    Attributes:
        held: Titles of those that both stores hold alike in the end.
        lost: Of those with a conflict, the titles that the secondary had.
        refused: Those that cannot be carried over, by where they were going.
    """

    held: Titles
    lost: Titles = field(default_factory=dict)
    refused: Mapping[Direction, str] = field(default_factory=dict)

    def judge(self, stores: World) -> None:
        """Hold what stands after a recovery against it."""
        ours, theirs = (stores.doors(side).look(list(self.held)) for side in Side)
        for key, title in self.held.items():
            assert (ours[key].change, theirs[key].change) == (None, None), "a change waits"
            assert canonical(ours[key].row) == canonical(theirs[key].row), "the stores differ"
            assert (ours[key].row or {}).get("title") == title, f"not {title} is there"
        keys = [*self.held, *self.refused.values()]
        conflicts = stores.book.conflicts(keys=keys, resolved=True)
        assert sorted((each.key, each.loser and each.loser["title"]) for each in conflicts) == sorted(self.lost.items())
        for direction, key in self.refused.items():
            found = [ours for ours in stores.book.letters(dead_only=False) if ours.key == key]
            assert [(each.direction, each.attempts, each.dead_at is None) for each in found] == [(direction, 1, False)]
            there = PRIMARY if direction is Direction.TO_PRIMARY else SECONDARY
            assert stores.title(there, key) is None, "what was refused is there"

    def mend(self, stores: World) -> None:
        """Make what was refused acceptable, as its application would."""
        for direction, key in self.refused.items():
            if direction is Direction.TO_PRIMARY:
                stores.titled(SECONDARY, key, "Mended")
            else:
                stores.run(PRIMARY, _STATUS, "draft", key)


def orderly(stores: World, old: Sequence[str]) -> Turmoil:
    """Let each store have a new record, a changed one and one that was deleted; nothing is in the way."""
    held: dict[str, str | None] = {}
    for side, (changed, gone) in zip(Side, (old[:2], old[2:]), strict=True):
        new = new_id()
        stores.insert(side, new, title="New")
        stores.titled(side, changed, "New")
        stores.delete(side, gone)
        held |= {new: "New", changed: "New", gone: None}
    return Turmoil(held=held)


def disputed(stores: World, old: Sequence[str]) -> Turmoil:
    """Let both stores have changed the same records, and hold what the other refuses."""
    both, undone, removed, _ = old
    same, ours, theirs, outward, inward = (new_id() for _ in range(5))
    stores.titled(PRIMARY, both, "Ours")
    stores.titled(SECONDARY, both, "Theirs")
    stores.delete(PRIMARY, undone)
    stores.titled(SECONDARY, undone, "Theirs")
    stores.titled(PRIMARY, removed, "Ours")
    stores.delete(SECONDARY, removed)
    stores.insert(PRIMARY, same, ours, title="Same")
    stores.insert(SECONDARY, same, theirs, title="Same")
    stores.insert(PRIMARY, outward, title="Outward")
    stores.run(PRIMARY, _STATUS, "unknown", outward)
    stores.insert(SECONDARY, inward, title=REFUSED)
    return Turmoil(
        held={both: "Ours", undone: None, removed: "Ours", same: "Same", ours: "Same", theirs: "Same"},
        lost={both: "Theirs", undone: "Theirs", removed: None},
        refused={Direction.TO_SECONDARY: outward, Direction.TO_PRIMARY: inward},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a relay finds, and what it does where nobody interrupts it.

    Attributes:
        stir: Makes what it finds, of `OLD` records that both stores hold.
        acts: What it does, in order.
    """

    stir: Callable[[World, Sequence[str]], Turmoil]
    acts: tuple[str, ...]

    def steps(self, *, rest: bool = False) -> tuple[str, ...]:
        """Return every step of it."""
        return steps_of(*self.acts, rest=rest)


COURSES = {
    "orderly": Course(stir=orderly, acts=(*_BEGIN, *_IN, *_OUT, "secondary.changes", "primary.changes")),
    "disputed": Course(
        stir=disputed,
        acts=(*_BEGIN, *_IN, "book.refused 2", *_OUT, "book.refused 2", *_IN[:2], *_OUT[:2]),
    ),
}
"""By name."""
