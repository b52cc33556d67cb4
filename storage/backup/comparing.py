"""Count what two sets of rows have in common, as both come by key: nothing is held but two rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from contracts.dataset import Dataset
from contracts.vocabulary import StoreName
from storage.parity.ranges import RANGES, range_of
from storage.pg_errors import translate
from storage.ports import HashKind, Reader, Snapshot

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql


class Counts(NamedTuple):
    """Rows that only the first side has, that only the second one has, that differ, and that are the same."""

    only_first: int
    only_second: int
    differing: int
    same: int


Keyed = Iterator[tuple[Any, Any]]
"""Rows by key: something that sorts as they come, and something that is equal where the rows are."""


def count_differences(first: Keyed, second: Keyed) -> Counts:
    """Return what two sides have in common; both come in the order of their keys."""
    only_first = only_second = differing = same = 0
    ours, theirs = next(first, None), next(second, None)
    while ours is not None or theirs is not None:
        if theirs is None or (ours is not None and ours[0] < theirs[0]):
            only_first, ours = only_first + 1, next(first, None)
        elif ours is None or theirs[0] < ours[0]:
            only_second, theirs = only_second + 1, next(second, None)
        else:
            alike = ours[1] == theirs[1]
            same, differing = same + alike, differing + (not alike)
            ours, theirs = next(first, None), next(second, None)
    return Counts(only_first, only_second, differing, same)


def row_text(alias: str, columns: Sequence[str]) -> sql.Composed:
    """Return the text of a row over some columns, which is equal where all of them are."""
    from psycopg import sql

    named = sql.SQL(", ").join(sql.Identifier(alias, column) for column in columns)
    return sql.SQL("ROW({})::text").format(named)


def rows_by_key(
    connection: psycopg.Connection[Any],
    store: StoreName,
    table: tuple[str, str],
    key: Sequence[str],
    columns: Sequence[str],
    *,
    where: str = "true",
) -> Keyed:
    """Stream keys and hashes of the rows of a table, in the order of the keys as bytes.

    Args:
        connection: A transaction whose moment is fixed.
        store: The store, for errors.
        table: Schema and table.
        key: Columns of the key.
        columns: Columns of the hash.
        where: A condition on a row `t`, made of what the server itself wrote.

    Raises:
        TwinstoreError: The table cannot be read.
    """
    from psycopg import sql

    query = sql.SQL(
        'COPY (SELECT {key} COLLATE "C", hashtextextended({row} COLLATE "C", 0) FROM {table} AS t WHERE {where} '
        "ORDER BY 1) TO STDOUT"
    ).format(
        key=row_text("t", key),
        row=row_text("t", columns),
        table=sql.Identifier(*table),
        where=sql.SQL(where),
    )
    with translate(store), connection.cursor() as cursor, cursor.copy(query) as copy:
        copy.set_types(["text", "int8"])
        for text, number in copy.rows():
            yield text.encode(), number


def canonical_by_key(snapshot: Snapshot, dataset: Dataset) -> Keyed:
    """Stream keys and hashes of the canonical records of a snapshot, range by range."""
    for pair in snapshot.pairs(range(RANGES)):
        yield (range_of(dataset, pair.key), pair.key.encode()), (pair.hash1, pair.hash2)


def common_kind(readers: tuple[Reader, Reader]) -> HashKind:
    """Return the faster kind of hash where both sides hash alike, else the one that always can be used."""
    from contracts.errors import SchemaMismatch

    try:
        if readers[0].hash_probe(HashKind.RECORD) == readers[1].hash_probe(HashKind.RECORD):
            return HashKind.RECORD
    except SchemaMismatch:
        pass
    return HashKind.TEXT
