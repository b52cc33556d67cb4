"""What a plan tells beside the keys that it leaves: checks that go on failing, a store that holds nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from contracts.repair import Header, Left, Why
from contracts.row_judge import RowJudge
from contracts.vocabulary import Cause, StoreName
from storage.repair.groups import Group
from storage.repair.wanted import Failing


@dataclass(slots=True)
class Tally:
    """How many rows that were looked at break each rule, by store and rule, or may have broken it for the check.

    Attributes:
        broken: How many rows that still differ break it.
        settled: How many keys do not differ any more: what they broke when they were checked is not known.
    """

    broken: Counter[tuple[str, StoreName]] = field(default_factory=Counter)
    settled: int = 0

    def add(self, judge: RowJudge, groups: Iterable[Group]) -> None:
        """Judge the rows of these keys as they stand."""
        every = []
        for group in groups:
            if any(one.why is Why.SETTLED for one in group.decision.left):
                self.settled += 1
            else:
                every.append(group.seen)
        for store in StoreName:
            rows = [row for seen in every for both in seen.values() if store in both and (row := both[store].row)]
            for rules in judge.broken(store, rows):
                self.broken.update((rule, store) for rule in rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlisted:
    """What a run says of keys that are not among its differences.

    Attributes:
        unsettled: Those about which it could say nothing, since they moved or their change was under way.
        equal: Whether all others were equal; False where the run need not name all that it found.
    """

    unsettled: Collection[str] = ()
    equal: bool = True


def unfound(named: Mapping[str, Collection[str]], run: Unlisted) -> Iterator[Left]:
    """Say of keys that somebody named, each given with its spellings, why a run names no difference of them."""
    for key, spelt in sorted(named.items()):
        why, words = Why.SETTLED, "The check found no difference of this key."
        if any(one in run.unsettled for one in spelt):
            why, words = Why.UNDER_WAY, "It moved, or its change is under way: check again."
        elif not run.equal:
            why, words = (
                Why.NOT_NAMED,
                "The run names no open difference of this key, but need not name all: check again.",
            )
        yield Left(key=key, why=why, sentence=words)


def empty_side(header: Header) -> Iterator[Left]:
    """Say what a side that holds nothing needs: no row of it is planned one by one."""
    for store in StoreName:
        if not header.rows.get(store) and (rows := header.rows.get(store.other, 0)):
            words = f"{store} holds no row at all: restore it, or fill it with `twinstore adopt`."
            yield Left(key=None, why=Why.NO_WINNER, sentence=words, causes=(str(Cause.SIDE_EMPTY),), rows=rows)


def alike(failing: Sequence[Failing], tally: Tally, rules: Collection[str]) -> Iterator[Left]:
    """Say which checks fail for rows on which both stores agree, as far as their number tells, or for a whole table.

    So many do at least: what was looked at and broke a rule when it was checked, or may have done so, is none of them.
    """
    stores: dict[str, dict[StoreName, int]] = {}
    for one in failing:
        rows = one.rows or 1
        if one.rows is not None and one.check in rules:
            rows = max(one.alike, one.rows - one.beside - tally.settled - tally.broken[one.check, one.store])
        if rows > 0:
            stores.setdefault(one.check, {})[one.store] = rows
    for check, rows_of in sorted(stores.items()):
        where = " and ".join(sorted(rows_of))
        if check in rules:
            words = f"`{check}` fails on {where} for rows on which both stores agree: correct them in the application."
        else:
            words = (
                f"`{check}` fails on {where}, which no row alone can mend: its message in the report says what to do."
            )
        yield Left(key=None, why=Why.BOTH_ALIKE, sentence=words, causes=(check,), rows=max(rows_of.values()))
