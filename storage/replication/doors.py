"""The doors of one side: what replication asks of a store, over whichever channel it is reached."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import EllipsisType
from typing import Any, Protocol

from contracts.dataset import Dataset
from contracts.errors import TimedOut
from contracts.replication import Applied, Heard, Judged, Standing
from contracts.vocabulary import StoreName
from storage.migrations.replication_doors import replication
from storage.migrations.values import Side
from storage.ports import Row
from storage.replication.answers import Answers
from storage.replication.messages import (
    Changes,
    Item,
    Listed,
    Mend,
    Remedy,
    Verdict,
    Written,
    key_and_parts,
    texts_of,
)

Ack = tuple[str, int]
"""A key, and the line up to which it was carried over."""


class Call(Protocol):
    """Calls the functions of one side."""

    @property
    def store(self) -> StoreName:
        """The store that has them."""
        ...

    def __call__(
        self, door: str, arguments: Mapping[str, Any], *, deadline_s: float | None = None, once: bool = False
    ) -> object:
        """Call one of them and return the JSON value that it gives.

        Args:
            door: Its name, as in `storage.migrations.replication_doors`.
            arguments: By name, in the order in which the door declares them.
            deadline_s: Seconds after which it is given up; the channel's own limits unless given.
            once: True for a write that must not be carried out twice: it is never sent again by itself.

        Raises:
            OutcomeUnknown: It was sent once and nobody knows whether it was carried out.
            TwinstoreError: It failed, and was not carried out.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class Doors:
    """What both sides have.

    Args:
        call: Calls the functions of the side.
        dataset: The dataset.
        side: The side.
    """

    def __init__(self, call: Call, dataset: Dataset, side: Side) -> None:
        self.dataset = dataset
        self.store = side.store
        self._call = call
        self._side = side
        self._answers = Answers(side.store, dataset)

    def capture(
        self, *, wanted: bool, beyond: int = 0, adoption: str | None = None, deadline_s: float | None = None
    ) -> Standing | None:
        """Turn capture on or off. Turning it on ends a gap: for those to do who have compared the stores since.

        Args:
            wanted: Whether writes are captured from now on.
            beyond: The largest number of this side that the other has heard of: later ones are larger.
            adoption: Name of the adoption that begins; the primary takes it only where it knows none.
            deadline_s: Seconds after which it is given up.

        Returns:
            How the side stands then; None where it has to be repeated, since others wait for it.
        """
        arguments = {"wanted": wanted, "beyond": beyond, "adopting": adoption}
        answer = self._call("capture", arguments, deadline_s=deadline_s)
        return None if self._answers.left(answer) else self._standing(answer)

    def standing(self, *, heard: Heard = (), deadline_s: float | None = None) -> Standing:
        """Tell whether writes are captured, and how many wait.

        Args:
            heard: What the other side has heard of this one.
            deadline_s: Seconds after which it is given up.
        """
        return self._standing(self._call("standing", {"heard": heard}, deadline_s=deadline_s))

    def glance(self, *, heard: Heard = (), deadline_s: float) -> Standing:
        """Tell the same in a moment, however many wait: `dirty` is 1 where any does."""
        return self._standing(self._call("glance", {"heard": heard}, deadline_s=deadline_s))

    def changes(self, *, after: int = 0, at_most: int, deadline_s: float | None = None) -> Changes:
        """Return dirty keys with lines after `after`, of at most so many lines, with their rows."""
        answer = self._call("changes", {"after": after, "at_most": at_most}, deadline_s=deadline_s)
        return self._answers.changes(answer)

    def look(self, keys: Sequence[str], *, deadline_s: float | None = None) -> dict[str, Item]:
        """Return how keys stand, with their rows, dirty or not, each as of one moment.

        What is too much at once is asked for in halves, down to single rows, for as long as there is time.

        Raises:
            TimedOut: A single row is too large for the channel, or the store is too slow.
            TwinstoreError: The store cannot be asked.
        """
        until = None if deadline_s is None else time.monotonic() + deadline_s
        found: dict[str, Item] = {}
        parts = [keys]
        while parts:
            some = parts.pop()
            try:
                found |= self._look(some, self._left_s(until))
            except TimedOut:
                if len(some) <= 1 or (until is not None and time.monotonic() >= until):
                    raise
                middle = len(some) // 2
                parts += [some[middle:], some[:middle]]
        return found

    def settle(self, acks: Sequence[Ack], *, deadline_s: float | None = None) -> None:
        """Note that keys were carried over up to these lines. Doing it twice does no harm."""
        if acks:
            self._call("settle", {"acks": [list(ack) for ack in acks]}, deadline_s=deadline_s)

    def put(
        self,
        key: str,
        row: Row | None,
        *,
        expected: Row | EllipsisType | None = ...,
        request: tuple[str, str] | None = None,
        deadline_s: float | None = None,
    ) -> Written:
        """Write a row as an application does, or delete it.

        Args:
            key: Its key.
            row: Its columns, each as text; None to delete it.
            expected: The row as the caller read it, None when there was none; anything will do unless given.
            request: A key of the caller's own for this request, and a hash of what is asked for.
            deadline_s: Seconds after which it is given up.

        Raises:
            OutcomeUnknown: Nobody knows whether it was written.
            TwinstoreError: It was not written.
        """
        text, parts = key_and_parts(self.dataset, key)
        asked: dict[str, object] = {"key": text, "parts": parts, "row": texts_of(self.dataset, row)}
        if not isinstance(expected, EllipsisType):
            asked["expected"] = texts_of(self.dataset, expected)
        if request is not None:
            asked["request"] = {"key": request[0], "hash": request[1]}
        return self._answers.written(self._call("put", {"request": asked}, deadline_s=deadline_s, once=True))

    def mend(
        self, mends: Sequence[Mend], *, batch: str | None = None, deadline_s: float | None = None
    ) -> tuple[Remedy, ...]:
        """Write rows of a repair, one answer each; what is written is not carried over.

        Args:
            mends: The rows.
            batch: A name for this call, by which it is carried out once however often it is sent.
            deadline_s: Seconds after which it is given up.

        Raises:
            OutcomeUnknown: Nobody knows whether it was carried out; `recall` tells.
            TwinstoreError: It was not carried out.
        """
        items = [
            {
                **dict(zip(("key", "parts"), key_and_parts(self.dataset, mend.key), strict=True)),
                "before": texts_of(self.dataset, mend.before),
                "after": texts_of(self.dataset, mend.after),
                "line": mend.line,
                "mark": mend.mark,
            }
            for mend in mends
        ]
        answer = self._call("mend", {"request": {"batch": batch, "items": items}}, deadline_s=deadline_s, once=True)
        return self._answers.remedies(answer, [mend.key for mend in mends]) or ()

    def recall(self, batch: str, *, deadline_s: float | None = None) -> tuple[Remedy, ...] | None:
        """Tell what became of a call of this name; None where it was not carried out, which it never will be then.

        What was written is told with its row only where nobody wrote it since.
        """
        answer = self._call("mend", {"request": {"batch": batch}}, deadline_s=deadline_s, once=True)
        return self._answers.remedies(answer, None)

    def page(
        self,
        filters: Mapping[str, str | None],
        *,
        place: tuple[str, str] | None,
        at_most: int,
        deadline_s: float | None = None,
    ) -> tuple[Listed, ...]:
        """Return rows that fit, those that were changed last first.

        Args:
            filters: By column, the texts of values as an array of PostgreSQL, None for no value; `search` for a part of
                the title, with the wildcards of LIKE escaped.
            place: Instant and key of the last row of the page before.
            at_most: How many rows.
            deadline_s: Seconds after which it is given up.
        """
        arguments = {"filters": dict(filters), "place": None if place is None else list(place), "at_most": at_most}
        return self._answers.page(self._call("page", arguments, deadline_s=deadline_s))

    def close(self) -> None:
        """Close the connections."""
        self._call.close()

    def _look(self, keys: Sequence[str], deadline_s: float | None) -> dict[str, Item]:
        asked = [key_and_parts(self.dataset, key) for key in keys]
        found = self._answers.items(self._call("look", {"keys": asked}, deadline_s=deadline_s))
        return {item.key: item for item in found}

    def _left_s(self, until: float | None) -> float | None:
        if until is None:
            return None
        if (left_s := until - time.monotonic()) > 0:
            return left_s
        raise TimedOut(
            f"{self.store} did not tell in time how so many large records stand.",
            "Ask for fewer, or try again when the server is less busy.",
            store=self.store,
        )

    def _standing(self, answer: object) -> Standing:
        return self._answers.standing(answer, checksum=self._checksum)

    @cached_property
    def _checksum(self) -> str:
        return replication(self.dataset, self._side).checksum

    def _sent(self, items: Sequence[Item]) -> list[str]:
        return [item.key for item in items]


class PrimaryDoors(Doors):
    """The side that orders all writes."""

    def __init__(self, call: Call, dataset: Dataset) -> None:
        super().__init__(call, dataset, Side.PRIMARY)

    def judge(self, items: Sequence[Item], *, deadline_s: float | None = None) -> tuple[Verdict, ...]:
        """Judge changes of the secondary, one verdict each; judging one twice does no harm."""
        asked = [
            {
                **dict(zip(("key", "parts"), key_and_parts(self.dataset, item.key), strict=True)),
                "base": item.rev,
                "lseq": item.change,
                "adoption": item.adoption,
                "row": texts_of(self.dataset, item.row),
            }
            for item in items
        ]
        return self._answers.verdicts(
            self._call("judge", {"items": asked}, deadline_s=deadline_s), Judged, self._sent(items)
        )


class SecondaryDoors(Doors):
    """The side that follows."""

    def __init__(self, call: Call, dataset: Dataset) -> None:
        super().__init__(call, dataset, Side.SECONDARY)

    def apply(self, items: Sequence[Item], *, deadline_s: float | None = None) -> tuple[Verdict, ...]:
        """Write rows as the primary has them, one verdict each; delivering one twice does no harm."""
        asked = [
            {
                **dict(zip(("key", "parts"), key_and_parts(self.dataset, item.key), strict=True)),
                "rev": item.change,
                "seen": item.seen,
                "adoption": item.adoption,
                "row": texts_of(self.dataset, item.row),
            }
            for item in items
        ]
        return self._answers.verdicts(
            self._call("apply", {"items": asked}, deadline_s=deadline_s), Applied, self._sent(items)
        )
