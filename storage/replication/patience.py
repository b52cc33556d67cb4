"""When a change that was refused is tried again, and when it is given up; decided from the refusal alone.

Outages are not refusals: they use up no attempt, however long they last.
"""

from __future__ import annotations

from dataclasses import dataclass

_ORDER = "23503"  # a foreign key: what it refers to may be on its way
_OF_VALUES = ("22", "23", "44", "54")  # what the store says of a row; triggers may say anything else
_TOO_LONG = "57014"
_OF_C = "XX000"  # of a trigger written in C, which says it of a row; or of a server in trouble, which may last

LONGEST_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How often something is tried, and how long between.

    Attributes:
        attempts: How often it is tried in all.
        first_s: Seconds before the second attempt; each further wait is twice as long, an hour at most.
    """

    attempts: int
    first_s: float = 0.0

    def wait_s(self, attempts: int) -> float | None:
        """Return the seconds to wait after so many attempts; None to give up."""
        if attempts >= self.attempts:
            return None
        return min(LONGEST_S, self.first_s * 2.0 ** (attempts - 1))


DATA = Course(attempts=1)  # a value that the store cannot hold stays one
ORDER = Course(attempts=10, first_s=2.0)
TRIGGERS = Course(attempts=5, first_s=10.0)
SIZE = Course(attempts=5, first_s=30.0)
HALF_A_DAY = Course(attempts=20, first_s=10.0)


def course_of(code: str) -> Course:
    """Return the course for a refusal with this SQLSTATE."""
    if code == _ORDER:
        return ORDER
    if code == _TOO_LONG:
        return SIZE
    if code == _OF_C:
        return HALF_A_DAY
    return DATA if code.startswith(_OF_VALUES) else TRIGGERS
