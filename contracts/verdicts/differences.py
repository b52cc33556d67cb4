"""On what the stores disagree, key by key, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.replication import Place
from contracts.vocabulary import Cause, Classification, DifferenceKind, StoreName

MISSING = "\x00missing"  # a JSON path that does not exist, as opposed to one that holds null


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """One field of one key on which the stores disagree.

    Attributes:
        field: Column name, or a path below a JSON column such as `content.title`.
        primary: Canonical value as text; None where it is NULL; `MISSING` where the path does not exist.
        secondary: The same on the other store.
        classification: Who may see the two values.
        cause: Why this field differs.
    """

    field: str
    primary: str | None
    secondary: str | None
    classification: Classification = Classification.PERSONAL
    cause: Cause = Cause.UNEXPLAINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One cause of one difference.

    Attributes:
        cause: The kind of cause.
        fields: The columns or paths that it explains, sorted; `*` stands for any position of a list.
        store: The store whose value is at fault, where the two rows tell.
        detail: What distinguishes it further, in words that are equal for equal causes, such as `9 h later`.
    """

    cause: Cause
    fields: tuple[str, ...]
    store: StoreName | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A confirmed disagreement of the stores about one key.

    Attributes:
        key: Canonical key.
        kind: One-sided, or differing.
        fields: The disagreeing fields; empty for one-sided rows.
        explanations: At least one; two faults on one row give two.
        first_seen: When the ledger first recorded this difference; None without a ledger.
        runs_seen: In how many consecutive runs it was seen, this one included.
        returned: True when it had been gone in an earlier run and came back.
        flapping: True when it came back three times or more within 30 days.
        place: How it stands in replication; None where the stores do not replicate, or nobody could tell.
        waiting_s: For how many seconds its change has waited to be carried over; None where none waits.
        searched: False for a row that one store lacks where nobody could search whether it was lost with others.
    """

    key: str
    kind: DifferenceKind
    fields: tuple[FieldDifference, ...] = ()
    explanations: tuple[Explanation, ...] = (Explanation(cause=Cause.UNEXPLAINED, fields=()),)
    first_seen: datetime | None = None
    runs_seen: int = 1
    returned: bool = False
    flapping: bool = False
    place: Place | None = None
    waiting_s: float | None = None
    searched: bool = True

    @property
    def cause(self) -> str:
        """The causes, sorted and joined by ` + `."""
        return " + ".join(sorted({str(e.cause) for e in self.explanations}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Differences that share one cause.

    Attributes:
        cause: The cause that they share.
        kind: The kind of difference that they share.
        fields: The columns that are concerned.
        store: The store at fault, where known.
        sentence: The cause in words, such as "`content` is a JSON string on prisma".
        count: Number of keys. A row with two causes counts in two clusters.
        sample_keys: Some of the keys, smallest first.
        new: How many of them were not there in the run before; None without a ledger.
        oldest: When the oldest of them was first seen.
    """

    cause: Cause
    kind: DifferenceKind
    fields: tuple[str, ...]
    store: StoreName | None
    sentence: str
    count: int
    sample_keys: tuple[str, ...]
    new: int | None = None
    oldest: datetime | None = None
