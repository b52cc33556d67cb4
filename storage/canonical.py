"""The canonical record: the one form into which rows of both stores are brought before they are compared.

Two values have the same canonical text exactly when they are the same value. `storage.canonical_sql` is the SQL half:
what hashes alike there is equal here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from contracts.dataset import Column, ColumnType, Dataset
from contracts.errors import ProtocolError
from contracts.keys import join_key, split_key
from contracts.vocabulary import StoreName
from storage import canonical_array, canonical_json, canonical_time
from storage.canonical_text import unreadable
from storage.ports import Row

_INTEGER = re.compile(r"([+-]?)0*([0-9]{1,40})")
NO_DECIMALS = frozenset({"NaN", "Infinity", "-Infinity"})
_BOOLEANS = {"true": "true", "false": "false", "t": "true", "f": "false"}  # in arrays by one letter
_UUID = re.compile(r"(\{)?(?:[0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}(?(1)\})")


def canonical_value(column: Column, text: str | None, *, store: StoreName | None = None) -> str | None:
    """Bring one value to the canonical text of its column; NULL stays None.

    Args:
        column: The column that it was read from.
        text: The store's own text of the value (`column::text`, UTC, ISO style), or a canonical text.
        store: The store that it was read from, for the error.

    Raises:
        ProtocolError: The text is no value of the column's type. The error names the column, never the value.
    """
    if text is None:
        return None
    try:
        return _canonical(column, text)
    except ValueError:
        raise unreadable(column, store) from None  # the cause would show the value


def _canonical(column: Column, text: str) -> str:
    write = partial(_word, column) if column.type is ColumnType.TEXT else _FORMS[column.type]
    return canonical_array.to_text(canonical_array.parse(text), write) if column.array else write(text)


def _word(column: Column, text: str) -> str:
    return str(column.aliases.get(text, text))


@lru_cache(maxsize=8)  # the bodies of one pair of rows, which are looked at several times in a row; mostly equal
def _json(text: str) -> str:
    return canonical_json.to_text(canonical_json.parse(text))


def _integer(text: str) -> str:
    match = _INTEGER.fullmatch(text)
    if match is None:
        raise ValueError("not an integer")
    sign, digits = match.groups()
    return digits if sign != "-" or digits == "0" else f"-{digits}"


def _number(text: str) -> str:
    return text if text in NO_DECIMALS else canonical_json.number(text).text


def _boolean(text: str) -> str:
    if text not in _BOOLEANS:
        raise ValueError("neither true nor false")
    return _BOOLEANS[text]


def _like(pattern: str) -> Callable[[str], str]:
    """Return a form that is the server's own text, where it is one."""
    form = re.compile(pattern, re.ASCII)

    def written(text: str) -> str:
        if form.fullmatch(text) is None:
            raise ValueError("not of this type")
        return text

    return written


def canonical_uuid(text: str) -> str:
    """Bring any spelling of a UUID that PostgreSQL reads to lower case with hyphens.

    Raises:
        ValueError: It is no UUID.
    """
    if not is_uuid(text):
        raise ValueError("not a UUID")
    digits = text.strip("{}").replace("-", "").lower()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def canonical_id(text: str) -> str:
    """Bring an id to the form in which ids are compared: a UUID to its canonical form; any other stays as it is."""
    return canonical_uuid(text) if is_uuid(text) else text


def is_uuid(text: str) -> bool:
    """Tell whether PostgreSQL would read a text as a UUID, however it is spelt."""
    return _UUID.fullmatch(text) is not None


_TIME_OF_DAY = r"\d\d:\d\d:\d\d(\.\d{1,6})?"
_FORMS: Mapping[ColumnType, Callable[[str], str]] = {
    ColumnType.UUID: canonical_uuid,
    ColumnType.JSON: _json,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMERIC: _number,
    ColumnType.FLOAT: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _like(r"\d{4,7}-\d\d-\d\d( BC)?|-?infinity"),
    ColumnType.TIME: _like(_TIME_OF_DAY),
    ColumnType.TIME_ZONED: _like(_TIME_OF_DAY + r"[+-]\d\d(:\d\d(:\d\d)?)?"),
    ColumnType.TIMESTAMP_MS: canonical_time.canonical,
    ColumnType.TIMESTAMP_US: canonical_time.canonical_microseconds,
    ColumnType.INTERVAL: _like(
        r"(?=.)([+-]?\d+ (years?|mons?|days?) ?)*([+-]?\d\d+:\d\d:\d\d(\.\d{1,6})?)?|-?infinity"
    ),
    ColumnType.BYTES: _like(r"\\x([0-9a-f]{2})*"),
}


def canonical_key(dataset: Dataset, key: str) -> str:
    """Bring the UUIDs of a key text to their canonical form.

    Raises:
        ValueError: It is no key of this dataset.
    """
    parts = zip(dataset.key_columns, split_key(dataset, key), strict=True)
    return join_key([canonical_uuid(part) if column.type is ColumnType.UUID else part for column, part in parts])


def canonical_row(dataset: Dataset, row: Row, *, store: StoreName | None = None) -> dict[str, str | None]:
    """Bring one row to its canonical record: every column of the dataset, in the dataset's order.

    Raises:
        ProtocolError: A column is missing, or holds a value that is none of its type.
    """
    missing = [column.name for column in dataset.columns if column.name not in row]
    if missing:
        what = f"A row of `{dataset.name}` came without column `{missing[0]}`."
        raise ProtocolError(what, "Run `twinstore doctor` to compare the table with the dataset.", store=store)
    return {column.name: canonical_value(column, row[column.name], store=store) for column in dataset.columns}
