"""The smallest change of a value of each type: what a comparison is most likely to miss.

Values go in and come out as the store's own text. A change stays within what the type can hold, whatever the value.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping

from contracts.dataset import Column, ColumnType
from contracts.vocabulary import StoreName
from storage import canonical_array

_SECONDS = re.compile(r"(\d+:\d\d:\d\d)(?:\.(\d{1,6}))?")
_DAY = re.compile(r"-(\d\d)(?= BC|$)")
_LAST_DIGIT = re.compile(r"\d(?=\D*$)")
_LEAF = re.compile(r'[0-9](?=[\]}]*$)|[a-zA-Z0-9](?="[\]}]*$)')
_ESCAPE = 5  # characters of an escape before its last one
_SURE_DAYS = 27  # every month has one day more
_MILLISECOND = 1_000
_SINGLE = "real"  # a float of 32 bits, in the words of the catalogue

_SOME: Mapping[ColumnType, str] = {
    ColumnType.UUID: "00000000-0000-4000-8000-000000000000",
    ColumnType.TEXT: "",
    ColumnType.JSON: "null",
    ColumnType.INTEGER: "0",
    ColumnType.NUMERIC: "0",
    ColumnType.FLOAT: "0",
    ColumnType.BOOLEAN: "false",
    ColumnType.DATE: "2000-01-01",
    ColumnType.TIME: "00:00:00",
    ColumnType.TIME_ZONED: "00:00:00+00",
    ColumnType.TIMESTAMP_MS: "2000-01-01 00:00:00",
    ColumnType.TIMESTAMP_US: "2000-01-01 00:00:00",
    ColumnType.INTERVAL: "00:00:00",
    ColumnType.BYTES: "\\x",
}
"""A value of each type that is hardest to tell from NULL, or from a value that is not finite."""


def some_value(column: Column) -> str:
    """Return a value for a field that is NULL."""
    return "{}" if column.array else _SOME[column.type]


def altered(column: Column, text: str, store: StoreName) -> str:
    """Return a value that differs from `text` as little as the column's type allows.

    Args:
        column: The column.
        text: Its value, as the store writes it.
        store: The store.

    Raises:
        ValueError: The text is no value of the column's type.
    """
    single = any(_SINGLE in kind for kind in column.sql_types[store])
    return _array(column.type, text, single=single) if column.array else _scalar(column.type, text, single=single)


def _scalar(kind: ColumnType, text: str, *, single: bool) -> str:
    return _float(text, single=single) if kind is ColumnType.FLOAT else _ALTERATIONS[kind](text)


def _array(kind: ColumnType, text: str, *, single: bool) -> str:
    """Change the last element; NULL and an empty array get one."""
    array = canonical_array.parse(text)
    elements = array.elements
    while elements and isinstance(elements[-1], list):
        elements = elements[-1]
    if not elements:
        return "{NULL}"
    last = elements[-1]
    elements[-1] = _SOME[kind] if last is None else _scalar(kind, str(last), single=single)
    return canonical_array.to_text(array)


def _float(text: str, *, single: bool) -> str:
    value = float(text)
    if value == 0 or value - value != 0:  # nothing is next to zero or to what is not finite, whatever the server does
        return "1"
    form, bits = ("<f", "<I") if single else ("<d", "<Q")
    (number,) = struct.unpack(bits, struct.pack(form, value))
    (nearest,) = struct.unpack(form, struct.pack(bits, number - 1))
    return repr(nearest)


def _hex(text: str) -> str:
    """Change the last digit of a UUID."""
    return text[:-1] + ("1" if text[-1] == "0" else "0")


def _text(text: str) -> str:
    """Change the last character; no space comes last, which some types drop."""
    return text[:-1] + ("x" if text[-1:] != "x" else "y")


def _json(text: str) -> str:
    """Change the last digit or letter within the last leaf, where it is a plain one; else wrap the whole."""
    match = _LEAF.search(text)
    if match is None or "\\" in text[max(0, match.start() - _ESCAPE) : match.start()]:
        return f"[{text}]"
    other = "1" if match[0] != "1" else "2"
    return text[: match.start()] + other + text[match.end() :]


def _integer(text: str) -> str:
    """Change by one, towards zero where that is possible."""
    value = int(text)
    return str(value - 1 if value > 0 else value + 1)


def _numeric(text: str) -> str:
    """Change the last digit."""
    match = _LAST_DIGIT.search(text)
    if match is None:  # NaN or infinite
        return "0"
    return text[: match.start()] + str((int(match[0]) + 1) % 10) + text[match.end() :]


def _boolean(text: str) -> str:
    return "false" if text.startswith("t") else "true"


def _date(text: str) -> str:
    """Change by one day within the month."""
    match = _DAY.search(text)
    if match is None:  # infinite
        return _SOME[ColumnType.DATE]
    day = int(match[1])
    return f"{text[: match.start(1)]}{day + 1 if day <= _SURE_DAYS else day - 1:02}{text[match.end(1) :]}"


def _milliseconds(text: str) -> str:
    """Change by one millisecond, or by two where rounding could hide one."""

    def change(fraction: int) -> int:
        whole = fraction // _MILLISECOND
        return (whole - 1 if whole else whole + 2) * _MILLISECOND

    return _seconds(text, change) or _SOME[ColumnType.TIMESTAMP_MS]


def _microseconds(text: str) -> str:
    return _seconds(text, lambda fraction: fraction - 1 if fraction else 1) or _SOME[ColumnType.TIMESTAMP_US]


def _time(text: str) -> str:
    if text.startswith("24"):  # nothing is later
        return "00" + text[2:]
    return _microseconds(text)


def _interval(text: str) -> str:
    if "infinity" in text:
        return _SOME[ColumnType.INTERVAL]
    return _seconds(text, lambda fraction: fraction - 1 if fraction else 1) or f"{text} 00:00:00.000001"


def _seconds(text: str, change: Callable[[int], int]) -> str | None:
    """Change the fraction of the seconds, given in microseconds; None where there are no seconds."""
    match = _SECONDS.search(text)
    if match is None:
        return None
    fraction = change(int((match[2] or "").ljust(6, "0")))
    return f"{text[: match.start()]}{match[1]}.{fraction:06}{text[match.end() :]}"


def _bytes(text: str) -> str:
    return "\\x00" if text == "\\x" else _hex(text)


_ALTERATIONS: Mapping[ColumnType, Callable[[str], str]] = {
    ColumnType.UUID: _hex,
    ColumnType.TEXT: _text,
    ColumnType.JSON: _json,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMERIC: _numeric,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _date,
    ColumnType.TIME: _time,
    ColumnType.TIME_ZONED: _time,
    ColumnType.TIMESTAMP_MS: _milliseconds,
    ColumnType.TIMESTAMP_US: _microseconds,
    ColumnType.INTERVAL: _interval,
    ColumnType.BYTES: _bytes,
}
