"""The types of columns: the form in which each is compared, and which types of PostgreSQL it can be read from."""

from __future__ import annotations

import re
from enum import StrEnum


class ColumnType(StrEnum):
    """The form into which a column is brought on both stores before it is compared."""

    UUID = "uuid"  # lower-case, hyphenated
    TEXT = "text"  # exact, byte for byte; words of an enum and network addresses are texts, too
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
    INTERVAL = "interval"  # as months, days and time: a day is not 24 hours
    BYTES = "bytes"


INSTANTS = frozenset({ColumnType.TIMESTAMP_MS, ColumnType.TIMESTAMP_US})
NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.NUMERIC, ColumnType.FLOAT})

_WORDS = ("text", "character varying", "character", "bpchar")
_INTEGERS = ("smallint", "integer", "bigint")
_TIMESTAMPS = ("timestamp without time zone", "timestamp with time zone")
_READ_FROM: dict[ColumnType, frozenset[str]] = {
    ColumnType.UUID: frozenset({"uuid", *_WORDS}),
    ColumnType.TEXT: frozenset(
        {*_WORDS, '"char"', "name", "uuid", "inet", "cidr", "macaddr", "macaddr8", "bit", "bit varying"}
    ),
    ColumnType.JSON: frozenset({"jsonb", "json"}),
    ColumnType.INTEGER: frozenset(_INTEGERS),
    ColumnType.NUMERIC: frozenset({"numeric", *_INTEGERS}),
    ColumnType.FLOAT: frozenset({"real", "double precision"}),
    ColumnType.BOOLEAN: frozenset({"boolean"}),
    ColumnType.DATE: frozenset({"date"}),
    ColumnType.TIME: frozenset({"time without time zone"}),
    ColumnType.TIME_ZONED: frozenset({"time with time zone"}),
    ColumnType.TIMESTAMP_MS: frozenset(_TIMESTAMPS),
    ColumnType.TIMESTAMP_US: frozenset(_TIMESTAMPS),
    ColumnType.INTERVAL: frozenset({"interval"}),
    ColumnType.BYTES: frozenset({"bytea"}),
}
_USUAL = {"uuid": ColumnType.UUID, **dict.fromkeys(_INTEGERS, ColumnType.INTEGER)}
"""Where several forms read a type, the one that it is usually compared in."""

_MODIFIER = re.compile(r"\((\d+)(?:,-?\d+)?\)")
_FIELDS = re.compile(r"^interval .*")
MILLISECONDS = 3  # digits of a second


def base_type(spelling: str) -> str:
    """Return a type as `format_type` spells it without length, precision, scale, fields and dimensions."""
    return _FIELDS.sub("interval", _MODIFIER.sub("", spelling).removesuffix("[]"))


def is_array(spelling: str) -> bool:
    """Tell whether a type as `format_type` spells it is one of arrays."""
    return spelling.endswith("[]")


def is_user_type(spelling: str) -> bool:
    """Tell whether a type lies in a schema of its own: an enum or `citext`, and nothing else that we read.

    Such types are spelt with their schema, since our sessions look for names in `pg_catalog` only.
    """
    return "." in spelling


def readable(kind: ColumnType, spelling: str) -> bool:
    """Tell whether a column of a type as `format_type` spells it can be compared in this form."""
    return base_type(spelling) in _READ_FROM[kind] or (kind is ColumnType.TEXT and is_user_type(spelling))


def precision(spelling: str) -> int | None:
    """Return the digits of a second that a type of times keeps, where it says so; or the length of another type."""
    found = _MODIFIER.search(spelling)
    return int(found[1]) if found else None


def usual_type(spelling: str) -> ColumnType | None:
    """Return the form in which a type is usually compared; None where it is one that we cannot compare.

    Instants are compared to the millisecond only where the type keeps no finer ones.
    """
    base = base_type(spelling)
    if base in _TIMESTAMPS:
        digits = precision(spelling)
        return ColumnType.TIMESTAMP_MS if digits is not None and digits <= MILLISECONDS else ColumnType.TIMESTAMP_US
    if base in _USUAL:
        return _USUAL[base]
    return next((kind for kind in (ColumnType.TEXT, *ColumnType) if readable(kind, spelling)), None)
