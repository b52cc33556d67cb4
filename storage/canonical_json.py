"""JSON by value: exact numbers, one canonical text per value, no recursion and no float.

`parse` reads what PostgreSQL's `jsonb` would accept, `to_text` writes the one text of a value: keys sorted by code
point, no spaces, numbers in their shortest exact form. Both walk with a stack of their own, so that a body nested ten
thousand levels deep is read like any other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number, as its canonical text: `1.0`, `1.00`, `10e-1` and `1` are all `1`."""

    text: str

    @property
    def decimal(self) -> Decimal:
        """The exact value; never expanded, so that `1e999999999` costs nothing."""
        return Decimal(self.text)


Value = None | bool | Number | str | list["Value"] | dict[str, "Value"]
"""A JSON value; numbers are `Number`, so that `1` and `true` and `"1"` are three values."""

_PLAIN_ZEROS = 40  # zeros that are written out before a number takes an exponent
_EXPONENT_DIGITS = 17  # more are in no number that a store could hold; Decimal ends at 18

_TOKEN = re.compile(
    r"""[ \t\n\r]*(?:
        (?P<mark>[{}\[\]:,])
      | (?P<string>"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+")
      | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
      | (?P<word>true|false|null)
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


def number(text: str) -> Number:
    """Bring the text of a JSON number to its canonical form.

    Raises:
        ValueError: The exponent is longer than any store could hold.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError("not a number")
    sign, whole, fraction, exponent_sign, exponent = match.groups(default="")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return Number("0")
    exponent = exponent.lstrip("0")
    if len(exponent) > _EXPONENT_DIGITS:
        raise ValueError("exponent out of range")
    power = int(f"{exponent_sign}{exponent or 0}") - len(fraction)
    shortest = digits.rstrip("0")
    return Number(sign + _written(shortest, power + len(digits) - len(shortest)))


def _written(digits: str, power: int) -> str:
    """Write `digits * 10**power`, plainly unless that takes many zeros."""
    leading = -power - len(digits)
    if power > _PLAIN_ZEROS or leading > _PLAIN_ZEROS:
        return f"{digits}e{power}"
    if power >= 0:
        return digits + "0" * power
    if leading >= 0:
        return "0." + "0" * leading + digits
    return f"{digits[:power]}.{digits[power:]}"


def string(word: str) -> str:
    r"""Decode a JSON string with its quotes.

    Raises:
        ValueError: An escape is unknown, or names what no text of PostgreSQL can hold: `\u0000` or half a pair.
    """
    value: str = json.loads(word)
    if "\\u" in word:
        if "\x00" in value:
            raise ValueError("a text cannot hold NUL")
        value.encode()  # half a surrogate pair: UnicodeEncodeError, which is a ValueError
    return value


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield kind and text of each token, `end` last."""
    at = 0
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError("not JSON")
        kind = match.lastgroup or "end"
        yield kind, match[kind]
        if kind == "end":
            return
        at = match.end()


def parse(text: str, *, read_number: Callable[[str], Number] = number) -> Value:
    """Read a JSON text as PostgreSQL's `jsonb` does: the last of equal keys counts.

    Args:
        text: The text.
        read_number: Reads a number; `Number` itself keeps it as it is written, for a value that is to be written again.

    Raises:
        ValueError: It is no JSON, or none that a `jsonb` column could hold.
    """
    reader = _Reader(read_number)
    for kind, word in _tokens(text):
        reader.take(kind, word)
    return reader.root[0]


class _Reader:
    """Build a value from tokens; `expects` says which may come next."""

    def __init__(self, read_number: Callable[[str], Number]) -> None:
        self._number = read_number
        self.root: list[Value] = []
        self.open: list[list[Value] | dict[str, Value]] = []  # containers being read, the innermost last
        self.keys: list[str] = []  # for each open object, the key whose value is read
        self.expects = "value"  # value, first (or `]`), key, first key (or `}`), colon, next (`,` or a close), end

    def take(self, kind: str, word: str) -> None:
        """Take one token, or raise ValueError where it may not stand."""
        if kind == "mark":
            self._mark(word)
        elif kind == "end":
            self._need("end")
        elif kind == "string" and self.expects in {"key", "first key"}:
            self.keys.append(string(word))
            self.expects = "colon"
        else:
            self._need("value", "first")
            self._put(string(word) if kind == "string" else self._number(word) if kind == "number" else _WORDS[word])
            self._after()

    def _mark(self, word: str) -> None:
        if word in "{[":
            self._need("value", "first")
            node: list[Value] | dict[str, Value] = {} if word == "{" else []
            self._put(node)
            self.open.append(node)
            self.expects = "first key" if word == "{" else "first"
        elif word in "}]":
            is_object = word == "}"
            self._need("next", "first key" if is_object else "first")
            if isinstance(self.open.pop(), dict) is not is_object:
                raise ValueError("brackets do not match")
            self._after()
        elif word == ":":
            self._need("colon")
            self.expects = "value"
        else:
            self._need("next")
            self.expects = "key" if isinstance(self.open[-1], dict) else "value"

    def _need(self, *expected: str) -> None:
        if self.expects not in expected:
            raise ValueError("not JSON")

    def _put(self, value: Value) -> None:
        if not self.open:
            self.root.append(value)
        elif isinstance(top := self.open[-1], dict):
            top[self.keys.pop()] = value
        else:
            top.append(value)

    def _after(self) -> None:
        self.expects = "next" if self.open else "end"


def to_text(value: Value) -> str:
    """Write the canonical text of a value."""
    parts: list[str] = []
    stack: list[tuple[str, Value]] = [("", value)]  # what to write before a value, and the value
    closing: list[tuple[int, str]] = []  # height of the stack at which an open container ends, and its bracket
    while stack:
        before, node = stack.pop()
        parts.append(before)
        if isinstance(node, dict):
            parts.append("{")
            closing.append((len(stack), "}"))
            keys = sorted(node)
            stack += [("," * (key != keys[0]) + quoted(key) + ":", node[key]) for key in reversed(keys)]
        elif isinstance(node, list):
            parts.append("[")
            closing.append((len(stack), "]"))
            stack += [("," * bool(position), node[position]) for position in reversed(range(len(node)))]
        else:
            parts.append(_scalar(node))
        while closing and closing[-1][0] == len(stack):
            parts.append(closing.pop()[1])
    return "".join(parts)


def quoted(text: str) -> str:
    """Write a string as JSON, with its quotes; nothing but what must be escaped is."""
    return json.dumps(text, ensure_ascii=False)


def _scalar(value: bool | Number | str | None) -> str:  # noqa: FBT001 - the value may be one
    if isinstance(value, Number):
        return value.text
    if isinstance(value, str):
        return quoted(value)
    return "null" if value is None else "true" if value else "false"


def kind(value: Value) -> str:
    """Name the JSON type of a value, as `jsonb_typeof` does."""
    if value is None:
        return "null"
    return _KINDS[type(value)]


_KINDS: dict[type, str] = {
    bool: "boolean",
    Number: "number",
    str: "string",
    list: "array",
    dict: "object",
}
