"""What a rule says about one difference, and how a rule that knows which side was damaged is asked about both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from contracts.vocabulary import Cause, StoreName

_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Finding:
    """Why one field differs.

    Attributes:
        cause: The kind of cause.
        store: The store whose value is at fault, where the two rows tell.
        detail: What distinguishes it further, in words that are equal for equal causes and complete a sentence that
            begins with the field: "cut to 200 characters on prisma".
    """

    cause: Cause
    store: StoreName | None = None
    detail: str = ""


Damage = Callable[[_V, _V], str | None]
"""Given a value and what may have become of it, what was done to it, in words; None when it was something else."""


def damaged(cause: Cause, damage: Damage[_V], primary: _V, secondary: _V) -> Finding | None:
    """Return the finding when one value is the other after this damage; it is at fault, if only one is."""
    of_primary, of_secondary = damage(secondary, primary), damage(primary, secondary)
    if of_primary is not None and of_secondary is not None:
        return Finding(cause, None, f"{of_primary} on one side")
    for store, words in ((StoreName.PRISMA, of_primary), (StoreName.SUPABASE, of_secondary)):
        if words is not None:
            return Finding(cause, store, f"{words} on {store}")
    return None
