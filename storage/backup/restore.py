"""Bring the rows of a dataset back to those of a backup: what would change, and the change in one transaction.

Rows that are as they were in the backup are not touched; the others are deleted, changed or inserted, by SQL inside the
target, from a temporary table into which the rows of the scratch database were copied. Before COMMIT the table is
compared with it again, column by column, and its digest with that of the manifest: triggers of an application may write
something else than they are told. Capture notes these writes like any other; its lines are taken away again, and a gap
is noted instead, so that nothing of them is carried over before somebody has looked at both stores (`twinstore adopt`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from contracts.backups import RowChanges
from contracts.dataset import Dataset
from contracts.errors import Conflict
from contracts.replication import Gap
from contracts.vocabulary import StoreName
from storage.backup import statements
from storage.backup.comparing import row_text
from storage.backup.contents import frozen, read_dataset
from storage.backup.drill import LIMITS
from storage.backup.target import Rows, Target, cascading
from storage.pg_errors import translate
from storage.ports import HashKind
from storage.session import CLIENT_ENCODING, begin

if TYPE_CHECKING:
    import psycopg


def apply_rows(
    target: Target,
    every: Sequence[Rows],
    *,
    cascade: bool,
    check: Callable[[], None] = lambda: None,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[RowChanges, ...]:
    """Bring the rows of datasets back, in one transaction.

    Args:
        target: The store.
        every: The datasets.
        cascade: Whether deletions may go on into tables that refer to these.
        check: Is asked before COMMIT; raises when the lease was lost.
        progress: Is told what happens now.

    Raises:
        Conflict: Deletions would go on into other tables, or what was written is not what was to be written.
        TwinstoreError: The store cannot be written; nothing was changed.
    """
    with _writing(target) as (connection, path):
        done = tuple(
            _apply(connection, target.store, rows, cascade=cascade, path=path, progress=progress) for rows in every
        )
        check()
        progress("commit")
        with translate(target.store), _refused_by_constraint(target.store):
            connection.execute(statements.SEARCH_PATH, [path])  # of triggers that wait for the end
            connection.execute("COMMIT")
    return done


def _apply(
    connection: psycopg.Connection[Any],
    store: StoreName,
    rows: Rows,
    *,
    cascade: bool,
    path: str,
    progress: Callable[[str], None],
) -> RowChanges:
    from psycopg import sql

    names = _names(store, rows)
    with translate(store):
        connection.execute(sql.SQL("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE").format(**names))
        connection.execute(sql.SQL(statements.MAKE).format(**names))
        progress(f"copy {rows.dataset.name} to {store}")
        _copy(connection, store, rows, names)
        connection.execute(sql.SQL("CREATE UNIQUE INDEX ON {copied} ({key})").format(**names))
        connection.execute(sql.SQL("ANALYZE {copied}").format(**names))
        ((before,),) = connection.execute(sql.SQL("SELECT count(*) FROM {table}").format(**names)).fetchall()
        ((going,),) = connection.execute(sql.SQL(statements.COUNT_GOING).format(**names)).fetchall()
    if going and rows.cascades and not cascade:
        raise cascading(rows, going)
    progress(f"bring {rows.dataset.name} on {store} back")
    with translate(store), _refused_by_constraint(store), _search_path(connection, path):
        deleted = connection.execute(sql.SQL(statements.DELETE).format(**names)).rowcount
        changed = (
            connection.execute(sql.SQL(statements.CHANGE).format(**names)).rowcount
            if rows.fixed != {*rows.columns}
            else 0
        )
        inserted = connection.execute(sql.SQL(statements.INSERT).format(**names)).rowcount
    with translate(store):
        _advance(connection, store, rows)
        _leave_a_gap(connection, store, rows.dataset)
    progress(f"compare {rows.dataset.name} on {store} with the backup")
    after = _proven(connection, store, rows, names)
    with translate(store):
        connection.execute(sql.SQL("DROP TABLE {copied}").format(**names))
    return RowChanges(
        dataset=rows.dataset.name,
        table=".".join(rows.dataset.tables[store]),
        before=before,
        after=after,
        inserted=inserted,
        changed=changed,
        deleted=deleted,
    )


def _names(store: StoreName, rows: Rows) -> dict[str, Any]:
    """Return what the statements above are made of."""
    from psycopg import sql

    comma, both, key = sql.SQL(", "), sql.SQL(" AND "), rows.key(store)
    equal = [sql.SQL("{} = {}").format(sql.Identifier("t", name), sql.Identifier("r", name)) for name in key]
    settings = [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("r", name))
        for name in rows.columns
        if name not in rows.fixed
    ]
    return {
        "table": sql.Identifier(*rows.dataset.tables[store]),
        "copied": sql.Identifier("pg_temp", statements.COPIED),
        "key": comma.join(map(sql.Identifier, key)),
        "columns": comma.join(map(sql.Identifier, rows.columns)),
        "same_key": both.join(equal),
        "settings": comma.join(settings),
        "row": row_text("t", rows.columns),
        "copied_row": row_text("r", rows.columns),
    }


def _copy(connection: psycopg.Connection[Any], store: StoreName, rows: Rows, names: Mapping[str, Any]) -> None:
    """Copy the rows of the scratch database as the server writes them; nothing of them is looked at here."""
    from psycopg import sql

    source = sql.SQL("COPY {table} ({columns}) TO STDOUT").format(
        table=sql.Identifier(*rows.kept.tables[store]), columns=names["columns"]
    )
    sink = sql.SQL("COPY {copied} ({columns}) FROM STDIN").format(**names)
    with (
        frozen(rows.scratch.superuser, store, LIMITS) as scratch,
        scratch.cursor() as reading,
        connection.cursor() as writing,
        reading.copy(source) as given,
        writing.copy(sink) as taken,
    ):
        for piece in given:
            taken.write(piece)


def _advance(connection: psycopg.Connection[Any], store: StoreName, rows: Rows) -> None:
    """Let no sequence of the table give a number that a row has now; none goes back."""
    from psycopg import sql

    table = sql.Identifier(*rows.dataset.tables[store])
    for sequence, column in connection.execute(statements.SEQUENCES, [table.as_string()]).fetchall():
        names = {"name": sql.Literal(sequence), "column": sql.Identifier(column), "table": table}
        connection.execute(sql.SQL(statements.ADVANCE).format(**names))


def _leave_a_gap(connection: psycopg.Connection[Any], store: StoreName, dataset: Dataset) -> None:
    """Have nothing carried over of what was written here before the stores were compared; see `storage.replication`."""
    if connection.execute(statements.CAPTURED).fetchone() != (True,):
        return
    connection.execute(statements.FORGET, [dataset.name])
    connection.execute(statements.GAP, [Gap.RESTORED if store is StoreName.PRISMA else Gap.REPLICA, dataset.name])
    if store is StoreName.PRISMA:
        connection.execute(statements.HALT, [dataset.name])


def _proven(connection: psycopg.Connection[Any], store: StoreName, rows: Rows, names: Mapping[str, Any]) -> int:
    """Return the number of rows that are there now, when they are those of the backup.

    Raises:
        Conflict: They are not.
    """
    from psycopg import sql

    with translate(store):
        ((unlike,),) = connection.execute(sql.SQL(statements.UNLIKE).format(**names)).fetchall()
        content = read_dataset(connection, store, rows.dataset, HashKind(rows.content.kind))
    meant = rows.content
    comparable = (content.form, content.probe) == (meant.form, meant.probe)
    if unlike or content.rows != meant.rows or (comparable and content.digest != meant.digest):
        raise Conflict(
            f"{'.'.join(rows.dataset.tables[store])} on {store} would not hold the rows of the backup: "
            f"{unlike:,} are otherwise after they were written. Nothing was changed.",
            "A trigger of the application writes other values; turn it off for the restore.",
            store=store,
        )
    return content.rows


@contextmanager
def _refused_by_constraint(store: StoreName) -> Iterator[None]:
    """Name the constraint that does not let the rows be as they were.

    Raises:
        Conflict: One does not.
    """
    from psycopg import errors

    try:
        yield
    except (errors.ForeignKeyViolation, errors.UniqueViolation) as exc:
        table, name = f"{exc.diag.schema_name}.{exc.diag.table_name}", exc.diag.constraint_name
        if isinstance(exc, errors.UniqueViolation):
            what = f"{name} of {table} does not let rows exchange their values. Nothing was changed."
            todo = "Drop it, restore, and make it again."
        else:
            what = f"{name} of {table} refers to rows that would not be there. Nothing was changed."
            todo = f"Bring the rows of {table}, or those that they refer to, to the state of the backup first."
        raise Conflict(what, todo, store=store) from None


@contextmanager
def _search_path(connection: psycopg.Connection[Any], path: str) -> Iterator[None]:
    """Let triggers of the application find what they name as its own writes let them; ours name schemas."""
    ((ours,),) = connection.execute("SELECT current_setting('search_path')").fetchall()
    connection.execute(statements.SEARCH_PATH, [path])
    yield
    connection.execute(statements.SEARCH_PATH, [ours])


@contextmanager
def _writing(target: Target) -> Iterator[tuple[psycopg.Connection[Any], str]]:
    """Open a transaction that writes; yield it with the search path that the role has of itself."""
    import psycopg

    with translate(target.store):
        connection = psycopg.connect(
            target.dsn,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=max(2, round(target.limits.connect_s)),
            client_encoding=CLIENT_ENCODING,
            application_name="twinstore restore",
        )
    try:
        with translate(target.store):
            version = connection.info.server_version
            ((path,),) = connection.execute("SELECT current_setting('search_path')").fetchall()
            connection.execute(begin("READ COMMITTED", target.limits, server_version=version, access="READ WRITE"))
            connection.execute(statements.APPLYING)
        yield connection, path
    finally:
        connection.close()
