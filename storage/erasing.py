"""What our own tables hold with values of one user, found and deleted. The application's table is only read.

An image of a row is the user's where its owner is the user, whoever owned the row before or owns it now.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from psycopg import sql

from contracts.dataset import Dataset
from contracts.keys import join_key
from contracts.vocabulary import StoreName
from storage.replication.by_sql import SqlCall

KEPT_H = 72  # for so long the answer to a request is promised
_LOSERS = """
SELECT key, resolved_at IS NULL FROM twinstore.conflict WHERE dataset = %s AND loser ->> %s = %s ORDER BY key
"""
_ERASE_LOSERS = """
DELETE FROM twinstore.conflict WHERE dataset = %s AND loser ->> %s = %s AND resolved_at IS NOT NULL
"""
_REQUESTS = "SELECT count(*) FROM twinstore.request WHERE at < clock_timestamp() - make_interval(hours => %s)"
_ERASE_REQUESTS = "DELETE FROM twinstore.request WHERE at < clock_timestamp() - make_interval(hours => %s)"
_THERE = "SELECT to_regclass(%s) IS NOT NULL"


class Losers(NamedTuple):
    """Keys whose conflicts hold a row of the user that lost.

    Attributes:
        decided: Those that were decided; their rows can go.
        open: Those that wait for somebody to decide.
    """

    decided: tuple[str, ...]
    open: tuple[str, ...]


def keys_of(call: SqlCall, dataset: Dataset, user: str) -> set[str]:
    """Return the keys of the user's records in the application's table. Reads only."""
    store = call.store
    schema, table = dataset.tables[store]
    parts = [sql.SQL("{}::text").format(sql.Identifier(column.name_in(store))) for column in dataset.key_columns]
    query = sql.SQL("SELECT {} FROM {} WHERE {}::text = %s").format(
        sql.SQL(", ").join(parts), sql.Identifier(schema, table), _owner(dataset, store)
    )
    with call.session() as session:
        return {join_key(row) for row in session.execute(query, [user])}


def losers(call: SqlCall, dataset: Dataset, user: str) -> Losers:
    """Return the conflicts that hold a row of the user. Reads only."""
    with call.session() as session:
        rows = session.execute(_LOSERS, [dataset.name, _place(dataset), user]).fetchall()
    return Losers(
        decided=tuple(key for key, is_open in rows if not is_open), open=tuple(key for key, is_open in rows if is_open)
    )


def erase_losers(call: SqlCall, dataset: Dataset, user: str) -> int:
    """Delete decided conflicts that hold a row of the user; return how many. Open ones stay: somebody must decide."""
    with call.session() as session:
        return session.execute(_ERASE_LOSERS, [dataset.name, _place(dataset), user]).rowcount


def dead_requests(call: SqlCall) -> int:
    """Count the answers that are kept for longer than they are promised. Reads only."""
    with call.session() as session:
        ((number,),) = session.execute(_REQUESTS, [KEPT_H]).fetchall()
    return int(number)


def erase_dead_requests(call: SqlCall) -> int:
    """Delete the answers that are kept for longer than they are promised; return how many."""
    with call.session() as session:
        return session.execute(_ERASE_REQUESTS, [KEPT_H]).rowcount


def audited(call: SqlCall, dataset: Dataset, user: str) -> set[str | None] | None:
    """Return the keys of which the secondary's audit log holds an image of the user's; None without such a log."""
    log, key = _log(dataset)
    with call.session() as session:
        ((there,),) = session.execute(_THERE, [".".join(log)]).fetchall()
        if not there:
            return None
        query = sql.SQL("SELECT DISTINCT {}::text FROM {} WHERE {}").format(
            sql.Identifier(key), sql.Identifier(*log), _of_user(dataset)
        )
        return {row[0] for row in session.execute(query, {"user": user})}


def erase_audited(call: SqlCall, dataset: Dataset, user: str) -> int:
    """Delete the lines of the secondary's audit log that hold an image of the user's; return how many."""
    log, _ = _log(dataset)
    query = sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(*log), _of_user(dataset))
    with call.session() as session:
        return session.execute(query, {"user": user}).rowcount


def audit_statement(dataset: Dataset) -> str:
    """Return the statement that erases the same by hand, with `$1` for the user."""
    (schema, table), _ = _log(dataset)
    owner = dataset.column(str(dataset.facts.owner)).name_in(StoreName.SUPABASE)
    return f"DELETE FROM {schema}.{table} WHERE $1 IN (user_id::text, old_data ->> '{owner}', new_data ->> '{owner}')"  # noqa: S608 - for people to read; names of the contract


def _log(dataset: Dataset) -> tuple[tuple[str, str], str]:
    schema, table = dataset.tables[StoreName.SUPABASE]
    return (schema, f"{table}_audit_log"), f"{table}_id"


def _of_user(dataset: Dataset) -> sql.Composed:
    owner = dataset.column(str(dataset.facts.owner)).name_in(StoreName.SUPABASE)
    return sql.SQL("%(user)s IN (user_id::text, old_data ->> {name}, new_data ->> {name})").format(
        name=sql.Literal(owner)
    )


def _owner(dataset: Dataset, store: StoreName) -> sql.Identifier:
    return sql.Identifier(dataset.column(str(dataset.facts.owner)).name_in(store))


def _place(dataset: Dataset) -> Any:
    """Return the place of the owner in a row that is kept as a list of texts."""
    return [column.name for column in dataset.columns].index(str(dataset.facts.owner))
