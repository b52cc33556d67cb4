"""How a difference stands in replication: carried over soon, waiting for a person, or lost.

Both sides are asked at different moments while changes go on. What is concluded from the absence of something (nothing
waits, so the change was lost; the rows agree, so there is no difference) is concluded of one moment only: that at which
the secondary answered, and at which the primary was as it had been before and was still afterwards. Numbers of lines
and revs only grow, so that a key that shows the same ones twice did not change in between. A key that goes on changing
is looked at again, and deferred in the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from contracts.dataset import Dataset
from contracts.replication import Direction, Place, Standing
from contracts.vocabulary import StoreName
from storage.canonical_text import field_text
from storage.parity.agreement import by_rule
from storage.parity.recheck import Checked, Outcome
from storage.parity.standing import KEYS_AT_ONCE, Placed
from storage.ports import FullRow, KeyHash, Row
from storage.replication.book import Book
from storage.replication.doors import PrimaryDoors, SecondaryDoors
from storage.replication.messages import Item

ROUNDS = 5  # how often a key that moves is looked at
WAIT_S = 0.1  # between two rounds


class _Seen(NamedTuple):
    """A candidate as it was seen now: its outcome is confirmed where the rows differ, else how they agree."""

    checked: Checked
    ours: Item
    theirs: Item

    @property
    def key(self) -> str:
        return self.checked.first.key

    @property
    def waits(self) -> bool:
        """True when the rows differ and a change of the key waits to be carried over."""
        dirty = self.ours.change is not None or self.theirs.change is not None
        return dirty and self.checked.outcome is Outcome.CONFIRMED


class Places:
    """Tells how confirmed candidates stand; a `storage.parity.standing.Placing`.

    Args:
        primary: Doors of the primary.
        secondary: Doors of the secondary.
        book: What is kept on the primary.
        dataset: The dataset as it is compared.
        standings: What both sides said of themselves.
        asked_at: When they said it, on `clock`.
        max_lag_s: For how many seconds a change may wait before it counts as a difference.
        clock: Tells a time in seconds that only grows.
        wait: Waits for seconds.
    """

    def __init__(
        self,
        primary: PrimaryDoors,
        secondary: SecondaryDoors,
        book: Book,
        *,
        dataset: Dataset,
        standings: Mapping[StoreName, Standing],
        asked_at: float,
        max_lag_s: float,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._primary = primary
        self._secondary = secondary
        self._book = book
        self._dataset = dataset
        self._standings = standings
        self._asked_at = asked_at
        self._max_lag_s = max_lag_s
        self._clock = clock
        self._wait = wait

    def place(self, confirmed: Sequence[Checked]) -> Iterator[Placed]:
        """Yield each of them once, with its place, or as what it turned out to be.

        Raises:
            TwinstoreError: A store cannot be asked.
        """
        left = list(confirmed)
        for number in range(ROUNDS):
            if number:
                self._wait(WAIT_S)
            moving: list[Checked] = []
            for start in range(0, len(left), KEYS_AT_ONCE):
                yield from self._look(left[start : start + KEYS_AT_ONCE], moving)
            left = moving
            if not left:
                return
        yield from (Placed(checked._replace(outcome=Outcome.DEFERRED)) for checked in left)

    def _look(self, some: Sequence[Checked], moving: list[Checked]) -> Iterator[Placed]:
        """Look at some keys once; those that moved meanwhile are added to `moving`."""
        keys = [checked.first.key for checked in some]
        ours, theirs = self._primary.look(keys), self._secondary.look(keys)
        seen = [self._seen(checked, ours[checked.first.key], theirs[checked.first.key]) for checked in some]
        yield from self._waiting([one for one in seen if one.waits])
        rest = [one for one in seen if not one.waits]
        if not rest:
            return
        disputed = self._book.disputed([one.key for one in rest])
        again = self._primary.look([one.key for one in rest])
        for one in rest:
            if again[one.key] != one.ours:
                moving.append(one.checked._replace(outcome=Outcome.CONFIRMED))
            elif one.checked.outcome is not Outcome.CONFIRMED:
                yield Placed(one.checked)
            else:
                yield Placed(one.checked, Place.CONFLICT if one.key in disputed else Place.LOST)

    def _waiting(self, seen: Sequence[_Seen]) -> Iterator[Placed]:
        """Yield keys that wait: under way, waiting for too long, or given up."""
        dead = self._book.dead([one.key for one in seen])
        for one in seen:
            lines = [
                (direction, item)
                for direction, item in ((Direction.TO_SECONDARY, one.ours), (Direction.TO_PRIMARY, one.theirs))
                if item.change is not None
            ]
            alive = [line for line in lines if dead.get((one.key, line[0])) != line[1].change]
            waiting_s = max(self._age_s(direction, item.since) for direction, item in alive or lines)
            if not alive:
                yield Placed(one.checked, Place.DEAD_LETTER, waiting_s)
            elif waiting_s < self._max_lag_s:
                yield Placed(one.checked._replace(outcome=Outcome.PENDING), None, waiting_s)
            else:
                yield Placed(one.checked, Place.NOT_YET, waiting_s)

    def _age_s(self, direction: Direction, since: datetime | None) -> float:
        """Return the age of a line by the clock of the store that wrote it."""
        said = self._standings[direction.target.other]
        now = said.now + timedelta(seconds=self._clock() - self._asked_at)
        return max(0.0, (now - (since or now)).total_seconds())

    def _seen(self, checked: Checked, ours: Item, theirs: Item) -> _Seen:
        outcome = agreement(self._dataset, ours.row, theirs.row) or Outcome.CONFIRMED
        primary, secondary = _row(checked.primary, ours), _row(checked.secondary, theirs)
        return _Seen(Checked(checked.first, outcome, primary, secondary), ours, theirs)


def agreement(dataset: Dataset, primary: Row | None, secondary: Row | None) -> Outcome | None:
    """Return how two rows agree; None when they differ.

    Raises:
        ProtocolError: A value is none of its column's type.
    """
    if primary is None or secondary is None:
        return Outcome.GONE if primary is secondary else None
    names = by_rule(dataset, primary, secondary)
    if names is None:
        return None
    if names:
        return Outcome.RULE
    alike = all(field_text(c, primary[c.name]) == field_text(c, secondary[c.name]) for c in dataset.compared)
    return Outcome.SETTLED if alike else Outcome.REPRESENTATION


def _row(before: FullRow | None, item: Item) -> FullRow | None:
    """Return the row as it was seen now; its hash is known where it did not change since it was compared."""
    if item.row is None:
        return None
    if before is not None and before.row == item.row:
        return before
    return FullRow(KeyHash(item.key, 0, 0), item.row)
