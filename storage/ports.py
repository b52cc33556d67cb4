"""What the engine needs of a store, as small protocols; adapters implement them for SQL and for REST."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from contracts.dataset import Dataset
from contracts.verdicts import StoreFacts
from contracts.vocabulary import Channel, StoreName
from storage.parity.ranges import RANGES

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, str | None]
"""One row as read: canonical column name to the store's own text of the value; None for NULL."""


class HashKind(StrEnum):
    """How rows are hashed inside a server; both servers of a run must agree on it."""

    RECORD = "record"  # hash_record_extended with two seeds
    TEXT = "text"  # both halves of an md5 over the texts of the fields, as `storage.canonical_text` computes it, too


@dataclass(frozen=True, slots=True)
class Digest:
    """Number of rows, and two sums over their 64-bit row hashes, independent of order. Never an XOR."""

    count: int = 0
    sum1: int = 0
    sum2: int = 0

    def plus(self, row: KeyHash) -> Digest:
        """Return the digest with one row more."""
        return Digest(self.count + 1, self.sum1 + row.hash1, self.sum2 + row.hash2)

    def minus(self, other: Digest) -> Digest:
        """Return the digest of what is left when the rows of `other` are taken out."""
        return Digest(self.count - other.count, self.sum1 - other.sum1, self.sum2 - other.sum2)


class KeyHash(NamedTuple):
    """Key and row hash of one row."""

    key: str
    hash1: int
    hash2: int


class FullRow(NamedTuple):
    """One row with its hash."""

    hash: KeyHash
    row: Row


class Cell(NamedTuple):
    """One cell of a difference sketch: number of rows in it, and sums of what identifies them."""

    rows: int
    key: int
    hash1: int
    hash2: int
    check: int


class Plant(NamedTuple):
    """A fault that is planted in a query over some rows, to see whether the comparison finds it.

    Attributes:
        key: Key of the row.
        column: Canonical name of the column that is altered; None to leave the row out.
        value: The text of its other value; None for NULL.
    """

    key: str
    column: str | None
    value: str | None


class Rehearsal(NamedTuple):
    """What a store answers over a few rows when it is asked all that a comparison may ask.

    Attributes:
        digests: By range.
        pairs: Of every row, by range and then by key in C order.
        sketch: Of every row.
    """

    digests: Mapping[int, Digest]
    pairs: tuple[KeyHash, ...]
    sketch: Mapping[int, Cell]

    @classmethod
    def of(cls, rows: HashedRows, cells: int) -> Rehearsal:
        """Ask everything of some rows, with so many cells in each table of the sketch."""
        every = range(RANGES)
        return cls(rows.digests(), tuple(rows.pairs(every)), rows.sketch(every, cells))


class HashedRows(Protocol):
    """Rows that are hashed where they lie; the part of a snapshot that a first look needs most."""

    def digests(self) -> dict[int, Digest]:
        """Digest all rows by range, in one statement; empty ranges are absent."""
        ...

    def pairs(self, ranges: Collection[int]) -> Iterator[KeyHash]:
        """Yield key and hash of every row in these ranges, by range and then by key in C order."""
        ...

    def sketch(self, ranges: Collection[int], cells: int) -> dict[int, Cell]:
        """Sum the rows of these ranges into three tables of `cells` cells each (`storage.parity.sketch`)."""
        ...


class Provable(Protocol):
    """What lets a comparison prove, on a store itself, that it would see a difference."""

    def sample(self, number: int, *, of: int) -> list[str]:
        """Return up to `number` different keys of rows that can be replicated, chosen anew at random.

        Args:
            number: How many are wanted.
            of: About how many rows there are.
        """
        ...

    def rehearse(self, keys: Collection[str], plants: Collection[Plant], cells: int) -> tuple[Rehearsal, Rehearsal]:
        """Answer over the rows with these keys, as they are and with faults planted; both as of one moment.

        The faults are planted below the very queries of a comparison: where these read the table, they read its rows
        with the planted values instead. Nothing is written.
        """
        ...

    def echo(self, rows: Sequence[Row]) -> list[FullRow]:
        """Return rows of ours, in their order, as the store would have returned them, had it held them.

        Args:
            rows: All columns of the dataset, each a text that the store can read as a value of the column's type.
        """
        ...


class Snapshot(HashedRows, Provable, Protocol):
    """The rows of one dataset in one store as of one moment.

    Digests, pairs, sketches and rows leave out the rows whose key cannot be replicated. Ranges are those of
    `storage.parity.ranges`, by number. Every method may raise the errors of `contracts.errors`.

    Where requests cannot share a transaction a snapshot is not frozen: its answers are as of different moments. Of each
    range, however, `count` and `digests` are of one moment, and once `pairs` has yielded the last row of a range, both
    say of it what they said at the moment of the statement that returned its pairs.
    """

    @property
    def frozen(self) -> bool:
        """Whether all answers are as of one moment, which is past when the snapshot is open."""
        ...

    def count(self) -> dict[int, RangeCount]:
        """Count all rows by range, by a statement that shares nothing with the digests; empty ranges are absent."""
        ...

    def excluded(self, limit: int) -> list[str]:
        """Return up to `limit` of the keys that cannot be replicated, smallest first."""
        ...

    def find(self, key_hashes: Collection[int]) -> list[KeyHash]:
        """Return the rows whose key has one of these hashes."""
        ...

    def rows(self, keys: Collection[str]) -> dict[str, FullRow]:
        """Read the rows with these keys, all columns; absent keys are absent."""
        ...

    def created_between(self, low_ms: int, high_ms: int) -> int:
        """Count the rows created from `low_ms` to `high_ms`, both included, in milliseconds since 1970 UTC.

        Rows whose key the other store cannot hold do not count.
        """
        ...

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows, excluded ones included, a few MB at a time: one string column per dataset column."""
        ...


class RangeCount(NamedTuple):
    """Rows of one range, as a separate count found them."""

    total: int
    excluded: int


class Spooling(Protocol):
    """A snapshot whose rows can be written to a file, for suites that its store cannot run."""

    def spool(self, columns: Sequence[str]) -> AbstractContextManager[Path]:
        """Write these columns of all rows to a SQLite file with a table named as the dataset, all of them texts.

        Args:
            columns: Canonical names; the key's columns come along.
        """
        ...


class Reader(Protocol):
    """Read-only access to one dataset in one store."""

    @property
    def store(self) -> StoreName:
        """The store that is read."""
        ...

    @property
    def channel(self) -> Channel:
        """How the store is reached."""
        ...

    @property
    def dataset(self) -> Dataset:
        """The dataset that is read."""
        ...

    def facts(self) -> StoreFacts:
        """Prove that the store can be read as the dataset declares it.

        Raises:
            Unavailable: The store cannot be reached.
            Refused: It refuses us, or a grant is missing.
            SchemaMismatch: The table, a column or a migration is missing, or a column has another type.
        """
        ...

    def hash_probe(self, kind: HashKind) -> tuple[int, int]:
        """Hash one known record; two servers may be compared by this kind only if they return the same."""
        ...

    def snapshot(self, kind: HashKind, *, fresh: bool = True) -> AbstractContextManager[Snapshot]:
        """Open a snapshot that hashes in this way; the rows stay as they are until it is closed.

        Args:
            kind: How rows are hashed.
            fresh: False when rows will do that this reader pulled before, as for judging what was compared.
        """
        ...

    def close(self) -> None:
        """Give back what is kept between snapshots; what is asked afterwards is kept anew."""
        ...
