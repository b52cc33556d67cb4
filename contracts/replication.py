"""The words of replication: what may become of a delivery, a proposal or a write, and how far two stores have come.

The protocol is that of `docs/replication.md`: the primary orders all writes. A change of the primary is *delivered* to
the secondary; a change of the secondary is *proposed* to the primary, which accepts it or keeps it as a *conflict*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contracts.vocabulary import StoreName

MAX_LAG_S = 900.0
"""For how many seconds a change may wait to be carried over, unless the settings say otherwise."""

MANY = 100_000
"""So many changes that wait are counted; of more it is only known that they are more."""

NEWEST = 50
"""So many keys a side names of which it heard last, for each direction: the other can tell whether it forgot them."""

Heard = tuple[tuple[str, int, int], ...]
"""Keys that one side has heard of, each with the number of the primary's change and that of the secondary's."""


class Direction(StrEnum):
    """Which way a change goes."""

    TO_SECONDARY = "to_secondary"
    TO_PRIMARY = "to_primary"

    @property
    def target(self) -> StoreName:
        """The store that the change goes to."""
        return StoreName.SUPABASE if self is Direction.TO_SECONDARY else StoreName.PRISMA


class Applied(StrEnum):
    """What became of a delivery on the secondary."""

    APPLIED = "applied"
    STALE = "stale"  # the secondary has this rev or a later one
    BUSY = "busy"  # the secondary holds a change that the primary has not judged yet, or is being adopted
    LOCKED = "locked"  # somebody is writing the row at this moment
    REJECTED = "rejected"  # the secondary cannot hold the row


class Judged(StrEnum):
    """What became of a proposal on the primary."""

    ACCEPTED = "accepted"
    AGREED = "agreed"  # the primary moved, too, and holds the same row
    CONFLICT = "conflict"  # the primary moved: it keeps its row, the other is kept by name
    JUDGED = "judged"  # it had been judged before
    LOCKED = "locked"  # somebody is writing the row at this moment, or the stores are being adopted
    REJECTED = "rejected"


class Put(StrEnum):
    """What became of a write by the repository."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    MISSING = "missing"  # nothing was there to delete
    MOVED = "moved"  # the row is not what the caller had read
    MISMATCH = "mismatch"  # the request's key was used for something else


class Gap(StrEnum):
    """Why writes may have passed by capture, so that nothing is carried over until somebody has looked."""

    TRUNCATED = "truncated"  # the table was emptied by TRUNCATE
    REPLICA = "replica"  # a session that restores or replicates wrote
    RESTORED = "restored"  # the store is older than what the other has heard of it
    OTHER_RESTORED = "other_restored"  # likewise the other store, as the primary remembers it
    TRIGGERS = "triggers"  # a trigger of ours is missing or disabled
    OTHER_TABLE = "other_table"  # the table was dropped and made again
    OTHER_ADOPTION = "other_adoption"  # it was adopted with another store, or another state of it


class Place(StrEnum):
    """How a difference between the stores stands in replication."""

    NOT_YET = "not_yet_replicated"  # a change of this key waits to be carried over
    CONFLICT = "conflict"  # both sides changed it, or it differed before; somebody has to decide
    DEAD_LETTER = "dead_letter"  # it could not be carried over and is not tried again by itself
    LOST = "lost"  # nothing waits, and yet the stores differ: written around capture, or an error of ours


PLACES = {
    Place.NOT_YET: "waiting for too long to be carried over",
    Place.CONFLICT: "in conflict",
    Place.DEAD_LETTER: "given up (dead letters)",
    Place.LOST: "lost, since nothing waits to be carried over",
}
"""How differences stand, in words that follow their number."""


def waiting(dirty: int) -> str:
    """Return in words how many keys wait, such as `2 keys wait`; `more than` where nobody counted on.

    Args:
        dirty: As in `Standing`, or the sum of both sides.
    """
    if dirty > MANY:
        return f"more than {MANY:,} changes wait"
    return "1 key waits" if dirty == 1 else f"{dirty:,} keys wait"


class ReplicationState(StrEnum):
    """Whether two stores replicate, as far as a check could tell."""

    OFF = "off"  # no store is captured
    UNKNOWN = "unknown"  # nothing shows that a store is captured, and one could not be asked
    STARTING = "starting"  # writes are captured, and nobody has finished the adoption
    ON = "on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a store's writes are captured, and how many wait.

    Attributes:
        store: The store.
        since: Since when writes are captured; None when they are not.
        adopted_at: Since when the relay delivers; None before, and on the secondary.
        gap: Why writes may have passed by; None where none did.
        gap_at: Since when, where that is known.
        dirty: Number of keys that wait to be carried over; `MANY` + 1 where more than `MANY` changes do.
        held: True when some of them wait on the primary until each transaction has ended that was open before.
        oldest_at: When the oldest of them was written.
        last_change: Number of the last line that was ever noted, or a larger one.
        max_rev: On the secondary the largest rev that was delivered; 0 on the primary.
        max_seen: On the primary the largest change of the secondary that was judged; 0 on the secondary.
        adoption: Name of the last adoption: on the secondary that began, on the primary that was finished; None when
            none was, and on the primary while one is under way.
        heard: What it heard of the other side last.
        forgot: True when it does not know what it is told that the other side has heard of it.
        now: What the store's clock says.
        server: When its server was started: one that took over for another tells another time.
    """

    store: StoreName
    since: datetime | None
    adopted_at: datetime | None = None
    gap: Gap | None = None
    gap_at: datetime | None = None
    dirty: int = 0
    held: bool = False
    oldest_at: datetime | None = None
    last_change: int = 0
    max_rev: int = 0
    max_seen: int = 0
    adoption: str | None = None
    heard: Heard = field(default=(), repr=False)
    forgot: bool = False
    now: datetime
    server: datetime | None = None

    @property
    def oldest_s(self) -> float:
        """Age in seconds of the oldest key that waits; 0 when none does."""
        return max(0.0, (self.now - self.oldest_at).total_seconds()) if self.oldest_at else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A change that could not be carried over.

    Attributes:
        key: Its key.
        direction: Which way it was going.
        change: Number of its line on the side that it comes from.
        code: SQLSTATE of the refusal.
        rule: Constraint or column that refused it, where the store named one.
        attempts: How often it was tried.
        first_at: When it failed first.
        dead_at: When it was given up; None while it is still tried.
    """

    key: str
    direction: Direction
    change: int
    code: str
    rule: str | None
    attempts: int
    first_at: datetime
    dead_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A change of the secondary that lost, or a difference that was there before replication.

    Attributes:
        id: Its number.
        key: Its key.
        kind: `concurrent`, `adopted` or `discarded`.
        found_at: When it was found.
        loser: The row of the secondary, a text per column; None where it was deleted there.
        resolved_at: When somebody decided; None while it is open.
        resolution: Which side was kept.
    """

    id: int
    key: str
    kind: str
    found_at: datetime
    loser: Mapping[str, str | None] | None
    resolved_at: datetime | None = None
    resolution: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """How far two stores have come.

    Attributes:
        dataset: The dataset.
        primary: The primary; None where it could not be asked.
        secondary: The secondary; None where it could not be asked.
        conflicts: Number of open conflicts; None where the primary could not be asked.
        dead_letters: Number of dead letters; likewise.
        failing: Number of keys that failed and are tried again; likewise.
    """

    dataset: str
    primary: Standing | None
    secondary: Standing | None
    conflicts: int | None
    dead_letters: int | None
    failing: int | None

    @property
    def ready(self) -> bool:
        """True when the relay may carry changes over: both sides are captured without a gap, and adopted."""
        sides = (self.primary, self.secondary)
        captured = all(side is not None and side.since is not None and side.gap is None for side in sides)
        return captured and self.primary is not None and self.primary.adopted_at is not None
