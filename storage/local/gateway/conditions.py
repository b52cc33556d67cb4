"""The grammar of conditions: filters such as `age=gte.18`, and trees of them such as `or=(a.eq.1,b.is.null)`.

See https://docs.postgrest.org/en/stable/references/api/tables_views.html#operators. Full-text search is recognised and
refused as not covered.
"""

from __future__ import annotations

import re

from storage.local.gateway.grammar import read_field, read_path
from storage.local.gateway.refusals import not_covered
from storage.local.gateway.scanner import Scanner
from storage.local.gateway.terms import Condition, Field, Junction, Tree

_OPERATOR = re.compile(r"[a-z]+")
_SIMPLE = {
    "neq": "<>",
    "cs": "@>",
    "cd": "<@",
    "ov": "&&",
    "sl": "<<",
    "sr": ">>",
    "nxr": "&<",
    "nxl": "&>",
    "adj": "-|-",
    "isdistinct": "IS DISTINCT FROM",
}
_QUANTIFIABLE = {
    "eq": "=",
    "gte": ">=",
    "gt": ">",
    "lte": "<=",
    "lt": "<",
    "like": "LIKE",
    "ilike": "ILIKE",
    "match": "~",
    "imatch": "~*",
}
_SEARCHES = frozenset({"fts", "plfts", "phfts", "wfts"})
_IS = {"null": "NULL", "not_null": "NOT NULL", "true": "TRUE", "false": "FALSE", "unknown": "UNKNOWN"}
_DEEPEST = 100  # PostgREST has no such limit; the interpreter has
_KEYWORD = re.compile("[A-Za-z_]+")
_ARRAY = re.compile(r"\{[^{}]*\}")
_JUNCTION = re.compile(r"(not\.)?(and|or)[ \t]*\([ \t]*")


def read_filter(field: str, text: str) -> Condition:
    """Read a filter such as `age=gte.18`.

    Raises:
        Unexpected: It does not follow the grammar.
        Refusal: It filters an embedded resource or searches texts.
    """
    scanner = Scanner(text)
    condition = _condition(scanner, read_field(field), inside=False)
    scanner.finish()
    return condition


def read_tree(operator: str, text: str) -> Tree:
    """Read a parameter such as `or=(a.eq.1,b.eq.2)`.

    Args:
        operator: Name of the parameter: `and`, `or`, `not.and`, `not.or`.
        text: Its value.

    Raises:
        Unexpected: It does not follow the grammar.
        Refusal: It searches texts.
    """
    scanner = Scanner(operator + text)
    tree = _tree(scanner, depth=0)
    scanner.finish()
    return tree


def _condition(scanner: Scanner, field: Field, *, inside: bool) -> Condition:
    """Read operator and operand; `inside` a logic tree, where the operand ends at a comma or bracket."""
    negated = scanner.takes("not.")
    match = scanner.takes_match(_OPERATOR)
    word = match.group() if match else ""
    if word in _SEARCHES:
        raise not_covered("Full-text search")
    quantifier = _quantifier(scanner) if word in _QUANTIFIABLE else None
    if word not in {"in", "is", *_SIMPLE, *_QUANTIFIABLE}:
        raise scanner.unexpected("operator (eq, gt, ...)")
    scanner.need(".")
    operand: str | tuple[str, ...]
    if word == "in":
        operator, operand = "IN", _list(scanner)
    elif word == "is":
        operator, operand = "IS", _keyword(scanner)
    else:
        operator = _SIMPLE.get(word) or _QUANTIFIABLE[word]
        operand = _inner_value(scanner) if inside else scanner.rest()
    return Condition(field=field, operator=operator, operand=operand, quantifier=quantifier, negated=negated)


def _quantifier(scanner: Scanner) -> str | None:
    for word in ("any", "all"):
        if scanner.takes(f"({word})"):
            return word.upper()
    return None


def _keyword(scanner: Scanner) -> str:
    match = scanner.takes_match(_KEYWORD)
    keyword = _IS.get(match.group().lower() if match else "")
    if keyword is None:
        raise scanner.unexpected("isVal: (null, not_null, true, false, unknown)")
    return keyword


def _list(scanner: Scanner) -> tuple[str, ...]:
    scanner.blanks()
    scanner.need("(")
    scanner.blanks()
    items = [_element(scanner)]
    while scanner.takes(","):
        items.append(_element(scanner))
    scanner.need(")")
    scanner.blanks()
    return tuple(items)


def _element(scanner: Scanner) -> str:
    quoted = scanner.quoted_item()
    return scanner.until(",)") if quoted is None else quoted


def _inner_value(scanner: Scanner) -> str:
    if (quoted := scanner.quoted_item()) is not None:
        return quoted
    array = scanner.takes_match(_ARRAY)
    return array.group() if array else scanner.until(",)")


def _tree(scanner: Scanner, *, depth: int) -> Tree:
    if depth > _DEEPEST:
        raise scanner.unexpected("fewer brackets")
    junction = scanner.takes_match(_JUNCTION)
    if junction is None:
        scanner.blanks()
        field = Field(name=scanner.name(), path=read_path(scanner))
        scanner.blanks()
        scanner.need(".")
        return _condition(scanner, field, inside=True)
    members = [_tree(scanner, depth=depth + 1)]
    scanner.blanks()
    while scanner.takes(","):
        scanner.blanks()
        members.append(_tree(scanner, depth=depth + 1))
        scanner.blanks()
    scanner.need(")")
    scanner.blanks()
    return Junction(operator=junction[2].upper(), members=tuple(members), negated=junction[1] is not None)
