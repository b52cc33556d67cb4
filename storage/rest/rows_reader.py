"""A store that is reached over REST without our functions: whole rows are pulled, and hashed here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.dataset import Dataset
from contracts.errors import ProtocolError, SchemaMismatch
from contracts.keys import split_key
from contracts.verdicts import StoreFacts
from contracts.vocabulary import Channel, StoreName
from storage.canonical_text import probe_hash, text_hash
from storage.parity.planting import with_plants
from storage.ports import Cell, Digest, FullRow, HashKind, KeyHash, Plant, RangeCount, Rehearsal, Row
from storage.rest.client import RestClient
from storage.rest.created import created_between
from storage.rest.examine import examine
from storage.rest.pages import pull
from storage.rest.reader import RestReader
from storage.rest.row_file import private_folder
from storage.rest.spool import Spool
from storage.rest.suite_file import suite_file
from storage.rest.table import RestTable

if TYPE_CHECKING:
    import pyarrow as pa


class RestRowsReader(RestReader):
    """Read-only access to one dataset over a project's REST API, by whole rows."""

    channel = Channel.ROWS
    _latest: Spool | None = None

    def facts(self) -> StoreFacts:
        """Prove that the store can be read as the dataset declares it; see `storage.rest.examine`."""
        with self._connect() as client:
            return examine(client, self.dataset, self._access.key)

    def hash_probe(self, kind: HashKind) -> tuple[int, int]:
        """Hash a known record as the server would.

        Raises:
            SchemaMismatch: Only a server can hash records in this way.
        """
        if kind is not HashKind.TEXT:
            raise SchemaMismatch(
                f"Rows of {self.store} are hashed here, which cannot be done by {kind}.",
                "Use another kind of hash.",
                store=self.store,
            )
        return probe_hash()

    @contextmanager
    def snapshot(self, kind: HashKind, *, fresh: bool = True) -> Iterator[RestRowsSnapshot]:
        """Open a snapshot; nothing is read before it is asked for, and nothing pulled anew that need not be fresh.

        Raises:
            SchemaMismatch: Rows cannot be hashed in this way here.
        """
        self.hash_probe(kind)
        with self._connect() as client:
            yield RestRowsSnapshot(client, self.dataset, self._keep, None if fresh else self._latest)

    def close(self) -> None:
        """Remove the rows that were pulled."""
        self._latest = None
        super().close()

    def _keep(self, spool: Spool, stack: ExitStack) -> None:
        """Keep pulled rows: a table that was compared need not be pulled again to be judged."""
        self._kept.push(stack.pop_all())
        self._latest = spool


class RestRowsSnapshot:
    """The rows of one dataset, pulled once when they are first asked for; rows by key are read anew each time.

    Args:
        client: The connection.
        dataset: The dataset.
        keep: Takes what is pulled, and what must be closed to remove it.
        pulled: Rows that were pulled before and will do; None to pull them when they are asked for.
    """

    frozen = False

    def __init__(
        self,
        client: RestClient,
        dataset: Dataset,
        keep: Callable[[Spool, ExitStack], None],
        pulled: Spool | None = None,
    ) -> None:
        self._client = client
        self._dataset = dataset
        self._keep = keep
        self._pulled = pulled
        self._table = RestTable(client, dataset, dataset.columns)

    @cached_property
    def _spool(self) -> Spool:
        """All rows, pulled now unless those that were pulled before will do."""
        if self._pulled is not None:
            return self._pulled
        with ExitStack() as stack:
            spool = _spool(stack.enter_context(private_folder()), self._dataset, self._client.store)
            stack.callback(spool.close)
            pulled = pull(self._table, spool)
            kept = sum(count.total for count in spool.count().values())
            if kept != pulled:
                raise ProtocolError(
                    f"{pulled:,} rows of {self._client.store} were pulled, but {kept:,} were kept.",
                    "Check the disk of the folder for temporary files; nothing was concluded.",
                    store=self._client.store,
                )
            self._keep(spool, stack)
        self._pulled = spool
        return spool

    def count(self) -> dict[int, RangeCount]:
        """Count all rows by range; their number was proven by exact counts of the server."""
        return self._spool.count()

    def excluded(self, limit: int) -> list[str]:
        """Return keys that cannot be replicated."""
        return self._spool.excluded(limit)

    def digests(self) -> dict[int, Digest]:
        """Digest all rows by range."""
        return self._spool.digests()

    def pairs(self, ranges: Collection[int]) -> Iterator[KeyHash]:
        """Yield key and hash of every row in these ranges."""
        return self._spool.pairs(ranges)

    def sketch(self, ranges: Collection[int], cells: int) -> dict[int, Cell]:
        """Sum the rows of these ranges into cells."""
        return self._spool.sketch(ranges, cells)

    def find(self, key_hashes: Collection[int]) -> list[KeyHash]:
        """Look rows up by the hash of their key."""
        return self._spool.find(key_hashes)

    def rows(self, keys: Collection[str]) -> dict[str, FullRow]:
        """Read whole rows by key as they are now."""
        wanted = {split_key(self._dataset, key): key for key in keys}
        names = self._table.names
        found: dict[str, FullRow] = {}
        for values in self._table.rows_with(list(wanted)):
            row = dict(zip(names, values, strict=True))
            hashed = text_hash(self._dataset, row, store=self._client.store)
            if hashed.key in found or split_key(self._dataset, hashed.key) not in wanted:
                raise ProtocolError(
                    f"{self._client.store} returned rows that were not asked for.",
                    "Make the key unique, with a collation that takes no two texts for equal.",
                    store=self._client.store,
                )
            found[hashed.key] = FullRow(hashed, row)
        return found

    def sample(self, number: int, *, of: int) -> list[str]:  # noqa: ARG002 - all rows are here
        """Choose keys at random."""
        return self._spool.sample(number)

    def rehearse(self, keys: Collection[str], plants: Collection[Plant], cells: int) -> tuple[Rehearsal, Rehearsal]:
        """Answer over some rows, read anew, as they are and with faults planted before they are hashed."""
        rows = {key: full.row for key, full in self.rows(keys).items()}
        planted = with_plants(self._dataset, rows, plants)
        return self._rehearsal(rows.values(), cells), self._rehearsal(planted.values(), cells)

    def echo(self, rows: Sequence[Row]) -> list[FullRow]:
        """Hash rows of ours; nothing is sent, since a server without our functions cannot give them back."""
        return [FullRow(text_hash(self._dataset, row, store=self._client.store), row) for row in rows]

    def _rehearsal(self, rows: Iterable[Row], cells: int) -> Rehearsal:
        values = [tuple(row[name] for name in self._table.names) for row in rows]
        with private_folder() as folder, closing(_spool(folder, self._dataset, self._client.store)) as spool:
            spool.add(0, values)
            return Rehearsal.of(spool, cells)

    def created_between(self, low_ms: int, high_ms: int) -> int:
        """Count rows by their creation time, exactly and as they are now."""
        if self._dataset.created is None:
            return 0
        column = self._dataset.column(self._dataset.created)
        return self._table.count(created_between(column.name_in(self._client.store), low_ms, high_ms))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows, excluded ones included."""
        return self._spool.batches()

    @contextmanager
    def spool(self, columns: Sequence[str]) -> Iterator[Path]:
        """Write these columns of all rows to a SQLite file with a table named as the dataset; see `suite_file`.

        Args:
            columns: Canonical names; the key's columns come along.

        Yields:
            Path of the file, which is gone afterwards.
        """
        rows = self._pulled.rows() if self._pulled else None  # without it only the columns that are needed are pulled
        with suite_file(self._client, self._dataset, columns, rows=rows) as path:
            yield path


def _spool(folder: Path, dataset: Dataset, store: StoreName) -> Spool:
    return Spool(folder / "rows.sqlite", dataset, store)
