"""Functions: which overload a request means, and how it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.local.gateway.bodies import read_json
from storage.local.gateway.catalog import Function, Parameter
from storage.local.gateway.fragments import name_sql, text_sql
from storage.local.gateway.reading import Source
from storage.local.gateway.refusals import Refusal

if TYPE_CHECKING:
    from psycopg.sql import Composable

_JSON = frozenset({"json", "jsonb"})
_VALUE = "twinstore_value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What a function is called with.

    Attributes:
        names: Names of the arguments.
        body: The JSON body of a POST; None for a GET.
        values: Values of a GET, one or more for each name.
    """

    names: frozenset[str]
    body: str | None = None
    values: Mapping[str, Sequence[str]] | None = None


def arguments_of_body(body: str) -> Arguments:
    """Read the arguments of a POST; an empty body has none.

    Raises:
        Refusal: It is no JSON.
    """
    text = body or "{}"
    found = read_json(text)
    return Arguments(names=frozenset(found if isinstance(found, dict) else ()), body=text)


def arguments_of_query(pairs: Sequence[tuple[str, str]]) -> Arguments:
    """Collect the arguments of a GET; a repeated one is for a variadic parameter."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return Arguments(names=frozenset(values), values=values)


def choose_function(schema: str, name: str, overloads: Sequence[Function], arguments: Arguments) -> Function:
    """Return the one overload that fits the names of the arguments.

    One that takes the whole body as its only, unnamed parameter is the last resort of a POST.

    Raises:
        Refusal: None fits, or several do.
    """
    fitting = [function for function in overloads if _fits(function, arguments.names)]
    if not fitting and arguments.body is not None:
        fitting = [function for function in overloads if takes_body(function)]
    if not fitting:
        raise _not_found(schema, name, arguments)
    if len(fitting) > 1:
        raise Refusal(
            status=300,
            code="PGRST203",
            message=f"Could not choose the best candidate function between: {', '.join(map(_signature, fitting))}",
            hint="Try renaming the parameters or the function itself in the database so function overloading "
            "can be resolved",
        )
    return fitting[0]


def takes_body(function: Function) -> bool:
    """Tell whether a function takes the whole body as its only, unnamed parameter."""
    return [(item.name, item.type in _JSON) for item in function.parameters] == [("", True)]


def call_source(function: Function, arguments: Arguments) -> Source:
    """Return the result of a call as a relation."""
    from psycopg.sql import SQL

    values, feed = _values(function, arguments)
    call = SQL("{}({})").format(name_sql(function.schema, function.name), values)
    alias = name_sql("pgrst_call")
    if function.returns_rows:
        before = SQL("") if feed is None else SQL("{}, ").format(feed)
        return Source(relation=SQL("{}LATERAL {} AS {}").format(before, call, alias), alias=alias)
    source = SQL("") if feed is None else SQL(" FROM {}").format(feed)
    relation = SQL("(SELECT {} AS {}{}) AS {}").format(call, name_sql(_VALUE), source, alias)
    return Source(relation=relation, alias=alias, scalar=_VALUE)


def _values(function: Function, arguments: Arguments) -> tuple[Composable, Composable | None]:
    """Return the values in the brackets of the call, and the relation from which they come, if they come from one."""
    from psycopg.sql import SQL

    if takes_body(function):
        return SQL("CAST({} AS {})").format(text_sql(arguments.body or "{}"), SQL(function.parameters[0].type)), None
    given = [item for item in function.parameters if item.name in arguments.names]
    if arguments.values is not None:
        literals = {item.name: _literal(item, arguments.values[item.name]) for item in given}
        return _named(given, literals), None
    if not given:
        return SQL(""), None
    types = SQL(", ").join(SQL("{} {}").format(name_sql(item.name), SQL(item.type)) for item in given)
    feed = SQL("json_to_record(CAST({} AS json)) AS twinstore_body ({})").format(
        text_sql(arguments.body or "{}"), types
    )
    return _named(given, {item.name: name_sql("twinstore_body", item.name) for item in given}), feed


def _named(given: Sequence[Parameter], values: Mapping[str, Composable]) -> Composable:
    from psycopg.sql import SQL

    return SQL(", ").join(
        SQL("VARIADIC {} := {}" if item.variadic else "{} := {}").format(name_sql(item.name), values[item.name])
        for item in given
    )


def _literal(parameter: Parameter, values: Sequence[str]) -> Composable:
    from psycopg.sql import SQL

    kind = SQL(parameter.type)
    if parameter.variadic:
        items = SQL(", ").join(text_sql(value) for value in values)
        return SQL("CAST(ARRAY[{}]::text[] AS {})").format(items, kind)
    return SQL("CAST({} AS {})").format(text_sql(values[-1]), kind)


def _fits(function: Function, names: frozenset[str]) -> bool:
    known = {item.name for item in function.parameters if item.name}
    required = {item.name for item in function.parameters if item.required and not item.variadic}
    return required <= names <= known


def _signature(function: Function) -> str:
    parameters = ", ".join(f"{item.name} => {item.type}" for item in function.parameters)
    return f"{function.schema}.{function.name}({parameters})"


def _not_found(schema: str, name: str, arguments: Arguments) -> Refusal:
    names = ", ".join(sorted(arguments.names))
    shown = f"({names})" if names else " without parameters"
    plural = "s" if len(arguments.names) > 1 else ""
    sought = f" with parameter{plural} {names}" if names else shown
    body = " or with a single unnamed json/jsonb parameter" if arguments.body is not None else ""
    return Refusal(
        status=404,
        code="PGRST202",
        message=f"Could not find the function {schema}.{name}{shown} in the schema cache",
        details=f"Searched for the function {schema}.{name}{sought}{body}, but no matches were found in the schema "
        "cache.",
    )
