"""What goes through the doors of replication, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from contracts.dataset import Dataset
from contracts.keys import split_key
from contracts.repair import Mended
from contracts.replication import Put
from storage.ports import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One key of one side: its row, and how it stands, all as of one moment.

    Attributes:
        key: Its key text.
        change: Number of its last line: the rev on the primary, the lseq on the secondary; None when it is clean.
        since: When its oldest line was written; None when it is clean.
        rev: On the primary the rev that the secondary is known to have, on the secondary the rev delivered last.
        seen: On the primary the last change of the secondary that was judged; 0 on the secondary.
        known: True when it was ever carried over: without a row, it was deleted.
        ready: False while a line of ours may be overtaken by an older transaction that has not ended.
        row: Its row; None when there is none.
        adoption: Name of the adoption that held when it was read; None where none did.
        server: When the primary's server was started that said so; None of the secondary.
        mark: What tells this very row from one that reads the same and was written later.
    """

    key: str
    change: int | None
    since: datetime | None
    rev: int
    seen: int
    known: bool
    row: Row | None
    ready: bool = True
    adoption: str | None = None
    server: datetime | None = field(default=None, compare=False)
    mark: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Some dirty keys.

    Attributes:
        items: The keys, in the order in which they became dirty.
        next: The line to go on after; None when there are no more.
    """

    items: tuple[Item, ...]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a door says about one item of a batch.

    Attributes:
        key: Its key.
        outcome: What became of it, a word of `contracts.replication`.
        rev: Of a delivery the rev that the secondary has; of a proposal the rev that it got.
        code: SQLSTATE of a refusal.
        rule: Constraint that refused.
    """

    key: str
    outcome: str
    rev: int | None
    code: str | None
    rule: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of a write.

    Attributes:
        outcome: What became of it.
        row: The row as the store holds it now; None when there is none.
        change: Number of its line; None when nothing was written.
        repeated: True when the same request had been carried out before.
    """

    outcome: Put
    row: Row | None
    change: int | None
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """One row that a repair writes, only where it still is as it was planned.

    Attributes:
        key: Its key.
        before: The row as it must be; None where there must be none.
        after: The row as it is to be; None to delete it.
        line: Number of the last change of it that may wait; None where none may.
        mark: As `look` gave it, where a row that was written since has moved even if it reads the same.
    """

    key: str
    before: Row | None
    after: Row | None
    line: int | None = None
    mark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What became of it.

    Attributes:
        key: Its key.
        outcome: What became of it.
        row: The row as it is after it was written, where that is not what was written.
        code: SQLSTATE of a refusal.
        rule: Constraint or column that refused.
    """

    key: str
    outcome: Mended
    row: Row | None
    code: str | None
    rule: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One row of a page.

    Attributes:
        key: Its key text.
        at: Instant of its last change, as text in UTC at milliseconds.
        row: The row.
        dirty: True when a change of it waits to be carried over.
    """

    key: str
    at: str
    row: Row
    dirty: bool


def key_and_parts(dataset: Dataset, key: str) -> list[object]:
    """Return a key as doors take it: its text and the list of its parts."""
    return [key, list(split_key(dataset, key))]


def texts_of(dataset: Dataset, row: Row | None) -> list[str | None] | None:
    """Return a row as doors take it: a text per column, in the order of the dataset."""
    return None if row is None else [row[column.name] for column in dataset.columns]
