"""The grammar of PostgREST's URLs: fields, selections, orders, lists of names.

See https://docs.postgrest.org/en/stable/references/api/tables_views.html. Embedded resources and aggregates are
recognised, and refused as not covered or as PostgREST does where they are switched off.
"""

from __future__ import annotations

import re

from storage.local.gateway.refusals import Refusal, not_covered
from storage.local.gateway.scanner import Scanner
from storage.local.gateway.terms import Field, Ordering, Selected, Step

_INDEX = re.compile(r"-?\d+(?=->|::|\.|,|$)")
_AGGREGATE = re.compile(r"\.(sum|avg|count|max|min)\(\)")
_ORDER = re.compile(r"\.(asc|desc)(?=[.,]|$)")
_NULLS = re.compile(r"\.nulls(first|last)(?=,|$)")


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
    field = Field(name=name, path=read_path(scanner))
    scanner.finish()
    return field


def read_path(scanner: Scanner) -> tuple[Step, ...]:
    """Read the arrows that follow the name of a column, if there are any.

    Raises:
        Unexpected: An arrow leads nowhere.
    """
    steps = []
    while scanner.sees("->"):
        scanner.need("->")
        as_text = scanner.takes(">")
        index = scanner.takes_match(_INDEX)
        steps.append(Step(key=int(index.group()) if index else _member(scanner), as_text=as_text))
    return tuple(steps)


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
    field = Field(name=name, path=read_path(scanner))
    cast = scanner.plain() if scanner.takes("::") else None
    if scanner.takes_match(_AGGREGATE):
        raise _aggregate()
    scanner.blanks()
    return Selected(field=field, cast=cast, alias=alias)


def _aggregate() -> Refusal:
    return Refusal(status=400, code="PGRST123", message="Use of aggregate functions is not allowed")


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


def _ordering(scanner: Scanner) -> Ordering:
    scanner.blanks()
    name = scanner.name()
    if scanner.sees("("):
        raise not_covered("Ordering by a related resource")
    field = Field(name=name, path=read_path(scanner))
    direction = scanner.takes_match(_ORDER)
    nulls = scanner.takes_match(_NULLS)
    scanner.blanks()
    return Ordering(
        field=field,
        direction=direction[1].upper() if direction else "",
        nulls=f"NULLS {nulls[1].upper()}" if nulls else "",
    )
