"""What repair needs of a store, over whichever channel it is reached."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from contracts.repair import Done, Step
from contracts.repair.plan import Texts
from contracts.vocabulary import StoreName


class Seen(NamedTuple):
    """One key of one store, as of one moment.

    Attributes:
        row: Its row; None when there is none.
        line: Number of the last change of it that waits to be carried over; None where none waits, or where writes
            to the store are not captured.
    """

    row: Texts | None
    line: int | None


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

    def mend(self, steps: Sequence[Step]) -> tuple[Done, ...]:
        """Take steps of this store, each only if the row still is as planned; one answer each, in their order.

        A row is compared and written in one transaction. Touch triggers, keepers and capture stand aside, so that
        what is written stays as it was written and is not carried back. Taking a step twice does no harm.

        Raises:
            TwinstoreError: The store cannot be reached; steps of this call may have been taken.
        """
        ...


def hash_of(columns: Sequence[str], row: Texts | None) -> str | None:
    """Return the hash of a row's texts by which a plan knows it again; None where there is no row."""
    if row is None:
        return None
    return hashlib.sha256(json.dumps([row[name] for name in columns], ensure_ascii=False).encode()).hexdigest()
