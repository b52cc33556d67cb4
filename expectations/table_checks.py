"""Checks that any table can have: its size and trend, its newest change, its NULLs, its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TypeVar

from contracts.dataset import Column, ColumnType, Dataset
from expectations.queries import Sql, ask_for_violations, ask_whether, fill, queries
from expectations.suite import Ask, Facts, Finding, Skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TableThresholds:
    """Limits of the checks that any table can have; the defaults suit tables of some hundred to ten million rows.

    Attributes:
        trend_runs: Earlier counts that a trend needs.
        trend_share: How far the number of rows may be from the median of the earlier counts, as a share of it.
        shrink_share: The share of the rows of the run before that may be gone.
        slack_rows: Rows that may come or go in any case, so that small tables are not judged by one person's work.
        fresh_days: Age in days that the newest change may have.
        ahead_hours: Hours that the newest change may lie ahead of the run, for clocks that differ.
        share_rows: Rows below which a share says nothing and is skipped.
    """

    trend_runs: int = 3
    trend_share: float = 0.3
    shrink_share: float = 0.1
    slack_rows: int = 50
    fresh_days: float = 7
    ahead_hours: float = 24
    share_rows: int = 100


T = TypeVar("T", bound=TableThresholds)
Plan = Callable[[Facts[T]], Ask | Skip]


def volume_trend(facts: Facts[T]) -> Ask | Skip:
    """Plan that the number of rows is near that of earlier runs."""
    limits = facts.thresholds
    if len(facts.trend) < limits.trend_runs:
        return Skip(why=f"A trend needs {limits.trend_runs} earlier runs, and {len(facts.trend)} are known.")
    usual = median(facts.trend)
    off = max(usual * limits.trend_share, limits.slack_rows)
    return _row_count(max(0, int(usual - off)), int(usual + off), f"usual: {usual:.0f}")


def not_shrunk(facts: Facts[T]) -> Ask | Skip:
    """Plan that the table did not lose more than a small share of its rows since the run before."""
    if not facts.trend:
        return Skip(why="No earlier run is known.")
    before, limits = facts.trend[-1], facts.thresholds
    gone = max(before * limits.shrink_share, limits.slack_rows)
    return _row_count(max(0, int(before - gone)), None, f"run before: {before}")


def _row_count(least: int, most: int | None, compared: str) -> Ask:
    from great_expectations.expectations.core.expect_table_row_count_to_be_between import ExpectTableRowCountToBeBetween

    return Ask(
        expectation=ExpectTableRowCountToBeBetween(min_value=least, max_value=most),
        read=lambda result: Finding(observed=f"{result['observed_value']} rows; {compared}"),
    )


def freshness(column: Column) -> Plan[T]:
    """Return the plan that the newest moment in a column is recent, and not in the future."""
    day = column.type is ColumnType.DATE

    def plan(facts: Facts[T]) -> Ask | Skip:
        limits = facts.thresholds
        query = fill(
            queries("table.sql")["freshness"],
            facts,
            changed=Sql(facts.dialect.identifier(facts.columns[column.name])),
            earliest=_moment(facts.now - timedelta(days=limits.fresh_days), day=day),
            latest=_moment(facts.now + timedelta(hours=limits.ahead_hours), day=day),
        )
        return ask_whether(query, lambda row: _newest(row["newest"], day=day))

    return plan


def _moment(instant: datetime, *, day: bool) -> date:
    return instant.astimezone(UTC).date() if day else instant


def _newest(text: str | None, *, day: bool) -> str:
    if text is None:
        return "no change has a date"
    return f"newest change: {text}" if day else f"newest change: {text.rpartition(':')[0] or text} UTC"


def null_rate(column: str, limit: Callable[[T], float]) -> Plan[T]:
    """Return the plan that no more than a share of a column is NULL."""

    def plan(facts: Facts[T]) -> Ask | Skip:
        from great_expectations.expectations.core.expect_column_proportion_of_non_null_values_to_be_between import (
            ExpectColumnProportionOfNonNullValuesToBeBetween,
        )

        return if_many(
            facts,
            lambda: Ask(
                expectation=ExpectColumnProportionOfNonNullValuesToBeBetween(
                    column=facts.columns[column], min_value=1 - limit(facts.thresholds), max_value=1
                ),
                read=lambda result: Finding(observed=f"{1 - result['observed_value']:.1%} NULL"),
            ),
        )

    return plan


def if_many(facts: Facts[T], ask: Callable[[], Ask]) -> Ask | Skip:
    """Plan a check of shares only where there are enough rows for a share to mean something."""
    needed = facts.thresholds.share_rows
    return ask() if facts.rows >= needed else Skip(why=f"A share needs {needed} rows, and there are {facts.rows}.")


def key_unique(dataset: Dataset) -> Plan[T]:
    """Return the plan that no two rows have the same key, in whatever spelling; it names keys as the store does."""
    columns = [dataset.column(name) for name in dataset.key]
    names = tuple(f"key_{number}" for number in range(1, len(columns) + 1))

    def plan(facts: Facts[T]) -> Ask | Skip:
        actual = [facts.dialect.identifier(facts.columns[column.name]) for column in columns]
        query = fill(
            queries("table.sql")["key_unique"],
            facts,
            samples=_list(f"min({_text(a, facts)}) AS {name}" for a, name in zip(actual, names, strict=True)),
            identities=_list(_identity(c, a, facts) for c, a in zip(columns, actual, strict=True)),
            present=Sql(" AND ".join(f"{a} IS NOT NULL" for a in actual)),
            names=_list(names),
        )
        return ask_for_violations(query, lambda row: f"{row['doubled']} keys occur more than once", names)

    return plan


def _list(parts: Iterable[str]) -> Sql:
    return Sql(", ".join(parts))


def _text(column: str, facts: Facts[T]) -> str:
    return f"CAST({column} AS text) {facts.dialect.bytewise}"


def _identity(column: Column, actual: str, facts: Facts[T]) -> str:
    """Return what two spellings of one value have in common."""
    if column.type is ColumnType.UUID:
        return f"replace(lower({_text(actual, facts)}), '-', '')"
    return _text(actual, facts) if column.type is ColumnType.TEXT else actual
