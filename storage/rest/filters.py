"""Filters as PostgREST reads them: built from parts, every value through one function that escapes.

A filter goes into the parameter `or`, the only place where PostgREST reads values in quotation marks. There a backslash
or a quotation mark inside is written with a backslash before it, and everything else stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.errors import ConfigurationError

Key = tuple[str, ...]
"""The values of a key's columns, in the key's order, as the store writes them."""

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_NAME = re.compile(r"[\x00-\x1f]")


def quoted(value: str) -> str:
    """Write a value so that it is read as itself, whatever it holds."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def name(column: str) -> str:
    """Write the name of a column: in quotation marks unless it is made of letters, digits and underscores.

    Raises:
        ConfigurationError: No quotation marks would help.
    """
    if _PLAIN_NAME.fullmatch(column):
        return column
    if _NO_NAME.search(column) or '"' in column or "\\" in column:
        raise ConfigurationError(
            "A column's name holds characters that the REST API cannot take.", "Reach the store by SQL."
        )
    return f'"{column}"'


def selected(columns: Iterable[tuple[str, str]]) -> str:
    """Write a list of columns, each read as text.

    Args:
        columns: Pairs of the name that the answer gives a column and its name in the table.
    """
    return ",".join(f"{name(alias)}:{name(column)}::text" for alias, column in columns)


def ordered(columns: Iterable[str]) -> str:
    """Write an order by these columns, ascending."""
    return ",".join(f"{name(column)}.asc" for column in columns)


def is_one_of(columns: Sequence[str], keys: Sequence[Key]) -> str:
    """Write the condition that the key is one of these."""
    if len(columns) == 1:
        return f"{name(columns[0])}.in.({','.join(quoted(part) for (part,) in keys)})"
    return _any(_all(_compare(c, "eq", part) for c, part in zip(columns, key, strict=True)) for key in keys)


def holds(values: Iterable[tuple[str, str | None]]) -> str:
    """Write the condition that columns hold these values, None for NULL."""
    return _all(f"{name(c)}.is.null" if value is None else _compare(c, "eq", value) for c, value in values)


def between(column: str, low: str, high: str) -> str:
    """Write the condition that a column lies between two values, both included."""
    return _all((_compare(column, "gte", low), _compare(column, "lte", high)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of the key space.

    Attributes:
        after: The key after which it begins; None at the open head.
        upto: The last key in it; None at the open tail.
    """

    after: Key | None = None
    upto: Key | None = None

    def condition(self, columns: Sequence[str]) -> str | None:
        """Write the condition that a key lies in the span; None when all keys do."""
        parts = []
        if self.after is not None:
            parts.append(_beyond(columns, self.after, "gt", "gt"))
        if self.upto is not None:
            parts.append(_beyond(columns, self.upto, "lt", "lte"))
        return _all(parts) if parts else None


def _beyond(columns: Sequence[str], key: Key, side: str, last: str) -> str:
    """Write the condition that a key of several columns stands on one side of another one.

    The first column alone is compared once more, which changes nothing but lets the server use an index.
    """
    if len(columns) == 1:
        return _compare(columns[0], last, key[0])
    cases = []
    for n, (column, part) in enumerate(zip(columns, key, strict=True)):
        equal = [_compare(c, "eq", p) for c, p in zip(columns[:n], key[:n], strict=True)]
        cases.append(_all([*equal, _compare(column, last if n == len(columns) - 1 else side, part)]))
    return _all((_compare(columns[0], f"{side}e", key[0]), _any(cases)))


def _compare(column: str, operator: str, value: str) -> str:
    return f"{name(column)}.{operator}.{quoted(value)}"


def _all(conditions: Iterable[str]) -> str:
    parts = list(conditions)
    return parts[0] if len(parts) == 1 else f"and({','.join(parts)})"


def _any(conditions: Iterable[str]) -> str:
    parts = list(conditions)
    return parts[0] if len(parts) == 1 else f"or({','.join(parts)})"
