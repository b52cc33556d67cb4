"""The store whose rows are brought back: what it is, which of its columns the backup knows, what would change."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from contracts.backups import DatasetContent, RowChanges
from contracts.dataset import Dataset
from contracts.errors import Conflict, SchemaMismatch
from contracts.vocabulary import StoreName
from storage.backup import statements
from storage.backup.comparing import count_differences, rows_by_key
from storage.backup.contents import frozen
from storage.backup.drill import LIMITS
from storage.backup.scratch import Scratch
from storage.pg_errors import translate
from storage.session import Limits

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A store whose rows are replaced.

    Attributes:
        store: The store.
        dsn: Its URL; never shown.
        limits: Time limits.
    """

    store: StoreName
    dsn: str
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of a dataset, in the backup and in the target.

    Attributes:
        scratch: The scratch database.
        kept: The dataset as it lies there.
        dataset: The dataset as it lies in the target.
        content: What the manifest says of it.
        columns: The columns that both have.
        fixed: Those of them that the server numbers itself: they cannot be changed.
        cascades: Tables whose rows would be deleted or changed by deletions.
    """

    scratch: Scratch
    kept: Dataset
    dataset: Dataset
    content: DatasetContent
    columns: tuple[str, ...]
    fixed: frozenset[str]
    cascades: tuple[str, ...]

    def key(self, store: StoreName) -> tuple[str, ...]:
        """Return the columns of the key."""
        return tuple(column.name_in(store) for column in self.dataset.key_columns)


def identity_of(target: Target) -> tuple[str, StoreName] | None:
    """Return the id of the database that is a target, and which store it is; None where it has none.

    Raises:
        TwinstoreError: It cannot be asked.
    """
    with frozen(target.dsn, target.store, target.limits) as connection, translate(target.store):
        if connection.execute(statements.IDENTITY).fetchone() != (True,):
            return None
        row = connection.execute("SELECT id::text, side FROM twinstore.identity").fetchone()
        return (str(row[0]), StoreName.PRISMA if row[1] == "primary" else StoreName.SUPABASE) if row else None


def rows_of(target: Target, scratch: Scratch, kept: Dataset, dataset: Dataset, content: DatasetContent) -> Rows:
    """Return how the rows of a dataset can be brought back.

    Raises:
        SchemaMismatch: The table is not there, or its columns are not those of the backup.
        TwinstoreError: The target cannot be asked.
    """
    store = target.store
    with frozen(scratch.superuser, store, LIMITS) as connection:
        before, _ = _columns(connection, store, kept)
    with frozen(target.dsn, store, target.limits) as connection:
        now, cascades = _columns(connection, store, dataset)
    table = ".".join(dataset.tables[store])
    if missing := [name for name in before if name not in now]:
        raise SchemaMismatch(
            f"{table} on {store} has no column {missing[0]}, which the backup has.",
            "Bring the table to the version of the backup first.",
            store=store,
        )
    if needed := [name for name, column in now.items() if name not in before and not column["optional"]]:
        raise SchemaMismatch(
            f"{table} on {store} needs a value in {needed[0]}, which the backup does not have.",
            "Give the column a default first.",
            store=store,
        )
    fixed = frozenset(name for name in before if now[name]["identity"])
    return Rows(
        scratch=scratch,
        kept=kept,
        dataset=dataset,
        content=content,
        columns=tuple(before),
        fixed=fixed,
        cascades=cascades,
    )


def plan_rows(target: Target, rows: Rows) -> RowChanges:
    """Return what restoring would change. Reads only.

    Raises:
        TwinstoreError: The target cannot be read.
    """
    store, key = target.store, rows.key(target.store)
    here, there = rows.kept.tables[store], rows.dataset.tables[store]
    with (
        frozen(rows.scratch.superuser, store, LIMITS) as scratch,
        frozen(target.dsn, store, target.limits, tables=[there]) as connection,
    ):
        found = count_differences(
            rows_by_key(scratch, store, here, key, rows.columns),
            rows_by_key(connection, store, there, key, rows.columns),
        )
    return RowChanges(
        dataset=rows.dataset.name,
        table=".".join(there),
        before=found.only_second + found.differing + found.same,
        after=found.only_first + found.differing + found.same,
        inserted=found.only_first,
        changed=found.differing,
        deleted=found.only_second,
    )


def cascading(rows: Rows, going: int) -> Conflict:
    """Return the refusal of deletions that would go on into other tables."""
    others = ", ".join(rows.cascades)
    return Conflict(
        f"{going:,} rows of {rows.dataset.name} would be deleted, and with them rows of {others}, or their references.",
        "Say --allow-cascade if that is how it must be.",
    )


def _columns(
    connection: psycopg.Connection[Any], store: StoreName, dataset: Dataset
) -> tuple[dict[str, Any], tuple[str, ...]]:
    from psycopg import sql

    schema, relation = dataset.tables[store]
    query = (files(__package__) / "target.sql").read_text(encoding="utf-8")
    asked = sql.SQL(query).format(schema=sql.Literal(schema), relation=sql.Literal(relation))
    with translate(store):
        found = connection.execute(asked).fetchone()
    if found is None:
        raise SchemaMismatch(
            f"{store} has no table {schema}.{relation}.",
            "Make it by the migrations of the application, or by `twinstore migrate`, then restore its rows.",
            store=store,
        )
    columns, cascades = found
    return {column["name"]: column for column in columns or ()}, tuple(sorted(cascades or ()))
