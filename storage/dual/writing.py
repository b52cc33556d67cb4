"""One write on one store: the row that is there is read, and replaced by what is wanted only if nobody was faster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from contracts.errors import Conflict, Invalid, OutcomeUnknown, TwinstoreError, Unavailable
from contracts.replication import Put
from contracts.results import Outcome
from storage.dual.comparing import alike
from storage.dual.rows import version_of
from storage.ports import Row
from storage.replication.doors import Doors, SecondaryDoors
from storage.replication.messages import Written

ATTEMPTS = 8  # to write a row that others write at the same time
DONE = {
    Put.CREATED: Outcome.CREATED,
    Put.UPDATED: Outcome.UPDATED,
    Put.DELETED: Outcome.DELETED,
    Put.MISSING: Outcome.MISSING,
}
_WROTE = (Put.CREATED, Put.UPDATED, Put.DELETED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a caller wants done to one record.

    Attributes:
        key: Its id.
        verb: What is done, for sentences.
        becomes: Returns the row that shall be, from the row that is; None to delete it.
        existing: True when it makes sense only for a record that is there.
        expected_version: The version that the record must have; 0 when it must not be there.
        request: The caller's key for this request, and a hash of what is asked for.
    """

    key: str
    verb: str
    becomes: Callable[[Row | None], Row | None]
    existing: bool = False
    expected_version: int | None = None
    request: tuple[str, str] | None = None


class Done(NamedTuple):
    """What became of a wish on one store.

    Attributes:
        outcome: What became of it.
        row: The row that is there now.
        dirty: True when a change of the key waits to be carried over.
        repeated: True when the request had been carried out before.
        why: Why it came to nothing, where the outcome alone does not say it.
    """

    outcome: Outcome
    row: Row | None
    dirty: bool
    repeated: bool = False
    why: str | None = None


@dataclass(slots=True)
class Attempt:
    """What was last sent to a store: what there is to save when nobody knows whether it arrived.

    Attributes:
        row: The row; None to delete it.
        before: The row that it was made from.
        rev: Number of the last change of that one.
    """

    row: Row | None = None
    before: Row | None = None
    rev: int = 0


def write(doors: Doors, wish: Wish, attempt: Attempt, *, always: bool = False, deadline_s: float) -> Done:
    """Write a row that depends on the row that is there, again as often as somebody else is faster.

    Args:
        doors: Doors of the store.
        wish: What is wanted.
        attempt: Is told what is sent.
        always: Write a row that stays as it is, too, so that the write is captured.
        deadline_s: Seconds that each step has.

    Raises:
        Invalid: What would come out breaks the contract.
        OutcomeUnknown: Nobody knows whether it was written; `attempt` says what was sent.
        TwinstoreError: It was not written.
    """
    for _ in range(ATTEMPTS):
        item = doors.look([wish.key], deadline_s=deadline_s)[wish.key]
        dirty = item.change is not None
        refusal = _refusal(wish, item.row, dirty=dirty)
        if refusal is not None:
            return _earlier(doors, wish, deadline_s=deadline_s) or refusal
        try:
            row = wish.becomes(item.row)
        except Invalid:
            if earlier := _earlier(doors, wish, deadline_s=deadline_s):
                return earlier
            raise
        if row is item.row and wish.request is None and not always:
            return Done(Outcome.UNCHANGED, row, dirty)
        attempt.row, attempt.before, attempt.rev = row, item.row, max(item.rev, item.change or 0)
        try:
            written = doors.put(wish.key, row, expected=item.row, request=wish.request, deadline_s=deadline_s)
        except Conflict:  # a deadlock, or a server that serializes: nothing was written
            continue
        if written.outcome is not Put.MOVED:
            return _written(doors, wish, written, deadline_s=deadline_s)
    return Done(Outcome.FAILED, None, dirty=False)


def write_again(doors: SecondaryDoors, wish: Wish, sent: Attempt, *, deadline_s: float) -> Done:
    """Write to the secondary what the primary may hold already: the very same row, so that both agree in the end.

    It replaces nothing but the row that it was made from. What others wrote since stays, on whichever store they did;
    where that is the very same row, it was delivered from the primary meanwhile, and is not written again.

    Args:
        doors: Doors of the secondary.
        wish: What is wanted.
        sent: What was sent to the primary.
        deadline_s: Seconds that each step has.

    Raises:
        OutcomeUnknown: Nobody knows whether it was written.
        TwinstoreError: It was not written.
    """
    done = Outcome.DELETED if sent.row is None else Outcome.CREATED if sent.before is None else Outcome.UPDATED
    for _ in range(ATTEMPTS):
        item = doors.look([wish.key], deadline_s=deadline_s)[wish.key]
        moved = item.change is not None or item.rev > sent.rev
        if moved and alike(item.row, sent.row):
            return Done(done, item.row, dirty=item.change is not None)
        if moved or not alike(item.row, sent.before):
            break
        try:
            written = doors.put(wish.key, sent.row, expected=item.row, request=wish.request, deadline_s=deadline_s)
        except Conflict:
            continue
        if written.outcome is not Put.MOVED:
            outcome = done if written.outcome in _WROTE else Outcome.FAILED
            return Done(outcome, written.row, dirty=True, repeated=written.repeated)
    why = "supabase holds another change of this record, or lacks one that prisma had, and was left as it is"
    return Done(Outcome.FAILED, None, dirty=True, why=why)


def _earlier(doors: Doors, wish: Wish, *, deadline_s: float) -> Done | None:
    """Return what became of the same request before; None when there was none.

    Asked by a write that expects what no row is, so that it never happens.

    Raises:
        Invalid: The request's key was used for something else.
    """
    if wish.request is None:
        return None
    nothing = dict.fromkeys(column.name for column in doors.dataset.columns)
    try:
        written = doors.put(wish.key, None, expected=nothing, request=wish.request, deadline_s=deadline_s)
    except OutcomeUnknown as exc:  # it would have written nothing
        raise Unavailable(exc.what, exc.todo, store=exc.store) from None
    return None if written.outcome is Put.MOVED else _written(doors, wish, written, deadline_s=deadline_s)


def _written(doors: Doors, wish: Wish, written: Written, *, deadline_s: float) -> Done:
    if written.outcome is Put.MISMATCH:
        raise Invalid(
            "The idempotency key was used for something else.",
            "Use a new key for a new request; nothing was written.",
            violations=(("idempotencyKey", "was used for something else"),),
        )
    if not written.repeated:
        return Done(DONE[written.outcome], written.row, dirty=written.change is not None)
    try:
        item = doors.look([wish.key], deadline_s=deadline_s)[wish.key]
    except TwinstoreError:  # that it was carried out is known all the same
        return Done(DONE[written.outcome], None, dirty=True, repeated=True)
    return Done(DONE[written.outcome], item.row, dirty=item.change is not None, repeated=True)


def _refusal(wish: Wish, row: Row | None, *, dirty: bool) -> Done | None:
    """Return why a wish makes no sense for the row that is there; None when it does."""
    if wish.existing and row is None:
        return Done(Outcome.MISSING, None, dirty)
    if wish.expected_version is not None and wish.expected_version != version_of(row):
        return Done(Outcome.CONFLICT, row, dirty)
    return None


def error_of(done: Done, wish: Wish) -> str:
    """Return why nothing was written, in one sentence."""
    if done.why is not None:
        return done.why
    if done.outcome is Outcome.CONFLICT:
        return f"The record has version {version_of(done.row)}, not {wish.expected_version}; nothing was written."
    return (
        "There is no such record."
        if done.outcome is Outcome.MISSING
        else "The record goes on changing, so that it was not written."
    )
