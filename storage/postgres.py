"""A store that is reached by SQL: PostgreSQL as Prisma made it, or Supabase's own PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import starmap
from typing import TYPE_CHECKING, Any, cast

import psycopg
from psycopg import sql

from contracts.dataset import Dataset
from contracts.errors import ProtocolError
from contracts.verdicts import StoreFacts
from contracts.vocabulary import Channel, StoreName
from storage.canonical_sql import probe
from storage.chunks import chunks
from storage.meter import Meter
from storage.parity.ranges import RANGES
from storage.pg_errors import translate
from storage.ports import Cell, Digest, FullRow, HashKind, KeyHash, Plant, RangeCount, Rehearsal, Row
from storage.session import CLIENT_ENCODING, Limits, begin
from storage.stand_ins import given, planted, plants_as_data, rows_as_data
from storage.table_queries import TableQueries, sampled_percent

if TYPE_CHECKING:
    import pyarrow as pa

KEYS_PER_STATEMENT = 2000
HASH_BYTES = 16
PIECE_BYTES = 4 << 20  # about what Arrow parses at once: the server goes on meanwhile, as far as socket buffers reach


class PostgresReader:
    """Read-only access to one dataset in one PostgreSQL server.

    Every transaction is read-only and sets what it needs with SET LOCAL, so that a pooler in transaction mode may stand
    between; nothing is prepared.

    Args:
        dsn: Connection string; never shown.
        store: Which of the two stores it is.
        dataset: The dataset that is read.
        limits: Time limits.
        meter: Counts statements, rows and bytes.
    """

    def __init__(
        self, dsn: str, store: StoreName, dataset: Dataset, *, limits: Limits | None = None, meter: Meter | None = None
    ) -> None:
        self._dsn = dsn
        self._limits = limits or Limits()
        self.store = store
        self.dataset = dataset
        self.channel = Channel.SQL
        self.meter = meter or Meter()

    def facts(self) -> StoreFacts:
        """Prove that the store can be read as the dataset declares it; see `storage.preflight`."""
        from storage.preflight import examine

        with self._transaction("READ COMMITTED") as connection:
            return examine(connection, self.store, self.dataset)

    def hash_probe(self, kind: HashKind) -> tuple[int, int]:
        """Hash one record that holds every kind of value that digests hash."""
        with self._transaction("READ COMMITTED") as connection:
            row = connection.execute(probe(kind)).fetchone()
        return cast("tuple[int, int]", row)

    @contextmanager
    def snapshot(self, kind: HashKind, *, fresh: bool = True) -> Iterator[PostgresSnapshot]:  # noqa: ARG002 - it always is
        """Open one REPEATABLE READ transaction, and fix its moment at once."""
        table = sql.Identifier(*self.dataset.tables[self.store])
        with self._transaction("REPEATABLE READ", table) as connection:
            yield PostgresSnapshot(connection, self.store, self.dataset, kind, self.meter)

    def close(self) -> None:
        """Do nothing: every snapshot has a connection of its own."""

    @contextmanager
    def _transaction(self, isolation: str, table: sql.Identifier | None = None) -> Iterator[psycopg.Connection[Any]]:
        with translate(self.store):
            connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                prepare_threshold=None,
                connect_timeout=max(2, round(self._limits.connect_s)),
                client_encoding=CLIENT_ENCODING,
                application_name="twinstore check",
            )
            try:
                version = connection.info.server_version
                connection.execute(begin(isolation, self._limits, server_version=version, table=table))
                yield connection
                connection.execute("COMMIT")
            finally:
                connection.close()


class PostgresSnapshot:
    """The rows of one dataset in one server as of the moment when its transaction began."""

    frozen = True

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        store: StoreName,
        dataset: Dataset,
        kind: HashKind,
        meter: Meter,
        *,
        stand_in: sql.Composable | None = None,
    ) -> None:
        self._connection = connection
        self._store = store
        self._dataset = dataset
        self._kind = kind
        self._meter = meter
        self._queries = TableQueries(dataset, store, connection.info.server_version, stand_in=stand_in)
        self._table = self._queries.table
        self._replicable = self._table.replicable

    def count(self) -> dict[int, RangeCount]:
        """Count all rows by range. When none is excluded, later statements need not look for such rows."""
        totals: dict[int, RangeCount] = {}
        for number, rows in self._fetch(self._queries.counts()):
            excluded = number >= RANGES
            before = totals.get(number % RANGES, RangeCount(0, 0))
            totals[number % RANGES] = RangeCount(before.total + rows, before.excluded + (rows if excluded else 0))
        if not any(c.excluded for c in totals.values()):
            self._replicable = None
        return totals

    def excluded(self, limit: int) -> list[str]:
        """Return keys that are no canonical UUIDs."""
        if self._replicable is None:
            return []
        return [key for (key,) in self._fetch(self._queries.excluded(sql.Literal(limit)))]

    def digests(self) -> dict[int, Digest]:
        """Digest the whole table by range, in one scan."""
        query = self._queries.digests(self._kind, self._replicable)
        return {b: Digest(int(n), int(s1), int(s2)) for b, n, s1, s2 in self._fetch(query)}

    def pairs(self, ranges: Collection[int]) -> Iterator[KeyHash]:
        """Stream key and hash by range and key, in one statement; the server sorts."""
        where = self._table.within(sorted(ranges), self._replicable)
        query = sql.SQL("COPY ({}) TO STDOUT").format(self._queries.pairs(self._kind, where))
        self._meter.statements += 1
        with self._translated(), self._connection.cursor() as cursor, cursor.copy(query) as copy:
            copy.set_types(["text", "int8", "int8"])
            for row in copy.rows():
                pair = KeyHash(*row)
                self._meter.rows += 1
                self._meter.bytes += len(pair.key) + HASH_BYTES
                yield pair

    def sketch(self, ranges: Collection[int], cells: int) -> dict[int, Cell]:
        """Sum the rows of these ranges into cells, in one scan."""
        where = self._table.within(sorted(ranges), self._replicable)
        query = self._queries.sketch(self._kind, where, sql.Literal(cells))
        return {int(c): Cell(int(n), int(k), int(a), int(b), int(ch)) for c, n, k, a, b, ch in self._fetch(query)}

    def find(self, key_hashes: Collection[int]) -> list[KeyHash]:
        """Look rows up by the hash of their key: one scan that builds no record but those it returns."""
        wanted = sql.SQL("{}::bigint[]").format(sql.Literal(sorted(key_hashes)))
        query = self._queries.find(self._kind, self._replicable, wanted)
        return [KeyHash(*row) for row in self._fetch(query)]

    def rows(self, keys: Collection[str]) -> dict[str, FullRow]:
        """Read whole rows by key, through the index of the key."""
        found: dict[str, FullRow] = {}
        for chunk in chunks(sorted(keys), KEYS_PER_STATEMENT):
            query = self._queries.rows(self._kind, self._table.has_key_in(chunk))
            for row in starmap(self._full, self._fetch(query)):
                if row.hash.key in found:
                    raise ProtocolError(
                        f"{self._store} returned two rows with one key.", "Make the key unique.", store=self._store
                    )
                found[row.hash.key] = row
        return found

    def sample(self, number: int, *, of: int) -> list[str]:
        """Choose keys at random; of a large table only some pages are read."""
        percent = sampled_percent(number, of)
        return [key for (key,) in self._fetch(self._queries.sample(sql.Literal(percent), sql.Literal(number)))]

    def rehearse(self, keys: Collection[str], plants: Collection[Plant], cells: int) -> tuple[Rehearsal, Rehearsal]:
        """Answer over some rows by the queries of this class, as they are and with faults planted."""
        chosen = self._table.has_key_in(sorted(keys))

        def answers(plants: Collection[Plant]) -> Rehearsal:
            data = _jsonb(plants_as_data(self._dataset, plants))
            return Rehearsal.of(self._over(planted(self._table, self._dataset, chosen, data)), cells)

        return answers(()), answers(plants)

    def echo(self, rows: Sequence[Row]) -> list[FullRow]:
        """Have the server read, hash and write rows of ours."""
        stand_in = given(self._table, self._dataset, _jsonb(rows_as_data(self._dataset, rows)))
        version = self._connection.info.server_version
        query = TableQueries(self._dataset, self._store, version, stand_in=stand_in).given(self._kind)
        return list(starmap(self._full, self._fetch(query)))

    def _over(self, stand_in: sql.Composable) -> PostgresSnapshot:
        return PostgresSnapshot(
            self._connection, self._store, self._dataset, self._kind, self._meter, stand_in=stand_in
        )

    def _full(self, key: str, hash1: int, hash2: int, *values: str | None) -> FullRow:
        names = (c.name for c in self._dataset.columns)
        return FullRow(KeyHash(key, hash1, hash2), dict(zip(names, values, strict=True)))

    def created_between(self, low_ms: int, high_ms: int) -> int:
        """Count rows by their creation time."""
        if self._dataset.created is None:
            return 0
        query = self._queries.created(sql.Literal(low_ms), sql.Literal(high_ms))
        ((count,),) = self._fetch(query)
        return int(count)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Stream all rows as text: COPY in CSV, where NULL and the empty text differ, read by Arrow."""
        query = sql.SQL("COPY (SELECT {raw} FROM {table}) TO STDOUT (FORMAT csv)").format(
            raw=self._table.raw(), table=self._table.table
        )
        names = [c.name for c in self._dataset.columns]
        self._meter.statements += 1
        with self._translated(), self._connection.cursor() as cursor, cursor.copy(query) as copy:
            for piece in _pieces(copy):
                self._meter.bytes += len(piece)
                for batch in _read_csv(piece, names):
                    self._meter.rows += batch.num_rows
                    yield batch

    def _fetch(self, query: sql.Composed) -> list[tuple[Any, ...]]:
        with self._translated():
            rows: list[tuple[Any, ...]] = self._connection.execute(query).fetchall()
        self._meter.statements += 1
        self._meter.rows += len(rows)
        return rows

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with translate(self._store):
            yield


def _pieces(blocks: Iterable[Any]) -> Iterator[bytes]:
    """Join the blocks of a COPY into pieces of some MB; each block is whole rows, as the protocol promises.

    Each piece begins with an empty line, which the parser passes over: it would take a byte order mark at the very
    beginning, which may be part of a key, for its own.
    """
    parts: list[Any] = [b"\n"]
    size = 0
    for block in blocks:
        parts.append(block)
        size += len(block)
        if size >= PIECE_BYTES:
            yield b"".join(parts)
            parts, size = [b"\n"], 0
    if size:
        yield b"".join(parts)


def _read_csv(piece: bytes, names: list[str]) -> list[pa.RecordBatch]:
    """Return the rows of one piece as text; in this thread and at once, so that no thread of Arrow reads on."""
    import pyarrow as pa
    from pyarrow import csv

    table = csv.read_csv(
        pa.BufferReader(piece),
        read_options=csv.ReadOptions(column_names=names, use_threads=False, block_size=len(piece) + 1),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )
    batches: list[pa.RecordBatch] = table.to_batches()
    return batches


def _jsonb(data: object) -> sql.Composed:
    return sql.SQL("{}::jsonb").format(sql.Literal(json.dumps(data)))
