"""Reading both stores again after a repair: what agrees now, what moved, and what did not stay as it was written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from contracts.dataset import Dataset
from contracts.repair import Done, Mended, Mode, Plan, Step, Unconverged, Verified
from contracts.repair.plan import Texts
from contracts.vocabulary import StoreName
from storage.repair.applying import TAKEN, left_by
from storage.repair.batches import MOST_STEPS
from storage.repair.explaining import why_refused, why_reverted, why_rewritten
from storage.repair.fields import unlike
from storage.repair.ports import RepairSide, Seen, hash_of

Taken = tuple[Step, Done]
"""A step that was taken or refused, and what became of it."""
_Rows = Mapping[StoreName, Seen]


def verify(plan: Plan, done: Mapping[int, Done], sides: Mapping[StoreName, RepairSide], dataset: Dataset) -> Verified:
    """Read the rows that a plan has written, in both stores, and compare them with what was planned.

    Args:
        plan: The plan.
        done: What became of its steps, by number.
        sides: Both stores.
        dataset: The dataset; it may have got columns of which the plan did not know.

    Raises:
        TwinstoreError: A store cannot be asked.
    """
    by_key: dict[str, list[Taken]] = defaultdict(list)
    for step in plan.steps:
        found = done.get(step.number)
        if found is not None and (found.outcome in TAKEN or found.outcome is Mended.REJECTED):
            by_key[step.key].append((step, found))
    tally = _Tally(dataset, columns=plan.header.columns, undoing=plan.header.mode is Mode.UNDO)
    for keys in _chunks(by_key):
        seen = {store: side.see(keys) for store, side in sides.items()}
        for key in keys:
            tally.look(by_key[key], {store: found[key] for store, found in seen.items()})
    return Verified(
        agree=tally.agree, differ=tally.differ, moved=tuple(tally.moved), unconverged=tuple(tally.unconverged)
    )


@dataclass(slots=True)
class _Tally:
    """What was found so far; of what the plan did, only the columns that it knew are compared."""

    dataset: Dataset
    columns: Sequence[str]
    undoing: bool
    agree: int = 0
    differ: int = 0
    moved: list[str] = field(default_factory=list)
    unconverged: list[Unconverged] = field(default_factory=list)

    def look(self, steps: Sequence[Taken], seen: _Rows) -> None:
        """Look at one key, given the steps that are about it."""
        apart = unlike(self.dataset, seen[StoreName.PRISMA].row, seen[StoreName.SUPABASE].row)
        if not apart and not self.undoing:
            self.agree += 1
            return
        wrong = [one for step, done in steps if (one := self._wrong(step, done, seen[step.store])) is not None]
        if wrong:
            self.unconverged += wrong
        elif not self._as_left(steps, seen):
            self.moved.append(steps[0][0].key)
        elif apart:
            self.differ += 1
        else:
            self.agree += 1

    def _wrong(self, step: Step, done: Done, now: Seen) -> Unconverged | None:
        """Return what keeps a row from being as planned; None where nothing does but a change since."""
        if done.outcome is Mended.REJECTED:
            return self._because(step, step.fields, why_refused(step, done))
        fields = unlike(self.dataset, step.after, left_by(step, done), columns=self.columns)
        if fields:
            return self._because(step, fields, why_rewritten(self.dataset, step, done, fields))
        if now.line == step.line and self._hash(now.row) == self._hash(step.before) != self._hash(step.after):
            return self._because(step, step.fields, why_reverted(step))
        return None

    def _because(self, step: Step, fields: tuple[str, ...], why: str) -> Unconverged:
        return Unconverged(number=step.number, store=step.store, key=step.key, fields=fields, why=why)

    def _as_left(self, steps: Sequence[Taken], seen: _Rows) -> bool:
        """Tell whether nobody changed the key in either store since its steps were taken."""
        left = {step.store: left_by(step, done) for step, done in steps}
        return all(
            not unlike(self.dataset, seen[store].row, left[store], columns=self.columns)
            if store in left
            else self._hash(seen[store].row) == steps[0][0].other
            for store in seen
        )

    def _hash(self, row: Texts | None) -> str | None:
        return hash_of(self.columns, row)


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while chunk := list(islice(left, MOST_STEPS)):
        yield chunk
