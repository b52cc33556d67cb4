"""What our own tables hold with values of one user, found and deleted. The application's table is only read.

An image of a row is the user's where its owner is the user, whoever owned the row before or owns it now. An id that is
a UUID is the same one however it is spelt. A conflict tells by which columns its row was kept. Of an earlier one, or
where the owner's column had another name then, nobody knows in which place its row has the owner: there a UUID counts
in any place, as another id does where the number of columns differs.
"""

from __future__ import annotations

from typing import LiteralString, NamedTuple

from psycopg import sql

from contracts.dataset import Dataset
from contracts.keys import join_key
from contracts.vocabulary import StoreName
from storage.canonical import is_uuid
from storage.replication.by_sql import SqlCall

KEPT_H = 72  # for so long the answer to a request is promised
_LOSERS = "SELECT key, resolved_at IS NULL FROM twinstore.conflict WHERE dataset = {} AND {} ORDER BY key"
_ERASE_LOSERS = "DELETE FROM twinstore.conflict WHERE dataset = {} AND {} AND resolved_at IS NOT NULL"
_REQUESTS = "SELECT count(*) FROM twinstore.request WHERE at < clock_timestamp() - make_interval(hours => %s)"
_ERASE_REQUESTS = "DELETE FROM twinstore.request WHERE at < clock_timestamp() - make_interval(hours => %s)"
_IN_ROW = """EXISTS (  -- a row is a list of texts; where an earlier version made the table it has no `columns`
  SELECT FROM (SELECT CASE jsonb_typeof(loser) WHEN 'array' THEN loser ELSE '[]' END AS texts,
                      nullif(to_jsonb(conflict) -> 'columns', 'null') AS names) AS row,
    jsonb_array_length(texts) AS length, jsonb_array_elements_text(texts) WITH ORDINALITY AS one (text, place)
  WHERE {is_of} AND CASE WHEN names ? {owner} THEN names ->> (place - 1)::integer = {owner}
                         ELSE {anywhere} OR place = {place} END)"""
_USER: LiteralString = "%(user)s::text"
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
    owner = sql.SQL("{}::text").format(sql.Identifier(dataset.column(str(dataset.facts.owner)).name_in(store)))
    query = sql.SQL("SELECT {} FROM {} WHERE {}").format(
        sql.SQL(", ").join(parts), sql.Identifier(schema, table), _is_of(user, owner)
    )
    with call.session() as session:
        return {join_key(row) for row in session.execute(query, {"user": user})}


def losers(call: SqlCall, dataset: Dataset, user: str) -> Losers:
    """Return the conflicts that hold a row of the user. Reads only."""
    with call.session() as session:
        rows = session.execute(_lost(_LOSERS, dataset, user), {"user": user}).fetchall()
    return Losers(
        decided=tuple(key for key, is_open in rows if not is_open), open=tuple(key for key, is_open in rows if is_open)
    )


def erase_losers(call: SqlCall, dataset: Dataset, user: str) -> int:
    """Delete decided conflicts that hold a row of the user; return how many. Open ones stay: somebody must decide."""
    with call.session() as session:
        return session.execute(_lost(_ERASE_LOSERS, dataset, user), {"user": user}).rowcount


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
            sql.Identifier(key), sql.Identifier(*log), _of_user(dataset, user)
        )
        return {row[0] for row in session.execute(query, {"user": user})}


def erase_audited(call: SqlCall, dataset: Dataset, user: str) -> int:
    """Delete the lines of the secondary's audit log that hold an image of the user's; return how many."""
    log, _ = _log(dataset)
    query = sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(*log), _of_user(dataset, user))
    with call.session() as session:
        return session.execute(query, {"user": user}).rowcount


def audit_statement(dataset: Dataset, user: str) -> str:
    """Return the statement that erases the same by hand, with `$1` for the user, who is not named in it."""
    log, _ = _log(dataset)
    statement = sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(*log), _of_user(dataset, user))
    return statement.as_string().replace(_USER, "$1::text")


def _log(dataset: Dataset) -> tuple[tuple[str, str], str]:
    schema, table = dataset.tables[StoreName.SUPABASE]
    return (schema, f"{table}_audit_log"), f"{table}_id"


def _of_user(dataset: Dataset, user: str) -> sql.Composed:
    name = sql.Literal(dataset.column(str(dataset.facts.owner)).name_in(StoreName.SUPABASE))
    images = (sql.SQL("old_data ->> {}").format(name), sql.SQL("new_data ->> {}").format(name))
    return _is_of(user, sql.SQL("user_id::text"), *images)


def _lost(query: LiteralString, dataset: Dataset, user: str) -> sql.Composed:
    names, owner = [column.name for column in dataset.columns], str(dataset.facts.owner)
    found = sql.SQL(_IN_ROW).format(
        is_of=_is_of(user, sql.SQL("text")),
        anywhere=sql.SQL("true") if is_uuid(user) else sql.SQL("length <> {}").format(sql.Literal(len(names))),
        owner=sql.Literal(owner),
        place=sql.Literal(names.index(owner) + 1),
    )
    return sql.SQL(query).format(sql.Literal(dataset.name), found)


def _is_of(user: str, *owners: sql.Composable) -> sql.Composed:
    """Return the condition that one of these texts is the id of the user, who is named by a parameter."""
    form = sql.SQL("translate(lower({}), '{{}}-', '')" if is_uuid(user) else "{}")
    wanted, *texts = (form.format(one) for one in (sql.SQL(_USER), *owners))
    return sql.SQL("{} IN ({})").format(wanted, sql.SQL(", ").join(texts))
