"""CHECK constraints in our words, as far as they say what one of our rules says; anything else is left to a person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from contracts.column_types import INSTANTS, NUMBERS
from contracts.dataset import Column

LENGTH = frozenset({"char_length", "character_length", "length"})
BOUNDS = {">=": "at_least", ">": "more_than", "<=": "at_most", "<": "less_than"}

_TOKEN = re.compile(
    r"""\s*(?:
        '(?P<string>(?:[^']|'')*)'
      | "(?P<quoted>(?:[^"]|"")*)"
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_][A-Za-z0-9_$]*)
      | (?P<cast>::)
      | (?P<mark><=|>=|<>|[<>=(),.\[\]+*/%-])
    )""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_KEYWORDS = frozenset({"AND", "OR", "NOT", "ANY", "ARRAY", "IS", "NULL", "CHECK"})


@dataclass(frozen=True, slots=True)
class RuleCall:
    """A line of a contract: which of `contracts.column_rules` is asked for, and with what."""

    function: str
    arguments: tuple[str | int, ...]

    @property
    def about(self) -> tuple[str | int, ...]:
        """What a contract can hold only one rule of."""
        return (self.function, *self.arguments[:1])


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def rules_of(check: str, columns: Mapping[str, Column]) -> tuple[RuleCall, ...] | None:
    """Return the rules that say what a constraint says, all of it; None where ours cannot.

    Args:
        check: The constraint, as `pg_get_constraintdef` writes it.
        columns: The columns of the dataset, by their names in this store.
    """
    try:
        tokens = list(_without_casts(list(_tokens(check))))
    except ValueError:
        return None
    if (
        not tokens
        or tokens[0] != _Token("word", "CHECK")
        or {"OR", "NOT", "IS"} & {t.text for t in tokens if t.kind == "word"}
    ):
        return None
    # A chain of comparisons that AND joins means the same however it is bracketed, and nothing else is taken.
    plain = [token for token in tokens[1:] if token.text not in "()" or token.kind != "mark"]
    rules = [_rule(part, columns) for part in _split(plain)]
    return None if None in rules else tuple(rule for rule in rules if rule is not None)


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise ValueError("not understood")
        kind, word = match.lastgroup, match[match.lastgroup]
        if kind == "quoted":
            yield _Token("name", word.replace('""', '"'))
        else:
            yield _Token(kind, word.replace("''", "'") if kind == "string" else word)
        at = match.end()


def _without_casts(tokens: list[_Token]) -> Iterator[_Token]:
    """Leave out each `::` with the type that follows: names, a length in brackets, `[]`."""
    at = 0
    while at < len(tokens):
        if tokens[at].kind != "cast":
            yield tokens[at]
            at += 1
            continue
        at += 1
        while at < len(tokens) and _is_of_type(tokens[at]):
            at += 1
        if _texts(tokens, at, 1) == ["("] and at + 1 < len(tokens) and tokens[at + 1].kind == "number":
            while tokens[at].text != ")":
                at += 1
            at += 1
        if _texts(tokens, at, 2) == ["[", "]"]:
            at += 2


def _is_of_type(token: _Token) -> bool:
    return token.kind == "name" or token.text == "." or (token.kind == "word" and token.text not in _KEYWORDS)


def _texts(tokens: list[_Token], at: int, number: int) -> list[str]:
    return [token.text for token in tokens[at : at + number]]


def _split(tokens: list[_Token]) -> Iterator[list[_Token]]:
    part: list[_Token] = []
    for token in tokens:
        if token == _Token("word", "AND"):
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _rule(tokens: list[_Token], columns: Mapping[str, Column]) -> RuleCall | None:
    """Return the rule that one comparison stands for."""
    match tokens:
        case [_Token(kind="word", text=function), subject, _Token(text="<=" | "<" as mark), limit] if (
            function in LENGTH
        ):
            column, number = _column(subject, columns), _number(limit)
            if column is None or number is None or not number.isdecimal():
                return None
            return RuleCall("longest", (column.name, int(number) - (mark == "<")))
        case [
            subject,
            _Token(text="="),
            _Token(text="ANY"),
            _Token(text="ARRAY"),
            _Token(text="["),
            *words,
            _Token(text="]"),
        ]:
            column, listed = (
                _column(subject, columns),
                [word for word in words if word.text != "," or word.kind != "mark"],
            )
            if column is None or not listed or any(word.kind != "string" for word in listed):
                return None
            return RuleCall("one_of", (column.name, *(word.text for word in listed)))
        case [subject, _Token(kind="mark", text=mark), limit] if mark in BOUNDS:
            return _comparison(subject, mark, limit, columns)
        case _:
            return None


def _comparison(subject: _Token, mark: str, limit: _Token, columns: Mapping[str, Column]) -> RuleCall | None:
    column, other, number = _column(subject, columns), _column(limit, columns), _number(limit)
    if column is None:
        return None
    if other is not None:
        first, second = (column, other) if mark == "<=" else (other, column)
        fits = mark in {"<=", ">="} and first.type in INSTANTS and second.type in INSTANTS
        return RuleCall("not_after", (first.name, second.name)) if fits else None
    if number is None or column.type not in NUMBERS or column.array:
        return None
    return RuleCall(BOUNDS[mark], (column.name, number))


def _column(token: _Token, columns: Mapping[str, Column]) -> Column | None:
    return columns.get(token.text) if token.kind in {"word", "name"} else None


def _number(token: _Token) -> str | None:
    return token.text if token.kind in {"number", "string"} and _NUMBER.fullmatch(token.text) else None
