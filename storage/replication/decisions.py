"""What people decide: which row of a conflict stays, and which changes are given up."""

from __future__ import annotations

from enum import StrEnum

from contracts.errors import Conflict as Contended
from contracts.replication import Conflict, DeadLetter, Direction, Put
from storage.replication.book import Book
from storage.replication.doors import PrimaryDoors, SecondaryDoors

_ATTEMPTS = 5


def resolve(conflict: Conflict, *, keep: str, primary: PrimaryDoors, book: Book) -> bool:
    """Decide a conflict: the row of the primary stays, or that of the secondary is written to the primary.

    Either way the relay carries the result over. A row that is written is an ordinary change of the primary.

    Args:
        conflict: The conflict.
        keep: `primary` or `secondary`.
        primary: Doors of the primary.
        book: What is kept there.

    Returns:
        False when somebody had decided it before.

    Raises:
        Conflict: The record goes on changing.
        TwinstoreError: The primary cannot be reached, or cannot hold the row.
    """
    with book.deciding(conflict, keep=keep) as undecided:
        if undecided and keep == "secondary":
            _write(conflict, primary)
    return undecided


class GivenUp(StrEnum):
    """What became of a change that was to be given up."""

    DONE = "done"
    NOTHING = "nothing"  # it does not wait any more: it was given up already, or carried over
    NEWER = "newer"  # the record was written again: what is newer than what somebody looked at is not given up


def give_up(letter: DeadLetter, *, primary: PrimaryDoors, secondary: SecondaryDoors, book: Book) -> GivenUp:
    """Give a change up for good; the row of the secondary is kept as a conflict.

    Raises:
        TwinstoreError: A store cannot be reached.
    """
    ours = primary.look([letter.key])[letter.key]
    theirs = secondary.look([letter.key])[letter.key]
    side = theirs if letter.direction is Direction.TO_PRIMARY else ours
    if side.change is None:
        book.forget(letter)
        return GivenUp.NOTHING
    if side.change != letter.change:
        return GivenUp.NEWER
    book.discard(letter, theirs.row)
    return GivenUp.DONE


def _write(conflict: Conflict, primary: PrimaryDoors) -> None:
    for _ in range(_ATTEMPTS):
        now = primary.look([conflict.key])[conflict.key]
        if now.row == conflict.loser:
            return
        written = primary.put(conflict.key, conflict.loser, expected=now.row)
        if written.outcome is not Put.MOVED:
            return
    raise Contended("The record of this conflict goes on changing.", "Try again.", store=primary.store)
