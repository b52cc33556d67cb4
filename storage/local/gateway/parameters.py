"""The query of a request, sorted into what it asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from storage.local.gateway import conditions, grammar
from storage.local.gateway.refusals import unparsed
from storage.local.gateway.scanner import Unexpected
from storage.local.gateway.terms import Condition, Ordering, Selected, Tree

_T = TypeVar("_T")
_LOGIC = frozenset({"and", "or"})
_PAGING = frozenset({"order", "limit", "offset"})
_BEGINNINGS = ("not.", "in.", "is.", "isdistinct.")  # what begins so is a filter, never an argument


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What the query asks for.

    Attributes:
        select: Columns of the answer.
        where: Filters, all of which must hold.
        order: By what the rows are ordered.
        limit: At most so many rows; None where nothing, or no number, was given.
        offset: So many rows are passed over.
        columns: Keys of the body that count; None for all.
        on_conflict: Columns of the constraint that an upsert looks at; None for the primary key.
        arguments: Arguments of a function that is called by GET.
    """

    select: tuple[Selected, ...]
    where: tuple[Tree, ...]
    order: tuple[Ordering, ...]
    limit: int | None
    offset: int
    columns: tuple[str, ...] | None
    on_conflict: tuple[str, ...] | None
    arguments: tuple[tuple[str, str], ...]


def read_parameters(pairs: Iterable[tuple[str, str]], *, call: bool = False) -> Parameters:
    """Read the parameters of a query.

    Args:
        pairs: Names and values, decoded.
        call: Whether a function is called by GET: then what is no filter is an argument.

    Raises:
        Refusal: A parameter does not follow the grammar, or asks for something that is not covered.
    """
    single: dict[str, str] = {}
    where: list[Tree] = []
    arguments: list[tuple[str, str]] = []
    for name, value in pairs:
        *above, last = name.split(".")
        if last in _LOGIC:
            where.append(_logic(above, last, value))
        elif name in {"select", "columns", "on_conflict"}:
            single.setdefault(name, value)
        elif last in _PAGING:
            if above:
                raise grammar.not_embedded(above[0])
            single[last] = value
        else:
            found = _filter(name, value, call=call)
            arguments.append((name, value)) if found is None else where.append(found)
    return Parameters(
        select=_parsed("select parameter", single.get("select", "*"), grammar.read_selection),
        where=tuple(where),
        order=_parsed("order", single["order"], grammar.read_order) if "order" in single else (),
        limit=_number(single.get("limit")),
        offset=_number(single.get("offset")) or 0,
        columns=_names("columns", single),
        on_conflict=_names("on_conflict", single),
        arguments=tuple(arguments),
    )


def _logic(above: list[str], last: str, value: str) -> Tree:
    resources = [name for name in above if name != "not"]
    if resources:
        raise grammar.not_embedded(resources[0])
    operator = f"not.{last}" if above else last
    return _parsed("logic tree", value, lambda text: conditions.read_tree(operator, text))


def _filter(name: str, value: str, *, call: bool) -> Condition | None:
    try:
        return conditions.read_filter(name, value)
    except Unexpected as exc:
        if call and not value.startswith(_BEGINNINGS):
            return None
        _parsed("tree path", name, grammar.read_field)
        raise unparsed("filter", value, str(exc)) from exc


def _names(name: str, single: dict[str, str]) -> tuple[str, ...] | None:
    return _parsed(f"{name} parameter", single[name], grammar.read_names) if name in single else None


def _parsed(what: str, text: str, read: Callable[[str], _T]) -> _T:
    try:
        return read(text)
    except Unexpected as exc:
        raise unparsed(what, text, str(exc)) from exc


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
