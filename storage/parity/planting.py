"""Which faults are planted in which rows: each compared column altered, a row left out, a row under another key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from contracts.dataset import Column, Dataset
from contracts.errors import InternalFault
from contracts.vocabulary import StoreName
from storage.canonical import canonical_value
from storage.canonical_text import key_text
from storage.parity.alterations import altered, some_value
from storage.ports import Plant, Row

Rows = Mapping[str, Row]
"""Rows by key."""


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """A fault that some row shall show.

    Attributes:
        name: Name of the column that it is in; of a row that is left out, words for that.
        make: Returns the plant for a row; None where the row cannot show it.
        spare: True when it is planted only where a row is left for it.
    """

    name: str
    make: Callable[[str, Row], Plant | None]
    spare: bool = False


@dataclass(slots=True)
class Bed:
    """Plants that are tried at once, each in a row of its own.

    Attributes:
        keys: Keys of all rows that are looked at, those that stay as they are among them.
        plants: The plants, by key.
        faults: Per key, the fault that was planted.
        moved: Per plant that gives its row another key, that key.
    """

    keys: tuple[str, ...]
    plants: dict[str, Plant] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)

    def put(self, fault: Fault, plant: Plant, after: str | None) -> None:
        """Put a plant in; `after` is the other key that it gives its row, if it does."""
        self.plants[plant.key] = plant
        self.faults[plant.key] = fault
        if after is not None:
            self.moved[plant.key] = after

    def expected(self) -> dict[str, tuple[bool, bool]]:
        """Return, per key that must be found, whether the rows as they are hold it, and whether the planted ones do."""
        stays = {key: plant.column is not None and key not in self.moved for key, plant in self.plants.items()}
        return {key: (True, there) for key, there in stays.items()} | dict.fromkeys(self.moved.values(), (False, True))


def all_faults(dataset: Dataset, store: StoreName) -> tuple[Fault, ...]:
    """Return every fault that a comparison must find: a row left out, each column of the key and of the rest altered.

    A column outside the key is also emptied in another row, and filled where it is NULL, as far as rows are left.
    """
    faults = [Fault("a row that is left out", lambda key, _: Plant(key, None, None))]
    faults += [_alters(column, store) for column in dataset.columns if column.compared]
    others = [column for column in dataset.columns if column.compared and column.name not in dataset.key]
    return (*faults, *map(_empties, others), *map(_fills, others))


def plant(dataset: Dataset, faults: Iterable[Fault], rows: Rows) -> list[Bed]:
    """Give each fault a row that can show it; where rows are few, in several beds.

    Args:
        dataset: The dataset.
        faults: What is wanted; what no row can show is left out.
        rows: Some rows of the table.

    Raises:
        InternalFault: A plant changes nothing.
    """
    beds: list[Bed] = []
    for fault in faults:
        for bed in beds if fault.spare else (*beds, Bed(tuple(rows))):
            made = next((p for k in bed.keys if k not in bed.plants and (p := fault.make(k, rows[k]))), None)
            if made is not None:
                after = _key_after(dataset, made, rows[made.key])
                if after in bed.keys or after in bed.moved.values():  # it would stand for two rows
                    bed = Bed((made.key,))  # noqa: PLW2901 - a bed of its own
                bed.put(fault, made, after)
                beds += [] if any(bed is other for other in beds) else [bed]
                break
    return beds


def with_plants(dataset: Dataset, rows: Rows, plants: Iterable[Plant]) -> dict[str, Row]:
    """Return rows with faults planted, by the keys that they have then."""
    by_key = {each.key: each for each in plants}
    planted: dict[str, Row] = {}
    for key, row in rows.items():
        each = by_key.get(key)
        if each is None:
            planted[key] = row
        elif each.column is not None:
            changed = {**row, each.column: each.value}
            planted[key_text(dataset, changed)] = changed
    return planted


def _key_after(dataset: Dataset, made: Plant, row: Row) -> str | None:
    """Return the other key that a plant gives its row; None where the key stays.

    Raises:
        InternalFault: The plant changes nothing.
    """
    if made.column is None:
        return None
    column = dataset.column(made.column)
    if canonical_value(column, made.value) == canonical_value(column, row[made.column]):
        what = f"A fault that was to be planted in `{made.column}` changes nothing."
        raise InternalFault(what, "Report this with the column's type; nothing was compared.")
    return key_text(dataset, {**row, made.column: made.value}) if made.column in dataset.key else None


def _alters(column: Column, store: StoreName) -> Fault:
    def make(key: str, row: Row) -> Plant | None:
        text = row[column.name]
        return Plant(key, column.name, some_value(column) if text is None else altered(column, text, store))

    return Fault(column.name, make)


def _empties(column: Column) -> Fault:
    def make(key: str, row: Row) -> Plant | None:
        return None if row[column.name] is None else Plant(key, column.name, None)

    return Fault(column.name, make, spare=True)


def _fills(column: Column) -> Fault:
    def make(key: str, row: Row) -> Plant | None:
        return None if row[column.name] is not None else Plant(key, column.name, some_value(column))

    return Fault(column.name, make, spare=True)
