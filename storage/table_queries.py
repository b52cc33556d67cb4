"""What is asked of a table, as SELECTs: with values written in, or with the parameters of a function in their places.

Every digest, pair, sketch and row of both SQL and REST with functions comes from here, so that no expression exists
twice.
"""

from __future__ import annotations

from typing import NamedTuple

from psycopg import sql

from contracts.dataset import Dataset
from contracts.vocabulary import StoreName
from storage.canonical_sql import CELL_NAMES, CHECK, KEY_HASHES, TableSql, all_of, sketch_cells
from storage.parity.ranges import BOUNDS, RANGES
from storage.ports import HashKind
from storage.stand_ins import PLACE

FIRST_UUID = "(lpad(to_hex({}), 2, '0') || '000000-0000-0000-0000-000000000000')::uuid"
LAST_UUID = "(lpad(to_hex({}), 2, '0') || 'ffffff-ffff-ffff-ffff-ffffffffffff')::uuid"
"""First and last UUID of a range, given its number."""
SAMPLED = 5_000
"""Rows whose pages are read for a sample at the least: enough pages, however full they are."""
MILLISECONDS = "(to_timestamp({} / 1000.0) AT TIME ZONE 'UTC')::timestamp(3)"


def sampled_percent(number: int, of: int) -> float:
    """Return the share of a table's pages that a sample needs, so that rows of many pages are in it."""
    return min(100.0, 100.0 * max(SAMPLED, 10 * number) / max(of, 1))


class Span(NamedTuple):
    """Some ranges.

    Attributes:
        low: Number of the first one.
        high: Number of the last one.
        ranges: An array of those between them that are meant; None for all of them.
    """

    low: sql.Composable
    high: sql.Composable
    ranges: sql.Composable | None = None


class TableQueries:
    """The questions to one dataset in one store.

    Conditions say which rows are meant; None means all, those that cannot be replicated included.

    Args:
        dataset: The dataset.
        store: The store whose table is meant.
        server_version: As libpq gives it, such as 160014.
        stand_in: What is read instead of the table (`storage.stand_ins`).
    """

    def __init__(
        self, dataset: Dataset, store: StoreName, server_version: int, *, stand_in: sql.Composable | None = None
    ) -> None:
        self._dataset = dataset
        self.table = TableSql(dataset, store, server_version, stand_in=stand_in)

    def spanning(self, span: Span) -> sql.Composable:
        """Return the condition that a row is replicable and lies in a span.

        The range of a key that is not replicable cannot be computed, and the planner chooses the order of AND: hence
        CASE.
        """
        inside = self._inside(span, self.table.range)
        if self.table.replicable is None:
            return inside
        return sql.SQL("CASE WHEN {} THEN {} ELSE false END").format(self.table.replicable, inside)

    def counts(self, span: Span | None = None) -> sql.Composed:
        """Return a select of range and number of rows; ranges of excluded rows are raised by the number of ranges."""
        place = number = self.table.range
        if self.table.replicable is not None:
            anyhow = self.table.range
            if self._dataset.has_uuid_key:
                bounds = sql.SQL('{}::text[] COLLATE "C"').format(sql.Literal(list(BOUNDS)))
                anyhow = sql.SQL("width_bucket({}, {})").format(self.table.key, bounds)
            cases = {"ok": self.table.replicable, "range": self.table.range, "anyhow": anyhow}
            place = sql.SQL("CASE WHEN {ok} THEN {range} ELSE {anyhow} END").format(**cases)
            number = sql.SQL("CASE WHEN {ok} THEN {range} ELSE {raised} + {anyhow} END").format(
                raised=sql.Literal(RANGES), **cases
            )
        where = sql.SQL(" WHERE {}").format(self._inside(span, place)) if span else sql.SQL("")
        return sql.SQL("SELECT {number} AS b, count(*) AS total FROM {table}{where} GROUP BY 1").format(
            number=number, table=self.table.table, where=where
        )

    def _inside(self, span: Span, number: sql.Composable) -> sql.Composable:
        """Return the condition that a row lies in a span, in a form that an index of UUIDs can serve."""
        if self.table.replicable is None and self._dataset.has_uuid_key:
            form = "{key} BETWEEN {first} AND {last}"
        else:
            form = "{number} BETWEEN {low} AND {high}"
        if span.ranges is not None:
            form += " AND {number} = ANY({ranges})"
        return sql.SQL(form).format(
            number=number,
            key=self.table.column(self._dataset.key_columns[0]),
            first=sql.SQL(FIRST_UUID).format(span.low),
            last=sql.SQL(LAST_UUID).format(span.high),
            low=span.low,
            high=span.high,
            ranges=span.ranges or sql.SQL(""),
        )

    def digests(self, kind: HashKind, where: sql.Composable | None) -> sql.Composed:
        """Return a select of range, number of rows, and both sums of hashes."""
        return sql.SQL(
            "SELECT b, count(*) AS total, sum(h1) AS sum1, sum(h2) AS sum2 FROM ({}) AS hashed GROUP BY b"
        ).format(self.table.hashed(kind, where=where))

    def pairs(self, kind: HashKind, where: sql.Composable | None) -> sql.Composed:
        """Return a select of key and hashes, by range and key."""
        return sql.SQL("SELECT k, h1, h2 FROM ({}) AS hashed ORDER BY b, k").format(
            self.table.hashed(kind, where=where)
        )

    def sketch(self, kind: HashKind, where: sql.Composable | None, cells: sql.Composable) -> sql.Composed:
        """Return a select of cell, number of rows, and sums of key hashes, hashes and checks; one scan.

        OFFSET 0 has each hash computed once.

        Args:
            kind: How rows are hashed.
            where: Which rows are meant.
            cells: Number of cells of each of the three tables.
        """
        return sql.SQL(
            "SELECT coalesce({names}) AS cell, count(*) AS total, sum(kh) AS keys, sum(h1) AS sum1, sum(h2) AS sum2, "
            "sum(ch) AS checks "
            "FROM (SELECT *, {check} AS ch, {cells} FROM "
            "(SELECT {key_hash} AS kh, h1, h2 FROM ({hashed}) AS hashed OFFSET 0) AS once) AS rows "
            "GROUP BY GROUPING SETS ({names})"
        ).format(
            names=sql.SQL(", ").join(CELL_NAMES),
            key_hash=KEY_HASHES[kind].format(sql.SQL("k")),
            check=CHECK,
            hashed=self.table.hashed(kind, where=where),
            cells=sketch_cells(cells),
        )

    def find(self, kind: HashKind, where: sql.Composable | None, key_hashes: sql.Composable) -> sql.Composed:
        """Return a select of key and hashes of the rows whose key has one of these hashes.

        Records are built of those rows only.

        Args:
            kind: How rows are hashed.
            where: Which rows are meant.
            key_hashes: An array of bigint.
        """
        wanted = sql.SQL("{} = ANY({})").format(KEY_HASHES[kind].format(self.table.key), key_hashes)
        return sql.SQL("SELECT k, h1, h2 FROM ({}) AS hashed").format(
            self.table.hashed(kind, where=all_of(where, wanted))
        )

    def rows(self, kind: HashKind, where: sql.Composable) -> sql.Composed:
        """Return a select of key, hashes, and all columns as text, named by `TableSql.aliases`."""
        return sql.SQL("SELECT k, h1, h2, {raw} FROM ({hashed}) AS hashed").format(
            raw=self.table.aliases(), hashed=self.table.hashed(kind, where=where, extra=self.table.raw_aliased())
        )

    def given(self, kind: HashKind) -> sql.Composed:
        """Return the same select of the rows of `storage.stand_ins.given`, in their order."""
        return sql.SQL("SELECT k, h1, h2, {raw} FROM ({hashed}) AS hashed ORDER BY {place}").format(
            raw=self.table.aliases(),
            hashed=self.table.hashed(kind, extra=sql.SQL("{}, {}").format(self.table.raw_aliased(), PLACE)),
            place=PLACE,
        )

    def excluded(self, limit: sql.Composable) -> sql.Composed:
        """Return a select of the keys that cannot be replicated, smallest first."""
        return sql.SQL("SELECT {key} AS k FROM {table} WHERE NOT {ok} ORDER BY 1 LIMIT {limit}").format(
            key=self.table.key, table=self.table.table, ok=self.table.replicable or sql.SQL("true"), limit=limit
        )

    def sample(self, percent: sql.Composable, limit: sql.Composable) -> sql.Composed:
        """Return a select of keys that are chosen at random, of rows that can be replicated.

        Args:
            percent: Share of the table's pages that is read, at random, too.
            limit: How many keys.
        """
        return sql.SQL(
            "SELECT {key} AS k FROM {table} TABLESAMPLE SYSTEM ({percent}) WHERE {ok} ORDER BY random() LIMIT {limit}"
        ).format(
            key=self.table.key,
            table=self.table.table,
            percent=percent,
            ok=self.table.replicable or sql.SQL("true"),
            limit=limit,
        )

    def created(self, low_ms: sql.Composable, high_ms: sql.Composable) -> sql.Composed:
        """Return a select of the number of rows that were created from one instant to another, both included.

        Args:
            low_ms: Milliseconds since 1970 UTC.
            high_ms: Likewise.
        """
        if self._dataset.created is None:
            return sql.SQL("SELECT 0 AS total").format()
        return sql.SQL(
            "SELECT count(*) AS total FROM {table} WHERE ({column})::timestamp(3) BETWEEN {low} AND {high}{also}"
        ).format(
            table=self.table.table,
            also=sql.SQL("") if self.table.replicable is None else sql.SQL(" AND ") + self.table.replicable,
            column=self.table.instant(self._dataset.column(self._dataset.created)),
            low=sql.SQL(MILLISECONDS).format(low_ms),
            high=sql.SQL(MILLISECONDS).format(high_ms),
        )
