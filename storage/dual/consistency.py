"""Whether both stores hold the same records: one record, or all of one owner. Nothing is written.

Every column is compared, as `storage.dual.comparing` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from contracts.replication import Direction, Place
from contracts.results import (
    ConsistencyReport,
    ConsistencySummary,
    FieldDifference,
    StoreResult,
    StoreResults,
    UserConsistencyReport,
)
from contracts.verdicts import FieldDifference as Found
from contracts.vocabulary import StoreName
from storage.chunks import chunks
from storage.dual.asking import UNUSED, Asked, Asking, results
from storage.dual.comparing import TIME, alike, apart_ms, differing
from storage.dual.rows import record_of
from storage.health import NOT_CONFIGURED
from storage.ports import Row
from storage.replication.doors import Doors, PrimaryDoors, SecondaryDoors
from storage.replication.messages import Item

if TYPE_CHECKING:
    from storage.replication.book import Book

READ_S = 10.0  # seconds that a store has for one step
_ROWS_AT_ONCE = 500
_KEYS_AT_ONCE = 200
_ROUNDS = 3  # how often records that go on changing are read again

SYNC = "Run the synchronisation: `twinstore sync run`."
SYNC_MISSING = "Sync the missing store: `twinstore sync run`."
SYNC_LATEST = "Sync to the latest version: `twinstore sync run`."
VERIFY = "A manual verification is needed: a store could not be read."
DECIDE = "Decide the conflict: `twinstore sync conflicts list`."
MEND = "Mend what the other store refused, then try again: `twinstore sync dead-letters list`."
SEARCH = "Nothing waits to be carried over: run `twinstore check` to see what else differs."
_BY_PLACE = {Place.CONFLICT: DECIDE, Place.DEAD_LETTER: MEND, Place.LOST: SEARCH}


class Consistency:
    """Compares records of both stores. Threads may share it.

    Args:
        primary: Doors of the primary.
        secondary: Doors of the secondary; None when there is none.
        book: What is kept on the primary; without it nobody tells a conflict from a lost change.
        asking: Asks stores.
    """

    def __init__(
        self, primary: PrimaryDoors, secondary: SecondaryDoors | None, book: Book | None, *, asking: Asking
    ) -> None:
        self._primary = primary
        self._secondary = secondary
        self._book = book
        self._asking = asking

    def of_record(self, key: str) -> ConsistencyReport:
        """Compare one record; a store that cannot be read is said to be so, never raised."""
        if self._secondary is None:
            return _unread(key, self._look(self._primary, StoreName.PRISMA, [key]), None)
        primary, secondary = self._both(self._secondary, [key])
        if primary.answer is None or secondary.answer is None:
            return _unread(key, primary, secondary)
        details = results(primary.result(), secondary.result())
        return self._judged(primary.answer[key], secondary.answer[key], details)

    def of_owner(self, owner: str | None) -> UserConsistencyReport:
        """Compare all records of one owner, page by page; None compares those of guests.

        What seems to differ is read once more on both sides at the end: a record that was carried over meanwhile is no
        difference.
        """
        if self._secondary is None:
            return _unread_owner(owner, results(secondary=_not_configured()))
        primary = self._all(self._primary, StoreName.PRISMA, owner)
        secondary = self._all(self._secondary, StoreName.SUPABASE, owner)
        details = results(primary.result(), secondary.result())
        ours, theirs = primary.answer, secondary.answer
        if ours is None or theirs is None:
            return _unread_owner(owner, details)
        keys = ours.keys() | theirs.keys()
        doubtful = sorted(key for key in keys if not alike(ours.get(key), theirs.get(key)))
        reports: list[ConsistencyReport] = []
        for some in chunks(doubtful, _KEYS_AT_ONCE):
            one, other = self._both(self._secondary, some)
            if one.answer is None or other.answer is None:
                return _unread_owner(owner, results(one.result(), other.result()))
            judged = (self._judged(one.answer[key], other.answer[key], details) for key in some)
            reports += (report for report in judged if not report.consistent)
        return _summed(owner, len(keys), reports, details)

    def _both(
        self, secondary: SecondaryDoors, keys: Sequence[str]
    ) -> tuple[Asked[dict[str, Item]], Asked[dict[str, Item]]]:
        """Read some records on both sides, again where one that seems to differ moved in between."""
        ours = self._look(self._primary, StoreName.PRISMA, keys)
        theirs = self._look(secondary, StoreName.SUPABASE, keys)
        for _ in range(_ROUNDS):
            if ours.answer is None or theirs.answer is None:
                break
            doubtful = [key for key in keys if _differs_at_rest(ours.answer[key], theirs.answer[key])]
            if not doubtful:
                break
            again = self._look(self._primary, StoreName.PRISMA, doubtful)
            if again.answer is None or all(again.answer[key] == ours.answer[key] for key in doubtful):
                break
            ours = self._look(self._primary, StoreName.PRISMA, keys)
            theirs = self._look(secondary, StoreName.SUPABASE, keys)
        return ours, theirs

    def _judged(self, ours: Item, theirs: Item, details: StoreResults) -> ConsistencyReport:
        """Compare two readings of one key."""
        differences, advice = _compared(ours.row, theirs.row)
        place = None if not differences else self._place(ours, theirs)
        if place in _BY_PLACE:
            advice = (*advice, _BY_PLACE[place])
        return ConsistencyReport(
            id=ours.key,
            type=(ours.row or theirs.row or {}).get("type"),
            consistent=not differences,
            differences=differences,
            recommendations=advice,
            prisma_data=ours.row and record_of(ours.row, store=StoreName.PRISMA, pending=ours.change is not None),
            supabase_data=theirs.row
            and record_of(theirs.row, store=StoreName.SUPABASE, pending=theirs.change is not None),
            place=place,
            details=details,
        )

    def _place(self, ours: Item, theirs: Item) -> Place | None:
        """Tell how a difference stands; None where nobody can tell."""
        book = self._book
        waits = ours.change is not None or theirs.change is not None
        if book is None:
            return Place.NOT_YET if waits else None

        def told() -> Place:
            if waits:
                dead = book.dead([ours.key])
                lines = ((Direction.TO_SECONDARY, ours.change), (Direction.TO_PRIMARY, theirs.change))
                given_up = all(dead.get((ours.key, way)) == change for way, change in lines if change is not None)
                return Place.DEAD_LETTER if given_up else Place.NOT_YET
            return Place.CONFLICT if ours.key in book.disputed([ours.key]) else Place.LOST

        return self._asking.ask(StoreName.PRISMA, told).answer

    def _look(self, doors: Doors, store: StoreName, keys: Sequence[str]) -> Asked[dict[str, Item]]:
        return self._asking.ask(store, lambda: doors.look(keys, deadline_s=READ_S))

    def _all(self, doors: Doors, store: StoreName, owner: str | None) -> Asked[dict[str, Row]]:
        return self._asking.ask(store, lambda: dict(_rows_of(doors, owner)))


def _rows_of(doors: Doors, owner: str | None) -> Iterator[tuple[str, Row]]:
    filters = {"user_id": None if owner is None else f"{{{owner}}}"}
    place: tuple[str, str] | None = None
    while True:
        listed = doors.page(filters, place=place, at_most=_ROWS_AT_ONCE, deadline_s=READ_S)
        yield from ((each.key, each.row) for each in listed)
        if len(listed) < _ROWS_AT_ONCE:
            return
        place = (listed[-1].at, listed[-1].key)


def _differs_at_rest(ours: Item, theirs: Item) -> bool:
    """Tell whether a record differs although no change of it waits."""
    return ours.change is None and theirs.change is None and not alike(ours.row, theirs.row)


def _compared(ours: Row | None, theirs: Row | None) -> tuple[tuple[FieldDifference, ...], tuple[str, ...]]:
    """Return in what two rows differ, and what to do about it."""
    if ours is None and theirs is None:
        return (), ()
    if ours is None or theirs is None:
        store = StoreName.PRISMA if ours is None else StoreName.SUPABASE
        message = f"The record exists in only one store: {store} lacks it."
        return (FieldDifference(field="record", message=message),), (SYNC_MISSING, SYNC)
    found = differing(ours, theirs)
    if not found:
        return (), ()
    apart = apart_ms(ours, theirs)
    late = any(each.field == TIME for each in found)
    return tuple(_told(each, apart) for each in found), (SYNC_LATEST, SYNC) if late else (SYNC,)


def _told(found: Found, apart: int | None) -> FieldDifference:
    message = f"{found.field} differs."
    if found.field == TIME and apart is not None:
        message = f"updatedAt differs by {apart} ms."
    return FieldDifference(field=found.field, message=message, prisma=found.primary, supabase=found.secondary)


def _unread(key: str, primary: Asked[dict[str, Item]], secondary: Asked[dict[str, Item]] | None) -> ConsistencyReport:
    """Report a record that could not be read on both sides."""
    details = results(primary.result(), _not_configured() if secondary is None else secondary.result())
    errors = ((store, details.of(store).error) for store in StoreName)
    rows = [asked.answer[key].row if asked is not None and asked.answer else None for asked in (primary, secondary)]
    return ConsistencyReport(
        id=key,
        type=next((row["type"] for row in rows if row is not None), None),
        consistent=False,
        differences=tuple(
            FieldDifference(field="record", message=f"{store} could not be read: {error}")
            for store, error in errors
            if error is not None
        ),
        recommendations=(VERIFY,),
        prisma_data=rows[0] and record_of(rows[0], store=StoreName.PRISMA, pending=False),
        supabase_data=rows[1] and record_of(rows[1], store=StoreName.SUPABASE, pending=False),
        details=details,
    )


def _not_configured() -> StoreResult:
    return UNUSED.model_copy(update={"error": NOT_CONFIGURED})


def _unread_owner(owner: str | None, details: StoreResults) -> UserConsistencyReport:
    return UserConsistencyReport(user_id=owner, overall_consistent=False, recommendations=(VERIFY,), details=details)


def _summed(
    owner: str | None, total: int, reports: Sequence[ConsistencyReport], details: StoreResults
) -> UserConsistencyReport:
    missing = dict.fromkeys(StoreName, 0)
    for report in reports:
        if report.prisma_data is None:
            missing[StoreName.PRISMA] += 1
        elif report.supabase_data is None:
            missing[StoreName.SUPABASE] += 1
    conflicts = len(reports) - sum(missing.values())
    healthy = total - len(reports)
    return UserConsistencyReport(
        user_id=owner,
        overall_consistent=not reports,
        total_items=total,
        consistent_items=healthy,
        inconsistent_items=tuple(reports),
        summary=ConsistencySummary(
            missing_in_prisma=missing[StoreName.PRISMA],
            missing_in_supabase=missing[StoreName.SUPABASE],
            data_conflicts=conflicts,
            healthy_items=healthy,
        ),
        details=details,
    )
