"""Reads: the primary first, the secondary where the primary is not there or has not heard of a record yet.

What the primary has is what holds. A record that it lacks is looked for among the changes that wait on the secondary,
so that a write which the secondary took while the primary was away can be read at once. A store that does not answer
is named; it never looks like one without records.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from contracts.errors import Unavailable
from contracts.planning_query import PlanningQuery
from contracts.results import Reading, Record, RecordPage
from contracts.vocabulary import StoreName
from storage.dual.asking import UNUSED, Asked, Asking, both_failed, mode, results
from storage.dual.pending import (
    candidates,
    filters_of,
    instant_text,
    order_of,
    waiting_items,
    would_be_accepted,
)
from storage.dual.rows import record_of
from storage.replication.doors import Doors, PrimaryDoors, SecondaryDoors
from storage.replication.messages import Item, Listed

READ_S = 3.0  # seconds that a store has for an answer
_AT_ONCE = 100
_TRY_AGAIN = "Try again later; `twinstore doctor` shows which store can be reached."


class _Placed(NamedTuple):
    """A record of a page, and its place in it."""

    at: str
    key: str
    record: Record


class _Waiting(NamedTuple):
    """Changes that wait on the secondary, and whether these are all."""

    items: list[Item]
    complete: bool


class Readings:
    """Reads records. Threads may share it.

    Args:
        primary: Doors of the primary.
        secondary: Doors of the secondary; None when there is none.
        asking: Asks stores.
    """

    def __init__(self, primary: PrimaryDoors, secondary: SecondaryDoors | None, *, asking: Asking) -> None:
        self._primary = primary
        self._secondary = secondary
        self._asking = asking

    def find(self, key: str) -> Reading:
        """Look for one record.

        Raises:
            Unavailable: No store answered.
        """
        primary = self._look(self._primary, StoreName.PRISMA, key)
        ours = primary.answer
        if ours is not None and ours.row is not None:
            record = record_of(ours.row, store=StoreName.PRISMA, pending=ours.change is not None)
            return Reading(record=record, details=results(primary.result()))
        if self._secondary is None:
            if ours is None:
                raise self._nobody(primary, None)
            return Reading(record=None, details=results(primary.result()))
        secondary = self._look(self._secondary, StoreName.SUPABASE, key)
        theirs = secondary.answer
        if ours is None and theirs is None:
            raise self._nobody(primary, secondary)
        if ours is not None and theirs is not None and theirs.row is not None and theirs.change is None:
            primary = self._look(self._primary, StoreName.PRISMA, key)  # it may have been judged just now
            return self._found(primary, secondary, primary.answer or ours, theirs)
        return self._found(primary, secondary, ours, theirs)

    def page(self, query: PlanningQuery) -> RecordPage:
        """Return one page of records, those that were changed last first.

        Raises:
            Unavailable: No store answered.
        """
        primary = self._list(self._primary, StoreName.PRISMA, query)
        if primary.answer is None:
            return self._page_without_primary(query, primary)
        shown = [_placed(listed, StoreName.PRISMA) for listed in primary.answer]
        secondary = self._secondary
        if secondary is None:
            return self._page(query, shown, primary, None)
        waiting = self._asking.ask(StoreName.SUPABASE, lambda: _Waiting(*waiting_items(secondary, deadline_s=READ_S)))
        complete = waiting.answer is not None and waiting.answer.complete
        extra: list[_Placed] = []
        if waiting.answer is not None and waiting.answer.items:
            wanted = candidates(waiting.answer.items, query)
            added = self._asking.ask(StoreName.PRISMA, lambda: self._accepted(wanted, query.limit + 1))
            extra, complete = added.answer or [], complete and added.answer is not None
        return self._page(query, [*shown, *extra], primary, waiting, complete=complete)

    def _found(self, primary: Asked[Item], secondary: Asked[Item], ours: Item | None, theirs: Item | None) -> Reading:
        record = None
        if ours is not None and ours.row is not None:
            record = record_of(ours.row, store=StoreName.PRISMA, pending=ours.change is not None)
        elif theirs is not None and theirs.row is not None and (ours is None or would_be_accepted(ours, theirs)):
            record = record_of(theirs.row, store=StoreName.SUPABASE, pending=theirs.change is not None)
        return Reading(
            record=record,
            details=results(primary.result(), secondary.result()),
            degradation_mode=mode(primary, secondary, alone=False),
        )

    def _page_without_primary(self, query: PlanningQuery, primary: Asked[tuple[Listed, ...]]) -> RecordPage:
        if self._secondary is None:
            raise self._nobody(primary, None)
        secondary = self._list(self._secondary, StoreName.SUPABASE, query)
        if secondary.answer is None:
            raise self._nobody(primary, secondary)
        shown = [_placed(listed, StoreName.SUPABASE) for listed in secondary.answer]
        return self._page(query, shown, primary, secondary)

    def _page(
        self,
        query: PlanningQuery,
        found: Iterable[_Placed],
        primary: Asked[tuple[Listed, ...]],
        secondary: Asked[tuple[Listed, ...]] | Asked[_Waiting] | None,
        *,
        complete: bool = True,
    ) -> RecordPage:
        ordered = sorted(found, key=lambda placed: order_of(placed.at, placed.key), reverse=True)
        shown = ordered[: query.limit]
        more = len(ordered) > query.limit
        details = results(primary.result(), UNUSED if secondary is None else secondary.result())
        return RecordPage(
            records=tuple(placed.record for placed in shown),
            next_cursor=query.cursor_after(shown[-1].at, shown[-1].key) if more else None,
            details=details,
            degradation_mode=mode(primary, secondary, alone=self._secondary is None),
            complete=complete and not details.unreachable,
        )

    def _accepted(self, items: Iterable[Item], number: int) -> list[_Placed]:
        """Return the first so many of some waiting rows that the primary lacks and will take over."""
        found: list[_Placed] = []
        todo = iter(items)
        while len(found) < number and (some := list(islice(todo, _AT_ONCE))):
            ours = self._primary.look([item.key for item in some], deadline_s=READ_S)
            for item in some:
                there = ours[item.key]
                if item.row is not None and there.row is None and would_be_accepted(there, item):
                    record = record_of(item.row, store=StoreName.SUPABASE, pending=True)
                    found.append(_Placed(instant_text(item.row), item.key, record))
        return found

    def _look(self, doors: Doors, store: StoreName, key: str) -> Asked[Item]:
        return self._asking.ask(store, lambda: doors.look([key], deadline_s=READ_S)[key])

    def _list(self, doors: Doors, store: StoreName, query: PlanningQuery) -> Asked[tuple[Listed, ...]]:
        place, filters = query.place, filters_of(query)
        return self._asking.ask(
            store, lambda: doors.page(filters, place=place, at_most=query.limit + 1, deadline_s=READ_S)
        )

    def _nobody(
        self,
        primary: Asked[Item] | Asked[tuple[Listed, ...]],
        secondary: Asked[Item] | Asked[tuple[Listed, ...]] | None,
    ) -> Unavailable:
        other = UNUSED if secondary is None else secondary.result()
        return Unavailable(both_failed("read", primary.result(), other, alone=secondary is None), _TRY_AGAIN)


def _placed(listed: Listed, store: StoreName) -> _Placed:
    return _Placed(listed.at, listed.key, record_of(listed.row, store=store, pending=listed.dirty))
