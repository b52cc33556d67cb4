"""The rows of a backup in the types that the columns of their table have now, where these were changed since.

A column is converted as `ALTER TABLE` would do it in the store, or by its text where there is no such cast, and only if
no value is lost on the way. This is done in the scratch server, as the owner of what lies there, and by the settings of
its database: those of the store, which decide on days, moments and amounts of money.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from contracts.dataset import Dataset
from contracts.errors import SchemaMismatch
from contracts.vocabulary import StoreName
from storage.backup import statements
from storage.backup.drill import LIMITS
from storage.backup.scratch import Scratch, scratch_errors
from storage.session import begin

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

_SCHEMA = "twinstore_restored"
_DECIDING = {"money": "lc_monetary", "with time zone": "TimeZone"}


def converted(
    scratch: Scratch, kept: Dataset, before: Mapping[str, Any], now: Mapping[str, Any], *, table: str, store: StoreName
) -> tuple[str, str]:
    """Return where the rows of a dataset lie in the scratch database, in the types of a table.

    Args:
        scratch: The scratch database.
        kept: The dataset as it lies there.
        before: Its columns by name, as `target.sql` describes them.
        now: Those of the table.
        table: Its name, for errors.
        store: The store.

    Raises:
        SchemaMismatch: A column of the table would round, cut or drop what the backup holds in it, or nobody knows what
            that would be there.
        TwinstoreError: The scratch database failed.
    """
    from psycopg import sql

    here = kept.tables[store]
    if all(column["type"] == now[name]["type"] for name, column in before.items()):
        return here
    with _working(scratch) as (connection, settings):
        connection.execute(sql.SQL("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY").format(sql.Identifier(*here)))
        values = []
        for name, column in before.items():
            was, is_now = column["type"], now[name]["type"]
            if was != is_now:
                _require_settings(f"{table} on {store} has {name} as {is_now}", f"{was} {is_now}", settings, store)
            value = _value(connection, here, name, was, is_now)
            if value is None:
                raise SchemaMismatch(
                    f"{table} on {store} has {name} as {is_now}, which does not hold every value that the backup "
                    f"has there as {was}.",
                    "Bring the table to the version of the backup first.",
                    store=store,
                )
            values.append(sql.SQL("{} AS {}").format(value, sql.Identifier(name)))
        made = (_SCHEMA, kept.name)
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(_SCHEMA)))
        connection.execute(
            sql.SQL("CREATE TABLE {} AS SELECT {} FROM {} AS t").format(
                sql.Identifier(*made), sql.SQL(", ").join(values), sql.Identifier(*here)
            )
        )
        connection.execute("COMMIT")
    return made


@contextmanager
def _working(scratch: Scratch) -> Iterator[tuple[psycopg.Connection[Any], AbstractSet[str]]]:
    """Open a transaction that writes, by the settings of the database; yield it with the names of those."""
    import psycopg

    with scratch_errors(), psycopg.connect(scratch.owner, autocommit=True) as connection:
        version = connection.info.server_version
        connection.execute(begin("READ COMMITTED", LIMITS, server_version=version, access="READ WRITE"))
        given = {name for (name, _) in connection.execute(statements.GIVE_BACK).fetchall()}
        yield connection, given or {"TimeZone"}  # an export has none: moments are written in UTC there


def _require_settings(found: str, types: str, settings: AbstractSet[str], store: StoreName) -> None:
    """Refuse to guess what a value is in another type.

    Raises:
        SchemaMismatch: A setting decides on it that is not known here.
    """
    for setting in (setting for part, setting in _DECIDING.items() if part in types and setting not in settings):
        raise SchemaMismatch(
            f"{found}: what the values of the backup are there depends on {setting} of the store, which the backup "
            "does not say, or the scratch server does not know.",
            "Bring the table to the version of the backup first.",
            store=store,
        )


def _value(
    connection: psycopg.Connection[Any], table: tuple[str, str], column: str, was: str, is_now: str
) -> sql.Composable | None:
    """Return the value of a column of a row `t` in another type; None where some value would not be the same."""
    from psycopg import errors, sql

    plain = sql.Identifier("t", column)
    if was == is_now:
        return plain
    names = {"table": sql.Identifier(*table), "column": plain, "there": sql.SQL(is_now), "back": sql.SQL(was)}
    in_words = was == "boolean"  # which the server otherwise writes as a letter
    names["written"] = sql.SQL(statements.AS_TEXT if in_words else statements.WRITTEN).format(**names)
    empty_as_object = was.endswith(("[]", "multirange")) and is_now in {"json", "jsonb"}
    try:
        for way in (statements.CAST,) if empty_as_object else (statements.CAST, statements.BY_TEXT):
            value = sql.SQL(way).format(**names)
            if _can_be(connection, names | {"value": value}) and not _lost(
                connection, is_now, names | {"value": value}
            ):
                return value
    except (errors.UndefinedObject, errors.InvalidSchemaName, errors.FeatureNotSupported):
        # a type that only the store has: whether it holds the text is seen there, see `arrival`
        return sql.SQL(statements.AS_TEXT).format(**names)
    return None


def _can_be(connection: psycopg.Connection[Any], names: Mapping[str, sql.Composable]) -> bool:
    """Tell whether there is such a conversion at all."""
    from psycopg import errors

    try:
        _asked(connection, statements.CONVERTIBLE, names)
    except errors.CannotCoerce:
        return False
    return True


def _lost(connection: psycopg.Connection[Any], is_now: str, names: Mapping[str, sql.Composable]) -> bool:
    """Tell whether values do not come back as they went, or, if they cannot come back, are written otherwise."""
    from psycopg import DataError, errors

    try:
        if is_now == "jsonb":  # takes the first of two keys, and writes everything in a way of its own
            return _asked(connection, statements.NO_PLAIN_JSON, names)
        if is_now == "jsonb[]":
            return _asked(connection, statements.WRITES_OTHERWISE, names)
        try:
            return _asked(connection, statements.LOSES, names)
        except errors.CannotCoerce:  # there is no way back; a boolean holds 0 and 1 in words of its own
            return _asked(connection, statements.EMPTIES if is_now == "boolean" else statements.WRITES_OTHERWISE, names)
    except DataError:
        return True
    except errors.FeatureNotSupported:  # such as NaN as an integer
        if is_now.startswith("xml"):  # with which this server may not be built
            raise
        return True


def _asked(connection: psycopg.Connection[Any], statement: str, names: Mapping[str, sql.Composable]) -> bool:
    from psycopg import sql

    with connection.transaction():  # a savepoint
        return connection.execute(sql.SQL(statement).format(**names)).fetchone() == (True,)
