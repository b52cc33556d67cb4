"""What a restore would do to other tables, and what a constraint does not allow: foreseen, or as the server says it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from contracts.backups import RowChanges
from contracts.errors import Conflict
from contracts.vocabulary import StoreName
from storage.backup.comparing import Counts, count_differences, rows_by_key
from storage.backup.contents import frozen
from storage.backup.drill import LIMITS

if TYPE_CHECKING:
    import psycopg

    from storage.backup.target import Rows, Target

_FUNCTION = re.compile(r"PL/pgSQL function (.+?)\(")


def foreseen(
    target: Target, rows: Rows, planned: RowChanges, *, together: Collection[tuple[str, str]], cascade: bool
) -> Iterator[Conflict]:
    """Give the reasons why bringing rows back would be refused. Reads only.

    Args:
        target: The store.
        rows: The rows.
        planned: What would change.
        together: The tables whose rows are brought back in the same transaction.
        cascade: Whether changes may go on into tables that refer to these.

    Raises:
        TwinstoreError: The target cannot be read.
    """
    if not cascade:
        yield from going_on(rows, target.store, going=planned.deleted, changing=planned.changed)
    if planned.changed and rows.fixed and not rows.renewable:
        yield from _numbered(target, rows)
    if not planned.deleted or rows.cascades or rows.triggers_on_deletion:
        return  # nobody can tell which rows of other tables would still be there
    for reference in rows.references:
        if reference.held and reference.table not in together and _held(target, rows, reference.held):
            yield _holding(target.store, reference.name, ".".join(reference.table))


def going_on(rows: Rows, store: StoreName, *, going: int, changing: int) -> Iterator[Conflict]:
    """Give the refusals of what would go on into other tables.

    Args:
        rows: The rows.
        store: The store.
        going: How many of the table would be deleted.
        changing: How many would be changed.
    """
    todo = "Say --allow-cascade if that is how it must be."
    name = rows.dataset.name
    if going and rows.cascades:
        others = ", ".join(rows.cascades)
        yield Conflict(
            f"{going:,} rows of {name} would be deleted, and with them rows of {others}, or their references.", todo
        )
    if changing and (moves := rows.moves(store)):
        others = ", ".join(moves)
        yield Conflict(
            f"{changing:,} rows of {name} would be changed, and references of {others} with them (ON UPDATE).", todo
        )


def unforeseeable(rows: Rows, planned: RowChanges) -> Iterator[str]:
    """Give sentences about what a restore would do that nobody can tell before.

    Args:
        rows: The rows.
        planned: What would change.
    """
    if planned.deleted and rows.triggers_on_deletion:
        yield (
            f"A trigger or rule of the application runs where rows of {planned.table} are deleted; "
            "what it does to other tables is not known."
        )


@contextmanager
def refused_by_constraint(store: StoreName) -> Iterator[None]:
    """Name what does not let the rows be as they were: a constraint, or a function of the application.

    Raises:
        Conflict: One does not.
    """
    import psycopg

    refused = None
    try:
        yield
    except psycopg.DatabaseError as exc:
        refused = _refused(store, exc)
        if refused is None:
            raise
    if refused is not None:
        try:
            raise refused
        finally:
            refused.__context__ = None  # the driver's exception holds values of the row


def _refused(store: StoreName, exc: psycopg.DatabaseError) -> Conflict | None:
    """Say why a row is not taken, by names only: messages of the server and of applications hold values."""
    from psycopg import errors

    named = exc.diag
    place = f"{named.schema_name}.{named.table_name or f'{named.datatype_name} (a type)'}"
    if named.source_function == "exec_stmt_raise" and not str(exc.sqlstate).startswith("TW"):  # nothing of ours
        function = _FUNCTION.match(named.context or "")
        what = f"The function {function[1] if function else 'of a trigger'} refuses rows of the backup"
        todo = "Turn off what calls it for the restore."
    elif not named.schema_name:
        return None
    elif isinstance(exc, errors.ForeignKeyViolation | errors.RestrictViolation):
        return _holding(store, str(named.constraint_name), place)
    elif isinstance(exc, errors.UniqueViolation | errors.ExclusionViolation):
        what = f"{named.constraint_name} of {place} does not let rows exchange their values"
        todo = "Drop it, restore, and make it again."
    elif isinstance(exc, errors.NotNullViolation):
        column = f" in {named.column_name}" if named.column_name else ""
        what = f"{place} needs a value{column}, which a row of the backup does not have"
        todo = "Bring it to the version of the backup first."
    elif isinstance(exc, errors.CheckViolation) and named.constraint_name:
        what = f"{named.constraint_name} of {place} does not allow a row of the backup"
        todo = "Drop it, restore, and look at the rows before you make it again."
    elif isinstance(exc, errors.CheckViolation):
        what = f"{place} has no partition for a row of the backup"
        todo = "Make the partition first."
    else:
        return None
    return Conflict(f"{what}. Nothing was changed.", todo, store=store)


def _holding(store: StoreName, name: str, table: str) -> Conflict:
    return Conflict(
        f"{name} of {table} refers to rows that would not be there. Nothing was changed.",
        f"Bring the rows of {table}, or those that they refer to, to the state of the backup first.",
        store=store,
    )


def _numbered(target: Target, rows: Rows) -> Iterator[Conflict]:
    """Refuse numbers that the server gives itself, of rows that may not be deleted and inserted for them."""
    names, table = ", ".join(sorted(rows.fixed)), ".".join(rows.dataset.tables[target.store])
    if number := _compared(target, rows, [*rows.key(target.store), *rows.fixed]).differing:
        yield Conflict(
            f"{table} gives {names} itself, and would not give {number:,} rows the numbers of the backup. "
            "Nothing was changed.",
            f"ALTER TABLE {table} ALTER {names} SET GENERATED BY DEFAULT for the restore.",
            store=target.store,
        )


def _held(target: Target, rows: Rows, condition: str) -> int:
    """Return how many rows would be deleted and cannot be, by a condition on a row `t`."""
    return _compared(target, rows, rows.key(target.store), where=condition).only_second


def _compared(target: Target, rows: Rows, columns: Sequence[str], *, where: str = "true") -> Counts:
    """Compare some columns of the backup with those of the rows of the target that a condition chooses."""
    store, key = target.store, rows.key(target.store)
    here, there = rows.source, rows.dataset.tables[store]
    with (
        frozen(rows.scratch.superuser, store, LIMITS) as scratch,
        frozen(target.dsn, store, target.limits, tables=[there]) as connection,
    ):
        return count_differences(
            rows_by_key(scratch, store, here, key, columns),
            rows_by_key(connection, store, there, key, columns, where=where),
        )
