"""The rows of a backup in the types that the columns of their table have now, where these were changed since.

A column is converted as `ALTER TABLE` would do it in the store, or by its text where there is no such cast, and only if
no value is lost on the way. This is done in the scratch server, as the owner of what lies there, and by the settings of
its database: those of the store, which decide on days, moments and amounts of money. What the contract holds as an
instant is converted by UTC instead, as it is read everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.column_types import INSTANTS, base_type, is_array
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

_SCHEMA, _IN_UTC = "twinstore_restored", "twinstore_restored_in_utc"
_DECIDING = {"money": "lc_monetary", "with time zone": "TimeZone"}
_TEXTS = frozenset({"text", "character varying", "character", "bpchar", "name", '"char"'})
_BITS = frozenset({"bit", "bit varying"})
_JSON = frozenset({"json", "jsonb"})
_TODO = "Bring the table to the version of the backup first."


def converted(
    scratch: Scratch,
    kept: Dataset,
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    computed: Sequence[str] = (),
    table: str,
    store: StoreName,
) -> tuple[str, str]:
    """Return where the rows of a dataset lie in the scratch database, in the types of a table.

    Args:
        scratch: The scratch database.
        kept: The dataset as it lies there.
        before: Its columns by name, as `target.sql` describes them.
        now: Those of the table.
        computed: Names of columns that the server computed there, which stay as they are.
        table: Its name, for errors.
        store: The store.

    Raises:
        SchemaMismatch: A column of the table would round, cut or drop what the backup holds in it, or nobody knows what
            that would be there.
        TwinstoreError: The scratch database failed.
    """
    here = kept.tables[store]
    types = {name: (column["type"], now[name]["type"]) for name, column in before.items()}
    changed = {name for name, (was, is_now) in types.items() if was != is_now}
    instants = {column.name_in(store) for column in kept.columns if column.type in INSTANTS}
    in_utc: Mapping[str, str] = {"TimeZone": "UTC"}
    for schema, fixed, names in ((_IN_UTC, in_utc, changed & instants), (_SCHEMA, {}, changed - instants)):
        if names:
            with _working(scratch, fixed) as (connection, known):
                step = _Step(connection, known, named=f"{table} on {store}", store=store)
                chosen = {name: types[name] if name in names else None for name in (*before, *computed)}
                here = step.make((schema, kept.name), here, chosen)
    return here


@dataclass(frozen=True, slots=True)
class _Step:
    """A transaction in which a table is made of another one, with columns in other types.

    Attributes:
        connection: The transaction, by the settings that decide what a value is in another type.
        known: Names of those settings.
        named: The table of the store, for errors.
        store: The store.
    """

    connection: psycopg.Connection[Any]
    known: AbstractSet[str]
    named: str
    store: StoreName

    def make(
        self, there: tuple[str, str], here: tuple[str, str], columns: Mapping[str, tuple[str, str] | None]
    ) -> tuple[str, str]:
        """Make a table of the rows of another one; return where it is.

        Args:
            there: Schema and table of the new one.
            here: Those of the other one.
            columns: By name the type that the column has and the one that it gets; None where it stays as it is.
        """
        from psycopg import sql

        execute, source = self.connection.execute, sql.Identifier(*here)
        execute(sql.SQL("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY").format(source))
        values = []
        for name, types in columns.items():
            value = self._converted(here, name, *types) if types else sql.Identifier("t", name)
            values.append(sql.SQL("{} AS {}").format(value, sql.Identifier(name)))
        execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(there[0])))
        execute(
            sql.SQL("CREATE TABLE {} AS SELECT {} FROM {} AS t").format(
                sql.Identifier(*there), sql.SQL(", ").join(values), source
            )
        )
        execute("COMMIT")
        return there

    def _converted(self, here: tuple[str, str], name: str, was: str, is_now: str) -> sql.Composable:
        """Return the value of a column of a row `t` in another type.

        Raises:
            SchemaMismatch: Some value would not be the same, or nobody knows.
        """
        found = f"{self.named} has {name} as {is_now}"
        deciding = (setting for part, setting in _DECIDING.items() if part in f"{was} {is_now}")
        if unknown := next((setting for setting in deciding if setting not in self.known), None):
            raise SchemaMismatch(
                f"{found}: what the values of the backup are there depends on {unknown} of the store, which the backup "
                "does not say, or the scratch server does not know.",
                _TODO,
                store=self.store,
            )
        value = _value(self.connection, here, name, was, is_now)
        if value is None:
            raise SchemaMismatch(
                f"{found}, which does not hold every value that the backup has there as {was}.", _TODO, store=self.store
            )
        return value


@contextmanager
def _working(scratch: Scratch, fixed: Mapping[str, str]) -> Iterator[tuple[psycopg.Connection[Any], AbstractSet[str]]]:
    """Open a transaction that writes, by the settings of the database but for those that are given here.

    Yield it with the names of the settings that are known.
    """
    import psycopg

    with scratch_errors(), psycopg.connect(scratch.owner, autocommit=True) as connection:
        version = connection.info.server_version
        connection.execute(begin("READ COMMITTED", LIMITS, server_version=version, access="READ WRITE"))
        given = {name for (name, _) in connection.execute(statements.GIVE_BACK).fetchall()}
        for name, value in fixed.items():
            connection.execute("SELECT set_config(%s, %s, true)", [name, value])
        yield connection, (given or {"TimeZone"}) | fixed.keys()  # an export has none: its moments are written in UTC


def _value(
    connection: psycopg.Connection[Any], table: tuple[str, str], column: str, was: str, is_now: str
) -> sql.Composable | None:
    """Return the value of a column of a row `t` in another type; None where some value would not be the same."""
    from psycopg import errors, sql

    plain = sql.Identifier("t", column)
    names = {"table": sql.Identifier(*table), "column": plain, "there": sql.SQL(is_now), "back": sql.SQL(was)}
    names["whole"] = sql.SQL("text[]" if is_array(was) and is_array(is_now) else "text")
    in_words = was == "boolean"  # which the server otherwise writes as a letter
    names["written"] = sql.SQL(statements.AS_TEXT if in_words else statements.WRITTEN).format(**names)
    empty_as_object = was.endswith(("[]", "multirange")) and is_now in {"json", "jsonb"}
    try:
        for way in (statements.CAST,) if empty_as_object else (statements.CAST, statements.BY_TEXT):
            value = sql.SQL(way).format(**names)
            tried = names | {"value": value}
            if _can_be(connection, tried) and not _lost(connection, was, is_now, tried):
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


def _lost(connection: psycopg.Connection[Any], was: str, is_now: str, names: Mapping[str, sql.Composable]) -> bool:
    """Tell whether values do not come back as they went, or, if they cannot come back, are written otherwise."""
    from psycopg import DataError, errors

    def found(loss: str) -> bool:
        try:
            return _asked(connection, loss, names)
        except errors.CannotCoerce:  # there is no way back; a boolean holds 0 and 1 in words of its own
            return _asked(connection, statements.EMPTIES if is_now == "boolean" else statements.WRITES_OTHERWISE, names)

    try:
        return any(map(found, _losses(was, is_now)))
    except DataError:
        return True
    except errors.FeatureNotSupported:  # such as NaN as an integer
        if is_now.startswith("xml"):  # with which this server may not be built
            raise
        return True


def _losses(was: str, is_now: str) -> tuple[str, ...]:
    """Return the statements that tell what a type may lose of another one.

    What is cut off the end of a text or of bits may come back by itself, as zeros: that must be looked for besides.
    """
    if is_now == "jsonb":  # takes the first of two keys, and writes everything in a way of its own
        return (statements.NO_PLAIN_JSON,)
    if is_now == "jsonb[]" or {base_type(was), base_type(is_now)} <= _BITS:
        return (statements.WRITES_OTHERWISE,)
    if base_type(is_now) in _TEXTS:  # a text holds all of a json, and the way back, which is jsonb, does not
        return (statements.CUTS,) if base_type(was) in _JSON else (statements.CUTS, statements.LOSES)
    return (statements.LOSES,)


def _asked(connection: psycopg.Connection[Any], statement: str, names: Mapping[str, sql.Composable]) -> bool:
    from psycopg import sql

    with connection.transaction():  # a savepoint
        return connection.execute(sql.SQL(statement).format(**names)).fetchone() == (True,)
