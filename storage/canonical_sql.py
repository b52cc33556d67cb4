"""The canonical record as SQL: what both servers hash, so that equal hashes mean equal values.

Two rows that hash alike are taken for equal in canonical form; rows that differ hash alike once in about 2^128 pairs.
The reverse does not hold (JSON `1.0` and `1.00` hash apart), and is settled row by row with `storage.canonical`.
"""

from __future__ import annotations

from psycopg import sql

from contracts.dataset import Column, ColumnType, Dataset
from contracts.vocabulary import StoreName
from storage.parity.ranges import BOUNDS
from storage.parity.sketch import MASK31, SHIFTS
from storage.ports import HashKind

PG_INPUT_IS_VALID = 160000  # first server version that has pg_input_is_valid
UUID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

RECORD_HASHES = {
    HashKind.RECORD: sql.SQL("hash_record_extended(r, 1::bigint) AS g1, hash_record_extended(r, 2::bigint) AS g2"),
    HashKind.MD5: sql.SQL("md5(r::text) AS g1"),
}
ROW_HASHES = {
    HashKind.RECORD: sql.SQL("hashint8extended(g1, g2) AS h1, hashint8extended(g2, g1) AS h2"),
    HashKind.MD5: sql.SQL(
        "('x' || left(g1, 16))::bit(64)::bigint AS h1, ('x' || right(g1, 16))::bit(64)::bigint AS h2"
    ),
}
"""The hash of a record is a sum over its fields, so that two rows which exchange a field leave a sum of such hashes as
it was. Each record's hash is therefore stirred once more before rows are added up."""
KEY_HASH = sql.SQL('hashtextextended(k COLLATE "C", 0)')
CELL_NAMES = tuple(sql.Identifier(f"cell{table}") for table in range(len(SHIFTS)))
CHECK = sql.SQL("(h1 & {m}) * (h2 & {m})").format(m=sql.Literal(MASK31))


class TableSql:
    """The SQL expressions of one dataset in one store.

    Args:
        dataset: The dataset.
        store: The store whose table is meant.
        server_version: As libpq gives it, such as 160014.
    """

    def __init__(self, dataset: Dataset, store: StoreName, server_version: int) -> None:
        self._dataset = dataset
        self._store = store
        self._types = {c.name: next(iter(c.sql_types[store])) for c in dataset.columns}
        self.table = sql.Identifier(*dataset.tables[store])
        self.key_column = sql.Identifier(dataset.key)
        self.key_type = sql.SQL("uuid" if self._types[dataset.key] == "uuid" else "text")
        self.key = sql.SQL('{}::text COLLATE "C"').format(self.key_column)
        self.replicable = self._replicable(server_version)
        self.range = sql.SQL("('x' || left({}::text, 2))::bit(8)::int").format(self.key_column)

    def _replicable(self, server_version: int) -> sql.Composable | None:
        """Return the condition that the key is a canonical UUID; None where the column's type sees to that."""
        if self._types[self._dataset.key] == "uuid":
            return None
        if server_version >= PG_INPUT_IS_VALID:
            condition = (
                "CASE WHEN pg_input_is_valid({k}, 'uuid') THEN {k}::uuid::text = {k} COLLATE \"C\" ELSE false END"
            )
        else:
            condition = "{k} ~ {pattern}"
        return sql.SQL(condition).format(k=self.key_column, pattern=sql.Literal(UUID_PATTERN))

    def instant(self, column: Column) -> sql.Composable:
        """Return a column of times as a timestamp in UTC with milliseconds."""
        zoned = "with time zone" in self._types[column.name]
        form = "({} AT TIME ZONE 'UTC')::timestamp(3)" if zoned else "{}::timestamp(3)"
        return sql.SQL(form).format(sql.Identifier(column.name))

    def fields(self, column: Column) -> sql.Composable:
        """Return what both servers hash for this column: fields of the same types on both, bytes for text.

        Numbers are hashed as text and times as date and time of day: the server folds 64-bit values to 32 bits before
        it hashes them, whatever the seed, and neither a date nor the milliseconds of a day fall together then.
        """
        if column.type is ColumnType.TIMESTAMP_MS:
            instant = self.instant(column)
            return sql.SQL("{0}::date, {0}::time").format(instant)
        form = "{}::bigint::text" if column.type is ColumnType.INTEGER else "{}::text"
        return sql.SQL(form + ' COLLATE "C"').format(sql.Identifier(column.name))

    def raw(self) -> sql.Composable:
        """Return all columns as the store's own text."""
        return sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(c.name)) for c in self._dataset.columns)

    def raw_aliased(self) -> sql.Composable:
        """Return the same, named by `aliases`."""
        return sql.SQL(", ").join(
            sql.SQL("{}::text AS {}").format(sql.Identifier(c.name), sql.Identifier(f"c{i}"))
            for i, c in enumerate(self._dataset.columns)
        )

    def aliases(self) -> sql.Composable:
        """Return names for the raw columns that cannot be mistaken for k, b, r, h1 and h2."""
        return sql.SQL(", ").join(sql.Identifier(f"c{i}") for i in range(len(self._dataset.columns)))

    def hashed(
        self, kind: HashKind, *, where: sql.Composable | None = None, extra: sql.Composable | None = None
    ) -> sql.Composed:
        """Return a select of k (key), b (range), h1 and h2 (row hashes) and what `extra` names.

        Records and their hashes are computed once per row: OFFSET 0 keeps the planner from writing them out twice.
        """
        record = sql.SQL(", ").join(self.fields(c) for c in self._dataset.compared)
        inner = sql.SQL(
            "SELECT {key} AS k, {range} AS b, ROW({record}) AS r{extra} FROM {table}{where} OFFSET 0"
        ).format(
            key=self.key,
            range=self.range,
            record=record,
            extra=sql.SQL(", {}").format(extra) if extra else sql.SQL(""),
            table=self.table,
            where=sql.SQL(" WHERE {}").format(where) if where else sql.SQL(""),
        )
        return _hash_rows(kind, inner)

    def within(self, ranges: list[int], replicable: sql.Composable | None) -> sql.Composable | None:
        """Return the condition that a row is replicable and lies in one of these ranges; None when all rows are meant.

        The range of a key that is no UUID cannot be computed, and the planner chooses the order of AND: hence CASE.
        """
        if len(ranges) > len(BOUNDS):
            return replicable
        inside = sql.SQL("{} = ANY({}::int[])").format(self.range, sql.Literal(ranges))
        if replicable is None:
            return inside
        return sql.SQL("CASE WHEN {} THEN {} ELSE false END").format(replicable, inside)

    def count(self) -> sql.Composed:
        """Return a select of range and number of rows; ranges of excluded rows are raised by the number of ranges."""
        number = self.range
        if self.replicable is not None:
            number = sql.SQL(
                'CASE WHEN {ok} THEN {range} ELSE {raised} + width_bucket({key}, {bounds}::text[] COLLATE "C") END'
            ).format(
                ok=self.replicable,
                range=self.range,
                raised=sql.Literal(len(BOUNDS) + 1),
                key=self.key,
                bounds=sql.Literal(list(BOUNDS)),
            )
        return sql.SQL("SELECT {number} AS b, count(*) FROM {table} GROUP BY 1").format(number=number, table=self.table)


def probe(kind: HashKind) -> sql.Composed:
    """Return a select of both hashes of one record that holds every kind of value that digests hash."""
    record = sql.SQL(
        "SELECT ROW('k\u00e9y \U0001f600'::text COLLATE \"C\", NULL::text, ''::text COLLATE \"C\", "
        "DATE '2024-02-29', TIME '23:59:59.999', 'infinity'::date) AS r OFFSET 0"
    ).format()
    return sql.SQL("SELECT h1, h2 FROM ({}) AS hashed").format(_hash_rows(kind, record))


def _hash_rows(kind: HashKind, records: sql.Composed) -> sql.Composed:
    return sql.SQL("SELECT *, {rows} FROM (SELECT *, {hashes} FROM ({records}) AS records OFFSET 0) AS stirred").format(
        rows=ROW_HASHES[kind], hashes=RECORD_HASHES[kind], records=records
    )


def sketch_cells(per_table: int) -> sql.Composable:
    """Return the columns that name a row's cell in each table; mirrors `storage.parity.sketch`."""
    return sql.SQL(", ").join(
        sql.SQL("{offset} + ((h1 >> {shift}) & {mask}) AS {name}").format(
            offset=sql.Literal(table * per_table), shift=sql.Literal(shift), mask=sql.Literal(per_table - 1), name=name
        )
        for table, (shift, name) in enumerate(zip(SHIFTS, CELL_NAMES, strict=True))
    )


def all_of(*conditions: sql.Composable | None) -> sql.Composable | None:
    """Join the conditions that are there by AND."""
    present = [c for c in conditions if c is not None]
    return sql.SQL(" AND ").join(sql.SQL("({})").format(c) for c in present) if present else None
