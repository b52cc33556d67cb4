"""Values that are spelt in a way that only one store can hold, and what they mean."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from contracts.dataset import Column, Dataset
from contracts.vocabulary import Cause
from storage.canonical import canonical_uuid, is_uuid


@dataclass(frozen=True, slots=True)
class Spelling:
    """What a value becomes that is only spelt wrong, and by which cause it is known."""

    cause: Cause
    text: str | None


def right_spelling(dataset: Dataset, column: Column, value: str | None, fixes: Collection[Cause]) -> Spelling | None:
    """Return how a value is spelt that both stores can hold and that means the same; None for any other.

    A word for no value becomes none, a UUID its canonical form, a word with other case, blanks or hyphens than one of
    the vocabulary that one.
    """
    if value is None:
        return None
    found = None
    if column.name in dataset.references:
        if value in dataset.facts.nobody.get(column.name, ()):
            found = Spelling(Cause.REFERENCE_NOT_UUID, None)
        elif is_uuid(value) and canonical_uuid(value) != value:
            found = Spelling(Cause.TEXT_CASE, canonical_uuid(value))
    elif value not in (words := dataset.facts.vocabularies.get(column.name, frozenset((value,)))):
        spelt = {_bare(word): column.aliases.get(word, word) for word in sorted(words)}
        if _bare(value) in spelt:
            found = Spelling(Cause.STATUS_VOCABULARY, spelt[_bare(value)])
    return found if found is not None and found.cause in fixes else None


def _bare(word: str) -> str:
    return "".join(character for character in word.casefold() if character.isalnum())
