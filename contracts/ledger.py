"""What the ledger knows a difference by, from one run to the next: never a value, only key, kind and fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from contracts.verdicts import Difference, Explanation
from contracts.vocabulary import DifferenceKind

FLAPPING_RETURNS = 3  # a difference that came back this often within the window is flapping
FLAPPING_WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What makes a difference the same one in two runs of a dataset.

    Attributes:
        key: Canonical key.
        kind: One-sided, or differing.
        fields: The columns that disagree, sorted; empty for one-sided rows.
    """

    key: str
    kind: DifferenceKind
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One difference as one run saw it, without its values: small enough to keep all of a run in memory."""

    identity: Identity
    explanations: tuple[Explanation, ...] = ()


def sighting(difference: Difference) -> Sighting:
    """Return what the ledger needs of `difference`. Paths below a JSON column count as that column."""
    columns = sorted({entry.field.partition(".")[0] for entry in difference.fields})
    identity = Identity(key=difference.key, kind=difference.kind, fields=tuple(columns))
    return Sighting(identity=identity, explanations=difference.explanations)
