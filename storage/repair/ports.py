"""What repair needs of a store, over whichever channel it is reached."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from contracts.repair import Done, Mended, Step
from contracts.repair.plan import Texts
from contracts.vocabulary import StoreName


class Seen(NamedTuple):
    """One key of one store, as of one moment.

    Attributes:
        row: Its row; None when there is none.
        line: Number of the last change of it that waits to be carried over; None where none waits, or where writes
            to the store are not captured.
        mark: What tells this very row from one that reads the same and was written later; None where nothing does.
        since: When the oldest change of it that waits was noted, by the clock of the store; None where none waits.
    """

    row: Texts | None
    line: int | None
    mark: str | None = None
    since: datetime | None = None


class RepairSide(Protocol):
    """One store, as repair reads and writes it."""

    @property
    def store(self) -> StoreName:
        """The store."""
        ...

    def see(self, keys: Sequence[str]) -> dict[str, Seen]:
        """Return how keys stand, one entry for each.

        Raises:
            TwinstoreError: The store cannot be asked.
        """
        ...

    def mend(
        self, steps: Sequence[Step], *, batch: str | None = None, seen: Mapping[str, Seen] | None = None
    ) -> tuple[Done, ...]:
        """Take steps of this store, each only if the row still is as planned; one answer each, in their order.

        A row is compared and written in one transaction. Touch triggers, keepers and capture stand aside, so that
        what is written stays as it was written and is not carried back. Taking a step twice does no harm.

        Args:
            steps: The steps.
            batch: A name for this call, by which `recall` can tell later what became of it.
            seen: How its keys stood a moment ago. What was written since, even with the same values, counts as locked.

        Raises:
            TwinstoreError: The store cannot be reached; steps of this call may have been taken.
        """
        ...

    def recall(self, batch: str, steps: Sequence[Step]) -> tuple[Done, ...]:
        """Tell what became of a call whose answer was lost: an answer for each of its steps, none if it was not made.

        One that was not made never is from then on, however late it comes.

        Args:
            batch: Its name.
            steps: The steps that it was to take.

        Raises:
            TwinstoreError: The store cannot be reached.
        """
        ...


def told_by_rows(steps: Sequence[Step], now: Mapping[str, Seen]) -> tuple[Done, ...]:
    """Return what rows tell of steps that may have been taken: nothing of one whose row is as it was before.

    Nobody knows of a row that is neither as it was nor as it was to become: it was written and changed since, by a
    trigger or by somebody, or never was written.

    Args:
        steps: The steps.
        now: How their keys stand.
    """
    return tuple(
        Done(number=step.number, outcome=Mended.WRITTEN if _is(now[step.key].row, step.after) else Mended.UNCLEAR)
        for step in steps
        if not _is(now[step.key].row, step.before)
    )


def _is(row: Texts | None, known: Texts | None) -> bool:
    """Tell whether a row is one that a plan knows; columns that came since tell nothing."""
    if row is None or known is None:
        return row is known
    return {name: row[name] for name in known if name in row} == known


def hash_of(columns: Sequence[str], row: Texts | None) -> str | None:
    """Return the hash of a row's texts by which a plan knows it again; None where there is no row."""
    if row is None:
        return None
    return hashlib.sha256(json.dumps([row[name] for name in columns], ensure_ascii=False).encode()).hexdigest()
