"""Take over two stores that were there before: what differs is kept by name, what is equal counts as agreed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import islice

from contracts.replication import Standing
from storage.replication.book import Book
from storage.replication.doors import PrimaryDoors, SecondaryDoors

KEYS_AT_ONCE = 200


def begin(primary: PrimaryDoors, secondary: SecondaryDoors, book: Book) -> tuple[Standing, Standing]:
    """Capture the writes of both sides from now on; nothing is carried over until `finish`.

    The stores are compared between both: whatever is written meanwhile is noted.

    Raises:
        TwinstoreError: A store cannot be reached, or does not let us make triggers.
    """
    book.halt()
    ours = primary.capture(wanted=True, beyond=secondary.standing().max_rev)
    return ours, secondary.capture(wanted=True, beyond=ours.max_seen)


def finish(
    primary: PrimaryDoors,
    secondary: SecondaryDoors,
    book: Book,
    *,
    differing: Collection[str],
    max_rev: int,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Keep what differs as conflicts, and let the relay carry changes over from now on.

    Where the secondary's row would be overwritten it is kept by name; where the secondary wrote since `begin`, its
    change is held against the primary's row and becomes a conflict in the same way.

    Args:
        primary: Doors of the primary.
        secondary: Doors of the secondary.
        book: What is kept on the primary.
        differing: Keys on which the stores differ, as a complete comparison found them since `begin`.
        max_rev: The largest rev of the secondary, as `begin` told it.
        progress: Is told how many keys were looked at.

    Returns:
        The number of conflicts.

    Raises:
        TwinstoreError: A store cannot be reached; then nothing is carried over, and adoption can begin again.
    """
    kept = looked_at = 0
    known = {conflict.key for conflict in book.conflicts(at_most=len(differing) + 100_000)}
    for keys in _chunks(sorted(set(differing) - known)):
        ours, theirs = primary.look(keys), secondary.look(keys)
        rows = {key: theirs[key].row for key in keys if theirs[key].change is None}
        book.keep("adopted", rows)
        book.touch([key for key in keys if key not in rows and ours[key].change is None])
        kept += len(rows)
        looked_at += len(keys)
        progress(looked_at)
    book.adopt(beyond=max_rev)
    return kept


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    todo = iter(keys)
    while chunk := list(islice(todo, KEYS_AT_ONCE)):
        yield chunk
