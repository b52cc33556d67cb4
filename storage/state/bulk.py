"""A thousand values in one parameter: an array on PostgreSQL, a JSON list on SQLite.

As parameters of their own they cost more to render and to parse than to look up.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, Text, any_, column, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

CHUNK = 1000


def among(connection: Connection, target: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Return the condition that `target` is one of `values`."""
    if connection.dialect.name == "postgresql":
        return target == any_(literal(list(values), ARRAY(target.type)))
    listed = func.json_each(_json(values)).table_valued("value")
    return target.in_(select(listed.c.value))


def rows_of(connection: Connection, rows: Sequence[tuple[str, ...]], names: Sequence[str]) -> Select[Any]:
    """Return a query that yields `rows`, which are texts, under the columns `names`."""
    if connection.dialect.name == "postgresql":
        arrays = [literal(list(values), ARRAY(Text)) for values in zip(*rows, strict=True)]
        given = func.unnest(*arrays).table_valued(*(column(name, Text) for name in names), name="given")
        return select(*given.render_derived().c)
    listed = func.json_each(_json(rows)).table_valued("value")
    return select(*(func.json_extract(listed.c.value, f"$[{n}]").label(name) for n, name in enumerate(names)))


def _json(values: Collection[Any]) -> str:
    return json.dumps(list(values))
