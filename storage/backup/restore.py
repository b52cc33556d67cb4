"""Bring the rows of a dataset back to those of a backup: what would change, and the change in one transaction.

Rows that are as they were in the backup are not touched; the others are deleted, changed or inserted, by SQL inside the
target, from a temporary table into which the rows of the scratch database were copied. After all that
waits for COMMIT has run, the table is compared with it again, column by column, and its digest with that of the
manifest: triggers of an application may write something else than they are told. Capture notes these writes like any
other, also of other datasets into which they go on; its lines are taken away again, and a gap is noted instead, so that
nothing of them is carried over before somebody has looked at both stores (`twinstore adopt`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.backups import RowChanges
from contracts.errors import Conflict
from contracts.replication import Gap
from contracts.vocabulary import StoreName
from storage.backup import statements
from storage.backup.arrival import require_as_sent
from storage.backup.contents import FOR_AS_LONG_AS_IT_TAKES, read_dataset
from storage.backup.copies import Copied, copied, write
from storage.backup.manner import manner_of, writing_as
from storage.backup.refusals import going_on, refused_by_constraint
from storage.backup.target import Rows, Target
from storage.pg_errors import translate
from storage.ports import HashKind
from storage.session import CLIENT_ENCODING, begin

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What was written.

    Attributes:
        changes: What was done to each dataset.
        others: Names of datasets beside these into whose tables the changes went on.
    """

    changes: tuple[RowChanges, ...]
    others: tuple[str, ...]


def apply_rows(
    target: Target,
    every: Sequence[Rows],
    *,
    cascade: bool,
    check: Callable[[], None] = lambda: None,
    progress: Callable[[str], None] = lambda _: None,
) -> Applied:
    """Bring the rows of datasets back, in one transaction.

    Args:
        target: The store.
        every: The datasets.
        cascade: Whether changes may go on into tables that refer to these.
        check: Is asked before COMMIT; raises when the lease was lost.
        progress: Is told what happens now.

    Raises:
        Conflict: Changes would go on into other tables, a constraint does not allow them, or what was written is not
            what was to be written.
        TwinstoreError: The store cannot be written; nothing was changed.
    """
    with _writing(target) as (connection, manner):
        copies = []
        for number, rows in enumerate(every):
            progress(f"copy {rows.dataset.name} to {target.store}")
            copies.append(copied(connection, target.store, rows, number, manner=manner))
            require_as_sent(copies[-1])
        progress(f"bring {', '.join(rows.dataset.name for rows in every)} on {target.store} back")
        with translate(target.store):
            idle = target.limits.settings()["idle_in_transaction_session_timeout"]
            connection.execute(statements.IDLE, [idle])  # before, it waits for what the scratch server hashes
            for copy in copies:  # only now: applications go on writing while rows are copied
                copy.do(statements.LOCK)
        with translate(target.store), refused_by_constraint(target.store):
            before = [_before(copy, cascade=cascade) for copy in copies]
            write(copies)
            with writing_as(connection, manner):
                connection.execute(statements.IMMEDIATE)  # what waits for COMMIT would come after the proof
            others = _leave_a_gap(connection, target.store, {rows.dataset.name for rows in every})
        done = []
        for copy, number in zip(copies, before, strict=True):
            progress(f"compare {copy.rows.dataset.name} on {target.store} with the backup")
            done.append(_finished(copy, number))
        check()
        progress("commit")
        with translate(target.store):
            connection.execute("COMMIT")
    return Applied(changes=tuple(done), others=others)


def _before(copy: Copied, *, cascade: bool) -> int:
    """Return how many rows the table holds.

    Raises:
        Conflict: What is done to them would go on into other tables.
    """
    if not cascade:
        going = copy.count(statements.COUNT_GOING) if copy.rows.cascades else 0
        changing = copy.count(statements.COUNT_CHANGING) if copy.rows.moves(copy.store) else 0
        for refused in going_on(copy.rows, copy.store, going=going, changing=changing):
            raise refused
    return copy.count(statements.COUNT)


def _finished(copy: Copied, before: int) -> RowChanges:
    """Take care of sequences, and say what was done once it is proven."""
    with translate(copy.store):
        _advance(copy.connection, copy.store, copy.rows)
    after = _proven(copy)
    with translate(copy.store):
        copy.do(statements.DROP)
    taken = copy.written[statements.TAKE]
    return RowChanges(
        dataset=copy.rows.dataset.name,
        table=".".join(copy.table),
        before=before,
        after=after,
        inserted=copy.written[statements.INSERT] - taken,
        changed=copy.written[statements.CHANGE] + taken,
        deleted=copy.written[statements.DELETE],
    )


def _advance(connection: psycopg.Connection[Any], store: StoreName, rows: Rows) -> None:
    """Let no sequence of the table give a number that a row has now; none goes back."""
    from psycopg import sql

    table = sql.Identifier(*rows.dataset.tables[store])
    for schema, name, column, up, least, most in connection.execute(
        statements.SEQUENCES, [table.as_string()]
    ).fetchall():
        sequence = sql.Identifier(schema, name)
        names = {
            "sequence": sequence,
            "name": sql.Literal(sequence.as_string()),
            "column": sql.Identifier(column),
            "table": table,
            "furthest": sql.SQL("max" if up else "min"),
            "beyond": sql.SQL(">" if up else "<"),
            "least": sql.Literal(least),
            "most": sql.Literal(most),
        }
        connection.execute(sql.SQL(statements.ADVANCE).format(**names))


def _leave_a_gap(connection: psycopg.Connection[Any], store: StoreName, names: AbstractSet[str]) -> tuple[str, ...]:
    """Have nothing carried over of what was written here before the stores were compared; see `storage.replication`.

    Nor what waited of the same rows: that is gone from them, and their rows of the backup would be carried over for it.

    Returns:
        Datasets beside those that were named of which something was written.
    """
    if connection.execute(statements.CAPTURED).fetchone() != (True,):
        return ()
    others = {name for (name,) in connection.execute(statements.FORGET).fetchall()} - names
    halted = sorted(names | others)
    connection.execute(statements.GAP, [Gap.RESTORED if store is StoreName.PRISMA else Gap.REPLICA, halted])
    if store is StoreName.PRISMA:
        connection.execute(statements.HALT, [halted])
    return tuple(sorted(others))


def _proven(copy: Copied) -> int:
    """Return the number of rows that are there now, when they are those of the backup.

    Raises:
        Conflict: They are not.
    """
    store, meant = copy.store, copy.rows.content
    with translate(store):
        unlike = copy.count(statements.UNLIKE)
        content = read_dataset(copy.connection, store, copy.rows.dataset, HashKind(meant.kind))
    comparable = (content.form, content.probe) == (meant.form, meant.probe)
    if unlike or content.rows != meant.rows or (comparable and content.digest != meant.digest):
        raise Conflict(
            f"{'.'.join(copy.table)} on {store} would not hold the rows of the backup: "
            f"{unlike:,} are otherwise after they were written. Nothing was changed.",
            "A trigger of the application writes other values; turn it off for the restore.",
            store=store,
        )
    return content.rows


@contextmanager
def _writing(target: Target) -> Iterator[tuple[psycopg.Connection[Any], Mapping[str, str]]]:
    """Open a transaction that writes; yield it with the settings that the role has of itself."""
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
            manner = manner_of(connection)
            connection.execute(begin("READ COMMITTED", target.limits, server_version=version, access="READ WRITE"))
            connection.execute(FOR_AS_LONG_AS_IT_TAKES)
            connection.execute(statements.APPLYING)
        yield connection, manner
    finally:
        connection.close()
