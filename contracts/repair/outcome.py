"""What became of a repair and of each of its steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contracts.repair.plan import Mode, Override, Texts
from contracts.vocabulary import StoreName


class Mended(StrEnum):
    """What became of a step."""

    WRITTEN = "written"
    ALREADY = "already"  # the row was as it was to become, and not by this repair: undo leaves it
    MOVED = "moved"  # the row, or that of the other store, is not as it was planned: nothing was written
    WAITING = "waiting"  # a change of its key waits to be carried over that the plan did not know of
    LOCKED = "locked"  # somebody was writing the row every time it was tried
    REJECTED = "rejected"  # the store refused the row
    UNCLEAR = "unclear"  # nobody knows whether it was written: its row is neither as it was nor as planned
    HELD = "held"  # a step that it needs was not written


class Ended(StrEnum):
    """How a repair ended."""

    PLANNED = "planned"  # nobody applied it yet
    BEGUN = "begun"  # it was begun and has not ended: apply it again to finish it, or close it
    CLOSED = "closed"  # it was begun, and somebody ended it as it was: what it wrote stays
    REPAIRED = "repaired"  # every step was written, and what was read afterwards is as planned
    PARTLY = "partly"  # some steps moved, were refused, or did not stay as they were written
    UNDONE = "undone"  # all that it wrote was taken back later


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A step that was taken.

    Attributes:
        number: Number of the step.
        outcome: What became of it.
        row: The row as the store holds it after it was written, where that is not what was written: a trigger, a
            generated column or a default changed it. None otherwise, and for a row that is gone.
        code: SQLSTATE of a refusal.
        rule: Constraint or column that refused, where the store named one.
    """

    number: int
    outcome: Mended
    row: Texts | None = None
    code: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconverged:
    """A step that was written and after which the two stores, or the row, are not as planned.

    Attributes:
        number: Number of the step.
        store: The store that was written.
        key: Key of the row.
        fields: Columns that are not as planned.
        why: One sentence that says why, as far as anything tells, and what a person can do.
    """

    number: int
    store: StoreName
    key: str
    fields: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was read of both stores after a repair.

    Attributes:
        agree: Number of keys on which the stores agree now.
        differ: Number of keys that differ as they should: the plan changed only some of their fields.
        moved: The keys that somebody changed since they were written.
        unconverged: Steps whose rows are not as they were written, though nobody is known to have changed them.
        undone: Number of keys whose rows were taken back since, of which nothing else is said.
    """

    agree: int = 0
    differ: int = 0
    moved: tuple[str, ...] = ()
    unconverged: tuple[Unconverged, ...] = ()
    undone: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One repair, as it is remembered: counts and names, never a value of a record.

    Attributes:
        id: Id of its plan.
        dataset: The dataset.
        environment: Name of the pair of stores.
        mode: What the plan may do.
        plan_hash: SHA-256 of the plan's file, in hexadecimal digits: what is approved.
        made_at: When the plan was made.
        run_id: The check that it rests on.
        steps: Number of steps.
        left: How many rows the plan leaves to people.
        ended: How it ended.
        begun_at: When it was applied, or gone on with, last.
        ended_at: When it ended.
        approved_by: Who approved it.
        overrides: The brakes that were released.
        outcomes: Number of steps by outcome.
        agree: Keys on which the stores agreed when they were read afterwards; None before.
        unconverged: Number of steps that did not stay as they were written; None before.
        undoes: Id of the repair that it takes back.
        deletes: Number of rows that it deletes; once it ended, that it deleted.
    """

    id: str
    dataset: str
    environment: str
    mode: Mode
    plan_hash: str
    made_at: datetime
    run_id: str | None
    steps: int
    left: int
    ended: Ended
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    approved_by: str | None = None
    overrides: tuple[Override, ...] = ()
    outcomes: dict[Mended, int] = field(default_factory=dict)
    agree: int | None = None
    unconverged: int | None = None
    undoes: str | None = None
    deletes: int = 0
