"""Which rows of a result are wanted, and how the answer says which they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from storage.local.gateway.parameters import Parameters
from storage.local.gateway.refusals import Refusal

_RANGE = re.compile(r"(\d+)-(\d*)")
_OK, _PARTIAL, _NOT_SATISFIABLE = 200, 206, 416


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A half-open span of rows.

    Attributes:
        offset: So many rows are passed over.
        limit: At most so many follow; None for all.
    """

    offset: int = 0
    limit: int | None = None

    def capped(self, cap: int | None) -> Window:
        """Return it with at most `cap` rows; None for any number."""
        limits = [limit for limit in (self.limit, cap) if limit is not None]
        return Window(offset=self.offset, limit=min(limits, default=None))


def wanted_window(parameters: Parameters, range_header: str | None) -> Window:
    """Return the rows that both the query and the header `Range` want.

    Args:
        parameters: The query.
        range_header: Value of the header; None where it does not count, which is so for all methods but GET.

    Raises:
        Refusal: There can be no such rows.
    """
    limit, offset = parameters.limit, parameters.offset
    if limit is not None and limit < 0:
        raise _unsatisfiable("Limit should be greater than or equal to zero.")
    match = _RANGE.fullmatch(range_header or "")
    if match is None or limit == 0:
        return Window(offset=offset, limit=limit)
    first, last = int(match[1]), int(match[2]) if match[2] else None
    if last is not None and last < first:
        detail = "The lower boundary must be lower than or equal to the upper boundary in the Range header."
        raise _unsatisfiable(detail)
    begin = max(offset, first)
    ends = [end for end in (None if limit is None else offset + limit, None if last is None else last + 1) if end]
    if ends and min(ends) <= begin:
        raise _unsatisfiable("Limit should be greater than or equal to zero.")
    return Window(offset=begin, limit=min(ends) - begin if ends else None)


def status_of(window: Window, rows: int, total: int | None) -> int:
    """Return the status of an answer: 206 where the total is known and more rows exist than are returned.

    Args:
        window: The rows that were wanted.
        rows: How many there are in the answer.
        total: How many there are without limit and offset; None if that was not asked.

    Raises:
        Refusal: The offset lies beyond the total.
    """
    if total is None:
        return _OK
    if window.offset > total:
        raise _unsatisfiable(f"An offset of {window.offset} was requested, but there are only {total} rows.")
    return _PARTIAL if rows < total else _OK


def content_range(offset: int, rows: int, total: int | None) -> tuple[str, str]:
    """Return the header that says which rows these are, and of how many."""
    span = f"{offset}-{offset + rows - 1}" if rows and total != 0 else "*"
    return "Content-Range", f"{span}/{'*' if total is None else total}"


def _unsatisfiable(details: str) -> Refusal:
    message = "Requested range not satisfiable"
    return Refusal(status=_NOT_SATISFIABLE, code="PGRST103", message=message, details=details)
