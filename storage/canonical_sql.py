"""The canonical record as SQL: what both servers hash, so that equal hashes mean equal values.

Two rows that hash alike are taken for equal in canonical form; rows that differ hash alike once in about 2^128 pairs.
The reverse does not hold (JSON `1.0` and `1.00` hash apart), and is settled row by row with `storage.canonical`.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from contracts.column_types import INSTANTS, base_type
from contracts.dataset import Column, ColumnType, Dataset
from contracts.keys import ESCAPE, SEPARATOR, split_key
from contracts.vocabulary import StoreName
from storage.canonical_text import HALF, NULL
from storage.parity.ranges import RANGES
from storage.parity.sketch import MASK31, SHIFTS
from storage.ports import HashKind

PG_INPUT_IS_VALID = 160000  # first server version that has pg_input_is_valid
UUID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

RECORD_HASHES = {
    HashKind.RECORD: sql.SQL("hash_record_extended(r, 1::bigint) AS g1, hash_record_extended(r, 2::bigint) AS g2"),
    HashKind.TEXT: sql.SQL("md5(r) AS g1"),
}
ROW_HASHES = {
    HashKind.RECORD: sql.SQL("hashint8extended(g1, g2) AS h1, hashint8extended(g2, g1) AS h2"),
    HashKind.TEXT: sql.SQL(
        "('x' || left(g1, {half}))::bit(64)::bigint AS h1, ('x' || right(g1, {half}))::bit(64)::bigint AS h2"
    ).format(half=sql.Literal(HALF)),
}
"""The hash of a record is a sum over its fields, so that two rows which exchange a field leave a sum of such hashes as
it was. Each record's hash is therefore stirred once more before rows are added up."""
KEY_HASHES = {
    HashKind.RECORD: sql.SQL('hashtextextended({} COLLATE "C", 0)'),
    HashKind.TEXT: sql.SQL(f"('x' || left(md5({{}}), {HALF}))::bit(64)::bigint"),
}
"""What identifies a key in sketches, given the key text."""
CELL_NAMES = tuple(sql.Identifier(f"cell{table}") for table in range(len(SHIFTS)))
CHECK = sql.SQL("(h1 & {m}) * (h2 & {m})").format(m=sql.Literal(MASK31))

_ESCAPED = (ColumnType.TEXT, ColumnType.BYTES)
"""Types whose texts may hold what separates the parts of a key."""
_TEXTS = ("text", "character varying")
_KEY_TYPES = {ColumnType.INTEGER: "bigint", ColumnType.NUMERIC: "numeric"}


class TableSql:
    """The SQL expressions of one dataset in one store.

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
        self._store = store
        self.table: sql.Composable = stand_in or sql.Identifier(*dataset.tables[store])
        self.key = self._key()
        self.replicable = self._replicable(server_version)
        self.range = self._range()

    def column(self, column: Column) -> sql.Identifier:
        """Return the name of a column in this store."""
        return sql.Identifier(column.name_in(self._store))

    def base_type(self, column: Column) -> str:
        """Return the type of a column in this store, or of its elements, without length, precision and scale."""
        return base_type(next(iter(column.sql_types[self._store])))

    def _key(self) -> sql.Composable:
        parts = [self.text(column) for column in self._dataset.key_columns]
        if len(parts) > 1:
            escaped = zip(self._dataset.key_columns, parts, strict=True)
            parts = [_escaped(part) if column.type in _ESCAPED else part for column, part in escaped]
        joined = sql.SQL(f" || '{SEPARATOR}' || ").join(parts)
        return sql.SQL('({}) COLLATE "C"').format(joined)

    def _range(self) -> sql.Composable:
        digits = self.key if self._dataset.has_uuid_key else sql.SQL("md5({})").format(self.key)
        return sql.SQL("('x' || left({}, 2))::bit(8)::int").format(digits)

    def _replicable(self, server_version: int) -> sql.Composable | None:
        """Return the condition that the UUIDs of the key are canonical; None where their types see to that."""
        if server_version >= PG_INPUT_IS_VALID:
            condition = (
                "CASE WHEN pg_input_is_valid({k}, 'uuid') THEN {k}::uuid::text = {k} COLLATE \"C\" ELSE false END"
            )
        else:
            condition = "{k} ~ {pattern}"
        uuids = (c for c in self._dataset.key_columns if c.type is ColumnType.UUID and self.base_type(c) != "uuid")
        return all_of(*(sql.SQL(condition).format(k=self.column(c), pattern=sql.Literal(UUID_PATTERN)) for c in uuids))

    def instant(self, column: Column) -> sql.Composable:
        """Return a column of times as a timestamp in UTC, at the precision of its canonical form."""
        precision = "(3)" if column.type is ColumnType.TIMESTAMP_MS else ""
        if column.array:
            form = f"{{}}::timestamp{precision}[]"  # the session's time zone is UTC
        elif "with time zone" in self.base_type(column):
            form = f"({{}} AT TIME ZONE 'UTC')::timestamp{precision}"
        else:
            form = f"{{}}::timestamp{precision}"
        return sql.SQL(form).format(self.column(column))

    def text(self, column: Column) -> sql.Composable:
        """Return the text of a column that is hashed; mirrors `storage.canonical_text.field_text`."""
        if column.type in INSTANTS:
            return sql.SQL("{}::text").format(self.instant(column))
        form = "{}::text"
        if column.type is ColumnType.NUMERIC and not column.array:
            form = "trim_scale({}::numeric)::text"
        elif column.type is ColumnType.JSON and not column.array:
            form = "{}::jsonb::text"
        return sql.SQL(form).format(self.column(column))

    def fields(self, column: Column) -> sql.Composable:
        """Return what both servers hash for this column as a record: fields of the same types on both, bytes for text.

        Numbers are hashed as text and times as date and time of day: the server folds 64-bit values to 32 bits before
        it hashes them, whatever the seed, and neither a date nor the milliseconds of a day fall together then.
        """
        if column.type is ColumnType.TIMESTAMP_MS and not column.array:
            return sql.SQL("{0}::date, {0}::time").format(self.instant(column))
        return sql.SQL('{} COLLATE "C"').format(self.text(column))

    def raw(self) -> sql.Composable:
        """Return all columns as the store's own text."""
        return sql.SQL(", ").join(sql.SQL("{}::text").format(self.column(c)) for c in self._dataset.columns)

    def raw_aliased(self) -> sql.Composable:
        """Return the same, named by `aliases`."""
        return sql.SQL(", ").join(
            sql.SQL("{}::text AS {}").format(self.column(c), sql.Identifier(f"c{i}"))
            for i, c in enumerate(self._dataset.columns)
        )

    def aliases(self) -> sql.Composable:
        """Return names for the raw columns that cannot be mistaken for k, b, r, h1 and h2."""
        return sql.SQL(", ").join(sql.Identifier(f"c{i}") for i in range(len(self._dataset.columns)))

    def has_key_in(self, keys: list[str]) -> sql.Composable:
        """Return the condition that a row has one of these keys, through the index of the key where its types allow."""
        parts = zip(*(split_key(self._dataset, key) for key in keys), strict=True)
        return self.has_key_of([sql.Literal(list(texts)) for texts in parts])

    def has_key_of(self, parts: list[sql.Composable]) -> sql.Composable:
        """Return the same for keys that are given by their parts.

        Args:
            parts: Per column of the key an array of texts, all of one length.
        """
        sides = [self._comparable(column) for column in self._dataset.key_columns]
        arrays = [sql.SQL("{}::{}[]").format(texts, kind) for (_, kind), texts in zip(sides, parts, strict=True)]
        if len(sides) == 1:
            return sql.SQL("{} = ANY({})").format(sides[0][0], arrays[0])
        return sql.SQL("({}) IN (SELECT * FROM unnest({}))").format(
            sql.SQL(", ").join(side for side, _ in sides), sql.SQL(", ").join(arrays)
        )

    def has_key(self, parts: Sequence[sql.Composable]) -> sql.Composable:
        """Return the same for one key, given by the text of each part."""
        sides = [self._comparable(column) for column in self._dataset.key_columns]
        return all_of(
            *(
                sql.SQL("{} = ({})::{}").format(side, part, kind)
                for (side, kind), part in zip(sides, parts, strict=True)
            )
        ) or sql.SQL("true")

    def _comparable(self, column: Column) -> tuple[sql.Composable, sql.Composable]:
        """Return a key column and the type to which the texts of keys are cast, so that equal means equal key text."""
        base = self.base_type(column)
        match column.type:
            case ColumnType.TEXT | ColumnType.UUID if base not in ("uuid", *_TEXTS):
                return self.text(column), sql.SQL("text")  # a word that an enum lacks would be an error
            case ColumnType.TEXT | ColumnType.UUID:
                return self.column(column), sql.SQL("uuid" if base == "uuid" else "text")
            case ColumnType.INTERVAL:
                return self.text(column), sql.SQL("text")  # 1 day equals 24 hours, and is another key
            case _:
                return self.column(column), sql.SQL(_KEY_TYPES.get(column.type, base))

    def hashed(
        self, kind: HashKind, *, where: sql.Composable | None = None, extra: sql.Composable | None = None
    ) -> sql.Composed:
        """Return a select of k (key), b (range), h1 and h2 (row hashes) and what `extra` names.

        Records and their hashes are computed once per row: OFFSET 0 keeps the planner from writing them out twice.
        """
        inner = sql.SQL("SELECT {key} AS k, {range} AS b, {record} AS r{extra} FROM {table}{where} OFFSET 0").format(
            key=self.key,
            range=self.range,
            record=self._record(kind),
            extra=sql.SQL(", {}").format(extra) if extra else sql.SQL(""),
            table=self.table,
            where=sql.SQL(" WHERE {}").format(where) if where else sql.SQL(""),
        )
        return _hash_rows(kind, inner)

    def _record(self, kind: HashKind) -> sql.Composable:
        """Return what is hashed of a row."""
        if kind is HashKind.TEXT:
            return text_record([self.text(c) for c in self._dataset.compared])
        return sql.SQL("ROW({})").format(sql.SQL(", ").join(self.fields(c) for c in self._dataset.compared))

    def within(self, ranges: list[int], replicable: sql.Composable | None) -> sql.Composable | None:
        """Return the condition that a row is replicable and lies in one of these ranges; None when all rows are meant.

        The range of a key that is no UUID cannot be computed, and the planner chooses the order of AND: hence CASE.
        """
        if len(ranges) >= RANGES:
            return replicable
        inside = sql.SQL("{} = ANY({}::int[])").format(self.range, sql.Literal(ranges))
        if replicable is None:
            return inside
        return sql.SQL("CASE WHEN {} THEN {} ELSE false END").format(replicable, inside)


PROBE_VALUES = (
    "'k\u00e9y \U0001f600'::text",
    "NULL::text",
    "''::text",
    "'9007199254740993'::bigint::text",
    "trim_scale('1.500'::numeric)::text",
    "'0.00001'::float8::text",
    "'t'::boolean::text",
    "DATE '2024-02-29'::text",
    "(TIMESTAMPTZ '2024-02-29 23:59:59.9988+00' AT TIME ZONE 'UTC')::timestamp(3)::text",
    "'infinity'::timestamptz::text",
    "decode('00ff', 'hex')::text",
    "ARRAY['1', NULL, 'a b']::text",
)
"""Values of every kind that is hashed; their texts are `storage.canonical_text.PROBE`."""


def probe(kind: HashKind) -> sql.Composed:
    """Return a select of both hashes of one record that holds every kind of value that digests hash."""
    values: list[sql.Composable] = [sql.SQL(value) for value in PROBE_VALUES]
    if kind is HashKind.TEXT:
        record = text_record(values)
    else:
        texts = [sql.SQL('{} COLLATE "C"').format(value) for value in values]
        times = sql.SQL("DATE '2024-02-29', TIME '23:59:59.999', 'infinity'::date")
        record = sql.SQL("ROW({}, {})").format(sql.SQL(", ").join(texts), times)
    records = sql.SQL("SELECT {} AS r OFFSET 0").format(record)
    return sql.SQL("SELECT h1, h2 FROM ({}) AS hashed").format(_hash_rows(kind, records))


def text_record(texts: list[sql.Composable]) -> sql.Composable:
    """Return the record that `HashKind.TEXT` hashes: the md5 of each text, and a mark for NULL."""
    return sql.SQL(" || ").join(sql.SQL("coalesce(md5({}), {})").format(text, sql.Literal(NULL)) for text in texts)


def _escaped(part: sql.Composable) -> sql.Composable:
    """Escape a part of a key as `contracts.keys` does."""
    for character in (ESCAPE, SEPARATOR):
        replacement = sql.Literal(ESCAPE + character)
        part = sql.SQL("replace({}, {}, {})").format(part, sql.Literal(character), replacement)
    return part


def _hash_rows(kind: HashKind, records: sql.Composed) -> sql.Composed:
    return sql.SQL("SELECT *, {rows} FROM (SELECT *, {hashes} FROM ({records}) AS records OFFSET 0) AS stirred").format(
        rows=ROW_HASHES[kind], hashes=RECORD_HASHES[kind], records=records
    )


def sketch_cells(per_table: sql.Composable) -> sql.Composable:
    """Return the columns that name a row's cell in each table; mirrors `storage.parity.sketch`."""
    return sql.SQL(", ").join(
        sql.SQL("{table} * {width} + ((h1 >> {shift}) & ({width} - 1)) AS {name}").format(
            table=sql.Literal(table), width=per_table, shift=sql.Literal(shift), name=name
        )
        for table, (shift, name) in enumerate(zip(SHIFTS, CELL_NAMES, strict=True))
    )


def all_of(*conditions: sql.Composable | None) -> sql.Composable | None:
    """Join the conditions that are there by AND."""
    present = [c for c in conditions if c is not None]
    return sql.SQL(" AND ").join(sql.SQL("({})").format(c) for c in present) if present else None
