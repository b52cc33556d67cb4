"""What a database holds as of one moment: counts and digests of all rows, and what keeps them in order.

The same code reads the store while it is dumped and the scratch server into which the dump was restored, so that what
differs was lost on the way. Every table is digested with all columns that a dump holds, as the server writes them; the
tables of datasets besides in the canonical form of `storage.parity`, which is the same on both stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

from contracts.backups import DatasetContent, Outside, Shape, TableContent
from contracts.dataset import Dataset
from contracts.errors import SchemaMismatch, TwinstoreError
from contracts.vocabulary import StoreName
from storage.meter import Meter
from storage.pg_errors import translate, translated
from storage.ports import Digest, HashKind, RangeCount
from storage.session import CLIENT_ENCODING, Limits, begin

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

OURS = "twinstore"
KIND = HashKind.RECORD  # ten times as fast as hashing texts; a probe says whether another server hashes alike
FOR_AS_LONG_AS_IT_TAKES = "SET LOCAL idle_in_transaction_session_timeout = 0"  # a dump may take hours
_DIGEST = 'SELECT count(*), coalesce(sum(hashtextextended(ROW({})::text COLLATE "C", 0)::numeric), 0) FROM {} AS t'


class Summed(Protocol):
    """The part of a snapshot that counts and digests."""

    def count(self) -> dict[int, RangeCount]:
        """Count all rows by range."""
        ...

    def digests(self) -> dict[int, Digest]:
        """Digest all rows by range."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a database holds in some schemas.

    Attributes:
        tables: Every table of them.
        datasets: The datasets that lie in them.
        shape: What keeps the rows in order.
        outside: What its objects need of other schemas.
    """

    tables: tuple[TableContent, ...]
    datasets: tuple[DatasetContent, ...]
    shape: Shape
    outside: Outside


@contextmanager
def frozen(
    dsn: str, store: StoreName, limits: Limits, *, tables: Iterable[tuple[str, str]] = ()
) -> Iterator[psycopg.Connection[Any]]:
    """Open a read-only transaction whose moment is fixed, and stays for as long as the block runs.

    Args:
        dsn: Connection string; never shown.
        store: The store, for errors.
        limits: Time limits.
        tables: Tables that nobody may empty or rewrite meanwhile: such changes would be seen.

    Raises:
        TwinstoreError: The store cannot be reached, or a table is missing or locked.
    """
    import psycopg
    from psycopg import sql

    with translate(store):
        connection = psycopg.connect(
            dsn,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=max(2, round(limits.connect_s)),
            client_encoding=CLIENT_ENCODING,
            application_name="twinstore backup",
        )
    try:
        with translate(store):
            connection.execute(begin("REPEATABLE READ", limits, server_version=connection.info.server_version))
            connection.execute(FOR_AS_LONG_AS_IT_TAKES)
            if named := [sql.Identifier(*table) for table in tables]:
                connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(sql.SQL(", ").join(named)))
            connection.execute("SELECT 1")
        yield connection
    finally:
        connection.close()


def schemas_of(datasets: Iterable[Dataset], store: StoreName) -> tuple[str, ...]:
    """Return the schemas that hold the tables of datasets, and our own."""
    return tuple(sorted({dataset.tables[store][0] for dataset in datasets} | {OURS}))


def read_contents(
    connection: psycopg.Connection[Any],
    store: StoreName,
    schemas: Sequence[str],
    datasets: Sequence[Dataset],
    *,
    kind: HashKind = KIND,
    progress: Callable[[str], None] = lambda _: None,
) -> Contents:
    """Count and digest all rows of some schemas, and list what keeps them in order.

    Args:
        connection: A transaction whose moment is fixed.
        store: The store as which the tables are read.
        schemas: The schemas.
        datasets: The datasets whose tables lie in them.
        kind: How the records of datasets are hashed.
        progress: Is told which table is read.

    Raises:
        SchemaMismatch: A table holds rows that no dump of these schemas would, or cannot be read by names in full.
        TwinstoreError: The store cannot be read.
    """
    from psycopg import sql

    query = sql.SQL(_text("catalogue.sql")).format(schemas=sql.Literal(list(schemas)))
    with translate(store):
        found: Mapping[str, Any] = connection.execute(query).fetchone()[0]  # type: ignore[index]  # one row
    _require_all_rows(found["strays"] or (), store)
    tables = []
    for name, only, columns, parts in found["tables"] or ():
        progress(f"digest {name} of {store}")
        with _readable(name, store):
            rows, digest = connection.execute(_digest(only + name, columns or "")).fetchone() or (0, 0)
        tables.append(TableContent(name=name, rows=rows, digest=str(digest), parts=tuple(parts or ())))
    return Contents(
        tables=tuple(tables),
        datasets=tuple(read_dataset(connection, store, dataset, kind) for dataset in datasets),
        shape=Shape(
            constraints=tuple(found["constraints"] or ()),
            indexes=tuple(found["indexes"] or ()),
            triggers=tuple(found["triggers"] or ()),
            behind=_behind(connection, store, found["sequences"] or ()),
        ),
        outside=Outside(
            roles=tuple(sorted(found["roles"] or ())),
            functions=tuple((schema, made) for schema, made in found["functions"] or ()),
            extensions=tuple((name, schema) for name, schema in found["extensions"] or ()),
            foreign_keys=tuple(found["foreign_keys"] or ()),
        ),
    )


def total(digests: Mapping[int, Digest]) -> str:
    """Return the digest of all ranges together, as a manifest keeps it."""
    rows = sum(digest.count for digest in digests.values())
    sums = (sum(digest.sum1 for digest in digests.values()), sum(digest.sum2 for digest in digests.values()))
    return f"{rows}:{sums[0]}:{sums[1]}"


def dataset_content(
    dataset: Dataset,
    store: StoreName,
    snapshot: Summed,
    *,
    kind: HashKind,
    probe: tuple[int, int],
) -> DatasetContent:
    """Return the rows of a dataset in numbers, as a snapshot counts and digests them."""
    from storage.parity.audit import fingerprint

    counts, digests = snapshot.count(), snapshot.digests()
    return DatasetContent(
        dataset=dataset.name,
        kind=str(kind),
        form=fingerprint(dataset, kind),
        probe=":".join(map(str, probe)),
        table=dataset.tables[store],
        rows=sum(count.total for count in counts.values()),
        excluded=sum(count.excluded for count in counts.values()),
        digest=total(digests),
    )


def read_dataset(
    connection: psycopg.Connection[Any], store: StoreName, dataset: Dataset, kind: HashKind = KIND
) -> DatasetContent:
    """Count and digest the rows of a dataset inside a transaction, in the form in which stores are compared.

    Raises:
        TwinstoreError: The store cannot be read.
    """
    from storage.canonical_sql import probe as probe_of
    from storage.postgres import PostgresSnapshot

    with translate(store):
        probe = connection.execute(probe_of(kind)).fetchone() or (0, 0)
    snapshot = PostgresSnapshot(connection, store, dataset, kind, Meter())
    return dataset_content(dataset, store, snapshot, kind=kind, probe=probe)


def _behind(
    connection: psycopg.Connection[Any], store: StoreName, sequences: Iterable[tuple[str, str, str, int | None]]
) -> tuple[str, ...]:
    """Return the sequences that would give a number that a row of their column has."""
    from psycopg import sql

    behind = []
    for sequence, table, column, last in sequences:
        query = sql.SQL("SELECT max({})::numeric FROM {}").format(sql.Identifier(column), sql.SQL(table))
        with translate(store):
            ((largest,),) = connection.execute(query).fetchall()
        if largest is not None and largest > (last or 0):
            behind.append(f"{sequence} of {table}.{column}")
    return tuple(behind)


def _require_all_rows(strays: Iterable[tuple[str, str]], store: StoreName) -> None:
    """Refuse tables that are read together with what lies in no dump of the schemas.

    Raises:
        SchemaMismatch: There is one.
    """
    for table, stray in strays:
        raise SchemaMismatch(
            f"{stray} of {store} holds rows of {table} that are in no dump of the schemas of the datasets: a backup "
            "would lack them.",
            f"Move it into one of them (ALTER TABLE ... SET SCHEMA), or detach it from {table}.",
            store=store,
        )


@contextmanager
def _readable(table: str, store: StoreName) -> Iterator[None]:
    """Say of a table what keeps everybody who names things in full, such as pg_restore, from using it.

    Raises:
        SchemaMismatch: A function that an index of it uses names others without their schema.
        TwinstoreError: It cannot be read for another reason.
    """
    from psycopg import errors

    lacking: TwinstoreError | None = None
    with translate(store):
        try:
            yield
        except (errors.UndefinedFunction, errors.UndefinedObject) as exc:
            lacking = translated(exc, store)
    if lacking is not None:
        raise SchemaMismatch(
            f"The table {table} of {store} cannot be read, nor brought back by pg_restore, as what an index, a "
            f"constraint or a column of it computes names something without its schema: {lacking.what}",
            "Write the schema before every name in the bodies of these functions, as in public.unaccent(text).",
            store=store,
        )


def _digest(table: str, columns: str) -> sql.Composed:
    """Return the query that counts and digests a table, both parts as `catalogue.sql` quotes them."""
    from psycopg import sql

    return sql.SQL(_DIGEST).format(sql.SQL(columns), sql.SQL(table))


def _text(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
