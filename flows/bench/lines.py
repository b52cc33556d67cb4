"""What a benchmark says: lines of measured work against targets. Pure values; nothing is measured here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TIMES = "\N{MULTIPLICATION SIGN}"


class Met(StrEnum):
    """What became of a target."""

    YES = "yes"
    NO = "NO"
    UNKNOWN = "could not tell"
    NOT_INSTALLED = "not installed"
    NOT_HERE = "not in this version"


class Bound(StrEnum):
    """How a target limits what was measured."""

    AT_MOST_TIMES = "at most times the reference"
    AT_LEAST_FASTER = "at least times faster than the reference"
    AT_MOST = "at most this much"
    AT_LEAST = "at least this much"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is promised.

    Attributes:
        bound: What the limit is about.
        limit: A factor, or an amount in the unit of the line.
    """

    bound: Bound
    limit: float

    def words(self, unit: str) -> str:
        """Return the target as a reader wants it, such as at most 1.3 times."""
        match self.bound:
            case Bound.AT_MOST_TIMES:
                return f"≤ {self.limit:g} {TIMES}"
            case Bound.AT_LEAST_FASTER:
                return f"≥ {self.limit:g} {TIMES} faster"
            case Bound.AT_MOST:
                return f"≤ {self.limit:g} {unit}"
            case Bound.AT_LEAST:
                return f"≥ {self.limit:g} {unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a work is compared with.

    Attributes:
        name: What it is.
        value: What was measured of it, in the unit of the line; None if nothing was.
        more: True when it was given up at `value`: it would have taken longer.
    """

    name: str
    value: float | None = None
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One work of the benchmark.

    Attributes:
        work: What was done.
        target: What is promised.
        measured: What was measured, in `unit`; None if nothing was.
        unit: Unit of what was measured.
        reference: What it is compared with; None where the target is an amount.
        wrong: Why the measurement does not count, such as a wrong answer; empty when it does.
        absent: Why nothing was measured; None when something should have been.
    """

    work: str
    target: Target
    measured: float | None = None
    unit: str = "s"
    reference: Reference | None = None
    wrong: str = ""
    absent: Met | None = None

    @property
    def ratio(self) -> float | None:
        """What was measured over its reference, or the reverse where being faster is promised; None without both."""
        if self.measured is None or self.reference is None or self.reference.value is None:
            return None
        above, below = self.measured, self.reference.value
        if self.target.bound is Bound.AT_LEAST_FASTER:
            above, below = below, above
        return above / below if below else None

    @property
    def met(self) -> Met:
        """Whether the target is met; a wrong answer meets none, and what was not measured is never called met."""
        if self.absent is not None:
            return self.absent
        if self.wrong:
            return Met.NO
        if self.target.bound in (Bound.AT_MOST, Bound.AT_LEAST):
            return Met.UNKNOWN if self.measured is None else _met(good=self._within(self.measured))
        ratio = self.ratio
        if ratio is None or self.reference is None:
            return Met.UNKNOWN
        if self.target.bound is Bound.AT_MOST_TIMES:
            good = ratio <= self.target.limit
            return Met.UNKNOWN if self.reference.more and not good else _met(good=good)
        good = ratio >= self.target.limit
        return Met.UNKNOWN if self.reference.more and not good else _met(good=good)

    def _within(self, amount: float) -> bool:
        limit = self.target.limit
        return amount <= limit if self.target.bound is Bound.AT_MOST else amount >= limit


def _met(*, good: bool) -> Met:
    return Met.YES if good else Met.NO


def median(values: list[float]) -> float:
    """Return the middle of some values, the lower one of two.

    Raises:
        ValueError: There is none.
    """
    if not values:
        raise ValueError("there is no value")
    return sorted(values)[(len(values) - 1) // 2]
