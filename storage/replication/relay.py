"""The relay: carries changes from each side to the other, at least once, until nothing waits.

Proposals go first, since a key that the secondary changed is busy until the primary has judged it. What is refused
waits or becomes a dead letter, and the other keys go on. An outage ends a pass: it uses up no attempt, and the next
pass begins where the lines of both sides say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.errors import Conflict, SchemaMismatch, TimedOut, TwinstoreError
from contracts.replication import Applied, Direction, Gap, Heard, Judged, Standing, SyncStatus
from storage.replication.book import Book
from storage.replication.doors import Ack, PrimaryDoors, SecondaryDoors
from storage.replication.messages import Changes, Item, Verdict
from storage.replication.restores import compared

STEP_S = 3.0  # seconds that the primary has for a step of a delivery of one key
BATCH = 500  # lines that are read at a time; fewer keys where one key has several
_CARRIED = frozenset({Applied.APPLIED, Applied.STALE, Judged.ACCEPTED, Judged.AGREED, Judged.CONFLICT, Judged.JUDGED})
_TOO_LONG = "57014"

Send = Callable[[Sequence[Item]], tuple[Verdict, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass did.

    Attributes:
        outcomes: Number of keys by outcome, a word of `contracts.replication`.
        given_up: Number of refusals that became dead letters.
        delayed: Number of keys that were left alone, since they were refused before.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    given_up: int = 0
    delayed: int = 0

    def __add__(self, other: Pass) -> Pass:
        return Pass(
            outcomes=self.outcomes + other.outcomes,
            given_up=self.given_up + other.given_up,
            delayed=self.delayed + other.delayed,
        )

    @property
    def carried(self) -> int:
        """Number of keys that were carried over."""
        return sum(count for outcome, count in self.outcomes.items() if outcome in _CARRIED)

    @property
    def moved(self) -> bool:
        """True when something was carried over, so that another pass may find more."""
        return self.carried > 0


class Relay:
    """Carries the changes of one dataset between the two stores.

    Args:
        primary: Doors of the primary.
        secondary: Doors of the secondary.
        book: What is kept on the primary.
        batch: Lines that are read at a time.
    """

    def __init__(self, primary: PrimaryDoors, secondary: SecondaryDoors, book: Book, *, batch: int = BATCH) -> None:
        self._primary = primary
        self._secondary = secondary
        self._book = book
        self._batch = batch
        self._proven: datetime | None = (
            None  # when the primary's server was started that was held against the secondary
        )

    def status(self) -> SyncStatus:
        """Tell how far the stores have come.

        Raises:
            TwinstoreError: One of them cannot be asked.
        """
        primary = self._primary.standing()
        secondary = self._secondary.standing(heard=primary.heard)
        return self._status(*compared(primary, secondary, self._again))

    def _status(self, primary: Standing, secondary: Standing) -> SyncStatus:
        conflicts, dead, failing = self._book.counts()
        return SyncStatus(
            dataset=self._primary.dataset.name,
            primary=primary,
            secondary=secondary,
            conflicts=conflicts,
            dead_letters=dead,
            failing=failing,
        )

    def prove(self) -> SyncStatus:
        """Prove that nothing passes by capture, and that the stores were adopted.

        Raises:
            SchemaMismatch: Capture is off, has a gap, or nobody adopted the stores.
        """
        primary = self._primary.standing()
        primary, secondary = self.accept(primary, self._secondary.standing(heard=primary.heard))
        return self._status(primary, secondary)

    def accept(self, primary: Standing, secondary: Standing) -> tuple[Standing, Standing]:
        """Hold both sides against each other, and remember a restore of either: new numbers would soon hide it.

        Args:
            primary: The primary, asked first.
            secondary: The secondary, asked afterwards, and told what the primary had heard of it.

        Raises:
            SchemaMismatch: Capture is off, has a gap, or nobody adopted the stores.
        """
        primary, secondary = compared(primary, secondary, self._again)
        for side in (primary, secondary):
            if side.gap is Gap.RESTORED:
                reason = Gap.RESTORED if side is primary else Gap.OTHER_RESTORED
                self._book.gap(reason, adoption=primary.adoption)
            _refuse_gap(side)
        if primary.adopted_at is None:
            name = self._primary.dataset.name
            raise SchemaMismatch(
                f"The two stores of {name} were not adopted, so that nothing is carried over yet.",
                "Run `twinstore adopt`.",
            )
        self._proven = primary.server
        return primary, secondary

    def _again(self, heard: Heard) -> Standing:
        return self._primary.glance(heard=heard, deadline_s=STEP_S)

    def drain(self, *, progress: Callable[[Pass], None] = lambda _: None) -> Pass:
        """Carry changes over until nothing moves any more, and return what was done in all.

        Args:
            progress: Is told what was done so far, after every batch.

        Raises:
            TwinstoreError: A store cannot be reached, or capture has a gap. What was done stays done.
        """
        self.prove()
        done = Pass()
        while True:
            before = done
            for part in self.passing():
                done += part
                progress(done)
            if not replace(done, outcomes=done.outcomes - before.outcomes).moved:
                return done

    def passing(self) -> Iterator[Pass]:
        """Go once over what is dirty on both sides, yielding what each batch did.

        Raises:
            TwinstoreError: A store cannot be reached.
        """
        for found in _batches(self._secondary.changes, self._batch):
            yield self._carry(Direction.TO_PRIMARY, found)
        for found in _batches(self._primary.changes, self._batch):
            yield self._carry(Direction.TO_SECONDARY, found)

    def deliver(self, key: str, *, deadline_s: float) -> str:
        """Try once to deliver a key of the primary, and return what became of it.

        Args:
            key: The key.
            deadline_s: Seconds that the secondary has for each step of it.

        Raises:
            TwinstoreError: A store cannot be reached in time; the key stays dirty.
        """
        item = self._primary.look([key], deadline_s=STEP_S)[key]
        if item.change is None:
            return Applied.STALE
        if not item.ready:
            return Applied.LOCKED
        if item.server != self._proven:
            ours = self._primary.glance(deadline_s=STEP_S)
            self.accept(ours, self._secondary.glance(heard=ours.heard, deadline_s=deadline_s))
        (verdict,) = self._secondary.apply([item], deadline_s=deadline_s)
        self._notice_a_restore({key: item}, [verdict])
        with suppress(TwinstoreError):  # what cannot be noted now is found out once more
            if verdict.outcome in _CARRIED:
                self._primary.settle([(key, item.change)], deadline_s=STEP_S)
            elif verdict.outcome == Applied.REJECTED:
                self._book.refused(Direction.TO_SECONDARY, [(verdict, item.change)])
        return verdict.outcome

    def _carry(self, direction: Direction, found: Changes) -> Pass:
        dirty = [item for item in found.items if item.change is not None]
        items = {item.key: item for item in dirty if item.ready}
        waiting = self._book.waiting(direction, items.keys())
        ready = [item for item in items.values() if waiting.get(item.key) != item.change]
        outward = direction is Direction.TO_SECONDARY
        if outward:
            self._require_the_proven_server(ready)
        verdicts = _sent(self._secondary.apply if outward else self._primary.judge, ready)
        if outward:
            self._notice_a_restore(items, verdicts)
        acks: list[Ack] = [
            (verdict.key, items[verdict.key].change or 0) for verdict in verdicts if verdict.outcome in _CARRIED
        ]
        (self._primary if outward else self._secondary).settle(acks)
        refusals = [(v, items[v.key].change or 0) for v in verdicts if v.outcome == Applied.REJECTED]
        overtaken = {Applied.LOCKED: len(dirty) - len(items)} if len(items) < len(dirty) else {}
        return Pass(
            outcomes=Counter(verdict.outcome for verdict in verdicts) + Counter[str](overtaken),
            given_up=self._book.refused(direction, refusals),
            delayed=len(items) - len(ready),
        )

    def _require_the_proven_server(self, items: Sequence[Item]) -> None:
        """Prove anew what another server says than the one that was proven: it took over, and may have been behind.

        Raises:
            SchemaMismatch: It was.
            TwinstoreError: A store cannot be asked.
        """
        if any(item.server != self._proven for item in items):
            self.prove()

    def _notice_a_restore(self, items: dict[str, Item], verdicts: Sequence[Verdict]) -> None:
        """Stop when the secondary has a rev of a key that the primary does not know: that one was restored.

        Raises:
            SchemaMismatch: It was.
        """
        ahead = {
            verdict.key: verdict.rev
            for verdict in verdicts
            if verdict.outcome == Applied.STALE and verdict.rev and verdict.rev > (items[verdict.key].change or 0)
        }
        if not ahead:  # the rule; else another relay delivered a later change meanwhile, most likely
            return
        known = self._primary.look(list(ahead), deadline_s=STEP_S)
        if any(rev > max(known[key].change or 0, known[key].rev) for key, rev in ahead.items()):
            self._book.gap(Gap.RESTORED, adoption=next(iter(items.values())).adoption)
            _refuse_gap(self._primary.standing(deadline_s=STEP_S))


def _batches(changes: Callable[..., Changes], batch: int) -> Iterator[Changes]:
    after: int | None = 0
    while after is not None:
        found = changes(after=after, at_most=batch)
        if found.items:
            yield found
        after = found.next


def _sent(send: Send, items: Sequence[Item]) -> tuple[Verdict, ...]:
    """Send a batch; one that takes too long or deadlocks is sent in halves, down to single rows."""
    if not items:
        return ()
    try:
        return send(items)
    except (TimedOut, Conflict):
        if len(items) == 1:
            return (Verdict(key=items[0].key, outcome=Applied.REJECTED, rev=None, code=_TOO_LONG, rule=None),)
    middle = len(items) // 2
    return *_sent(send, items[:middle]), *_sent(send, items[middle:])


GAPS = {
    Gap.TRUNCATED: "The table was emptied by TRUNCATE",
    Gap.REPLICA: "A session that restores or replicates wrote into the table",
    Gap.RESTORED: "The store is older than what the other has heard of it, as after a restore",
    Gap.OTHER_RESTORED: "The other store is older than what this one has heard of it, as after a restore",
    Gap.TRIGGERS: "A trigger of capture is missing or disabled",
    Gap.OTHER_TABLE: "The table was dropped and made again",
    Gap.OTHER_ADOPTION: "The last adoption is not the primary's, as after a restore or where one did not end,",
}


def _refuse_gap(side: Standing) -> None:
    if side.since is None:
        raise SchemaMismatch(f"Writes to {side.store} are not captured.", "Run `twinstore adopt`.", store=side.store)
    if side.gap is not None:
        raise SchemaMismatch(
            f"{GAPS[side.gap]} on {side.store}, so that writes may have passed by and nothing is carried over.",
            "Run `twinstore check` to see what differs, then `twinstore adopt`.",
            store=side.store,
        )
