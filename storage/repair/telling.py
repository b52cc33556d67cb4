"""What a plan tells beside the keys that it leaves: checks that go on failing, a store that holds nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from contracts.repair import Header, Left, Why
from contracts.row_judge import RowJudge
from contracts.vocabulary import Cause, StoreName
from storage.repair.seeing import Both
from storage.repair.wanted import Failing


@dataclass(slots=True)
class Tally:
    """How many rows that were looked at break each rule, by store and rule."""

    broken: Counter[tuple[str, StoreName]] = field(default_factory=Counter)

    def add(self, judge: RowJudge, groups: Iterable[Mapping[str, Both]]) -> None:
        """Judge the rows of these keys as they stand."""
        every = list(groups)
        for store in StoreName:
            rows = [row for seen in every for both in seen.values() if store in both and (row := both[store].row)]
            for rules in judge.broken(store, rows):
                self.broken.update((rule, store) for rule in rules)


def unfound(keys: Iterable[str]) -> Iterator[Left]:
    """Say of keys that somebody named that nothing was found about them."""
    for key in sorted(keys):
        yield Left(key=key, why=Why.SETTLED, sentence="The check found no difference of this key.")


def empty_side(header: Header) -> Iterator[Left]:
    """Say what a side that holds nothing needs: no row of it is planned one by one."""
    for store in StoreName:
        if not header.rows.get(store) and (rows := header.rows.get(store.other, 0)):
            words = f"{store} holds no row at all: restore it, or fill it with `twinstore adopt`."
            yield Left(key=None, why=Why.NO_WINNER, sentence=words, causes=(str(Cause.SIDE_EMPTY),), rows=rows)


def alike(failing: Sequence[Failing], tally: Tally, rules: Collection[str]) -> Iterator[Left]:
    """Say which checks fail for rows on which both stores agree, as far as their number tells, or for a whole table."""
    stores: dict[str, dict[StoreName, int]] = {}
    for one in failing:
        rows = 1 if one.rows is None else one.rows - tally.broken[one.check, one.store]
        if rows > 0 or one.check not in rules:
            stores.setdefault(one.check, {})[one.store] = max(rows, 1)
    for check, rows_of in sorted(stores.items()):
        where = " and ".join(sorted(rows_of))
        if check in rules:
            words = f"`{check}` fails on {where} for rows on which both stores agree: correct them in the application."
        else:
            words = (
                f"`{check}` fails on {where}, which no row alone can mend: its message in the report says what to do."
            )
        yield Left(key=None, why=Why.BOTH_ALIKE, sentence=words, causes=(check,), rows=max(rows_of.values()))
