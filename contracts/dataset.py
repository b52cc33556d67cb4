"""What a dataset is: its key, its columns on both stores, how each is compared and who may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contracts.row_facts import RowFacts
from contracts.vocabulary import Classification, StoreName


class ColumnType(StrEnum):
    """The form into which a column is brought on both stores before it is compared."""

    UUID = "uuid"  # lower-case, hyphenated
    TEXT = "text"  # exact, byte for byte
    JSON = "json"  # by value; numbers as decimals, key order ignored
    INTEGER = "integer"
    NUMERIC = "numeric"  # exact, by value; NaN and the infinities are values
    FLOAT = "float"  # the shortest decimal number that the server writes for it
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"  # a time of day, of no zone
    TIME_ZONED = "time_zoned"  # a time of day and its offset from UTC, which is part of the value
    TIMESTAMP_MS = "timestamp_ms"  # an instant in UTC, rounded to milliseconds as PostgreSQL rounds timestamp(3)
    TIMESTAMP_US = "timestamp_us"  # an instant in UTC, to the microsecond
    INTERVAL = "interval"  # as months, days and time of day
    BYTES = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a dataset.

    Attributes:
        name: Its canonical name, used in every finding.
        type: Its canonical form; of its elements where it holds arrays.
        array: True for a column of arrays, of any number of dimensions.
        sql_types: Per store, the type that the catalogue must report (`format_type`), each a set of allowed spellings.
        names: What the column is called in a store, where that is not its canonical name.
        classification: Who may see its values; personal unless declared.
        paths: For JSON columns, classification by top-level key; what is not named takes the column's.
        aliases: Older spellings and the canonical value that each is read as.
        compared: False for a column that is read but never compared.
    """

    name: str
    type: ColumnType
    sql_types: Mapping[StoreName, frozenset[str]]
    classification: Classification = Classification.PERSONAL
    paths: Mapping[str, Classification] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    compared: bool = True
    array: bool = False
    names: Mapping[StoreName, str] = field(default_factory=dict)

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
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    tables: Mapping[StoreName, tuple[str, str]]
    created: str | None = None
    updated: str | None = None
    facts: RowFacts = field(default_factory=RowFacts)

    def column(self, name: str) -> Column:
        """Return the column called `name`.

        Raises:
            KeyError: There is no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

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
