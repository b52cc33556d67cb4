"""A plan of repair: the steps that would be taken, in their order, and what is left to people with the reason.

A plan is made once, reviewed, approved by the hash of its file, and carried out as it is: what was shown is what is
done. It holds values of records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contracts.vocabulary import Channel, StoreName

Texts = Mapping[str, str | None]
"""One row as its store writes it: a text per column of the dataset; None for NULL."""


class Mode(StrEnum):
    """What a plan may do to the store that is not the source."""

    SOURCE_OF_TRUTH = "source-of-truth"  # whatever makes it hold what the source holds, deletes included
    UPSERT_ONLY = "upsert-only"  # the same without deletes
    INSERT_ONLY = "insert-only"  # only rows that it lacks
    FILL_NULLS = "fill-nulls"  # only values that it lacks, in rows that both have
    THREE_WAY = "three-way"  # the side that changed since both agreed wins; needs capture, and no source
    UNDO = "undo"  # takes an earlier repair back; made by `repair undo` only


class Act(StrEnum):
    """What a step does to one row of one store."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class Winner(StrEnum):
    """Why the row, or the values, of one side are written to the other."""

    SOURCE = "source"  # the plan names this side as its source of truth
    AT_FAULT = "at_fault"  # the two rows show whose value is wrong: the other one's counts, source or not
    FIXED = "fixed"  # what is known of the cause gives the right value, which neither side need hold
    CHANGED = "changed"  # only this side changed since both agreed
    FILLED = "filled"  # the other side has no value
    RENAMED = "renamed"  # the row gets a key that both stores can hold
    UNDONE = "undone"  # it was like this before a repair


class Why(StrEnum):
    """Why something that a check found is left to people."""

    UNDER_WAY = "under_way"  # its change waits to be carried over
    IN_CONFLICT = "in_conflict"  # both sides changed it: `twinstore sync conflicts`
    DEAD_LETTER = "dead_letter"  # it could not be carried over: `twinstore sync dead-letters`
    MODE = "mode"  # this mode does not do what it needs
    ONE_RUN = "one_run"  # it would be deleted, and only one run saw that so far
    BREAKS_CONTRACT = "breaks_contract"  # the row that would win breaks a critical rule itself
    NO_WINNER = "no_winner"  # nothing tells which side is right
    CANNOT_HOLD = "cannot_hold"  # the other store refuses such a row
    REFERENCED = "referenced"  # rows of other tables hang on it
    KEY_NEEDED = "key_needed"  # its key cannot be held by both stores, and renaming was not asked for
    SETTLED = "settled"  # it does not differ any more
    NOT_NAMED = "not_named"  # the run names no open difference of it, but need not name all
    MOVED = "moved"  # somebody changed it since it was repaired, so that the repair cannot be taken back
    CAME_BACK = "came_back"  # it was repaired before and did not stay so
    BOTH_ALIKE = "both_alike"  # a rule is broken by rows on which both stores agree


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of one store, and what it is to become.

    Attributes:
        number: Its place in the plan, from 1; steps are taken in this order.
        store: The store that is written.
        key: Key of the row.
        act: What is done.
        before: The row as the store holds it; None where it holds none. Nothing else is ever overwritten.
        after: The row as it is to be; None to delete it.
        other: Hash of the other store's row as it was seen, `hash_of` of its texts; None where it holds none.
        line: Number of the last change of this key in the store that waits to be carried over; None where none waits.
        other_line: The same of the other store.
        winner: Why `after` is right.
        causes: Why the rows differ, words of `contracts.vocabulary.Cause`, sorted.
        fields: Columns that change, in the order of the dataset; all columns for a row that is inserted or deleted.
        reason: One sentence, without values of the record.
        needs: Number of a step that must have been written before; None where there is none.
    """

    number: int
    store: StoreName
    key: str
    act: Act
    before: Texts | None
    after: Texts | None
    other: str | None
    line: int | None = None
    other_line: int | None = None
    winner: Winner
    causes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    reason: str
    needs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Something that a check found and that the plan does not repair.

    Attributes:
        key: The key; None for a finding about many rows, such as a rule that rows break on both stores.
        why: Why it is left.
        sentence: The same in a sentence that says what a person can do; without values of the record.
        causes: Why the rows differ, sorted; for a rule of the contract its id.
        rows: How many rows it is about.
    """

    key: str | None
    why: Why
    sentence: str
    causes: tuple[str, ...] = ()
    rows: int = 1


def rows_of(left: Iterable[Left]) -> int:
    """Return how many rows findings are about; several of one key, such as one for each field, are about one row."""
    every = tuple(left)
    return len({one.key for one in every if one.key is not None}) + sum(one.rows for one in every if one.key is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A brake that somebody released.

    Attributes:
        brake: Name of the brake.
        value: Up to where, for a cap; None for the others.
        by: Who released it.
    """

    brake: str
    value: int | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a plan is about.

    Attributes:
        id: Its id; ids sort by time.
        dataset: The dataset.
        environment: Name of the pair of stores.
        made_at: When it was made, UTC.
        expires_at: From when it is too old to be carried out.
        mode: What it may do.
        source: The source of truth; None where the mode has none.
        fixes: The causes whose values are put right where they arose.
        filters: What was asked for: words such as `cause`, `field`, `key`, `user`, `older_than`, `no_fix`, with their
            values.
        run_id: The check that it rests on.
        identities: Per store, the id of the very database, or where it is for one that shows none.
        channels: Per store, how it is reached.
        rows: Per store, the number of its rows when the plan was made.
        columns: Names of the dataset's columns, in their order.
        undoes: Id of the repair that it takes back.
        version: Version of twinstore that made it.
    """

    id: str
    dataset: str
    environment: str
    made_at: datetime
    expires_at: datetime
    mode: Mode
    source: StoreName | None
    fixes: tuple[str, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    run_id: str | None
    identities: Mapping[StoreName, str]
    channels: Mapping[StoreName, Channel]
    rows: Mapping[StoreName, int]
    columns: tuple[str, ...]
    undoes: str | None = None
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan of repair.

    Attributes:
        header: What it is about.
        steps: What would be done, in this order.
        left: What is left to people.
    """

    header: Header
    steps: tuple[Step, ...]
    left: tuple[Left, ...] = ()

    @property
    def rows_left(self) -> int:
        """Number of rows that are left to people; what does not differ any more needs nobody."""
        return rows_of(one for one in self.left if one.why is not Why.SETTLED)

    @property
    def deletes(self) -> tuple[int, ...]:
        """Numbers of the steps that delete a record; one that only gets another key is none of them."""
        return tuple(step.number for step in self.steps if step.act is Act.DELETE and step.winner is not Winner.RENAMED)

    def count(self, act: Act, store: StoreName | None = None) -> int:
        """Return how many steps do this, to one store or to both."""
        return sum(1 for step in self.steps if step.act is act and store in (None, step.store))
