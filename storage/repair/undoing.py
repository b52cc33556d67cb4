"""Taking a repair back: the inverse of each step that wrote, for rows that nobody changed since."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from contracts.repair import Act, Done, Header, Left, Mended, Plan, Step, Why, Winner
from contracts.repair.plan import Texts
from contracts.vocabulary import StoreName
from storage.repair.applying import TAKEN, left_by
from storage.repair.batches import MOST_STEPS
from storage.repair.ports import RepairSide, Seen, hash_of

_MAY_STAND = frozenset({Mended.WRITTEN, Mended.UNCLEAR})
_INVERSE = {Act.INSERT: Act.DELETE, Act.DELETE: Act.INSERT, Act.UPDATE: Act.UPDATE}
_MOVED = (Why.MOVED, "Somebody changed the row, or that of the other store, since it was repaired: it stays as it is.")
_WAITS = (Why.UNDER_WAY, "A change of it waits to be carried over: `twinstore sync run`, then undo again.")
_UNCLEAR = (Why.MOVED, "Nobody knows whether the repair wrote it: the row stays as it is.")
_SETTLED = (Why.SETTLED, "The row is as it was before the repair already.")
_GAINED = (Why.MOVED, "The contract has columns by now that the repair did not know: the row stays as it is.")
_BOUND = (Why.MOVED, "It was changed together with a row that somebody changed since, and stays with that one.")
_Reasons = dict[int, tuple[Why, str]]
Rows = Mapping[StoreName, Mapping[str, Seen]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """How the rows of a repair stand, against how it left them.

    Attributes:
        columns: The columns that it knew.
        gained: Whether there are more by now.
        left: Hash of each row as its last step left it, or found it already, by store and key.
        before: Hash of each row as it was before its first step, likewise.
        unclear: Numbers of the steps of which nobody knows whether they were taken.
        rows: The rows as they are now.
        adopted: Whether a relay carries over what waits.
    """

    columns: Sequence[str]
    gained: bool
    left: Mapping[tuple[StoreName, str], str | None]
    before: Mapping[tuple[StoreName, str], str | None]
    unclear: Collection[int]
    rows: Rows
    adopted: bool

    def why_not(self, step: Step) -> tuple[Why, str] | None:
        """Return why a step cannot be taken back; None where it can."""
        own, other = self.rows[step.store][step.key], self.rows[step.store.other][step.key]
        waits = any(line not in (None, known) for line, known in ((own.line, step.line), (other.line, step.other_line)))
        now, beside = hash_of(self.columns, own.row), hash_of(self.columns, other.row)
        if self.adopted and waits:
            return _WAITS
        if now == hash_of(self.columns, step.before):
            return _SETTLED
        if step.number in self.unclear:
            return _UNCLEAR
        place = step.store.other, step.key
        known = {self.left.get(place, step.other), self.before.get(place, step.other)}  # or taken back there already
        if now != self.left[step.store, step.key] or beside not in known:
            return _MOVED
        return _GAINED if self.gained and step.act is not Act.UPDATE else None


def undo_steps(
    plan: Plan,
    done: Mapping[int, Done],
    sides: Mapping[StoreName, RepairSide],
    *,
    header: Header,
    adopted: bool = True,
) -> Plan:
    """Plan to take a repair back, the last step first; rows that are not as it left them are left, and listed.

    Args:
        plan: The plan of the repair.
        done: What became of its steps, by number.
        sides: Both stores, which are only read.
        header: What the new plan is about; the dataset may have got columns of which the repair did not know.
        adopted: Whether a relay carries over what waits.

    Raises:
        TwinstoreError: A store cannot be asked.
    """
    outcomes = {number: one.outcome for number, one in done.items()}
    written = [step for step in reversed(plan.steps) if outcomes.get(step.number) in _MAY_STAND]
    stood = [step for step in plan.steps if outcomes.get(step.number) in _MAY_STAND | TAKEN]
    columns = plan.header.columns
    standing = _Standing(
        columns=columns,
        gained=not set(header.columns).issubset(columns),
        left={(step.store, step.key): hash_of(columns, left_by(step, done[step.number])) for step in stood},
        before={(step.store, step.key): hash_of(columns, step.before) for step in reversed(stood)},
        unclear={number for number, outcome in outcomes.items() if outcome is Mended.UNCLEAR},
        rows=_look([step.key for step in written], sides),
        adopted=adopted,
    )
    reasons = _bound(written, {step.number: why for step in written if (why := standing.why_not(step)) is not None})
    left = tuple(
        Left(key=step.key, why=why, sentence=sentence, causes=step.causes)
        for step in written
        if step.number in reasons
        for why, sentence in [reasons[step.number]]
    )
    steps = _inverses([step for step in written if step.number not in reasons], standing.rows, header.columns)
    return Plan(header=header, steps=steps, left=left)


def rests_on_all(undo: Plan, plan: Plan, done: Mapping[int, Done]) -> bool:
    """Tell whether a plan to take a repair back knows of all that the repair wrote: each step is taken back, or left.

    Args:
        undo: The plan that takes it back.
        plan: The plan of the repair.
        done: What became of its steps by now, by number.
    """
    wrote = sum(1 for step in plan.steps if step.number in done and done[step.number].outcome in _MAY_STAND)
    return wrote == len(undo.steps) + len(undo.left)


def _look(keys: Sequence[str], sides: Mapping[StoreName, RepairSide]) -> Rows:
    distinct = list(dict.fromkeys(keys))
    return {
        store: {
            key: seen
            for start in range(0, len(distinct), MOST_STEPS)
            for key, seen in side.see(distinct[start : start + MOST_STEPS]).items()
        }
        for store, side in sides.items()
    }


def _bound(written: Sequence[Step], reasons: _Reasons) -> _Reasons:
    """Add the steps that must stay since one stays that needs them, or that they need: no record may be lost."""
    bound = dict(reasons)
    pairs = [(step.number, step.needs) for step in written if step.needs is not None]
    numbers = {step.number for step in written}
    known = -1
    while known < len(bound):
        known = len(bound)
        for one, other in (*pairs, *((needs, number) for number, needs in pairs)):
            if one in numbers and other in numbers and bound.get(one, _SETTLED) is not _SETTLED:
                bound.setdefault(other, _BOUND)
    return bound


def _inverses(written: Sequence[Step], rows: Rows, columns: Sequence[str]) -> tuple[Step, ...]:
    """Return the inverse steps, numbered anew; what gives a row back comes before what takes the other away."""
    numbers = {step.number: number for number, step in enumerate(written, start=1)}
    given_back = {step.needs: numbers[step.number] for step in written if step.needs and step.act is Act.DELETE}
    return tuple(
        replace(
            step,
            number=numbers[step.number],
            act=_INVERSE[step.act],
            before=rows[step.store][step.key].row,
            after=_as_before(step, rows[step.store][step.key].row),
            other=hash_of(columns, rows[step.store.other][step.key].row),
            line=rows[step.store][step.key].line,
            other_line=rows[step.store.other][step.key].line,
            winner=Winner.UNDONE,
            reason="It was like this before the repair.",
            needs=given_back.get(step.number),
        )
        for step in written
    )


def _as_before(step: Step, now: Texts | None) -> Texts | None:
    """Return the row as it was before a step; what the repair did not know of stays as it is now."""
    return step.before if now is None or step.before is None else {**now, **step.before}
