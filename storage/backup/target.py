"""The store whose rows are brought back: what it is, which of its columns the backup knows, what would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from contracts.backups import DatasetContent, RowChanges
from contracts.dataset import Dataset
from contracts.errors import SchemaMismatch
from contracts.vocabulary import StoreName
from storage.backup import statements
from storage.backup.columns import require_columns
from storage.backup.comparing import count_differences, rows_by_key
from storage.backup.contents import frozen, read_dataset
from storage.backup.conversion import converted
from storage.backup.drill import LIMITS
from storage.backup.references import Reference
from storage.backup.scratch import Scratch
from storage.pg_errors import translate
from storage.ports import HashKind
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
        source: Schema and table where its rows lie there in the types of the target.
        dataset: The dataset as it lies in the target.
        content: What the manifest says of it.
        columns: The columns that both have.
        fixed: Those of them that the server numbers itself: they cannot be changed.
        references: Foreign keys onto the table.
        rivals: Whether something beside the key keeps rows apart, such as a unique index on another column.
        renewable: Whether a row may be deleted and inserted to change it: nothing refers to it, no trigger or rule
            of the application fires, and the backup has all of its columns.
        triggers_on_deletion: Whether triggers or rules of the application fire where a row is deleted.
    """

    scratch: Scratch
    kept: Dataset
    source: tuple[str, str]
    dataset: Dataset
    content: DatasetContent
    columns: tuple[str, ...]
    fixed: frozenset[str]
    references: tuple[Reference, ...]
    rivals: bool
    renewable: bool
    triggers_on_deletion: bool

    def key(self, store: StoreName) -> tuple[str, ...]:
        """Return the columns of the key."""
        return key_in(self.dataset, store)

    @property
    def cascades(self) -> tuple[str, ...]:
        """Tables whose rows would be deleted or changed by deletions."""
        return tuple(sorted({".".join(reference.table) for reference in self.references if reference.deletes}))

    def moves(self, store: StoreName) -> tuple[str, ...]:
        """Tables whose rows may be changed where a row is changed: they refer to columns that are not its key."""
        key = {*self.key(store)}
        moving = [one for one in self.references if one.changes and not key.issuperset(one.columns)]
        return tuple(sorted({".".join(reference.table) for reference in moving}))


def key_in(dataset: Dataset, store: StoreName) -> tuple[str, ...]:
    """Return the columns of the key of a dataset."""
    return tuple(column.name_in(store) for column in dataset.key_columns)


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
        SchemaMismatch: The table is not there, its columns cannot hold what those of the backup do, or rows of the
            backup belong to a table that inherits from it.
        TwinstoreError: The target cannot be asked.
    """
    store = target.store
    with frozen(scratch.superuser, store, LIMITS) as connection:
        was = _table(connection, store, kept)
        _require_own_rows(connection, store, kept)
    with frozen(target.dsn, store, target.limits) as connection:
        table = _table(connection, store, dataset)
    named = ".".join(dataset.tables[store])
    before = was.columns
    require_columns(before, was.computed, table.columns, named, store)
    key = {*key_in(dataset, store)}
    source = converted(scratch, kept, before, table.columns, computed=was.computed, table=named, store=store)
    if source != kept.tables[store]:
        _require_same_records(scratch, kept, source, content, table=named, store=store)
    return Rows(
        scratch=scratch,
        kept=kept,
        source=source,
        dataset=dataset,
        content=content,
        columns=tuple(before),
        fixed=frozenset(name for name in before if table.columns[name]["identity"]),
        references=table.references,
        rivals=any(not key.issubset(columns) for columns in table.unique),
        renewable=not table.references and not table.triggers["any"] and before.keys() == table.columns.keys(),
        triggers_on_deletion=table.triggers["deletion"],
    )


def _require_own_rows(connection: psycopg.Connection[Any], store: StoreName, kept: Dataset) -> None:
    """Refuse rows that would come back without the columns of their own table, and in another one."""
    from psycopg import sql

    table = sql.Identifier(*kept.tables[store])
    query = sql.SQL(statements.OF_ANOTHER_TABLE).format(table=table, name=sql.Literal(table.as_string()))
    with translate(store):
        found = connection.execute(query).fetchone()
    if found is not None:
        raise SchemaMismatch(
            f"The backup has rows of {found[0]} among those of {'.'.join(kept.tables[store])}, from which it inherits: "
            "they would come back into that one, without columns of their own.",
            "Bring both tables back by pg_restore; docs/backup.md says how.",
            store=store,
        )


def _require_same_records(
    scratch: Scratch, kept: Dataset, source: tuple[str, str], content: DatasetContent, *, table: str, store: StoreName
) -> None:
    """Refuse types in which rows are other records to whoever compares the stores, where the contract is as it was."""
    from storage.parity.audit import fingerprint

    kind = HashKind(content.kind)
    if fingerprint(kept, kind) != content.form:
        return
    with frozen(scratch.superuser, store, LIMITS) as connection:
        found = read_dataset(connection, store, replace(kept, tables={**kept.tables, store: source}), kind)
    if found.probe == content.probe and found.digest != content.digest:
        raise SchemaMismatch(
            f"{table} on {store} has columns of other types than the backup, in which its rows would not be the same "
            "to the contract.",
            "Bring the table to the version of the backup first.",
            store=store,
        )


def plan_rows(target: Target, rows: Rows) -> RowChanges:
    """Return what restoring would change. Reads only.

    Raises:
        TwinstoreError: The target cannot be read.
    """
    store, key = target.store, rows.key(target.store)
    here, there = rows.source, rows.dataset.tables[store]
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


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as the server describes it; see `target.sql`."""

    columns: Mapping[str, Any]
    computed: tuple[str, ...]
    references: tuple[Reference, ...]
    unique: tuple[Sequence[str], ...]
    triggers: Mapping[str, bool]


def _table(connection: psycopg.Connection[Any], store: StoreName, dataset: Dataset) -> _Table:
    from psycopg import sql

    schema, relation = dataset.tables[store]
    query = (files(__package__) / "target.sql").read_text(encoding="utf-8")
    asked = sql.SQL(query).format(schema=sql.Literal(schema), relation=sql.Literal(relation))
    with translate(store):
        row = connection.execute(asked).fetchone()
    if row is None:
        raise SchemaMismatch(
            f"{store} has no table {schema}.{relation}.",
            "Make it by the migrations of the application, or by `twinstore migrate`, then restore its rows.",
            store=store,
        )
    (found,) = row
    return _Table(
        columns={column["name"]: column for column in found["columns"] or ()},
        computed=tuple(found["computed"] or ()),
        references=tuple(Reference.of(reference) for reference in found["references"] or ()),
        unique=tuple(found["unique"] or ()),
        triggers=found["triggers"],
    )
