"""Whether a table has the columns of a backup."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from contracts.errors import SchemaMismatch
from contracts.vocabulary import StoreName

_TODO = "Bring the table to the version of the backup first."


def require_columns(
    before: Mapping[str, Any], computed: Collection[str], now: Mapping[str, Any], table: str, store: StoreName
) -> None:
    """Refuse a table that does not have the columns of the backup, or holds values that it does not have.

    Args:
        before: The columns of the backup by name, as `target.sql` describes them.
        computed: Names of columns that the server computed: no dump holds their values.
        now: The columns of the table.
        table: Its name, for errors.
        store: The store.

    Raises:
        SchemaMismatch: It is such a table.
    """
    if missing := [name for name in before if name not in now]:
        raise SchemaMismatch(
            f"{table} on {store} has no column {missing[0]}, which the backup has.",
            _TODO,
            store=store,
        )
    for name, column in before.items():
        was, is_now = column["parts"], now[name]["parts"]
        if was and is_now and was != is_now:  # a value is its parts in their order, whatever they are called
            raise SchemaMismatch(
                f"{table} on {store} has {name} with the attributes {', '.join(is_now)}, and the backup with "
                f"{', '.join(was)}: values would come into others than their own.",
                _TODO,
                store=store,
            )
    if plain := [name for name in computed if name in now]:
        raise SchemaMismatch(
            f"{table} on {store} has {plain[0]} as a plain column, which the server computed when the backup was made: "
            "no dump holds its values.",
            "Keep them in another table, drop the column, restore, and make it again.",
            store=store,
        )
    if needed := [name for name, column in now.items() if name not in before and not column["optional"]]:
        raise SchemaMismatch(
            f"{table} on {store} needs a value in {needed[0]}, which the backup does not have.",
            "Give the column a default first.",
            store=store,
        )
