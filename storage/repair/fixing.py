"""Putting right what two rows themselves tell to be wrong, whichever of them is the source of truth.

Rows are explained by `storage.parity.causes`, what has a fix is fixed, and they are explained again, until nothing is
left to fix: what was hidden by a wrong encoding shows then. What remains is for the source to decide, or a person.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from contracts.column_types import ColumnType
from contracts.dataset import Column, Dataset
from contracts.instants import unix_milliseconds
from contracts.repair import Why, Winner
from contracts.verdicts import Explanation
from contracts.vocabulary import Cause, StoreName
from storage.canonical import canonical_uuid, canonical_value, is_uuid
from storage.canonical_json import Number
from storage.parity.agreement import agrees
from storage.parity.causes import explain
from storage.parity.causes.clusters import sentence
from storage.parity.causes.pair import decoded
from storage.parity.fields import diff_fields
from storage.ports import Row
from storage.repair.courses import COURSES, Fix
from storage.repair.fixing_json import mend_json
from storage.repair.forms import held, read_json

ROUNDS = 12  # a JSON text may have been encoded again as often as `decoded` reads it


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
    """

    rows: dict[StoreName, dict[str, str | None]]
    notes: dict[tuple[StoreName, str], Note] = field(default_factory=dict)
    undecided: dict[str, Undecided] = field(default_factory=dict)
    causes: dict[str, tuple[Cause, ...]] = field(default_factory=dict)


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


def settle(dataset: Dataset, rows: Mapping[StoreName, Row], *, fixes: Collection[Cause], chosen: Chosen) -> Settled:
    """Put right what two rows of one key tell to be wrong.

    Args:
        dataset: Their dataset.
        rows: Per store, its row as it writes it.
        fixes: The causes that are put right.
        chosen: Tells what was asked for.

    Raises:
        ProtocolError: A value of a row is none of its column's type.
    """
    return _Settling(dataset, rows, fixes, chosen).run()


class _Settling:
    def __init__(
        self, dataset: Dataset, rows: Mapping[StoreName, Row], fixes: Collection[Cause], chosen: Chosen
    ) -> None:
        self._dataset = dataset
        self._fixes = fixes
        self._chosen = chosen
        self._settled = Settled(rows={store: dict(rows[store]) for store in StoreName})

    def run(self) -> Settled:
        """Fix what can be fixed, again and again, until nothing changes."""
        settled = self._settled
        for number in range(ROUNDS):
            told = explained(self._dataset, settled.rows)
            if not number:
                settled.causes = {name: tuple(dict.fromkeys(e.cause for e in found)) for name, found in told.items()}
            if not any([self._fix(self._dataset.column(name), found) for name, found in told.items()]):  # noqa: C419 - all of them
                break
        return settled

    def _fix(self, column: Column, found: Sequence[Explanation]) -> bool:
        """Fix a column as far as it can be; tell whether it was changed."""
        if column.name in self._settled.undecided:
            return False
        meant = [one for one in found if self._has_fix(column, one.cause)]
        if not meant:
            return False
        if column.type is ColumnType.JSON and not column.array and None not in self._values(column).values():
            return self._fix_json(column, meant)
        return any([self._fix_value(column, one) for one in meant])  # noqa: C419 - all of them

    def _has_fix(self, column: Column, cause: Cause) -> bool:
        return cause in self._fixes and COURSES[cause].fix is not None and self._chosen(column.name, (cause,))

    def _values(self, column: Column) -> dict[StoreName, str | None]:
        return {store: self._settled.rows[store][column.name] for store in StoreName}

    def _fix_value(self, column: Column, found: Explanation) -> bool:
        ways: dict[Fix | None, Callable[[Column, Explanation], bool]] = {
            Fix.OTHER: self._take_other,
            Fix.WORD: self._take_word,
            Fix.SPELLED: self._spell,
            Fix.NOBODY: self._take_out,
            Fix.REPEATED: self._take_repeated,
            Fix.NAMED: self._name,
        }
        way = ways.get(COURSES[found.cause].fix)
        return way is not None and way(column, found)

    def _take_other(self, column: Column, found: Explanation, at_fault: StoreName | None = None) -> bool:
        """Give the store at fault what the other one holds."""
        store = at_fault or found.store
        if store is None:
            return False
        try:
            text = held(column, store, self._settled.rows[store.other][column.name])
        except ValueError:
            self._leave(column, Why.CANNOT_HOLD, cannot_hold(store, column.name))
            return False
        return self._put(column, store, text, [found])

    def _take_word(self, column: Column, found: Explanation) -> bool:
        """Replace a word by the one of the vocabulary that it spells, else by what the other store holds."""
        value = None if found.store is None else self._settled.rows[found.store][column.name]
        word = None if value is None else known_word(self._dataset, column, value)
        if found.store is None or word is None:
            return self._take_other(column, found)
        return self._put(column, found.store, word, [found])

    def _take_repeated(self, column: Column, found: Explanation) -> bool:
        """Give the store whose instant is not the one that the record repeats what the other one holds."""
        store = self._shifted(column)
        return store is not None and self._take_other(column, found, store)

    def _spell(self, column: Column, found: Explanation) -> bool:
        """Write UUIDs of owners and the like as both stores can."""
        if column.name not in self._dataset.references:
            return False
        values = ((store, value) for store, value in self._values(column).items() if value is not None)
        wrong = [(store, canonical_uuid(v)) for store, v in values if is_uuid(v) and canonical_uuid(v) != v]
        return any([self._put(column, store, text, [found]) for store, text in wrong])  # noqa: C419 - all of them

    def _take_out(self, column: Column, found: Explanation) -> bool:
        """Make a word that stands for no value none; leave what only one store can hold."""
        value = self._settled.rows[StoreName.PRISMA][column.name]
        if value in self._dataset.facts.nobody.get(column.name, ()):
            return self._put(column, StoreName.PRISMA, None, [found])
        self._leave(
            column, Why.CANNOT_HOLD, f"{cannot_hold(StoreName.SUPABASE, column.name)} No other copy of it exists."
        )
        return False

    def _name(self, column: Column, found: Explanation) -> bool:
        """Replace a blank title by the one that was made up."""
        blank = [store for store, title in self._values(column).items() if title is None or not title.strip()]
        return len(blank) == 1 and self._take_other(column, found, blank[0])

    def _shifted(self, column: Column) -> StoreName | None:
        """Return the store whose instant is not the one that the record repeats; None where it does not tell."""
        said = set(self._said(column))
        values = self._values(column).items()
        right = [s for s, text in values if text is not None and unix_milliseconds(text) in said]
        return right[0].other if len(said) == len(right) == 1 else None

    def _said(self, column: Column) -> Iterator[int]:
        """Yield what both rows repeat of an instant, in milliseconds since 1970."""
        path = self._dataset.facts.instants.get(column.name)
        for row in self._settled.rows.values() if path else ():
            text = row[path[0]] if path else None
            value = None if text is None else decoded(read_json(text))[0]
            for key in path[1:] if path else ():
                value = value.get(key) if isinstance(value, dict) else None
            if isinstance(value, Number) and value.decimal == value.decimal.to_integral_value():
                yield int(value.decimal)

    def _fix_json(self, column: Column, meant: Sequence[Explanation]) -> bool:
        """Fix a JSON column at the paths where it is at fault, as long as only one side is."""
        try:
            found = mend_json(self._dataset, self._settled.rows, column, partial(self._has_fix, column))
        except ValueError:  # a number that nobody would write out
            self._leave(column, Why.CANNOT_HOLD, cannot_hold(StoreName.SUPABASE, column.name))
            return False
        if found is None:
            self._leave(column, Why.NO_WINNER, f"Inside `{column.name}` both stores are at fault, each elsewhere.")
            return False
        used = [one for one in meant if one.cause in found.causes]
        return any([self._put(column, store, text, used) for store, text in found.texts.items()])  # noqa: C419 - all

    def _put(self, column: Column, store: StoreName, text: str | None, found: Sequence[Explanation]) -> bool:
        """Change a value of a row; tell whether it is another one now."""
        row, other = self._settled.rows[store], self._settled.rows[store.other]
        if row[column.name] == text:
            return False
        row[column.name] = text
        alike = agrees(column, canonical_value(column, text), canonical_value(column, other[column.name]))
        earlier = self._settled.notes.get((store, column.name))
        words = "; ".join(dict.fromkeys([*([earlier.words] if earlier else []), *map(sentence, found)]))
        self._settled.notes[store, column.name] = Note(Winner.AT_FAULT if alike else Winner.FIXED, words)
        return True

    def _leave(self, column: Column, why: Why, sentence_: str) -> None:
        self._settled.undecided[column.name] = Undecided(why, sentence_)


def known_word(dataset: Dataset, column: Column, value: str) -> str | None:
    """Return the word of a column's vocabulary that a value spells with other case, blanks or hyphens, if any."""
    words = dataset.facts.vocabularies.get(column.name, frozenset())
    spelt = {_bare(word): column.aliases.get(word, word) for word in sorted(words)}
    return spelt.get(_bare(value))


def cannot_hold(store: StoreName, column: str) -> str:
    """Return the sentence for a value that a store cannot hold."""
    return f"{store} cannot hold the value of `{column}`: correct it where it stands, then check again."


def _bare(word: str) -> str:
    return "".join(character for character in word.casefold() if character.isalnum())
