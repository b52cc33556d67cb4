"""The rows of an export, read back into tables of a scratch database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from contracts.backups import Damage, Flaw, KeptSide
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError, ProtocolError
from storage.backup.export import exported_rows
from storage.backup.scratch import Scratch, scratch_errors
from storage.ports import HashKind


def import_rows(folder: Path, side: KeptSide, datasets: Iterable[Dataset], scratch: Scratch) -> list[Flaw]:
    """Make a table for each dataset of an export, and copy its rows there; return what is wrong with them.

    Raises:
        ConfigurationError: The contract of a dataset was changed since, so that nobody can tell.
        Unavailable: The scratch server failed.
    """
    import psycopg

    with scratch_errors(), psycopg.connect(scratch.owner) as connection:
        connection.execute("SET DateStyle = 'ISO, MDY'; SET TimeZone = 'UTC'")
        for dataset in datasets:
            try:
                _import(connection, folder, side, dataset)
            except ProtocolError as exc:
                return [Flaw(damage=Damage.RESTORE, text=exc.what)]
            except (psycopg.DataError, psycopg.IntegrityError) as exc:
                _require_same_contract(side, dataset)
                text = f"The exported rows cannot be restored (SQLSTATE {exc.sqlstate})."
                return [Flaw(damage=Damage.RESTORE, text=text)]
    return []


def _import(connection: Any, folder: Path, side: KeptSide, dataset: Dataset) -> None:
    from psycopg import sql

    names = {name.removeprefix(f"{side.store}-").split(".")[0]: name for name, _, _ in side.files}
    table = sql.Identifier(*dataset.tables[side.store])
    schema = sql.Identifier(dataset.tables[side.store][0])
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
    connection.execute(_table(connection, dataset, side, table))
    copying = sql.SQL("COPY {} FROM STDIN").format(table)
    with connection.cursor() as cursor, cursor.copy(copying) as copy:
        for row in exported_rows(folder / names[dataset.name], dataset, side.store):
            copy.write_row(row)


def _require_same_contract(side: KeptSide, dataset: Dataset) -> None:
    """Draw no conclusion from rows that today's types do not take.

    Raises:
        ConfigurationError: The contract was another one when they were exported.
    """
    from storage.parity.audit import fingerprint

    content = next(content for content in side.datasets if content.dataset == dataset.name)
    if content.form != fingerprint(dataset, HashKind(content.kind)):
        raise ConfigurationError(
            f"The rows of {dataset.name} were exported under another contract, and cannot be tried with this one.",
            "Use the contract with which the backup was made.",
            store=side.store,
        )


def _table(connection: Any, dataset: Dataset, side: KeptSide, table: Any) -> Any:
    """Return the statement that makes a table with the columns of a dataset; a type that is not there is a text."""
    from psycopg import sql

    columns = []
    for column in dataset.columns:
        spelled = sorted(column.sql_types[side.store])
        known = [
            s for s in spelled if connection.execute("SELECT to_regtype(%s) IS NOT NULL", [s]).fetchone() == (True,)
        ]
        kind = sql.SQL(known[0] if known else "text")
        columns.append(sql.SQL("{} {}").format(sql.Identifier(column.name_in(side.store)), kind))
    key = sql.SQL(", ").join(sql.Identifier(column.name_in(side.store)) for column in dataset.key_columns)
    return sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(table, sql.SQL(", ").join(columns), key)
