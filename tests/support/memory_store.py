"""A store in memory: complete, for unit tests only, kept honest by the conformance suite over every store."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pyarrow as pa

from contracts.dataset import Dataset
from contracts.instants import microseconds, milliseconds
from contracts.planning import PLANNING
from contracts.verdicts import StoreFacts
from contracts.vocabulary import Channel, StoreName
from storage.canonical import canonical_key, canonical_row
from storage.canonical_text import key_text, probe_hash, text_hash
from storage.parity.planting import with_plants
from storage.parity.ranges import range_of
from storage.parity.sketch import BITS, MASK31, SHIFTS
from storage.ports import Cell, Digest, FullRow, HashKind, KeyHash, Plant, RangeCount, Rehearsal, Row

UNIX_EPOCH_MS = 946_684_800_000


def to_signed(value: bytes) -> int:
    """Read eight bytes as a bigint."""
    return int.from_bytes(value, "big", signed=True)


class MemorySnapshot:
    """Rows as they were when the snapshot was taken."""

    frozen = True

    def __init__(self, rows: dict[str, Row], dataset: Dataset, kind: HashKind = HashKind.RECORD) -> None:
        self._dataset = dataset
        self._kind = kind
        self._all = rows
        self._hashed = {k: self._hash(k, row) for k, row in rows.items() if self._replicable(k)}

    def count(self) -> dict[int, RangeCount]:
        """Count rows by range."""
        counts: dict[int, RangeCount] = {}
        for key in self._all:
            number = range_of(self._dataset, key)
            before = counts.get(number, RangeCount(0, 0))
            counts[number] = RangeCount(before.total + 1, before.excluded + (key not in self._hashed))
        return counts

    def excluded(self, limit: int) -> list[str]:
        """Return keys that are no canonical UUIDs."""
        return sorted(self._all.keys() - self._hashed.keys())[:limit]

    def digests(self) -> dict[int, Digest]:
        """Digest by range."""
        digests: dict[int, Digest] = {}
        for key, hashed in self._hashed.items():
            number = range_of(self._dataset, key)
            digests[number] = digests.get(number, Digest()).plus(hashed)
        return digests

    def pairs(self, ranges: Collection[int]) -> Iterator[KeyHash]:
        """Yield pairs by range and key."""
        placed = sorted((range_of(self._dataset, key), key) for key in self._hashed)
        return (self._hashed[key] for number, key in placed if number in ranges)

    def sketch(self, ranges: Collection[int], cells: int) -> dict[int, Cell]:
        """Sum rows into cells."""
        table: dict[int, Cell] = {}
        for pair in self.pairs(ranges):
            check = (pair.hash1 & MASK31) * (pair.hash2 & MASK31)
            row = (1, self._key_hash(pair.key), pair.hash1, pair.hash2, check)
            for number, shift in enumerate(SHIFTS):
                cell = number * cells + ((pair.hash1 >> shift) & (cells - 1) & ((1 << BITS) - 1))
                table[cell] = Cell(*(a + b for a, b in zip(table.get(cell, (0,) * 5), row, strict=True)))
        return table

    def find(self, key_hashes: Collection[int]) -> list[KeyHash]:
        """Look rows up by the hash of their key."""
        return [pair for key, pair in self._hashed.items() if self._key_hash(key) in key_hashes]

    def rows(self, keys: Collection[str]) -> dict[str, FullRow]:
        """Read whole rows."""
        return {k: FullRow(self._hashed[k], self._all[k]) for k in keys if k in self._hashed}

    def sample(self, number: int, *, of: int) -> list[str]:  # noqa: ARG002 - the port names it
        """Choose keys at random."""
        return random.sample(sorted(self._hashed), min(number, len(self._hashed)))

    def rehearse(self, keys: Collection[str], plants: Collection[Plant], cells: int) -> tuple[Rehearsal, Rehearsal]:
        """Answer over some rows, as they are and with faults planted."""
        rows = {key: self._all[key] for key in keys if key in self._all}
        with_faults = with_plants(self._dataset, rows, plants)
        over = (type(self)(each, self._dataset, self._kind) for each in (rows, with_faults))
        first, second = (Rehearsal.of(snapshot, cells) for snapshot in over)
        return first, second

    def echo(self, rows: Sequence[Row]) -> list[FullRow]:
        """Hash rows of the caller's."""
        return [FullRow(self._hash(key_text(self._dataset, row), row), row) for row in rows]

    def created_between(self, low_ms: int, high_ms: int) -> int:
        """Count rows by creation time."""
        rows = (row for key, row in self._all.items() if self._replicable(key))
        moments = (microseconds(row[self._dataset.created or ""] or "") for row in rows)
        return sum(low_ms <= milliseconds(m) + UNIX_EPOCH_MS <= high_ms for m in moments if m is not None)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows in one batch."""
        if self._all:
            names = [c.name for c in self._dataset.columns]
            columns = [pa.array([row[n] for row in self._all.values()], pa.string()) for n in names]
            yield pa.RecordBatch.from_arrays(columns, names)

    def _replicable(self, key: str) -> bool:
        try:
            return canonical_key(self._dataset, key) == key
        except ValueError:
            return False

    @staticmethod
    def _key_hash(key: str) -> int:
        return to_signed(hashlib.sha256(key.encode()).digest()[:8])

    def _hash(self, key: str, row: Row) -> KeyHash:
        if self._kind is HashKind.TEXT:
            return text_hash(self._dataset, row)
        text = json.dumps(canonical_row(self._dataset, row), sort_keys=True)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        return KeyHash(key, to_signed(digest[:8]), to_signed(digest[8:16]))


class MemoryReader:
    """A store in memory.

    Args:
        store: Which store it stands for.
        rows: Its rows; they may be changed at any time.
        dataset: What they are rows of.
        sees_all_rows: False to stand for a role from which rows may be hidden.
        wrap: Makes another snapshot of a snapshot, to sabotage it.
    """

    def __init__(
        self,
        store: StoreName,
        rows: list[Row],
        *,
        dataset: Dataset = PLANNING,
        sees_all_rows: bool = True,
        wrap: Callable[[MemorySnapshot], MemorySnapshot] = lambda snapshot: snapshot,
    ) -> None:
        self.store = store
        self.channel = Channel.SQL
        self.dataset = dataset
        self.held = {key_text(dataset, row): dict(row) for row in rows}
        self._sees_all_rows = sees_all_rows
        self._wrap = wrap

    def facts(self) -> StoreFacts:
        """Say what it is."""
        facts = StoreFacts(store=self.store, channel=self.channel, reachable=True, table="memory")
        return replace(facts, sees_all_rows=self._sees_all_rows)

    def hash_probe(self, kind: HashKind) -> tuple[int, int]:
        """Return what both sides return."""
        return probe_hash() if kind is HashKind.TEXT else (1, 2)

    @contextmanager
    def snapshot(self, kind: HashKind, *, fresh: bool = True) -> Iterator[MemorySnapshot]:  # noqa: ARG002 - it always is
        """Take a snapshot."""
        yield self._wrap(MemorySnapshot({k: dict(r) for k, r in self.held.items()}, self.dataset, kind))

    def close(self) -> None:
        """Do nothing."""
