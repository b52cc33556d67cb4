"""The two rows of one key, as the rules look at them: raw, canonical, and what their bodies say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.dataset import Dataset
from contracts.instants import microseconds
from contracts.row_facts import RowFacts
from contracts.vocabulary import StoreName
from storage.canonical_json import Value, parse
from storage.ports import Row

MAX_ENCODINGS = 8  # times that a JSON text may have been encoded again; each doubles its escapes


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPair:
    """Two rows of one key.

    Attributes:
        dataset: Their dataset.
        facts: What its columns mean for one another.
        raw: Per store, the row as the store wrote it.
        canonical: Per store, its canonical record.
    """

    dataset: Dataset
    facts: RowFacts
    raw: Mapping[StoreName, Row]
    canonical: Mapping[StoreName, Row]

    def values(self, column: str) -> tuple[str | None, str | None]:
        """Return the canonical values of a column, the primary's first."""
        return self.canonical[StoreName.PRISMA][column], self.canonical[StoreName.SUPABASE][column]

    def kind(self, store: StoreName) -> str | None:
        """Return what kind of record a store says that this is; None where the dataset has no such column."""
        return self.canonical[store][self.facts.type] if self.facts.type else None

    def instant(self, store: StoreName, column: str) -> int | None:
        """Return an instant in microseconds as the store holds it; None for NULL and for an infinite one."""
        text = self.raw[store][column]
        return None if text is None else microseconds(text)

    def in_body(self, store: StoreName, path: tuple[str, ...]) -> str | None:
        """Return the text at a path of a row's body, double-encoded or not; None where there is no text."""
        text = self.canonical[store][self.facts.body] if self.facts.body else None
        value = None if text is None else decoded(parse(text))[0]
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, str) else None


def decoded(value: Value) -> tuple[Value, int]:
    """Decode a JSON string that holds JSON until it is no string, or no JSON; return it and how often that took."""
    times = 0
    while isinstance(value, str) and times < MAX_ENCODINGS:
        try:
            value = parse(value)
        except ValueError:
            break
        times += 1
    return value, times
