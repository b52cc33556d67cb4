"""What the engine needs of a store, as small protocols; adapters implement them for SQL and for REST."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from contracts.dataset import Dataset
from contracts.verdicts import StoreFacts
from contracts.vocabulary import Channel, StoreName

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, str | None]
"""One row as read: canonical column name to the store's own text of the value; None for NULL."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Number of rows, and two sums over their 64-bit row hashes, independent of order. Never an XOR."""

    count: int = 0
    sum1: int = 0
    sum2: int = 0

    def __add__(self, other: Digest) -> Digest:
        return Digest(self.count + other.count, self.sum1 + other.sum1, self.sum2 + other.sum2)


@dataclass(frozen=True, slots=True)
class KeyHash:
    """Key and row hash of one row."""

    key: str
    hash1: int
    hash2: int


class Snapshot(Protocol):
    """The rows of one dataset in one store as of one moment. Only rows whose key can be replicated are in it.

    Every method may raise the errors of `contracts.errors`.
    """

    def count(self) -> int:
        """Count all rows, excluded ones included, by a statement that shares nothing with the digests."""
        ...

    def excluded(self, limit: int) -> tuple[int, list[str]]:
        """Return the number of rows whose key cannot be replicated, and up to `limit` of their keys."""
        ...

    def buckets(self, fan_out: int) -> dict[int, Digest]:
        """Digest the whole table by key bucket, in one statement; empty buckets are absent."""
        ...

    def pairs(self, fan_out: int, buckets: Collection[int]) -> Iterator[KeyHash]:
        """Yield key and hash of every row in these buckets, by key in C order, in one statement."""
        ...

    def rows(self, keys: Collection[str]) -> dict[str, Row]:
        """Read the rows with these keys, all columns; absent keys are absent."""
        ...

    def batches(self, size: int) -> Iterator[pa.RecordBatch]:
        """Yield all rows, excluded ones included, `size` at a time: one string column per dataset column."""
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

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Open a snapshot; the rows stay as they are until it is closed."""
        ...
