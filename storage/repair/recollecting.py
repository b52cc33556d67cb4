"""Finding out what became of batches to which nobody has an answer, after a kill or a store that went away.

A store remembers the name of each batch for some days, and what became of it. After that the rows alone tell: one that
is as it was to become counts as written, one that is as it was as not, and of any other one nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from contracts.repair import Done, Plan, Step
from contracts.vocabulary import StoreName
from storage.repair.journal import Journal
from storage.repair.ports import RepairSide, told_by_rows

REMEMBERED = timedelta(hours=48)
"""For so long a store that knows nothing of a batch has not carried it out. It remembers for 72 hours (`mend.sql`), by
a clock that may be a day off ours."""


def _now() -> datetime:
    return datetime.now(UTC)


def recollect(
    plan: Plan,
    sides: Mapping[StoreName, RepairSide],
    journal: Journal,
    *,
    may_go_on: Callable[[], None],
    now: Callable[[], datetime] = _now,
) -> None:
    """Find out what became of the batches that a killed run, or one that lost a store, has no answer to.

    Args:
        plan: The plan.
        sides: Both stores.
        journal: Its journal.
        may_go_on: Raises where the repair must stop.
        now: Tells the time, UTC.

    Raises:
        TwinstoreError: A store or the journal cannot be used, or the repair must stop.
    """
    by_number = {step.number: step for step in plan.steps}
    for batch, numbers in list(journal.unanswered.items()):
        may_go_on()
        steps = [by_number[number] for number in numbers if number in by_number]
        for store, side in sides.items():
            of_store = [step for step in steps if step.store is store]
            if of_store:
                journal.note(_recalled(side, batch, of_store, journal.intended_at.get(batch), now))
        if batch in journal.unanswered:
            journal.forget(batch)


def _recalled(
    side: RepairSide, batch: str, steps: Sequence[Step], intended_at: datetime | None, now: Callable[[], datetime]
) -> tuple[Done, ...]:
    """Return what the store tells of a batch; what its rows tell where it may have forgotten the name."""
    told = side.recall(batch, steps)
    if told or (intended_at is not None and timedelta(0) <= now() - intended_at <= REMEMBERED):
        return told
    return told_by_rows(steps, side.see([step.key for step in steps]))
