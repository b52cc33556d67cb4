"""What the ledger knows a difference by, from one run to the next: never a value, only key, kind and fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from contracts.verdicts import Difference, Explanation
from contracts.vocabulary import Cause, DifferenceKind

FLAPPING_RETURNS = 3  # a difference that came back this often within the window is flapping
FLAPPING_WINDOW = timedelta(days=30)
_NOT_LACKED = {Cause.REFUSED_BY_STORE, Cause.KEY_CASE}  # never to be there, or there after all


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What makes a difference the same one in two runs of a dataset.

    Attributes:
        key: Canonical key.
        kind: One-sided, or differing.
        fields: The columns that disagree, sorted; of a row that one store lacks those of its key where the other store
            spells it otherwise, and none where it is not there at all.
    """

    key: str
    kind: DifferenceKind
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One difference as one run saw it, without its values: small enough to keep all of a run in memory."""

    identity: Identity
    explanations: tuple[Explanation, ...] = ()
    searched: bool = True

    @property
    def lost(self) -> bool | None:
        """True for a row that was lost with all others of its time; None where the run could not tell."""
        causes = {one.cause for one in self.explanations}
        if Cause.WRITE_WINDOW in causes:
            return True
        return False if self.searched and not causes & _NOT_LACKED else None


def sighting(difference: Difference) -> Sighting:
    """Return what the ledger needs of `difference`. Paths below a JSON column count as that column."""
    columns = {entry.field.partition(".")[0] for entry in difference.fields}
    columns.update(*(one.fields for one in difference.explanations if one.cause is Cause.KEY_CASE))
    identity = Identity(key=difference.key, kind=difference.kind, fields=tuple(sorted(columns)))
    return Sighting(identity=identity, explanations=difference.explanations, searched=difference.searched)
