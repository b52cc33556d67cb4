"""Who may call functions of ours: their owner, and `service_role` those that are called over REST."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from storage.migrations.texts import text


def access(signatures: Sequence[str], *, mark: str, visited: Sequence[str] = ()) -> sql.Composed:
    """Return what marks functions as ours and settles who may call them.

    Args:
        signatures: Schema, name and types of each, as `regprocedure` reads them.
        mark: The comment by which they are known as ours.
        visited: Those that are called over REST.
    """
    grant = sql.SQL(text("grant.sql")).format(visited=sql.Literal(list(visited))) if visited else sql.SQL("")
    return sql.SQL(text("access.sql")).format(
        signatures=sql.Literal(list(signatures)), mark=sql.Literal(mark), grant=grant
    )
