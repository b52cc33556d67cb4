"""What a dump needs and does not hold, made in the scratch database first: roles, extensions, functions of others."""

from __future__ import annotations

from typing import Any

from contracts.backups import KeptSide
from contracts.errors import ConfigurationError
from storage.backup.scratch import Scratch, scratch_errors


def surround(side: KeptSide, scratch: Scratch) -> set[str]:
    """Make what the dump needs and does not hold: roles that policies name, extensions, stand-ins for functions.

    Returns:
        The schemas that were made for them.

    Raises:
        ConfigurationError: The scratch server has no such extension.
    """
    import psycopg
    from psycopg import sql

    made: set[str] = set()
    with scratch_errors(), psycopg.connect(scratch.superuser, autocommit=True) as connection:
        owner = psycopg.conninfo.conninfo_to_dict(scratch.owner)["user"]
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
        for role in side.outside.roles:
            if role not in known:
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        for name, schema in side.outside.extensions:
            if connection.execute("SELECT FROM pg_available_extensions WHERE name = %s", [name]).fetchone() is None:
                raise ConfigurationError(
                    f"The dump of {side.store} needs the extension {name}, which the scratch server does not have.",
                    "Restore it into a server that has it, by pg_restore; docs/backup.md says how.",
                )
            made |= _make_schema(connection, schema, owner)
            connection.execute(
                sql.SQL("CREATE EXTENSION {} SCHEMA {}").format(sql.Identifier(name), sql.Identifier(schema))
            )
        for schema, statement in side.outside.functions:
            made |= _make_schema(connection, schema, owner)
            try:
                connection.execute(statement.encode())
            except psycopg.Error:
                continue  # one that an extension brought, or pg_restore names what needs it
    return made


def _make_schema(connection: Any, schema: str, owner: Any) -> set[str]:
    from psycopg import sql

    names = {"schema": sql.Identifier(schema), "owner": sql.Identifier(str(owner))}
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {owner}").format(**names))
    return {schema}
