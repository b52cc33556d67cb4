"""Whether two rows of one record count as the same, column by column, in canonical form.

Where the only difference is the time of the last change, and it is small, they do: clocks differ.
"""

from __future__ import annotations

from contracts.instants import unix_milliseconds
from contracts.planning import PLANNING
from contracts.results import CLOCK_TOLERANCE_MS
from contracts.verdicts import FieldDifference
from storage.parity.fields import diff_fields
from storage.ports import Row

TIME = "updated_at"
_TIMES_IN_JSON = frozenset({"metadata.updatedAt", "content.metadata.updatedAt"})


def alike(ours: Row | None, theirs: Row | None) -> bool:
    """Tell whether two rows count as the same; no row is like no row."""
    if ours is None or theirs is None:
        return ours is theirs
    return not differing(ours, theirs)


def differing(ours: Row, theirs: Row) -> tuple[FieldDifference, ...]:
    """Return the fields in which two rows differ."""
    found = diff_fields(PLANNING, ours, theirs)
    apart = apart_ms(ours, theirs) if found else None
    if apart is None or apart > CLOCK_TOLERANCE_MS:
        return tuple(found)
    return tuple(each for each in found if each.field != TIME and each.field not in _TIMES_IN_JSON)


def apart_ms(ours: Row, theirs: Row) -> int | None:
    """Return the milliseconds between the last changes of two rows; None where one has no instant."""
    moments = [None if (text := row[TIME]) is None else unix_milliseconds(text) for row in (ours, theirs)]
    one, other = moments
    return None if one is None or other is None else abs(one - other)
