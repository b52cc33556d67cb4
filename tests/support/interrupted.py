"""Writes of the repository that kill -9 interrupts: how the stores stand before, and what must stand afterwards."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from contracts.planning import PLANNING
from contracts.results import DualStorageResult
from storage.canonical import canonical_row
from storage.dual import DualRepository
from storage.migrations.values import Side
from storage.ports import Row
from storage.replication.book import Book
from storage.replication.by_sql import SqlCall
from storage.replication.doors import PrimaryDoors, SecondaryDoors
from storage.replication.relay import Relay
from tests.support.accounts import DEAD_PORT, changed
from tests.support.crashing import ANSWERED
from tests.support.dual import Clock, new_id, scenario
from tests.support.lives import Life, Nursery, steps_of
from tests.support.replication import World

RECOVERED_S = 60.0
LATER_MS = 60_000
_ANY = "00000000-0000-4000-8000-000000000000"
_ON_THE_PRIMARY = ("primary.look", "primary.put")
_DELIVERED = ("primary.look", "secondary.apply", "primary.settle")
_PERMITTED = ("primary.glance", "secondary.glance", "primary.glance")
_ON_BOTH = (*_ON_THE_PRIMARY, *_PERMITTED, *_DELIVERED)
_ON_THE_SECONDARY = ("secondary.look", "secondary.put")
_HOME = (*_PERMITTED, "secondary.look", "primary.judge", "secondary.settle")
_PUT_OF = {Side.PRIMARY: "primary.put", Side.SECONDARY: "secondary.put"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A write, and how the stores stand when it comes.

    Attributes:
        do: The method of the repository.
        acts: What it does, in order, where nothing goes wrong.
        before: Where the record is: `nowhere`, on `both`, `waiting` on the primary for the relay, or `there`, on the
            secondary only.
        commits: The side that makes it last.
        puts: Which of the calls of `put` on that side does.
        away: True when the primary is not there.
        lost: Whether it was carried out, where the primary's acknowledgement is lost.
    """

    do: str
    acts: tuple[str, ...] = _ON_BOTH
    before: str = "both"
    commits: Side = Side.PRIMARY
    puts: int = 1
    away: bool = False
    lost: bool | None = None

    def steps(self, *, rest: bool = False) -> tuple[str, ...]:
        """Return every step of it."""
        return steps_of(*self.acts, rest=rest, answered=True)

    def commit(self, *, rest: bool = False) -> str:
        """Return the step at which nobody can tell yet whether it lasts: earlier it does not, later it does."""
        word = "unread" if rest and self.commits is Side.SECONDARY else "committing"
        number = "" if self.puts == 1 else f" ({self.puts})"
        return f"{_PUT_OF[self.commits]} {word}{number}"


def _without_the_primary(do: str, before: str = "both") -> Write:
    acts = ("primary.look", *_ON_THE_SECONDARY)
    return Write(do=do, before=before, acts=acts, commits=Side.SECONDARY, away=True)


WRITES = {
    "create": Write(do="save", before="nowhere"),
    "replace": Write(do="save"),
    "update": Write(do="update"),
    "delete": Write(do="delete"),
    "update of what waits": Write(do="update", before="waiting"),
    "update of what is there only": Write(
        do="update", before="there", puts=2, acts=(*_ON_THE_PRIMARY, *_HOME, *_ON_THE_PRIMARY, *_DELIVERED)
    ),
    "create without the primary": _without_the_primary("save", "nowhere"),
    "replace without the primary": _without_the_primary("save"),
    "update without the primary": _without_the_primary("update"),
    "delete without the primary": _without_the_primary("delete"),
    "update without acknowledgement": Write(do="update", lost=True, acts=(*_ON_THE_PRIMARY, *_ON_THE_SECONDARY)),
    "update that is lost": Write(
        do="update", lost=False, acts=("primary.look", *_ON_THE_SECONDARY), commits=Side.SECONDARY
    ),
}
"""By name."""


class Scene:
    """The stores, in which a write is interrupted again and again, each time of a record of its own.

    Args:
        stores: The stores.
        lives: Lets processes live.
        write: The write.
    """

    def __init__(self, stores: World, lives: Nursery, write: Write) -> None:
        self.stores = stores
        self.write = write
        self._lives = lives
        self._clock = Clock()
        self._nobody = changed(stores.pair.primary, port=DEAD_PORT)
        self._old: Row | None = None
        self._new: Row | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """Every step of the write."""
        return self.write.steps(rest=self._lives.over_rest)

    def rehearse(self) -> tuple[str, ...]:
        """Let the write happen once without a crash, remember what it makes of a record, and return its steps."""
        (key,) = self.prepare(1)
        self._old = self._row(key, there=self.write.before == "there")
        life = self.interrupt(key)
        assert life.result is not None
        assert life.result["success"], life.result
        recover(self.stores)
        self._new = self._row(key)
        assert self._old != self._new
        self._old, self._new = (_of(row, key, _ANY) for row in (self._old, self._new))
        return life.steps

    def prepare(self, number: int) -> list[str]:
        """Make records as they are before the write, and return their keys."""
        keys = [new_id() for _ in range(number)]
        self._clock.now = Clock().now
        before = self.write.before
        primary = self.stores.primary
        if before == "there":
            primary = PrimaryDoors(SqlCall(self._nobody, PLANNING, Side.PRIMARY), PLANNING)
        repository = DualRepository(primary, self.stores.secondary, None, clock=self._clock)
        for key in keys if before != "nowhere" else ():
            assert repository.save(scenario(key, title="Old")).success
        if before == "both":
            recover(self.stores)
        self._clock.advance(LATER_MS)
        return keys

    def interrupt(self, key: str, step: str | None = None) -> Life:
        """Let a process write, and die at a step."""
        return self._lives.live(
            self.write.do,
            *self._arguments(key),
            stop=step,
            primary=self._nobody if self.write.away else None,
            lost=self.write.lost,
            now_ms=self._clock.ms,
            idempotency_key=f"request {key}",
        )

    def judge(self, key: str, life: Life, step: str) -> None:
        """Hold what stands after a recovery against what the process told before it was killed at a step."""
        assert life.killed, "it was not killed"
        assert (life.result is not None) == (step == ANSWERED), "it was killed elsewhere"
        stands, (old, new) = self._stands(key), self._known(key)
        assert stands in (old, new), "something half-written is there"
        assert life.result is None or (life.result["success"] and stands == new), "an acknowledged write is lost"
        at = self.since_commit(step)
        assert at >= 0 or stands == old, "what was never committed is there"
        assert at <= 0 or stands == new, "what was committed is lost"
        assert self.stores.book.conflicts(keys=[key], resolved=True) == (), "a writer is in conflict with itself"

    def repeat(self, key: str) -> None:
        """Send the same request again, as an application does that never heard an answer: it counts once."""
        repository = DualRepository(
            self.stores.primary, self.stores.secondary, self.stores.relay, clock=self._clock, fast_path_s=5.0
        )
        named: dict[str, Any] = {"idempotency_key": f"request {key}"}
        result: DualStorageResult = getattr(repository, self.write.do)(*self._arguments(key), **named)
        assert result.success, result
        assert self._stands(key) == self._known(key)[1], "a repetition counts twice"

    def since_commit(self, step: str) -> int:
        """Return how many steps after the one that nobody can tell of a step comes; negative for one before."""
        return self.steps.index(step) - self.steps.index(self.write.commit(rest=self._lives.over_rest))

    def _arguments(self, key: str) -> tuple[Any, ...]:
        if self.write.do == "save":
            return (scenario(key, title="New"),)
        return (key, {"title": "New", "tone": "Calm"}) if self.write.do == "update" else (key,)

    def _known(self, key: str) -> tuple[object, object]:
        """Return the record as it was before, and as the write makes it."""
        return canonical(_of(self._old, _ANY, key)), canonical(_of(self._new, _ANY, key))

    def _stands(self, key: str) -> object:
        """Return the record as both stores hold it."""
        ours, theirs = (self.stores.doors(side).look([key])[key] for side in Side)
        assert (ours.change, theirs.change) == (None, None), "a change waits"
        assert canonical(ours.row) == canonical(theirs.row), "the stores differ"
        return canonical(ours.row)

    def _row(self, key: str, *, there: bool = False) -> Row | None:
        return self.stores.doors(Side.SECONDARY if there else Side.PRIMARY).look([key])[key].row


def recover(stores: World) -> None:
    """Carry over what a process left, with a fresh relay, until nothing waits but dead letters."""
    drained(stores.primary, stores.secondary, stores.book)


def drained(primary: PrimaryDoors, secondary: SecondaryDoors, book: Book) -> None:
    """Carry over everything, with a fresh relay."""
    deadline = time.monotonic() + RECOVERED_S
    relay = Relay(primary, secondary, book)
    while True:
        relay.drain()
        dead = {letter.key for letter in book.letters()}
        waiting = [item.key for doors in (primary, secondary) for item in doors.changes(at_most=1000).items]
        if dead.issuperset(waiting):
            return
        assert time.monotonic() < deadline, "changes wait that are never carried over"


def canonical(row: Row | None) -> object:
    """Return a row as it is compared."""
    return None if row is None else canonical_row(PLANNING, row)


def _of(row: Row | None, key: str, other: str) -> Row | None:
    """Return a row of a record as that of another one."""
    return row and {name: value and value.replace(key, other) for name, value in row.items()}
