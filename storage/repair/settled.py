"""Two rows of one key on their way to agree: what they are to be, why, and what nobody may decide."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from contracts.dataset import Dataset
from contracts.repair import Why, Winner
from contracts.verdicts import Explanation
from contracts.vocabulary import Cause, StoreName
from storage.parity.agreement import by_rule
from storage.parity.causes import explain
from storage.parity.fields import diff_fields
from storage.ports import Row


class Chosen(Protocol):
    """Tells what was asked for."""

    def __call__(self, column: str, causes: Collection[Cause]) -> bool:
        """Tell whether a column is meant whose values differ for these causes."""
        ...


@dataclass(frozen=True, slots=True)
class Note:
    """Why a value of a store is changed.

    Attributes:
        winner: Why the new one is right.
        words: The cause in words.
    """

    winner: Winner
    words: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """Why a column is left as it is.

    Attributes:
        why: The reason.
        sentence: The same in a sentence.
    """

    why: Why
    sentence: str


@dataclass(slots=True, kw_only=True)
class Settled:
    """Two rows of one key on their way to agree.

    Attributes:
        rows: Per store, the row as it is to be, as far as that was decided.
        notes: Per store and column that changed, why.
        undecided: Columns that are left as they are.
        causes: Per column that differed, why it did.
        told: What was said of the rows as they are; None once one was changed.
    """

    rows: dict[StoreName, dict[str, str | None]]
    notes: dict[tuple[StoreName, str], Note] = field(default_factory=dict)
    undecided: dict[str, Undecided] = field(default_factory=dict)
    causes: dict[str, tuple[Cause, ...]] = field(default_factory=dict)
    told: dict[str, list[Explanation]] | None = None

    def explain(self, dataset: Dataset) -> dict[str, list[Explanation]]:
        """Return, per column in which the rows still differ, why; and remember the causes.

        Raises:
            ProtocolError: A value of a row is none of its column's type.
        """
        if self.told is None:
            agree = by_rule(dataset, self.rows[StoreName.PRISMA], self.rows[StoreName.SUPABASE]) is not None
            self.told = {} if agree else explained(dataset, self.rows)
            for name, found in self.told.items():
                self.causes[name] = tuple(dict.fromkeys([*self.causes.get(name, ()), *(one.cause for one in found)]))
        return self.told

    def write(self, store: StoreName, column: str, text: str | None, note: Note) -> None:
        """Change a value of a row."""
        self.rows[store][column] = text
        self.notes[store, column] = note
        self.told = None


def explained(dataset: Dataset, rows: Mapping[StoreName, Row]) -> dict[str, list[Explanation]]:
    """Return, per column in which two rows of one key differ, why.

    Raises:
        ProtocolError: A value of a row is none of its column's type.
    """
    primary, secondary = rows[StoreName.PRISMA], rows[StoreName.SUPABASE]
    _, explanations = explain(dataset, primary, secondary, diff_fields(dataset, primary, secondary))
    told: dict[str, list[Explanation]] = {}
    for explanation in explanations:
        for name in dict.fromkeys(path.partition(".")[0] for path in explanation.fields):
            told.setdefault(name, []).append(explanation)
    return told


def cannot_hold(store: StoreName, column: str) -> str:
    """Return the sentence for a value that a store cannot hold."""
    return f"{store} cannot hold the value of `{column}`: correct it where it stands, then check again."
