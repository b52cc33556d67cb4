"""Instants of which one was made from the other: shifted by a time zone, cut to a coarser unit."""

from __future__ import annotations

from contracts.column_types import INSTANTS, ColumnType
from contracts.dataset import Column
from contracts.instants import DAY, HOUR, MILLISECOND, MINUTE, SECOND, milliseconds
from contracts.vocabulary import Cause, StoreName
from storage.parity.causes.finding import Finding, damaged
from storage.parity.causes.pair import RowPair

_STEP_MIN = 15  # time zones are whole quarters of an hour apart
_MAX_SHIFT_MIN = 14 * 60
_UNITS = (
    ("milliseconds", MILLISECOND),
    ("seconds", SECOND),
    ("minutes", MINUTE),
    ("hours", HOUR),
    ("days", DAY),
)


def _instants(pair: RowPair, column: Column) -> tuple[int, int] | None:
    """Return both instants in microseconds; None where the column holds none, or one side holds none."""
    if column.type not in INSTANTS or column.array:
        return None
    primary, secondary = (pair.instant(store, column.name) for store in StoreName)
    return None if primary is None or secondary is None else (primary, secondary)


def timestamp_truncated(pair: RowPair, column: Column) -> Finding | None:
    """Recognise an instant with microseconds of which the other is the cut, where rounding gives another."""
    both = _instants(pair, column)
    return damaged(Cause.TIMESTAMP_TRUNCATED, _cut, *both) if both else None


def _cut(sound: int, broken: int) -> str | None:
    if sound % MILLISECOND == 0:
        return None
    return next((f"cut to whole {name}" for name, unit in _UNITS if sound - sound % unit == broken), None)


def time_zone_shift(pair: RowPair, column: Column) -> Finding | None:
    """Recognise instants that are as far apart as two time zones: whole quarters of an hour, at most 14 hours."""
    both = _instants(pair, column)
    if both is None:
        return None
    primary, secondary = (_compared(column, instant) for instant in both)
    minutes, rest = divmod(abs(secondary - primary), MINUTE)
    if rest or minutes % _STEP_MIN or not 0 < minutes <= _MAX_SHIFT_MIN:
        return None
    later = StoreName.SUPABASE if secondary > primary else StoreName.PRISMA
    hours, minutes = divmod(minutes, 60)
    shift = " ".join(f"{amount} {unit}" for amount, unit in ((hours, "h"), (minutes, "min")) if amount)
    return Finding(Cause.TIME_ZONE_SHIFT, None, f"{shift} later on {later}")


def _compared(column: Column, instant: int) -> int:
    """Round microseconds as the column is compared."""
    return milliseconds(instant) * MILLISECOND if column.type is ColumnType.TIMESTAMP_MS else instant


def created_at_rewritten(pair: RowPair, column: Column) -> Finding | None:
    """Recognise a row that looks created when it was last saved: the later of both, no older than its last change."""
    updated = pair.dataset.updated
    both = _instants(pair, column)
    if both is None or updated is None or column.name != pair.dataset.created:
        return None
    store = StoreName.SUPABASE if both[1] > both[0] else StoreName.PRISMA
    changed = pair.instant(store, updated)
    if changed is None or milliseconds(max(both)) < milliseconds(changed):
        return None
    return Finding(Cause.CREATED_AT_REWRITTEN, store, f"set again by a save on {store}")
