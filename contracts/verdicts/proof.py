"""How a comparison proved that it finds what there is to find."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.vocabulary import StoreName


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfProof:
    """How a comparison tested itself; had a test failed, there would be no comparison.

    Attributes:
        sent_through: The stores through which hard values of every column were sent and came back as they were.
        values: Number of these values.
        planted: Faults that were planted in the queries of both stores; all of them were found.
        untried: Columns and the like in which no fault could be tried, since the rows changed every time.
        audited: Rows that were called equal, drawn at random and compared field by field; all of them are equal.
        moved: Rows of that sample that changed after they had been compared; they are not counted.
        form: Names the way in which rows are read and hashed; audits of another one do not count.
        total: Rows audited since `since`, those of this run included; None without a ledger.
        since: When the first of the runs began whose audits count.
    """

    sent_through: tuple[StoreName, ...] = ()
    values: int = 0
    planted: int = 0
    untried: tuple[str, ...] = ()
    audited: int = 0
    moved: int = 0
    form: str = ""
    total: int | None = None
    since: datetime | None = None

    @property
    def bound(self) -> float | None:
        """Share of rows that may differ unseen, with 95 % confidence (rule of three); None when none was audited."""
        rows = self.audited if self.total is None else self.total
        return min(1.0, 3 / rows) if rows else None
