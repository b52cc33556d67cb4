"""Why a row stands on one side only: its key is spelt differently, supabase cannot hold it, or it is simply missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contracts.dataset import Dataset
from contracts.row_facts import RowFacts
from contracts.verdicts import Explanation
from contracts.vocabulary import Cause, StoreName
from storage.canonical import canonical_row, is_uuid
from storage.canonical_text import key_text
from storage.ports import Row

_BLANK = " \t\n\r\f\v"  # what the secondary's constraint trims


def explain_one_sided(
    dataset: Dataset, store: StoreName, row: Row, *, other_keys_raw: Mapping[str, str]
) -> tuple[Explanation, ...]:
    """Explain why only one store holds a row.

    Args:
        dataset: The dataset of the row.
        store: The store that holds it.
        row: The row as that store wrote it.
        other_keys_raw: Keys of the primary that are excluded since they are no canonical UUID: the canonical form of
            each that has one, and how it is spelt there.

    Raises:
        ProtocolError: A value of the row is none of its column's type.
    """
    facts = dataset.facts
    canonical = canonical_row(dataset, row, store=store)
    if store is StoreName.SUPABASE and key_text(dataset, row) in other_keys_raw:
        detail = f"spelt differently on {StoreName.PRISMA}"
        return (Explanation(cause=Cause.KEY_CASE, fields=dataset.key, store=StoreName.PRISMA, detail=detail),)
    refused = dict(_refused(dataset, facts, canonical)) if store is StoreName.PRISMA else {}
    if refused:
        detail = "; ".join(f"`{column}` {words}" for column, words in sorted(refused.items()))
        return (
            Explanation(cause=Cause.REFUSED_BY_STORE, fields=tuple(sorted(refused)), store=store.other, detail=detail),
        )
    return (Explanation(cause=Cause.MISSING_ROW, fields=(), store=store.other),)


def _refused(dataset: Dataset, facts: RowFacts, row: Row) -> Iterator[tuple[str, str]]:
    """Yield the columns whose values the secondary's types and constraints cannot hold, and why."""
    uuids = dataset.references
    for column, value in row.items():
        if value is None:
            if column in facts.required:
                yield column, "is NULL"
        elif value not in facts.vocabularies.get(column, (value,)):
            yield column, "is in no vocabulary"
        elif column in uuids and not is_uuid(value):
            yield column, "is no UUID"
        elif column in facts.not_blank and not value.strip(_BLANK):
            yield column, "is blank"
        elif column in facts.positive and int(value) < 1:
            yield column, "is less than 1"
