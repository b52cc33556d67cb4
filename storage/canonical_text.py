"""The text of each field, and the hash of a row over these texts: the half of `HashKind.TEXT` that Python computes.

Where rows are only read, not hashed, by a server (REST without our functions), this makes the hashes that
`storage.canonical_sql` has the other server make. Field texts are the server's own, but for what two stores write
differently for one value: superfluous zeros of numbers, zones and precision of instants. They need not be equal for
all values that are equal (JSON `1.0` and `1.00`), and are never equal for two values that differ.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence

from contracts.dataset import Column, ColumnType, Dataset
from contracts.errors import ProtocolError
from contracts.keys import join_key
from contracts.vocabulary import StoreName
from storage import canonical_array, canonical_time
from storage.ports import KeyHash, Row

NULL = "-"  # in place of the md5 of a field that is NULL
HALF = 16  # hexadecimal digits of 64 bits
_TWO_INTEGERS = struct.Struct(">qq")  # a digest as two of 64 bits, as the server casts its hexadecimal digits

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
    (key,) = _key_texts(dataset, [[field_text(c, row[c.name], store=store)] for c in dataset.key_columns], store)
    return key


def text_hash(dataset: Dataset, row: Row, *, store: StoreName | None = None) -> KeyHash:
    """Return key text and `HashKind.TEXT` hash of a row.

    Raises:
        ProtocolError: A value is none of its column's type, or a key column is NULL.
    """
    return text_hashes(dataset, tuple(row), [tuple(row.values())], store=store)[0]


def text_hashes(
    dataset: Dataset,
    names: Sequence[str],
    rows: Sequence[Sequence[str | None]],
    *,
    store: StoreName | None = None,
) -> list[KeyHash]:
    """Return key texts and `HashKind.TEXT` hashes of many rows, column by column: several times as fast.

    Args:
        dataset: Their dataset.
        names: Canonical names of the columns that each row holds, all compared ones among them.
        rows: The store's own texts, in the order of `names`.
        store: The store that they were read from, for the error.

    Raises:
        ProtocolError: A value is none of its column's type, or a key column is NULL.
    """
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    texts = {c.name: _field_texts(c, columns[c.name], store) for c in dataset.compared}
    records = map("".join, zip(*map(_digests, texts.values()), strict=True))
    keys = _key_texts(dataset, [texts[name] for name in dataset.key], store)
    return [KeyHash(key, *_halves(record)) for key, record in zip(keys, records, strict=True)]


def key_hash(key: str) -> int:
    """Return what identifies a key text in a sketch of rows that are hashed by `HashKind.TEXT`."""
    digest = hashlib.md5(key.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], signed=True)


def probe_hash() -> tuple[int, int]:
    """Return both halves of the hash of the probe, as every server must."""
    return _halves("".join(NULL if text is None else _md5(text.encode()) for text in PROBE))


def unreadable(column: Column, store: StoreName | None) -> ProtocolError:
    """Return the error for a text that is no value of its column; it names the column, never the value."""
    what = f"A value of column `{column.name}` cannot be read as {_CALLED[column.type]}."
    todo = "Look for rows that were changed past the column's type, and run `twinstore doctor`."
    return ProtocolError(what, todo, store=store)


def _field_texts(column: Column, texts: Sequence[str | None], store: StoreName | None) -> Sequence[str | None]:
    if not column.array and column.type not in _WRITERS:
        return texts
    return [field_text(column, text, store=store) for text in texts]


def _digests(texts: Sequence[str | None]) -> list[str]:
    """Return the md5 of each text, and the mark for NULL; texts that come often are hashed once."""
    different = set(texts)
    if len(different) * 2 > len(texts):
        return [NULL if text is None else _md5(text.encode()) for text in texts]
    known = {text: NULL if text is None else _md5(text.encode()) for text in different}
    return [known[text] for text in texts]


def _key_texts(dataset: Dataset, parts: list[Sequence[str | None]], store: StoreName | None) -> Iterable[str]:
    known = [[part for part in column if part is not None] for column in parts]
    if [len(column) for column in known] != [len(column) for column in parts]:
        what = f"A row of `{dataset.name}` came with a key that is NULL."
        raise ProtocolError(what, "Make the key columns NOT NULL.", store=store)
    return known[0] if len(known) == 1 else map(join_key, zip(*known, strict=True))


def _halves(record: str) -> tuple[int, int]:
    hash1, hash2 = _TWO_INTEGERS.unpack(hashlib.md5(record.encode("ascii"), usedforsecurity=False).digest())
    return hash1, hash2


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
