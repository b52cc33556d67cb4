"""All rows of a table as they were pulled, hashed as a server would have hashed them, and what is asked of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.dataset import ColumnType, Dataset
from contracts.vocabulary import StoreName
from storage.canonical import canonical_key
from storage.canonical_text import key_hash, text_hashes
from storage.parity.ranges import RANGES, ranges_of
from storage.parity.sketch import MASK31, SHIFTS
from storage.ports import Cell, Digest, KeyHash, RangeCount
from storage.rest.client import Values
from storage.rest.row_file import RowFile, quote

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_BATCH = 5_000

_HASHES = """
CREATE TABLE hashes (
    b INTEGER NOT NULL, k TEXT NOT NULL, h1 INTEGER NOT NULL, h2 INTEGER NOT NULL,
    excluded INTEGER NOT NULL, row INTEGER NOT NULL,
    PRIMARY KEY (b, k)
) WITHOUT ROWID
"""
_COUNT = "SELECT b, count(*), sum(excluded) FROM hashes GROUP BY b"
_DIGESTS = """
SELECT b, count(*), sum(h1 >> 32), sum(h1 & 4294967295), sum(h2 >> 32), sum(h2 & 4294967295)
FROM hashes WHERE NOT excluded GROUP BY b
"""  # by halves, since a sum in SQLite has 64 bits
_PAIRS = "SELECT k, h1, h2 FROM hashes WHERE b = ? AND NOT excluded ORDER BY k"
_ALL_PAIRS = "SELECT k, h1, h2 FROM hashes WHERE NOT excluded"
_SAMPLE = "SELECT k FROM hashes WHERE NOT excluded ORDER BY random() LIMIT ?"
_EXCLUDED = "SELECT k FROM hashes WHERE excluded ORDER BY k LIMIT ?"


class Spool:
    """Pulled rows in a SQLite file, with all columns of the dataset; a sink of `storage.rest.pages`.

    Args:
        path: The file; made here.
        dataset: The dataset.
        store: The store that the rows come from.
    """

    def __init__(self, path: Path, dataset: Dataset, store: StoreName) -> None:
        self._dataset = dataset
        self._store = store
        self._names = tuple(column.name for column in dataset.columns)
        self._fields = tuple(f"c{number}" for number in range(len(self._names)))  # no name of a column disturbs ours
        self._file = RowFile(path, "rows", self._fields, store=store)
        self._all_replicable = all(
            column.sql_types[store] == {"uuid"} for column in dataset.key_columns if column.type is ColumnType.UUID
        )
        self._sql = self._file.connection
        self._sql.execute(_HASHES)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def add(self, attempt: int, rows: list[Values]) -> None:
        """Hash and keep rows that an attempt read.

        Raises:
            ProtocolError: Two rows share a key, or a value is none of its column's type.
        """
        hashes = text_hashes(self._dataset, self._names, rows, store=self._store)
        keys = [hashed.key for hashed in hashes]
        kept = zip(ranges_of(self._dataset, keys), hashes, map(self._replicable, keys), strict=True)
        with self._file.writing():
            ids = self._file.insert(attempt, rows)
            self._sql.executemany(
                "INSERT INTO hashes VALUES (?, ?, ?, ?, ?, ?)",
                ((number, *hashed, not good, row) for (number, hashed, good), row in zip(kept, ids, strict=True)),
            )

    def forget(self, attempt: int) -> None:
        """Forget all rows of an attempt."""
        with self._file.writing():
            for bounds in self._file.delete(attempt):
                self._sql.execute("DELETE FROM hashes WHERE row BETWEEN ? AND ?", bounds)

    def count(self) -> dict[int, RangeCount]:
        """Count all rows by range."""
        return {number: RangeCount(total, excluded) for number, total, excluded in self._sql.execute(_COUNT)}

    def excluded(self, limit: int) -> list[str]:
        """Return up to `limit` keys that cannot be replicated, smallest first."""
        return [key for (key,) in self._sql.execute(_EXCLUDED, (limit,))]

    def sample(self, limit: int) -> list[str]:
        """Return up to `limit` keys that can be replicated, chosen at random."""
        return [key for (key,) in self._sql.execute(_SAMPLE, (limit,))]

    def digests(self) -> dict[int, Digest]:
        """Digest all rows by range."""
        return {
            number: Digest(rows, (high1 << 32) + low1, (high2 << 32) + low2)
            for number, rows, high1, low1, high2, low2 in self._sql.execute(_DIGESTS)
        }

    def pairs(self, ranges: Collection[int]) -> Iterator[KeyHash]:
        """Yield key and hash of every row in these ranges, by range and then by key."""
        for number in sorted(set(ranges) & set(range(RANGES))):
            yield from map(KeyHash._make, self._sql.execute(_PAIRS, (number,)))

    def sketch(self, ranges: Collection[int], cells: int) -> dict[int, Cell]:
        """Sum the rows of these ranges into cells; mirrors `storage.canonical_sql.sketch_cells`."""
        sums: defaultdict[int, list[int]] = defaultdict(lambda: [0] * len(Cell._fields))
        for key, hash1, hash2 in self.pairs(ranges):
            row = (1, key_hash(key), hash1, hash2, (hash1 & MASK31) * (hash2 & MASK31))
            for table, shift in enumerate(SHIFTS):
                cell = sums[table * cells + ((hash1 >> shift) & (cells - 1))]
                cell[:] = map(int.__add__, cell, row)
        return {number: Cell._make(cell) for number, cell in sums.items()}

    def find(self, key_hashes: Collection[int]) -> list[KeyHash]:
        """Return the rows whose key has one of these hashes."""
        wanted = set(key_hashes)
        return [KeyHash(*row) for row in self._sql.execute(_ALL_PAIRS) if key_hash(row[0]) in wanted]

    def rows(self) -> Iterator[Values]:
        """Yield all rows, excluded ones included, with all columns of the dataset."""
        yield from self._sql.execute(f"SELECT {', '.join(map(quote, self._fields))} FROM rows")  # noqa: S608 - our names

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the same as Arrow, some MB at a time: one string column per dataset column."""
        import pyarrow as pa

        cursor = self._sql.execute(f"SELECT {', '.join(map(quote, self._fields))} FROM rows")  # noqa: S608 - our names
        while rows := cursor.fetchmany(ROWS_PER_BATCH):
            columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, list(self._names))

    def _replicable(self, key: str) -> bool:
        if self._all_replicable:
            return True
        try:
            return canonical_key(self._dataset, key) == key
        except ValueError:
            return False
