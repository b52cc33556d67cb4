"""When two values count as equal: alike in canonical form, or near enough by the compare rules of their column."""

from __future__ import annotations

from datetime import timedelta
from decimal import Context, Decimal

from contracts.dataset import Column, ColumnType, Dataset
from contracts.instants import microseconds
from storage.canonical import canonical_value
from storage.ports import Row

_EXACT = Context(prec=200_000)  # more digits than a number of PostgreSQL has, so that no difference is rounded


def agrees(column: Column, one: str | None, other: str | None) -> bool:
    """Tell whether two canonical values of a column count as equal."""
    if one == other or column.pending:
        return True
    if one is None or other is None:
        return False
    if column.ignore_case:
        return one.casefold() == other.casefold()
    if isinstance(column.tolerance, timedelta):
        return _near_in_time(column, one, other, column.tolerance)
    return column.tolerance is not None and _near(Decimal(one), Decimal(other), column.tolerance)


def by_rule(dataset: Dataset, primary: Row, secondary: Row) -> tuple[str, ...] | None:
    """Return the columns in which two rows agree by a rule only; none for equal rows, None for rows that disagree.

    Args:
        dataset: The dataset of both rows.
        primary: The row as the primary wrote it.
        secondary: The row as the secondary wrote it.

    Raises:
        ProtocolError: A value is none of its column's type.
    """
    names = []
    for column in dataset.compared:
        if primary[column.name] == secondary[column.name]:  # written alike, and not brought to canonical form first
            continue
        one, other = (canonical_value(column, row[column.name]) for row in (primary, secondary))
        if not agrees(column, one, other):
            return None
        if one != other:
            names.append(column.name)
    return tuple(names)


def _near(one: Decimal, other: Decimal, tolerance: Decimal) -> bool:
    if not (one.is_finite() and other.is_finite()):
        return False
    return _EXACT.abs(_EXACT.subtract(one, other)) <= tolerance


def _near_in_time(column: Column, one: str, other: str, tolerance: timedelta) -> bool:
    day = "2000-01-01 " if column.type is ColumnType.TIME else ""
    moments = [microseconds(_before_midnight(day + text)) for text in (one, other)]
    if None in moments:  # an infinity is near to nothing
        return False
    first, second = (moment for moment in moments if moment is not None)
    return abs(first - second) <= tolerance // timedelta(microseconds=1)


def _before_midnight(text: str) -> str:
    """Take 24:00:00, which only a time of day can be, for the last microsecond of its day."""
    return text.replace(" 24:00:00", " 23:59:59.999999")
