"""The steps of one record, taken together or not at all: judged by the contract, and put in the order of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from contracts.dataset import Dataset
from contracts.repair import Step, Why
from contracts.row_judge import RowJudge
from contracts.vocabulary import StoreName
from storage.repair.decisions import Decision, Draft, leave
from storage.repair.ports import hash_of
from storage.repair.seeing import Both


@dataclass(frozen=True, slots=True)
class Group:
    """What becomes of one record: steps that are taken all or not at all, as they stand.

    Attributes:
        decision: Its steps, and what is left of it.
        seen: How its keys stand.
    """

    decision: Decision
    seen: Mapping[str, Both]


def judged(groups: Sequence[Group], judge: RowJudge) -> Iterator[Group]:
    """Leave the records of which a row would break a critical rule."""
    breaking: dict[int, set[str]] = {}
    for store in StoreName:
        written = [
            (number, draft.after)
            for number, group in enumerate(groups)
            for draft in group.decision.drafts
            if draft.store is store and draft.after is not None
        ]
        for (number, _), rules in zip(written, judge.broken(store, [row for _, row in written]), strict=True):
            if critical := rules & judge.critical:
                breaking.setdefault(number, set()).update(critical)
    for number, group in enumerate(groups):
        yield _left(group, breaking[number]) if number in breaking else group


def _left(group: Group, rules: set[str]) -> Group:
    named = ", ".join(f"`{rule}`" for rule in sorted(rules))
    words = f"The row that would be written breaks {named}: correct it first."
    causes = [cause for draft in group.decision.drafts for cause in draft.causes]
    held = [key for key, both in group.seen.items() if any(seen.row is not None for seen in both.values())]
    left = [one for key in held for one in leave(key, Why.BREAKS_CONTRACT, words, causes).left]
    return replace(group, decision=Decision(left=(*left, *group.decision.left)))


def steps(dataset: Dataset, groups: Sequence[Group]) -> Iterator[Step]:
    """Yield the steps in the order in which they are taken: what is deleted for good comes last."""
    number = 0
    for group in sorted(groups, key=_deletes):
        first = number + 1
        for draft in group.decision.drafts:
            number += 1
            yield _step(dataset, draft, group.seen[draft.key], number=number, needs=first if number > first else None)


def _deletes(group: Group) -> bool:
    return len(group.decision.drafts) == 1 and group.decision.drafts[0].after is None


def _step(dataset: Dataset, draft: Draft, seen: Both, *, number: int, needs: int | None) -> Step:
    columns = [column.name for column in dataset.columns]
    before, after = draft.before, draft.after
    changed = columns if before is None or after is None else [name for name in columns if before[name] != after[name]]
    other = seen.get(draft.store.other)
    return Step(
        number=number,
        store=draft.store,
        key=draft.key,
        act=draft.act,
        before=before,
        after=after,
        other=None if other is None else hash_of(columns, other.row),
        line=seen[draft.store].line,
        other_line=None if other is None else other.line,
        winner=draft.winner,
        causes=tuple(sorted(map(str, draft.causes))),
        fields=tuple(changed),
        reason=draft.reason,
        needs=needs,
    )
