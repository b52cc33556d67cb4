"""Queries of suites: read from the `.sql` files of this package, filled in for one table, asked for as expectations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any, NewType

from expectations.moments import written
from expectations.suite import Ask, Facts, Finding

Row = Mapping[str, Any]
Sql = NewType("Sql", str)
"""A part of a query, of our own making."""

_HEADING = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@cache
def queries(file: str) -> Mapping[str, str]:
    """Return the queries of a file of this package, by name."""
    _, *parts = _HEADING.split((files(__package__) / file).read_text(encoding="utf-8"))
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


def fill(query: str, facts: Facts[Any], **values: float | date | Sql) -> str:
    """Replace every `$name` of a query: the columns that the check declares, the words of the dialect, and `values`.

    Raises:
        KeyError: A name has no meaning, such as a column that the check does not declare.
    """
    dialect = facts.dialect
    words = {"bytewise": dialect.bytewise, "by_time": dialect.by_time}
    columns = {name: dialect.identifier(actual) for name, actual in facts.columns.items()}
    return Template(query).substitute(columns | words | {name: _literal(value) for name, value in values.items()})


def ask_for_violations(query: str, say: Callable[[Row], str], keys: tuple[str, ...] = ("sample_key",)) -> Ask:
    """Ask a query for the rows that violate something.

    Args:
        query: Returns no row when all is well, else up to 20 rows with `failing_rows` (of the whole table) and `keys`.
        say: Tells of the first row what was observed.
        keys: The columns that hold the key of a violating row.
    """
    from contracts.keys import join_key
    from expectations.queried import ExpectNoViolations

    def read(result: Mapping[str, Any]) -> Finding:
        rows = _rows(result)
        if not rows:
            return Finding(observed="no violation")
        return Finding(
            observed=say(rows[0]),
            failing_rows=int(rows[0]["failing_rows"]),
            sample_keys=tuple(join_key([row[key] for key in keys]) for row in rows),
        )

    return Ask(expectation=ExpectNoViolations(unexpected_rows_query=query), read=read)


def ask_whether(query: str, say: Callable[[Row], str]) -> Ask:
    """Ask a query whether something holds.

    Args:
        query: Returns one row with `holds` and with what was measured.
        say: Tells of this row what was observed.
    """
    from expectations.queried import ExpectItHolds

    def read(result: Mapping[str, Any]) -> Finding:
        (row,) = _rows(result)
        if row["holds"] not in (0, 1):
            raise ValueError("holds")
        return Finding(observed=say(row))

    return Ask(expectation=ExpectItHolds(unexpected_rows_query=query), read=read)


def _rows(result: Mapping[str, Any]) -> list[Row]:
    rows: list[Row] = result["details"]["rows"]
    if len(rows) != result["observed_value"]:
        raise ValueError("rows")
    return rows


def _literal(value: float | date | str) -> str:
    if isinstance(value, date):
        return f"'{written(value)}'".replace(":", "\\:")  # `:` begins a bind
    return value if isinstance(value, str) else repr(value)
