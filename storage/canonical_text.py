"""The text of each field, and the hash of a row over these texts: the half of `HashKind.TEXT` that Python computes.

Where rows are only read, not hashed, by a server (REST without our functions), this makes the hashes that
`storage.canonical_sql` has the other server make. Field texts are the server's own, but for what two stores write
differently for one value: superfluous zeros of numbers, zones and precision of instants. They need not be equal for
all values that are equal (JSON `1.0` and `1.00`), and are never equal for two values that differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from contracts.dataset import Column, ColumnType, Dataset
from contracts.errors import ProtocolError
from contracts.keys import join_key
from contracts.vocabulary import StoreName
from storage import canonical_array, canonical_time
from storage.ports import KeyHash, Row

NULL = "-"  # in place of the md5 of a field that is NULL
HALF = 16  # hexadecimal digits of 64 bits

PROBE: tuple[str | None, ...] = (
    "k\u00e9y \U0001f600",
    None,
    "",
    "9007199254740993",
    "1.5",
    "1e-05",
    "true",
    "2024-02-29",
    "2024-02-29 23:59:59.999",
    "infinity",
    "\\x00ff",
    '{1,NULL,"a b"}',
)
"""The field texts of a record that holds every kind of value; `storage.canonical_sql` has the values."""


def field_text(column: Column, text: str | None, *, store: StoreName | None = None) -> str | None:
    """Return the text of a field that is hashed; NULL stays None.

    Args:
        column: The column.
        text: The store's own text of the value (`column::text`).
        store: The store that it was read from, for the error.

    Raises:
        ProtocolError: The text is no value of the column's type. The error names the column, never the value.
    """
    write = (_IN_ARRAYS if column.array else _WRITERS).get(column.type)
    if text is None or write is None:
        return text
    try:
        return canonical_array.to_text(canonical_array.parse(text), write) if column.array else write(text)
    except ValueError:
        raise unreadable(column, store) from None  # the cause would show the value


def key_text(dataset: Dataset, row: Row, *, store: StoreName | None = None) -> str:
    """Return the key text of a row.

    Args:
        dataset: Its dataset.
        row: At least its key columns, each the store's own text.
        store: The store that it was read from, for the error.

    Raises:
        ProtocolError: A key column is NULL, or holds no value of its type.
    """
    parts = [field_text(column, row[column.name], store=store) for column in dataset.key_columns]
    if None in parts:
        what = f"A row of `{dataset.name}` came with a key that is NULL."
        raise ProtocolError(what, "Make the key columns NOT NULL.", store=store)
    return join_key([part for part in parts if part is not None])


def text_hash(dataset: Dataset, row: Row, *, store: StoreName | None = None) -> KeyHash:
    """Return key text and `HashKind.TEXT` hash of a row.

    Raises:
        ProtocolError: A value is none of its column's type, or a key column is NULL.
    """
    texts = [field_text(column, row[column.name], store=store) for column in dataset.compared]
    return KeyHash(key_text(dataset, row, store=store), *_halves(texts))


def key_hash(key: str) -> int:
    """Return what identifies a key text in a sketch of rows that are hashed by `HashKind.TEXT`."""
    digest = hashlib.md5(key.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], signed=True)


def probe_hash() -> tuple[int, int]:
    """Return both halves of the hash of the probe, as every server must."""
    return _halves(PROBE)


def unreadable(column: Column, store: StoreName | None) -> ProtocolError:
    """Return the error for a text that is no value of its column; it names the column, never the value."""
    what = f"A value of column `{column.name}` cannot be read as {_CALLED[column.type]}."
    todo = "Look for rows that were changed past the column's type, and run `twinstore doctor`."
    return ProtocolError(what, todo, store=store)


def _halves(texts: tuple[str | None, ...] | list[str | None]) -> tuple[int, int]:
    record = "".join(NULL if text is None else _md5(text.encode()) for text in texts)
    digest = hashlib.md5(record.encode("ascii"), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], signed=True), int.from_bytes(digest[8:], signed=True)


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def without_zeros(text: str) -> str:
    """Return the text of a `numeric` without the zeros that only its scale adds, as `trim_scale` does."""
    return text.rstrip("0").rstrip(".") if "." in text else text


_IN_ARRAYS: Mapping[ColumnType, Callable[[str], str]] = {
    ColumnType.TIMESTAMP_MS: canonical_time.milliseconds_text,
    ColumnType.TIMESTAMP_US: canonical_time.microseconds_text,
}
_WRITERS = {**_IN_ARRAYS, ColumnType.NUMERIC: without_zeros}
"""What is written anew; the zeros of numbers in arrays are not, since no function of the server does that at once."""

_CALLED = {
    ColumnType.UUID: "a UUID",
    ColumnType.TEXT: "a text",
    ColumnType.JSON: "JSON",
    ColumnType.INTEGER: "an integer",
    ColumnType.NUMERIC: "a number",
    ColumnType.FLOAT: "a number",
    ColumnType.BOOLEAN: "true or false",
    ColumnType.DATE: "a date",
    ColumnType.TIME: "a time of day",
    ColumnType.TIME_ZONED: "a time of day with a zone",
    ColumnType.TIMESTAMP_MS: "an instant",
    ColumnType.TIMESTAMP_US: "an instant",
    ColumnType.INTERVAL: "an interval",
    ColumnType.BYTES: "bytes",
}
