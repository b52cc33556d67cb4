"""The grammar of PostgREST's URLs: fields, selections, conditions, orders, as values.

See https://docs.postgrest.org/en/stable/references/api/tables_views.html. Embedded resources, aggregates and full-text
search are recognised, and refused as not covered or as PostgREST does where they are switched off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from storage.local.gateway.refusals import Refusal, not_covered
from storage.local.gateway.scanner import Scanner

_INDEX = re.compile(r"-?\d+(?=->|::|\.|,|$)")
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
_AGGREGATE = re.compile(r"\.(sum|avg|count|max|min)\(\)")
_ORDER = re.compile(r"\.(asc|desc)(?=[.,]|$)")
_NULLS = re.compile(r"\.nulls(first|last)(?=,|$)")
_DEEPEST = 100  # PostgREST has no such limit; the interpreter has


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One arrow into a JSON value.

    Attributes:
        key: Name of a member, or index of an element.
        as_text: Whether it is `->>`.
    """

    key: str | int
    as_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column, or a place inside its JSON value.

    Attributes:
        name: Name of the column; `*` for all.
        path: The way into it.
    """

    name: str
    path: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """One item of `select`.

    Attributes:
        field: What is read.
        cast: Type to which it is cast, if any; plain characters only.
        alias: Name that it gets in the answer, if another.
    """

    field: Field
    cast: str | None = None
    alias: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A comparison of a field.

    Attributes:
        field: What is compared.
        operator: The operator in SQL; `IN` and `IS` among them.
        operand: The text compared with, the list of `IN`, or the keyword of `IS`.
        quantifier: `ANY` or `ALL` where the operand is an array.
        negated: Whether the opposite is meant.
    """

    field: Field
    operator: str
    operand: str | tuple[str, ...]
    quantifier: str | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Junction:
    """Several conditions joined by `AND` or `OR`."""

    operator: str
    members: tuple[Tree, ...]
    negated: bool = False


Tree = Condition | Junction


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """One item of `order`.

    Attributes:
        field: By what.
        direction: `ASC`, `DESC` or nothing.
        nulls: `NULLS FIRST`, `NULLS LAST` or nothing.
    """

    field: Field
    direction: str = ""
    nulls: str = ""


def read_selection(text: str) -> tuple[Selected, ...]:
    """Read the value of `select`.

    Raises:
        Unexpected: It does not follow the grammar.
        Refusal: It embeds or aggregates.
    """
    scanner = Scanner(text)
    items = [] if scanner.ended else [_selected(scanner)]
    while scanner.takes(","):
        items.append(_selected(scanner))
    scanner.finish()
    return tuple(items)


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


def read_field(text: str) -> Field:
    """Read the name of a parameter as a field.

    Raises:
        Unexpected: It does not follow the grammar.
        Refusal: It names an embedded resource.
    """
    scanner = Scanner(text)
    name = scanner.name()
    if scanner.sees("."):
        raise not_embedded(name)
    field = Field(name=name, path=_path(scanner))
    scanner.finish()
    return field


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


def read_order(text: str) -> tuple[Ordering, ...]:
    """Read the value of `order`.

    Raises:
        Unexpected: It does not follow the grammar.
        Refusal: It orders by an embedded resource.
    """
    scanner = Scanner(text)
    items = [_ordering(scanner)]
    while scanner.takes(","):
        items.append(_ordering(scanner))
    scanner.finish()
    return tuple(items)


def read_names(text: str) -> tuple[str, ...]:
    """Read the value of `columns` or `on_conflict`: each name once, in the order of the first mention.

    Raises:
        Unexpected: It does not follow the grammar.
    """
    scanner = Scanner(text)
    names = [scanner.name()]
    while scanner.takes(","):
        scanner.blanks()
        names.append(scanner.name())
    scanner.finish()
    return tuple(dict.fromkeys(names))


def not_embedded(name: str) -> Refusal:
    """Return the refusal of a filter, order or limit on a resource that is not embedded."""
    return Refusal(
        status=400,
        code="PGRST108",
        message=f"'{name}' is not an embedded resource in this request",
        hint=f"Verify that '{name}' is included in the 'select' query parameter.",
    )


def _selected(scanner: Scanner) -> Selected:
    scanner.blanks()
    if scanner.takes("*"):
        return Selected(field=Field(name="*"))
    if scanner.sees("..."):
        raise not_covered("Embedding of related resources")
    if scanner.sees("count()"):
        raise _aggregate()
    name, alias = scanner.name(), None
    if scanner.sees(":") and not scanner.sees("::"):
        scanner.need(":")
        if scanner.sees("count()"):
            raise _aggregate()
        name, alias = scanner.name(), name
    if scanner.sees("(") or scanner.sees("!"):
        raise _aggregate() if name == "count" else not_covered("Embedding of related resources")
    field = Field(name=name, path=_path(scanner))
    cast = scanner.plain() if scanner.takes("::") else None
    if scanner.takes_match(_AGGREGATE):
        raise _aggregate()
    scanner.blanks()
    return Selected(field=field, cast=cast, alias=alias)


def _aggregate() -> Refusal:
    return Refusal(status=400, code="PGRST123", message="Use of aggregate functions is not allowed")


def _path(scanner: Scanner) -> tuple[Step, ...]:
    steps = []
    while scanner.sees("->"):
        scanner.need("->")
        as_text = scanner.takes(">")
        index = scanner.takes_match(_INDEX)
        steps.append(Step(key=int(index.group()) if index else _member(scanner), as_text=as_text))
    return tuple(steps)


def _member(scanner: Scanner) -> str:
    if (text := scanner.quoted()) is not None:
        return text
    parts = [scanner.until("(-:.,>)")]
    while scanner.sees("-") and not scanner.sees("->"):
        scanner.need("-")
        parts.append(scanner.until("(-:.,>)"))
    if not all(parts):
        raise scanner.unexpected("any non reserved character different from: .,>()")
    return "-".join(part.strip() for part in parts)


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
    match = scanner.takes_match(re.compile("[A-Za-z_]+"))
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
    array = scanner.takes_match(re.compile(r"\{[^{}]*\}"))
    return array.group() if array else scanner.until(",)")


def _tree(scanner: Scanner, *, depth: int) -> Tree:
    if depth > _DEEPEST:
        raise scanner.unexpected("fewer brackets")
    junction = scanner.takes_match(re.compile(r"(not\.)?(and|or)[ \t]*\([ \t]*"))
    if junction is None:
        scanner.blanks()
        field = Field(name=scanner.name(), path=_path(scanner))
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


def _ordering(scanner: Scanner) -> Ordering:
    scanner.blanks()
    name = scanner.name()
    if scanner.sees("("):
        raise not_covered("Ordering by a related resource")
    field = Field(name=name, path=_path(scanner))
    direction = scanner.takes_match(_ORDER)
    nulls = scanner.takes_match(_NULLS)
    scanner.blanks()
    return Ordering(
        field=field,
        direction=direction[1].upper() if direction else "",
        nulls=f"NULLS {nulls[1].upper()}" if nulls else "",
    )
