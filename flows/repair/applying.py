"""Carrying an approved plan out, and seeing what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from contracts.repair import (
    Braked,
    Done,
    Ended,
    Header,
    Mended,
    Mode,
    Override,
    Plan,
    Repair,
    Verified,
    Why,
    releasing,
    unreleased,
)
from flows.repair.braking import held_by
from flows.repair.known import Known, known
from flows.repair.sides import Pair, open_pair, require_same_pair
from flows.repair.taken_back import taken_back
from flows.repair.work import Work

if TYPE_CHECKING:
    from storage.repair.journal import Journal
    from storage.state import Lease, State

LEAST_DIGITS = 12
"""So many digits of a plan's hash approve it; fewer are too easily those of another one."""
PATIENCE_S = {"relay": 30.0}
_TAKEN = frozenset({Mended.WRITTEN, Mended.ALREADY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who lets a plan be carried out.

    Attributes:
        digits: The hash that was approved, or its beginning.
        by: Who approved it.
        overrides: The brakes that are released.
    """

    digits: str
    by: str
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a repair.

    Attributes:
        repair: What is remembered of it now.
        held: The brakes that kept it from being begun; empty when it was carried out.
        verified: What was read afterwards; None where it was not begun.
        done: What became of each step, by number.
    """

    repair: Repair
    held: tuple[Braked, ...] = ()
    verified: Verified | None = None
    done: Mapping[int, Done]

    @property
    def exit_code(self) -> int:
        """0 when all is as planned, 1 when something moved, was refused or did not stay so, 2 when it was held."""
        if self.held:
            return 2
        lost = self.verified is not None and (self.verified.moved or self.verified.unconverged)
        return 0 if self.repair.ended is Ended.REPAIRED and not lost else 1


def apply_plan(work: Work, found: Known, approval: Approval) -> Outcome:
    """Carry a plan out, or what is left of one that was killed; then read both stores and say what became of it.

    Args:
        work: What the repair works with.
        found: The plan.
        approval: Who lets it be carried out.

    Raises:
        ConfigurationError: Too little of the hash was given, the plan was carried out before, it has no steps, nobody
            sees what waits, or the contract has other columns by now.
        Conflict: A check or the relay holds the dataset, or the lease was lost.
        TwinstoreError: A store or the memory cannot be used. What was written stays, and is in the journal.
    """
    _require_fit(found, approval)
    header = found.plan.header
    with repairing(work, header, "apply") as lease:
        found = known(work.settings, work.memory, header.id)  # as it is now that nobody else has it
        _require_fit(found, approval)
        approved = not found.changed and found.plan_hash.startswith(approval.digits.lower())
        work.progress("look at what holds the plan back")
        every = held_by(work, found.plan, begun=found.repair.ended is Ended.BEGUN, approved=approved)
        overrides = _merged(found.repair.overrides, releasing(every, approval.overrides))
        if held := unreleased(every, overrides):
            return Outcome(repair=found.repair, held=tuple(held), done=found.done)
        with open_pair(work.settings, work.stores, header.dataset) as pair:
            pair.require_sight()
            found.require_columns(pair.dataset)
            undone = taken_back(work, found)
            lease.assert_held()
            journal = _begun(work, found, approval.by, overrides)
            _taken(work, found, pair, journal, lease)
            work.progress("read both stores again")
            return _concluded(work.memory, replace(found, done=dict(journal.done)), pair, undone, lease)


def repairing(work: Work, header: Header, what: str) -> AbstractContextManager[Lease]:
    """Hold the lease of a plan's dataset, for as long as the block runs.

    Raises:
        Conflict: Somebody else holds it, and goes on holding it.
    """
    owner = f"twinstore repair {what} {header.id}"
    return work.memory.lease(header.dataset, "repair", owner=owner, now=_now, patience_s=PATIENCE_S)


def verify_plan(work: Work, found: Known) -> Outcome:
    """Read both stores again and say whether they still are as a repair left them; nothing is written to them.

    How the repair ended stays as it is: what somebody changed since does not make it another one. Of stores that are
    not proven to be those of the repair it is not remembered which rows did not stay as they were.

    Raises:
        ConfigurationError: The plan was never carried out, was taken back, nobody knows or asked yet what all it
            wrote, its file was changed since, the settings lead to other stores, or the contract lost a column of it.
        TwinstoreError: A store cannot be reached.
    """
    found.require_told()
    found.require_answered()
    if not found.done or found.repair.ended is Ended.UNDONE:
        why = "was taken back" if found.done else "was not carried out" if found.plan.steps else "has no steps"
        raise ConfigurationError(
            f"Plan {found.repair.id} {why}, so that there is nothing to verify.",
            "`twinstore repair list` says what became of each plan.",
        )
    found.require_unchanged()
    proven = require_same_pair(work.settings, work.stores, found.plan.header)
    with open_pair(work.settings, work.stores, found.plan.header.dataset) as pair:
        found.require_columns(pair.dataset, more=True)
        undone, verified = taken_back(work, found), None
        while verified is None:
            work.progress("read both stores again")
            verified = _read_again(found, pair, undone)
            if (later := taken_back(work, found)) != undone:  # by somebody, while rows were read
                undone, verified = later, None
    repair = replace(found.repair, agree=verified.agree, unconverged=len(verified.unconverged))
    steady, unsteady = _kept(found, verified, undone) if proven else ([], {})
    repair = work.memory.repairs.verified(repair, now=_now(), steady=steady, unsteady=unsteady)
    return Outcome(repair=repair, verified=verified, done=found.done)


def _begun(work: Work, found: Known, by: str, overrides: Sequence[Override]) -> Journal:
    """Note in the journal and in the memory that the plan is carried out."""
    from storage.repair.journal import Journal

    now = _now()
    journal = Journal.open(found.folder)
    journal.begin(plan_hash=found.plan_hash, by=by, overrides=overrides, now=now)
    work.memory.repairs.begin(found.repair.id, by=by, overrides=overrides, now=now, deletes=len(found.plan.deletes))
    return journal


def _taken(work: Work, found: Known, pair: Pair, journal: Journal, lease: Lease) -> None:
    from storage.repair.applying import apply

    total = len(found.plan.steps)
    disputed = pair.disputed({step.key for step in found.plan.steps})  # adopting makes conflicts of what differs
    apply(
        found.plan,
        pair.sides,
        journal,
        columns=found.plan.header.columns,
        progress=lambda number: work.progress(f"take steps: {number:,} of {total:,}"),
        may_go_on=lease.assert_held,
        disputed=disputed,
    )


def _read_again(found: Known, pair: Pair, undone: Collection[str]) -> Verified:
    """Read both stores, and judge what the repair wrote and nobody took back."""
    from storage.repair.verifying import verify

    judged = {step.number for step in found.plan.steps if step.key not in undone}
    done = {number: one for number, one in found.done.items() if number in judged}
    return replace(verify(found.plan, done, pair.sides, pair.dataset), undone=len(undone))


def _concluded(memory: State, found: Known, pair: Pair, undone: Collection[str], lease: Lease) -> Outcome:
    """Read both stores, and remember what became of the repair."""
    done = found.done
    verified = _read_again(found, pair, undone)
    repair = replace(
        memory.repairs.get(found.repair.id) or found.repair,
        ended=_ended(found.plan, done, verified),
        ended_at=_now(),
        outcomes=dict(Counter(one.outcome for one in done.values())),
        agree=verified.agree,
        unconverged=len(verified.unconverged),
        deletes=sum(1 for number in found.plan.deletes if number in done and done[number].outcome is Mended.WRITTEN),
    )
    took_back = repair.ended is Ended.REPAIRED and all(one.why is Why.SETTLED for one in found.plan.left)
    steady, unsteady = _kept(found, verified, undone)
    lease.assert_held()
    memory.repairs.end(repair, took_back=took_back, steady=steady, unsteady=unsteady)
    return Outcome(repair=repair, verified=verified, done=done)


def _kept(found: Known, verified: Verified, undone: Collection[str]) -> tuple[list[str], dict[str, str]]:
    """Return the keys that stayed as they were written, and those that did not, each with the reason."""
    undoing = found.plan.header.mode is Mode.UNDO  # what it could not bring back is still repaired
    lost = {} if undoing else {one.key: one.why for one in verified.unconverged}
    taken = {number for number, one in found.done.items() if one.outcome in _TAKEN}
    written = {step.key for step in found.plan.steps if step.number in taken}
    return sorted(written.difference(lost, undone)), lost


def _ended(plan: Plan, done: Mapping[int, Done], verified: Verified) -> Ended:
    if any(step.number not in done for step in plan.steps):
        return Ended.BEGUN
    whole = all(one.outcome in _TAKEN for one in done.values())
    return Ended.REPAIRED if whole and not verified.unconverged and not verified.moved else Ended.PARTLY


def _require_fit(found: Known, approval: Approval) -> None:
    """Refuse an approval that is none, and a plan of which nothing is to be carried out.

    Raises:
        ConfigurationError: It is one of these.
    """
    if len(approval.digits) < LEAST_DIGITS:
        raise ConfigurationError(
            f"A plan is approved by at least {LEAST_DIGITS} digits of its hash.",
            f"`twinstore repair show {found.repair.id}` prints it.",
        )
    if not found.changed and not found.plan_hash.startswith(approval.digits.lower()):
        raise ConfigurationError(
            f"What was approved is not the hash of plan {found.repair.id}: that one begins with other digits.",
            f"`twinstore repair show {found.repair.id}` shows the plan and its hash; approve what was looked at.",
        )
    found.require_open()


def _merged(before: Sequence[Override], now: Sequence[Override]) -> tuple[Override, ...]:
    """Return the brakes that are released: those of the attempt that was killed, and those that are released now."""
    by_name = {one.brake: one for one in (*before, *now)}
    return tuple(by_name[name] for name in sorted(by_name))


def _now() -> datetime:
    return datetime.now(UTC)
