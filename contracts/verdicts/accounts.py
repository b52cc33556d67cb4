"""Where the rows of both stores went: conservation per range, and totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.vocabulary import Exclusion


@dataclass(frozen=True, slots=True, kw_only=True)
class SideCounts:
    """Where the rows of one side went, in one range: each term counted by itself.

    Attributes:
        read: Rows that a separate count found in the same snapshot.
        matched: Rows equal on both sides, representation included or not.
        differing: Rows that the other side holds with other values.
        only: Rows that the other side does not hold.
        deferred: Rows that moved while they were looked at.
        excluded: Rows that are not compared, by reason.
        pending: Rows that differ, or that the other side does not hold, and whose change is under way.
    """

    read: int
    matched: int
    differing: int
    only: int
    deferred: int
    excluded: Mapping[Exclusion, int] = field(default_factory=dict)
    pending: int = 0

    @property
    def balance(self) -> int:
        """Rows read minus rows accounted for; anything but 0 means that the run may not be believed."""
        accounted = self.matched + self.differing + self.only + self.pending + self.deferred
        return self.read - accounted - sum(self.excluded.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeAccount:
    """Conservation of rows in one half-open range of keys.

    Attributes:
        low: First key of the range; None for the open head.
        high: First key after the range; None for the open tail.
    """

    low: str | None
    high: str | None
    primary: SideCounts
    secondary: SideCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTotals:
    """Rows of a dataset, over all ranges."""

    primary: int = 0
    secondary: int = 0
    matched: int = 0
    matched_representation: int = 0  # equal in canonical form only; part of matched
    differing: int = 0
    only_primary: int = 0
    only_secondary: int = 0
    deferred: int = 0
    settled: int = 0  # differed at first and agreed when re-read; matched too if both sides held them at first
    excluded: int = 0
    pending: int = 0  # differ, and their change is under way; part of none of the others
