"""The texts that a store answers for a value once it holds it: what a step writes is what is read afterwards.

JSON is written as `jsonb` writes it, with the digits that numbers have; instants in the precision of their column;
words of a vocabulary in their canonical spelling.
"""

from __future__ import annotations

from contracts.column_types import INSTANTS, ColumnType, base_type, precision
from contracts.dataset import Column
from contracts.instants import microseconds, timestamp_text
from contracts.vocabulary import StoreName
from storage.canonical import canonical_uuid
from storage.canonical_json import Number, Value, parse, quoted

MAX_POWER = 20_000
"""A number with a larger exponent is not written out: no record holds one in earnest."""
_DIGITS = 6  # of a second, where a type says nothing
_LENGTHS = frozenset({"character varying", "character"})


def held(column: Column, store: StoreName, text: str | None) -> str | None:
    """Return the text of a value in a store, given a text of the same value; NULL stays None.

    Args:
        column: The column.
        store: The store that is to hold it.
        text: How the other store writes it.

    Raises:
        ValueError: The store's column cannot hold it.
    """
    if text is None or column.array:
        return text
    spelling = min(column.sql_types[store])
    kind = base_type(spelling)
    if column.type in INSTANTS:
        return _instant(kind, precision(spelling), text)
    if column.type is ColumnType.JSON:
        same = {base_type(spelling) for spelling in column.sql_types[store.other]} == {kind}
        return text if same or kind != "jsonb" else json_text(read_json(text))
    if column.type is ColumnType.UUID:
        return canonical_uuid(text)
    if column.type is ColumnType.TEXT:
        word = column.aliases.get(text, text)
        return canonical_uuid(word) if kind == "uuid" else _fitting(kind, precision(spelling), word)
    return text


def _fitting(kind: str, length: int | None, text: str) -> str:
    if kind in _LENGTHS and length is not None and len(text) > length:
        raise ValueError("too long")
    return text


def _instant(kind: str, digits: int | None, text: str) -> str:
    instant = microseconds(text)
    if instant is None:
        return text
    unit = 10 ** (_DIGITS - (_DIGITS if digits is None else digits))
    rounded = (abs(instant) + unit // 2) // unit * unit  # half away from 2000, as PostgreSQL does
    written = timestamp_text(rounded if instant >= 0 else -rounded)
    if kind != "timestamp with time zone":
        return written
    day, era = (written.removesuffix(" BC"), " BC") if written.endswith(" BC") else (written, "")
    return f"{day}+00{era}"


def read_json(text: str) -> Value:
    """Read a JSON text, its numbers as they are written.

    Raises:
        ValueError: It is no JSON, or none that a `jsonb` column could hold.
    """
    return parse(text, read_number=Number)


def json_text(value: Value) -> str:
    """Write a value as `jsonb` does: keys by length, then by bytes; numbers with their digits, without an exponent.

    Raises:
        ValueError: A number has an exponent that nobody would write out.
    """
    parts: list[str] = []
    stack: list[Value | _Written] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, _Written):
            parts.append(node.text)
        elif isinstance(node, dict):
            stack.append(_Written("}"))
            for key in sorted(node, key=_order, reverse=True):
                stack += [node[key], _Written(f"{quoted(key)}: "), _Written(", ")]
            _drop_first_comma(stack, empty=not node)
            stack.append(_Written("{"))
        elif isinstance(node, list):
            stack.append(_Written("]"))
            for item in reversed(node):
                stack += [item, _Written(", ")]
            _drop_first_comma(stack, empty=not node)
            stack.append(_Written("["))
        else:
            parts.append(_scalar(node))
    return "".join(parts)


class _Written:
    """A piece of text that is written as it is."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def _drop_first_comma(stack: list[Value | _Written], *, empty: bool) -> None:
    if not empty:
        stack.pop()


def _order(key: str) -> tuple[int, bytes]:
    data = key.encode()
    return len(data), data


def _scalar(value: bool | Number | str | None) -> str:  # noqa: FBT001 - the value may be one
    if isinstance(value, Number):
        return _number(value)
    if isinstance(value, str):
        return quoted(value)
    return "null" if value is None else "true" if value else "false"


def _number(number: Number) -> str:
    value = number.decimal
    if abs(value.adjusted()) > MAX_POWER or abs(int(value.as_tuple().exponent)) > MAX_POWER:
        raise ValueError("a number is too large to be written out")
    written = format(value, "f")
    return written.removeprefix("-") if not value else written
