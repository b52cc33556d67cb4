"""The schema cache: what the gateway knows of the database, as of the last reload.

Like PostgREST's it goes stale when a table or function changes, until `NOTIFY pgrst, 'reload schema'`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import DictRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its type as SQL writes it, and the expression of its default, if it has one."""

    name: str
    type: str
    default: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table or view.

    Attributes:
        schema: Its schema.
        name: Its name.
        columns: By name, in their order.
        primary_key: Names of the columns of the primary key; empty without one.
        methods: HTTP methods that change rows and can work on it.
        is_view: Whether it is a view.
    """

    schema: str
    name: str
    columns: Mapping[str, Column]
    primary_key: tuple[str, ...]
    methods: frozenset[str]
    is_view: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a function; its name is empty where it has none."""

    name: str
    type: str
    required: bool
    variadic: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function.

    Attributes:
        schema: Its schema.
        name: Its name.
        parameters: What it takes.
        volatile: Whether it may change the database; else it runs in a read-only transaction.
        returns_set: Whether it returns any number of values, rather than one.
        returns_rows: Whether these are rows with named columns.
        returns_void: Whether it returns nothing.
        settings: Settings of its own that hold for the whole transaction.
    """

    schema: str
    name: str
    parameters: tuple[Parameter, ...]
    volatile: bool
    returns_set: bool
    returns_rows: bool
    returns_void: bool
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Everything that was found.

    Attributes:
        tables: By schema and name.
        functions: The overloads of each schema and name.
        role_settings: Settings of each role that we may become.
    """

    tables: Mapping[tuple[str, str], Table]
    functions: Mapping[tuple[str, str], Sequence[Function]]
    role_settings: Mapping[str, Mapping[str, str]]


_HOISTED = frozenset({"statement_timeout", "default_transaction_isolation"})


def fetch_catalog(connection: Connection, schemas: Collection[str]) -> Catalog:
    """Read the catalog. This is a read-only operation.

    Args:
        connection: To the database; its search path becomes empty, so that all names are qualified.
        schemas: The exposed ones.
    """
    from psycopg.rows import dict_row

    names = {"schemas": list(schemas)}
    cursor = connection.cursor(row_factory=dict_row)
    cursor.execute("SET search_path = ''")
    tables = [_table(row) for row in cursor.execute(_script("tables.sql"), names)]
    functions: dict[tuple[str, str], list[Function]] = {}
    for row in cursor.execute(_script("functions.sql"), names):
        function = _function(row)
        functions.setdefault((function.schema, function.name), []).append(function)
    settings: dict[str, dict[str, str]] = {}
    for row in cursor.execute(_script("roles.sql")):
        settings.setdefault(row["role"], {})[row["name"]] = row["value"]
    return Catalog(
        tables={(table.schema, table.name): table for table in tables},
        functions=functions,
        role_settings=settings,
    )


@cache  # read once, while whoever started the gateway may still read our files
def _script(name: str) -> bytes:
    return (files("storage.local.gateway") / name).read_bytes()


def _table(row: DictRow) -> Table:
    columns = [Column(name=name, type=kind, default=default) for name, kind, default in row["columns"]]
    rights = {"POST": row["insertable"], "PATCH": row["updatable"], "DELETE": row["deletable"]}
    return Table(
        schema=row["schema"],
        name=row["name"],
        columns={column.name: column for column in columns},
        primary_key=tuple(row["primary_key"]),
        methods=frozenset(method for method, possible in rights.items() if possible),
        is_view=row["is_view"],
    )


def _function(row: DictRow) -> Function:
    pairs = (setting.partition("=")[::2] for setting in row["settings"])
    return Function(
        schema=row["schema"],
        name=row["name"],
        parameters=tuple(
            Parameter(name=name, type=kind, required=required == "true", variadic=variadic == "true")
            for name, kind, required, variadic in row["parameters"]
        ),
        volatile=row["volatility"] == "v",
        returns_set=row["returns_set"],
        returns_rows=row["returns_rows"],
        returns_void=row["returns_void"],
        settings={name: value for name, value in pairs if name in _HOISTED},
    )
