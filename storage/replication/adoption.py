"""Take over two stores that were there before: what differs is kept by name, what is equal counts as agreed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from uuid import uuid4

from contracts.errors import TimedOut
from contracts.replication import Standing
from storage.replication.book import Book
from storage.replication.doors import Doors, PrimaryDoors, SecondaryDoors
from storage.rest.errors import Busy

KEYS_AT_ONCE = 200
ATTEMPTS = 5
PAUSE_S = 1.0  # in which those pass who waited behind an attempt
LONGEST_S = 3.0  # that one may take: a second for the lock, and the rest with it
_NO_LOCK = "55P03"  # as it comes over REST

Wait = Callable[[float], None]


def capture(
    doors: Doors, *, wanted: bool, beyond: int = 0, adoption: str | None = None, wait: Wait = time.sleep
) -> Standing:
    """Turn capture of one side on or off, which takes a lock that every other use of the table passes by first.

    It is asked for a second at a time, since whoever comes later waits behind it. What has to be done under it is done
    in parts, between which others pass.

    Args:
        doors: Doors of the side.
        wanted: Whether writes are captured from now on.
        beyond: The largest number of this side that the other has heard of: later ones are larger.
        adoption: Name of the adoption that begins with it.
        wait: Waits for seconds.

    Raises:
        TimedOut: A transaction of somebody else uses the table for longer than all attempts, or the store is too slow.
        TwinstoreError: The store cannot be reached, or does not let us make triggers.
    """
    attempts = 0
    while attempts < ATTEMPTS:
        try:
            found = doors.capture(wanted=wanted, beyond=beyond, adoption=adoption, deadline_s=LONGEST_S)
            if found is not None:
                return found
        except (TimedOut, Busy) as error:
            if isinstance(error, Busy) and error.code != _NO_LOCK:
                raise
            if isinstance(error, TimedOut) and _NO_LOCK not in error.what:
                raise _too_slow(doors, wanted=wanted) from None
            attempts += 1
        if attempts < ATTEMPTS:
            wait(PAUSE_S)
    raise TimedOut(
        f"A transaction on {doors.store} has been using the table of {doors.dataset.name} for so long that capture "
        f"could not be turned {_on(wanted)}.",
        "Try again when it has ended: the oldest xact_start in pg_stat_activity names it.",
        store=doors.store,
    )


def _too_slow(doors: Doors, *, wanted: bool) -> TimedOut:
    return TimedOut(
        f"Capture on {doors.store} could not be turned {_on(wanted)} within {LONGEST_S:g} s, for which others wait for "
        f"the table of {doors.dataset.name}.",
        "Try again when the server is less busy.",
        store=doors.store,
    )


def _on(wanted: bool) -> str:  # noqa: FBT001 - a word for it
    return "on" if wanted else "off"


def begin(primary: PrimaryDoors, secondary: SecondaryDoors, book: Book) -> tuple[Standing, Standing]:
    """Capture the writes of both sides from now on; nothing is carried over until `finish`.

    The stores are compared between both: whatever is written meanwhile is noted. What somebody read before and carries
    over late is turned away by either side, since it does not name this adoption.

    Raises:
        TwinstoreError: A store cannot be reached, or does not let us make triggers.
    """
    adoption = str(uuid4())
    book.halt(adoption)  # what is judged now has ended then, and what is delivered now when the secondary has begun
    theirs = capture(secondary, wanted=True, beyond=primary.standing().max_seen, adoption=adoption)
    return capture(primary, wanted=True, beyond=theirs.max_rev, adoption=adoption), theirs


def finish(
    secondary: SecondaryDoors,
    book: Book,
    *,
    differing: Collection[str],
    begun: Standing,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Keep what differs as conflicts, and let the relay carry changes over from now on.

    Each row of the secondary that differs is kept by name, unless it is already, so that adopting again adds nothing. A
    change of it that waits is settled with that: both rows stay as they are until somebody decides, also where the
    primary was brought back from a backup, and the change that waits is the last that there is of it.

    Args:
        secondary: Doors of the secondary.
        book: What is kept on the primary.
        differing: Keys on which the stores differ, as a complete comparison found them since `begin`.
        begun: The secondary, as `begin` told it.
        progress: Is told how many keys were looked at.

    Returns:
        The number of conflicts that were kept now.

    Raises:
        Conflict: Another adoption began meanwhile, or capture of the primary was turned off and on, or has a gap.
        TwinstoreError: A store cannot be reached; then nothing is carried over, and adoption can begin again.
    """
    kept = looked_at = 0
    for keys in _chunks(sorted(set(differing))):
        theirs = secondary.look(keys).values()
        kept += book.take_over(theirs)
        secondary.settle([(item.key, item.change) for item in theirs if item.change is not None])
        looked_at += len(keys)
        progress(looked_at)
    book.adopt(begun.adoption)
    return kept


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    todo = iter(keys)
    while chunk := list(islice(todo, KEYS_AT_ONCE)):
        yield chunk
