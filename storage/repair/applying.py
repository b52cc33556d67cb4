"""Carrying a plan out: step by step against what was planned, so that it may be killed anywhere and applied again.

Of one batch: its own rows are looked at, then those of the other store, then it is written. What anybody wrote to a row
of its own after that look is noticed when it is written; so at the moment of the second look both stores were as
planned, and the repair counts as made at that moment.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import zip_longest
from typing import NamedTuple

from contracts.errors import TimedOut
from contracts.repair import Done, Mended, Plan, Step
from contracts.repair.plan import Texts
from contracts.vocabulary import StoreName
from storage.repair.batches import batches
from storage.repair.journal import Journal
from storage.repair.ports import RepairSide, Seen, hash_of
from storage.repair.recollecting import recollect

WAITS_S = (0.0, 0.1, 0.3, 1.0, 2.0)
"""After these seconds each, what was locked is tried again."""
WORTH_LOOKING_AHEAD = 50  # steps of a batch; fewer are looked at in no time
TAKEN = frozenset({Mended.WRITTEN, Mended.ALREADY})
_UNDECIDED = frozenset({Mended.LOCKED, Mended.HELD})
_NO_PARENT = "23503"  # the row that it refers to may be one that the plan inserts later


def apply(
    plan: Plan,
    sides: Mapping[StoreName, RepairSide],
    journal: Journal,
    *,
    columns: Sequence[str],
    progress: Callable[[int], None],
    may_go_on: Callable[[], None],
    disputed: Collection[str] = (),
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Take the steps of a plan that were not taken yet, and note in the journal what becomes of each.

    Args:
        plan: The plan.
        sides: Both stores.
        journal: Its journal, which was begun.
        columns: Names of the columns of which rows are compared, in the order of the dataset.
        progress: Is told after each batch what became of how many steps.
        may_go_on: Raises where the repair must stop; asked before each batch.
        disputed: Keys about which somebody has to decide by now: their steps are not taken.
        wait: Waits for seconds.

    Raises:
        TwinstoreError: A store or the journal cannot be used, or the repair must stop. What was done by then is noted,
            or found out when the plan is applied again.
    """
    recollect(plan, sides, journal, may_go_on=may_go_on)
    taking = _Taking(plan, sides, journal, columns=columns, progress=progress, may_go_on=may_go_on, disputed=disputed)
    grew = taking.take([step for step in plan.steps if taking.is_open(step)])
    for seconds in WAITS_S:
        again = [step for step in plan.steps if taking.is_open(step) or (grew and taking.lacked_a_parent(step))]
        if all(taking.waits_for_others(step) for step in again):
            return
        wait(seconds)
        grew = taking.take(again)


class _Looks(NamedTuple):
    """How the keys of a batch stood a moment ago: in the store that is written, and then in the other one."""

    seen: Mapping[str, Seen]
    others: Mapping[str, Seen]


class _Taking:
    """Takes steps, and knows what became of those before."""

    def __init__(
        self,
        plan: Plan,
        sides: Mapping[StoreName, RepairSide],
        journal: Journal,
        *,
        columns: Sequence[str],
        progress: Callable[[int], None],
        may_go_on: Callable[[], None],
        disputed: Collection[str],
    ) -> None:
        self._id = plan.header.id
        self._sides = sides
        self._journal = journal
        self._columns = columns
        self._progress = progress
        self._may_go_on = may_go_on
        self._disputed = frozenset(disputed)
        self._earlier = _earlier(plan.steps)

    def is_open(self, step: Step) -> bool:
        """Tell whether a step was not taken yet, or could not be decided."""
        done = self._journal.done.get(step.number)
        return done is None or done.outcome in _UNDECIDED

    def lacked_a_parent(self, step: Step) -> bool:
        """Tell whether a step was refused since a row that it refers to was missing."""
        done = self._journal.done.get(step.number)
        return done is not None and done.outcome is Mended.REJECTED and done.code == _NO_PARENT

    def waits_for_others(self, step: Step) -> bool:
        """Tell whether a step can only be decided by another one."""
        done = self._journal.done.get(step.number)
        return done is not None and done.outcome is Mended.HELD

    def take(self, steps: Sequence[Step]) -> bool:
        """Take steps, batch by batch; return whether any of them was taken.

        While a large batch is written, the next one is looked at, unless they share a key.
        """
        waiting = list(batches(steps))
        with ThreadPoolExecutor(1, thread_name_prefix="twinstore-repair") as pool:
            ahead: Future[_Looks] | None = None
            for (store, batch), following in zip_longest(waiting, waiting[1:]):
                self._may_go_on()
                looks = self._look(store, batch) if ahead is None else ahead.result()
                ahead = None
                if following is not None and _may_be_seen_beside(batch, following[1]):
                    ahead = pool.submit(self._look, *following)
                self._take(self._sides[store], batch, looks)
                self._progress(len(self._journal.done))
        return any(self._journal.done[step.number].outcome in TAKEN for step in steps)

    def _look(self, store: StoreName, steps: Sequence[Step]) -> _Looks:
        keys = [step.key for step in steps]
        seen = self._sides[store].see(keys)  # first: whoever writes one of them from now on is noticed
        return _Looks(seen, self._sides[store.other].see(keys))

    def _take(self, side: RepairSide, steps: Sequence[Step], looks: _Looks) -> None:
        decided = []
        ready = []
        for step in steps:
            refusal = Mended.HELD if self._is_held(step) else self._refusal(step, looks.others[step.key])
            if refusal is None:
                ready.append(step)
            else:
                decided.append(Done(number=step.number, outcome=refusal))
        self._journal.note([*decided, *(self._mended(side, ready, looks.seen) if ready else ())])

    def _mended(self, side: RepairSide, steps: Sequence[Step], seen: Mapping[str, Seen]) -> Sequence[Done]:
        """Write steps by one call; one that a store gave up takes too long, and goes in halves, down to single rows."""
        batch = f"{self._id}.{secrets.token_hex(8)}"
        self._journal.intend([step.number for step in steps], batch=batch, now=datetime.now(UTC))
        try:
            return side.mend(steps, batch=batch, seen=seen)
        except TimedOut:  # nothing was written
            self._journal.forget(batch)
        if len(steps) == 1:
            return [Done(number=steps[0].number, outcome=Mended.LOCKED)]
        middle = len(steps) // 2
        done = self._mended(side, steps[:middle], seen)
        self._journal.note(done)
        self._may_go_on()
        return self._mended(side, steps[middle:], seen)

    def _is_held(self, step: Step) -> bool:
        if step.needs is None:
            return False
        needed = self._journal.done.get(step.needs)
        return needed is None or needed.outcome not in TAKEN

    def _refusal(self, step: Step, other: Seen) -> Mended | None:
        """Return why a step cannot be taken, seeing the other store's row; None where that is as planned."""
        if step.key in self._disputed:
            return Mended.WAITING
        earlier = self._earlier.get(step.number)
        done = None if earlier is None else self._journal.done.get(earlier.number)
        if earlier is None or done is None or done.outcome not in TAKEN:
            expected = step.other
        else:
            expected = hash_of(self._columns, left_by(earlier, done))
        if hash_of(self._columns, other.row) != expected:
            return Mended.MOVED
        return None if other.line == step.other_line else Mended.WAITING


def _may_be_seen_beside(steps: Sequence[Step], following: Sequence[Step]) -> bool:
    """Tell whether a batch may be looked at while another one is written, and whether that saves anything."""
    keys = {step.key for step in steps}
    return len(following) >= WORTH_LOOKING_AHEAD and not any(step.key in keys for step in following)


def left_by(step: Step, done: Done) -> Texts | None:
    """Return the row as a step that was taken left it; None where there is none."""
    return step.after if done.row is None else done.row


def _earlier(steps: Sequence[Step]) -> dict[int, Step]:
    """Return, by number, the last step before that wrote the same key of the other store."""
    last: dict[tuple[StoreName, str], Step] = {}
    found: dict[int, Step] = {}
    for step in steps:
        before = last.get((step.store.other, step.key))
        if before is not None:
            found[step.number] = before
        last[step.store, step.key] = step
    return found
