"""What people decide: which row of a conflict stays, and which changes are given up."""

from __future__ import annotations

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
    if not book.conflicts(keys=[conflict.key]) or conflict.resolved_at is not None:
        return False
    if keep == "secondary":
        _write(conflict, primary)
    return book.resolved(conflict, kept=keep)


def give_up(letter: DeadLetter, *, primary: PrimaryDoors, secondary: SecondaryDoors, book: Book) -> bool:
    """Give a change up for good; the row of the secondary is kept as a conflict.

    Returns:
        False when the record was written again, or carried over, since the change was refused: what is newer than
        what somebody looked at is not given up.

    Raises:
        TwinstoreError: A store cannot be reached.
    """
    ours = primary.look([letter.key])[letter.key]
    theirs = secondary.look([letter.key])[letter.key]
    side = theirs if letter.direction is Direction.TO_PRIMARY else ours
    if side.change is None:
        book.forget(letter)
    if side.change != letter.change:
        return False
    book.discard(letter, theirs.row)
    return True


def _write(conflict: Conflict, primary: PrimaryDoors) -> None:
    for _ in range(_ATTEMPTS):
        now = primary.look([conflict.key])[conflict.key]
        if now.row == conflict.loser:
            return
        written = primary.put(conflict.key, conflict.loser, expected=now.row)
        if written.outcome is not Put.MOVED:
            return
    raise Contended("The record of this conflict goes on changing.", "Try again.", store=primary.store)
