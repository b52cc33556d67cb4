"""What a dataset is: its key, its columns on both stores, how each is compared and who may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from contracts.column_types import (
    INSTANTS,
    MILLISECONDS,
    NUMBERS,
    ColumnType,
    base_type,
    is_array,
    precision,
    readable,
)
from contracts.errors import ConfigurationError
from contracts.row_facts import RowFacts
from contracts.vocabulary import Classification, StoreName

__all__ = ["Column", "ColumnType", "Dataset", "types"]

_NO_KEY = frozenset({ColumnType.JSON, ColumnType.FLOAT})
"""Types with several texts for one value, so that a unique index would not make key texts unique."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a dataset.

    Attributes:
        name: Its canonical name, used in every finding.
        type: Its canonical form; of its elements where it holds arrays.
        array: True for a column of arrays, of any number of dimensions.
        sql_types: Per store, the type that the catalogue must report (`format_type`), each a set of allowed spellings.
        classification: Who may see its values; personal unless declared.
        paths: For JSON columns, classification by top-level key; what is not named takes the column's.
        aliases: Older spellings and the canonical value that each is read as.
        names: What the column is called in a store, where that is not its canonical name.
        compared: False for a column that is read but never compared.
        tolerance: How far two numbers or times may be apart and still count as equal.
        ignore_case: True where texts that differ only in letter case count as equal.
        pending_until: The day from which the column is compared, such as the day after a backfill is due. Until then
            rows that differ in it alone count as equal, and the report says so.
        pending: True while that day has not come; `Dataset.as_of` sets it.

    Rules never change what servers hash: rows that differ by hash and agree by rule are read and settled one by one. A
    column that differs in most rows is therefore better not compared at all.

    Raises:
        ConfigurationError: A type cannot be compared in this form, or a rule does not fit the type.
    """

    name: str
    type: ColumnType
    sql_types: Mapping[StoreName, frozenset[str]]
    classification: Classification = Classification.PERSONAL
    paths: Mapping[str, Classification] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    array: bool = False
    names: Mapping[StoreName, str] = field(default_factory=dict)
    compared: bool = True
    tolerance: Decimal | timedelta | None = None
    ignore_case: bool = False
    pending_until: date | None = None
    pending: bool = False

    def __post_init__(self) -> None:
        for store, spellings in self.sql_types.items():
            for spelling in spellings:
                if is_array(spelling) is not self.array or not readable(self.type, spelling):
                    kind = f"arrays of {self.type}" if self.array else self.type
                    raise ConfigurationError(
                        f"Column `{self.name}` is {spelling} on {store}, which cannot be compared as {kind}.",
                        "Declare another type, or leave the column out.",
                    )
            if len({base_type(spelling) for spelling in spellings} - {"text", "character varying"}) > 1:
                raise ConfigurationError(
                    f"Column `{self.name}` may be of several types on {store}, which are read differently.",
                    "Declare the one that it has.",
                )
        if self.ignore_case and (self.type is not ColumnType.TEXT or self.array):
            self._refuse("ignore_case", "texts")
        if isinstance(self.tolerance, timedelta) and (self.type not in {*INSTANTS, ColumnType.TIME} or self.array):
            self._refuse("a tolerance of time", "instants and times of day")
        if isinstance(self.tolerance, Decimal) and (self.type not in NUMBERS or self.array):
            self._refuse("a tolerance", "numbers")

    def _refuse(self, rule: str, held_by: str) -> None:
        raise ConfigurationError(f"Column `{self.name}` has {rule}, which is a rule for {held_by}.", "Take it out.")

    @property
    def has_rule(self) -> bool:
        """True when values that differ may count as equal."""
        return self.pending or self.ignore_case or self.tolerance is not None

    def name_in(self, store: StoreName) -> str:
        """Return what the column is called in a store."""
        return self.names.get(store, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One table that is held in both stores.

    Attributes:
        name: Name of the dataset, used in findings and file names.
        key: Canonical names of the columns that identify a row, in the order in which they make up its key text
            (`contracts.keys`); rows are ordered by that text under C collation.
        columns: All columns that are read, the key included, in a fixed order.
        tables: Per store, schema and table.
        created: Name of the column that says when a row was created, if there is one.
        updated: Name of the column that says when a row was last changed, if there is one.
        facts: What its columns mean for one another.
        replicated: True when writes to it may be captured and carried over; every column must be one that can be
            written.

    Raises:
        ConfigurationError: A column is named twice or is not there, or the key cannot identify rows.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    tables: Mapping[StoreName, tuple[str, str]]
    created: str | None = None
    updated: str | None = None
    facts: RowFacts = field(default_factory=RowFacts)
    replicated: bool = False

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        for name in (*self.key, self.created, self.updated):
            if name is not None and name not in names:
                self._refuse(f"names a column `{name}` that it does not have")
        if not self.key or len(set(self.key)) < len(self.key) or len(set(names)) < len(names):
            self._refuse("has no key, or names a column twice")
        for name in (self.created, self.updated):
            if name is not None and self.column(name).type not in INSTANTS:
                self._refuse(f"names `{name}` as a time, which is no instant")
        for column in self.key_columns:
            if column.type in _NO_KEY or column.array or column.has_rule or column.pending_until or not column.compared:
                self._refuse(f"has a key column `{column.name}` whose values do not identify rows")
            if column.type is ColumnType.TEXT and any("uuid" in kinds for kinds in column.sql_types.values()):
                self._refuse(f"declares its key column `{column.name}` as text, though a store holds UUIDs there")
            if column.type is ColumnType.TIMESTAMP_MS and not _whole_milliseconds(column):
                self._refuse(f"rounds its key column `{column.name}`, so that two rows may have one key")

    def _refuse(self, why: str) -> None:
        raise ConfigurationError(f"The dataset {self.name} {why}.", "Correct its contract.")

    def column(self, name: str) -> Column:
        """Return the column called `name`.

        Raises:
            KeyError: There is no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def as_of(self, day: date) -> Dataset:
        """Return the dataset as it is compared on a day: columns whose day has not come are pending."""
        pending = (replace(c, pending=c.pending_until is not None and day < c.pending_until) for c in self.columns)
        return replace(self, columns=tuple(pending))

    @property
    def compared(self) -> tuple[Column, ...]:
        """The columns that are compared, the key first."""
        rest = tuple(c for c in self.columns if c.compared and c.name not in self.key)
        return (*self.key_columns, *rest)

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns that identify a row, in the order of the key."""
        return tuple(self.column(name) for name in self.key)

    @property
    def references(self) -> frozenset[str]:
        """The columns, the key aside, that are a UUID on the secondary and free text on the primary."""
        return frozenset(
            column.name
            for column in self.columns
            if column.name not in self.key
            and column.type is ColumnType.TEXT
            and "uuid" in column.sql_types[StoreName.SUPABASE]
            and "uuid" not in column.sql_types[StoreName.PRISMA]
        )

    @property
    def has_uuid_key(self) -> bool:
        """True when one UUID identifies a row, so that keys are spread evenly by their first digits."""
        return [column.type for column in self.key_columns] == [ColumnType.UUID]


def _whole_milliseconds(column: Column) -> bool:
    """Tell whether no store keeps finer instants than milliseconds in a column."""
    digits = [precision(spelling) for spellings in column.sql_types.values() for spelling in spellings]
    return all(known is not None and known <= MILLISECONDS for known in digits)


def types(primary: str, secondary: str | None = None) -> dict[StoreName, frozenset[str]]:
    """Return the type of a column on both stores, as `format_type` has it; on the secondary it may be another one."""
    return {StoreName.PRISMA: frozenset({primary}), StoreName.SUPABASE: frozenset({secondary or primary})}
