"""Instants and dates as the texts that PostgreSQL writes in UTC: how they are written, and which of two is earlier."""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import inf


def written(moment: date) -> str:
    """Write an instant (with a time zone) or a date as PostgreSQL does in UTC: without a zone or superfluous zeros."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    return text.rstrip("0") if moment.microsecond else text


def compare(left: str, right: str) -> int:
    """Return which of two moments is later, as a collation does: -1, 0 or 1. What is no moment is later than all."""
    if _is_plain(left) and _is_plain(right):
        return (left > right) - (left < right)
    a, b = _place(left), _place(right)
    return (a > b) - (a < b)


def _is_plain(text: str) -> bool:
    """Say whether a moment is after Christ and before 10000, so that its text orders it."""
    return text[4:5] == "-" and text[-1] != "C"


def _place(text: str) -> tuple[float, str]:
    """Return the year, negative before Christ, and what orders moments within a year."""
    if text in {"infinity", "-infinity"}:
        return float(text.removesuffix("inity")), ""
    year, _, rest = text.partition("-")
    if not (year.isdecimal() and rest):
        return inf, text
    return (-float(year), rest.removesuffix(" BC")) if text.endswith(" BC") else (float(year), rest)
