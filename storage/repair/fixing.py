"""Putting right what two rows themselves tell to be wrong, whichever of them is the source of truth.

Rows are explained by `storage.parity.causes`, what has a fix is fixed, and they are explained again, until nothing is
left to fix: what was hidden by a wrong encoding shows then. What remains is for the source to decide, or a person.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

from contracts.column_types import ColumnType
from contracts.dataset import Column, Dataset
from contracts.instants import unix_milliseconds
from contracts.repair import Why, Winner
from contracts.verdicts import Explanation
from contracts.vocabulary import Cause, StoreName
from storage.canonical import canonical_value
from storage.canonical_json import Number
from storage.parity.agreement import agrees
from storage.parity.causes.clusters import sentence
from storage.parity.causes.pair import decoded
from storage.ports import Row
from storage.repair.courses import COURSES, Fix
from storage.repair.fixing_json import mend_json
from storage.repair.forms import held, read_json
from storage.repair.settled import Chosen, Note, Settled, Undecided, cannot_hold
from storage.repair.spelling import right_spelling

ROUNDS = 12  # a JSON text may have been encoded again as often as `decoded` reads it


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
        self._spell()
        for _ in range(ROUNDS):
            told = self._settled.explain(self._dataset)
            if not any([self._fix(self._dataset.column(name), found) for name, found in told.items()]):  # noqa: C419 - all of them
                break
        return self._settled

    def _spell(self) -> None:
        """Spell what differs as both stores can hold it, before anything else is asked."""
        for name, found in self._settled.explain(self._dataset).items():
            column = self._dataset.column(name)
            for store, value in self._values(column).items():
                spelt = right_spelling(self._dataset, column, value, self._fixes)
                if spelt is not None and self._chosen(name, (spelt.cause,)):
                    words = [sentence(one) for one in found if one.cause is spelt.cause]
                    words = words or [f"`{name}` is spelt on {store} in a way that supabase cannot hold"]
                    self._put(column, store, spelt.text, words)

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
            Fix.NOBODY: self._keep,
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
        return self._put(column, store, text, [sentence(found)])

    def _take_repeated(self, column: Column, found: Explanation) -> bool:
        """Give the store whose instant is not the one that the record repeats what the other one holds."""
        store = self._shifted(column)
        return store is not None and self._take_other(column, found, store)

    def _keep(self, column: Column, _: Explanation) -> bool:
        """Leave what only one store can hold: it is the only copy."""
        words = f"{cannot_hold(StoreName.SUPABASE, column.name)} No other copy of it exists."
        self._leave(column, Why.CANNOT_HOLD, words)
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
        used = [sentence(one) for one in meant if one.cause in found.causes]
        return any([self._put(column, store, text, used) for store, text in found.texts.items()])  # noqa: C419 - all

    def _put(self, column: Column, store: StoreName, text: str | None, why: Sequence[str]) -> bool:
        """Change a value of a row; tell whether it is another one now."""
        if self._settled.rows[store][column.name] == text:
            return False
        other = self._settled.rows[store.other][column.name]
        alike = agrees(column, canonical_value(column, text), canonical_value(column, other))
        earlier = self._settled.notes.get((store, column.name))
        words = "; ".join(dict.fromkeys([*([earlier.words] if earlier else []), *why]))
        self._settled.write(store, column.name, text, Note(Winner.AT_FAULT if alike else Winner.FIXED, words))
        return True

    def _leave(self, column: Column, why: Why, sentence_: str) -> None:
        self._settled.undecided[column.name] = Undecided(why, sentence_)
