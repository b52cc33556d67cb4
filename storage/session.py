"""How our transactions begin: read-only, with everything fixed that a role, a database or a schema could bend.

Everything is SET LOCAL, so that a pooler in transaction mode may stand between.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

CLIENT_ENCODING = "utf8"

PINNED = {
    "search_path": "pg_catalog, pg_temp",  # no function, operator or type of a user's schema stands in for a built-in
    "row_security": "off",  # rows that a policy would hide are an error, never absent
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "lc_monetary": "C",
    "array_nulls": "on",  # NULL in the text of an array is none, not a word
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",  # a backslash in our statements is one
    "jit": "off",
}
SINCE = {140000: {"idle_session_timeout": "0"}, 170000: {"transaction_timeout": "0"}}
"""Settings that exist from a server version on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Time limits of a connection, in seconds."""

    connect_s: float = 10.0
    statement_s: float = 600.0
    lock_s: float = 10.0
    idle_s: float = 900.0

    def settings(self) -> dict[str, str]:
        """Return the limits as the server's settings."""
        limits = {
            "statement_timeout": self.statement_s,
            "lock_timeout": self.lock_s,
            "idle_in_transaction_session_timeout": self.idle_s,
        }
        return {name: f"{max(1, round(seconds * 1000))}ms" for name, seconds in limits.items()}


def begin(
    isolation: str,
    limits: Limits,
    *,
    server_version: int,
    table: sql.Identifier | None = None,
    access: str = "READ ONLY",
) -> sql.Composed:
    """Return the statements that begin a transaction, a read-only one unless asked otherwise.

    A table that is named is locked against being emptied or rewritten before the transaction's moment is fixed: such
    changes are seen by transactions that began before them, so that a table in reload would look empty. Nothing but
    utility statements may come before the lock, since any query fixes the moment.

    Args:
        isolation: Isolation level, such as REPEATABLE READ.
        limits: Time limits.
        server_version: As libpq gives it.
        table: The table that will be read.
        access: READ ONLY or READ WRITE.
    """
    settings = {**PINNED, **limits.settings()}
    for version, newer in SINCE.items():
        settings |= newer if server_version >= version else {}
    statements = [sql.SQL("BEGIN ISOLATION LEVEL {} {}").format(sql.SQL(isolation), sql.SQL(access))]
    statements += [
        sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name.lower()), literal(name, value))
        for name, value in settings.items()
    ]
    if table is not None:
        statements.append(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(table))
        statements.append(sql.SQL("SELECT 1").format())
    return sql.SQL("; ").join(statements)


def literal(name: str, value: str) -> sql.Composable:
    """Return a value as SET takes it: a search path is a list of names, anything else one text."""
    if name == "search_path":
        return sql.SQL(", ").join(sql.Identifier(part.strip()) for part in value.split(","))
    return sql.Literal(value)
