"""Taking a repair back: the inverse of each step that wrote, for rows that nobody changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from contracts.repair import Act, Done, Header, Left, Mended, Plan, Step, Why, Winner
from contracts.vocabulary import StoreName
from storage.repair.applying import left_by
from storage.repair.batches import MOST_STEPS
from storage.repair.ports import RepairSide, Seen, hash_of

_MAY_STAND = frozenset({Mended.WRITTEN, Mended.UNCLEAR})
_INVERSE = {Act.INSERT: Act.DELETE, Act.DELETE: Act.INSERT, Act.UPDATE: Act.UPDATE}
_MOVED = (Why.MOVED, "Somebody changed the row, or that of the other store, since it was repaired: it stays as it is.")
_WAITS = (Why.UNDER_WAY, "A change of it waits to be carried over: `twinstore sync run`, then undo again.")
_SETTLED = (Why.SETTLED, "The row is as it was before the repair already.")
_BOUND = (Why.MOVED, "It was changed together with a row that somebody changed since, and stays with that one.")
_Reasons = dict[int, tuple[Why, str]]
Rows = Mapping[StoreName, Mapping[str, Seen]]


class _Written(NamedTuple):
    """A step that wrote, or may have, and what it left."""

    step: Step
    done: Done


def undo_steps(plan: Plan, done: Mapping[int, Done], sides: Mapping[StoreName, RepairSide], *, header: Header) -> Plan:
    """Plan to take a repair back, the last step first; rows that are not as it left them are left, and listed.

    Args:
        plan: The plan of the repair.
        done: What became of its steps, by number.
        sides: Both stores, which are only read.
        header: What the new plan is about.

    Raises:
        TwinstoreError: A store cannot be asked.
    """
    written = [
        _Written(step, found)
        for step in reversed(plan.steps)
        if (found := done.get(step.number)) is not None and found.outcome in _MAY_STAND
    ]
    rows = _look([one.step.key for one in written], sides)
    reasons = _bound(written, _reasons(written, rows, header.columns))
    left = tuple(
        Left(key=one.step.key, why=why, sentence=sentence, causes=one.step.causes)
        for one in written
        if one.step.number in reasons
        for why, sentence in [reasons[one.step.number]]
    )
    steps = _inverses([one for one in written if one.step.number not in reasons], rows, header.columns)
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


def _reasons(written: Sequence[_Written], rows: Rows, columns: Sequence[str]) -> _Reasons:
    """Return why steps cannot be taken back, by number."""
    left = {(one.step.store, one.step.key): hash_of(columns, left_by(*one)) for one in reversed(written)}
    found: _Reasons = {}
    for step, _ in written:
        own, other = rows[step.store][step.key], rows[step.store.other][step.key]
        now, beside = hash_of(columns, own.row), hash_of(columns, other.row)
        if any(line not in (None, known) for line, known in ((own.line, step.line), (other.line, step.other_line))):
            found[step.number] = _WAITS
        elif now == hash_of(columns, step.before):
            found[step.number] = _SETTLED
        elif now != left[step.store, step.key] or beside != left.get((step.store.other, step.key), step.other):
            found[step.number] = _MOVED
    return found


def _bound(written: Sequence[_Written], reasons: _Reasons) -> _Reasons:
    """Add the steps that must stay since one stays that needs them, or that they need: no record may be lost."""
    bound = dict(reasons)
    pairs = [(one.step.number, one.step.needs) for one in written if one.step.needs is not None]
    numbers = {one.step.number for one in written}
    known = -1
    while known < len(bound):
        known = len(bound)
        for one, other in (*pairs, *((needs, number) for number, needs in pairs)):
            if one in numbers and other in numbers and bound.get(one, _SETTLED) is not _SETTLED:
                bound.setdefault(other, _BOUND)
    return bound


def _inverses(written: Sequence[_Written], rows: Rows, columns: Sequence[str]) -> tuple[Step, ...]:
    """Return the inverse steps, numbered anew; what gives a row back comes before what takes the other away."""
    numbers = {one.step.number: number for number, one in enumerate(written, start=1)}
    given_back = {
        one.step.needs: numbers[one.step.number] for one in written if one.step.needs and one.step.act is Act.DELETE
    }
    return tuple(
        replace(
            step,
            number=numbers[step.number],
            act=_INVERSE[step.act],
            before=rows[step.store][step.key].row,
            after=step.before,
            other=hash_of(columns, rows[step.store.other][step.key].row),
            line=rows[step.store][step.key].line,
            other_line=rows[step.store.other][step.key].line,
            winner=Winner.UNDONE,
            reason="It was like this before the repair.",
            needs=given_back.get(step.number),
        )
        for step, _ in written
    )
