"""The protocol of replication for one key, written down once more: what must become of every message.

It counts in its own numbers and knows nothing of SQL. What it says about a message is what the stores must answer, and
what it remembers of writes (`history`) is what tests hold against the rows: every write is part of the history of the
row that stays, or is lost by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.replication import Applied, Judged

Row = str | None
"""The title of a row; None where there is none."""
History = frozenset[str]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A change of the primary on its way."""

    rev: int
    seen: int
    row: Row
    history: History


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of the secondary on its way."""

    base: int
    lseq: int
    row: Row
    history: History


Message = Delivery | Proposal


@dataclass(frozen=True, slots=True)
class Lost:
    """A change of the secondary that lost, and the writes that are lost with it."""

    row: Row
    history: History


@dataclass(slots=True)
class Key:
    """One key on both sides.

    Attributes:
        row: Row of the primary.
        rev: Grows with each change of the primary, its own or accepted.
        seen: Last change of the secondary that was judged.
        accepted: The rev that the last accepted proposal made.
        dirty: True while the secondary has not acknowledged the last rev.
        history: Writes that the primary's row descends from.
        their_row: Row of the secondary; the rest likewise.
        their_rev: Last rev that was delivered.
        lseq: Grows with each change of the secondary.
        their_dirty: True while the last change of the secondary was not judged.
        their_history: Writes that the secondary's row descends from.
        lost: Conflicts.
        written: All acknowledged writes.
    """

    row: Row = None
    rev: int = 0
    seen: int = 0
    accepted: int = -1
    dirty: bool = False
    history: History = frozenset()
    their_row: Row = None
    their_rev: int = 0
    lseq: int = 0
    their_dirty: bool = False
    their_history: History = frozenset()
    lost: list[Lost] = field(default_factory=list)
    written: set[str] = field(default_factory=set)

    def write(self, name: str, row: Row) -> None:
        """Write on the primary."""
        self.written.add(name)
        self.row, self.rev, self.dirty = row, self.rev + 1, True
        self.history |= {name}

    def write_there(self, name: str, row: Row) -> None:
        """Write on the secondary."""
        self.written.add(name)
        self.their_row, self.lseq, self.their_dirty = row, self.lseq + 1, True
        self.their_history |= {name}

    def delivery(self) -> Delivery:
        """Return what the relay reads on the primary."""
        return Delivery(self.rev, self.seen, self.row, self.history)

    def proposal(self) -> Proposal:
        """Return what the relay reads on the secondary."""
        return Proposal(self.their_rev, self.lseq, self.their_row, self.their_history)

    def deliver(self, message: Delivery) -> Applied:
        """Hand a delivery to the secondary."""
        if message.rev <= self.their_rev:
            return Applied.STALE
        if self.lseq > message.seen:
            return Applied.BUSY
        self.their_row, self.their_rev, self.their_history = message.row, message.rev, message.history
        return Applied.APPLIED

    def judge(self, message: Proposal) -> Judged:
        """Hand a proposal to the primary."""
        if message.lseq <= self.seen:
            return Judged.JUDGED
        self.seen = message.lseq
        if self.rev in (message.base, self.accepted):
            self.history |= message.history
            if message.row is not None or self.row is not None:  # else there is nothing to tell
                self.row, self.rev, self.dirty = message.row, self.rev + 1, True
                self.accepted = self.rev
            return Judged.ACCEPTED
        assert self.dirty, "the primary moved, and yet nothing waits to tell the secondary"
        self.rev += 1
        if message.row == self.row:
            self.history |= message.history
            return Judged.AGREED
        self.lost.append(Lost(message.row, message.history - self.history))
        return Judged.CONFLICT

    def acknowledge(self, message: Message) -> None:
        """Tell the sender of a message that it was handed over and carried out."""
        if isinstance(message, Proposal):
            self.their_dirty &= self.lseq != message.lseq
        else:
            self.dirty &= self.rev != message.rev

    def carry(self) -> None:
        """Carry over what can be, once each way, as a pass of the relay does."""
        if self.their_dirty:
            proposal = self.proposal()
            self.judge(proposal)
            self.acknowledge(proposal)
        if self.dirty:
            delivery = self.delivery()
            if self.deliver(delivery) is not Applied.BUSY:
                self.acknowledge(delivery)

    def homeless(self) -> set[str]:
        """Return the writes that are neither in the row that stays, nor lost by name, nor waiting to be judged."""
        kept = self.history.union(*(lost.history for lost in self.lost))
        return self.written - kept - (self.their_history if self.their_dirty else frozenset())
