"""A store that has our functions, by SQL or over REST, as repair reads and writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contracts.repair import Done, Step
from contracts.vocabulary import StoreName
from storage.repair.held_keys import can_be_held
from storage.repair.ports import Seen
from storage.replication.doors import Doors
from storage.replication.messages import Mend, Remedy


class DoorSide:
    """One store behind its doors; a `storage.repair.ports.RepairSide`.

    Args:
        doors: Its doors.
    """

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    @property
    def store(self) -> StoreName:
        """The store."""
        return self._doors.store

    def see(self, keys: Sequence[str]) -> dict[str, Seen]:
        """Return how keys stand, one entry for each.

        Raises:
            TwinstoreError: The store cannot be asked.
        """
        held = [key for key in keys if can_be_held(self._doors.dataset, self.store, key)]
        found = self._doors.look(held) if held else {}
        seen = {key: Seen(item.row, item.change, item.mark, item.since) for key, item in found.items()}
        return {key: seen.get(key, Seen(None, None)) for key in keys}

    def mend(
        self, steps: Sequence[Step], *, batch: str | None = None, seen: Mapping[str, Seen] | None = None
    ) -> tuple[Done, ...]:
        """Take steps, each only if the row still is as planned; see `storage.repair.ports.RepairSide`.

        Raises:
            OutcomeUnknown: Nobody knows whether they were taken.
            TwinstoreError: None was taken.
        """
        if not steps:
            return ()
        marks = {} if seen is None else {key: one.mark for key, one in seen.items()}
        mends = [
            Mend(key=step.key, before=step.before, after=step.after, line=step.line, mark=marks.get(step.key))
            for step in steps
        ]
        return _done(steps, self._doors.mend(mends, batch=batch))

    def recall(self, batch: str, steps: Sequence[Step]) -> tuple[Done, ...]:
        """Tell what became of a call whose answer was lost; see `storage.repair.ports.RepairSide`.

        Raises:
            TwinstoreError: The store cannot be reached.
        """
        return _done(steps, self._doors.recall(batch))


def _done(steps: Sequence[Step], remedies: Sequence[Remedy] | None) -> tuple[Done, ...]:
    """Return what became of steps; every key is named once in a call."""
    by_key = {remedy.key: remedy for remedy in remedies or ()}
    return tuple(
        Done(number=step.number, outcome=found.outcome, row=found.row, code=found.code, rule=found.rule)
        for step in steps
        if (found := by_key.get(step.key)) is not None
    )
