"""A store that is reached over REST with our functions, the doors: it digests its rows, and we read what differs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.dataset import Dataset
from contracts.errors import Refused, SchemaMismatch
from contracts.keys import split_key
from contracts.verdicts import StoreFacts
from contracts.vocabulary import Channel
from storage.chunks import chunks
from storage.meter import Meter
from storage.migrations.doors import doors, function_name
from storage.parity.ranges import RANGES
from storage.ports import Cell, Digest, FullRow, HashKind, KeyHash, Plant, RangeCount, Rehearsal, Row
from storage.preflight import conclude
from storage.rest.client import RestAccess, RestClient, RestLimits
from storage.rest.errors import TooMuch
from storage.rest.reader import RestReader
from storage.rest.rows_reader import RestRowsSnapshot
from storage.rest.rpc_answers import Answers, Facts, Sums
from storage.rest.rpc_spans import SpanPace
from storage.rest.spool import Spool
from storage.stand_ins import plants_as_data, rows_as_data
from storage.table_queries import sampled_percent

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 500
PAIRS_AT_ONCE = 20_000
HASHES_AT_ONCE = 5_000


class Doors:
    """The functions of one dataset behind a connection.

    Args:
        client: The connection.
        dataset: The dataset.
    """

    def __init__(self, client: RestClient, dataset: Dataset) -> None:
        self._client = client
        self._dataset = dataset
        self.answers = Answers(client.store, dataset)

    def call(self, door: str, **arguments: object) -> object:
        """Ask one of them; arguments are named as `storage.migrations.doors` declares them."""
        return self._client.call(function_name(self._dataset, door), arguments)

    def facts(self) -> Facts:
        """Ask for facts, and prove that the doors are those of this version.

        Raises:
            SchemaMismatch: There are none, or others.
        """
        facts = self.answers.facts(self.call("facts"))
        if facts.doors != doors(self._dataset).checksum:
            raise SchemaMismatch(
                f"The functions by which {self._dataset.name} is read on {self._client.store} are of another version.",
                "Run `twinstore migrate`, or `twinstore migrate --print --side secondary` where only its SQL editor "
                "can be reached.",
                store=self._client.store,
            )
        return facts


def doors_answer(
    access: RestAccess, dataset: Dataset, *, limits: RestLimits | None = None, meter: Meter | None = None
) -> bool:
    """Say whether a project has doors for a dataset that our key may use, of whatever version.

    Raises:
        TwinstoreError: The project cannot be reached, or its answers cannot be believed.
    """
    with RestClient(access, limits=limits, meter=meter) as client:
        try:
            Doors(client, dataset).call("facts")
        except (SchemaMismatch, Refused):
            return False
    return True


class RestRpcReader(RestReader):
    """Read-only access to one dataset over a project's REST API, by functions that digest and hash on the server."""

    channel = Channel.RPC
    _known: Facts | None = None

    def facts(self) -> StoreFacts:
        """Prove that the store can be read as the dataset declares it, by doors of this version."""
        with self._connect() as client:
            facts = self._known = Doors(client, self.dataset).facts()
        return conclude(facts.seen, self.store, self.dataset, channel=self.channel, identity=facts.identity)

    def hash_probe(self, kind: HashKind) -> tuple[int, int]:
        """Hash one record that holds every kind of value that digests hash."""
        with self._connect() as client:
            found = Doors(client, self.dataset)
            return found.answers.probe(found.call("probe", kind=kind))

    @contextmanager
    def snapshot(self, kind: HashKind, *, fresh: bool = True) -> Iterator[RestRpcSnapshot]:  # noqa: ARG002 - it always is
        """Open a snapshot that is not frozen: each request is of its own moment, and is sent when it is needed."""
        with ExitStack() as stack:
            client = stack.enter_context(self._connect())
            known = self._known = self._known or Doors(client, self.dataset).facts()
            yield RestRpcSnapshot(client, self.dataset, kind, known, stack)


class RestRpcSnapshot:
    """The rows of one dataset, asked for as they are at each question."""

    frozen = False

    def __init__(self, client: RestClient, dataset: Dataset, kind: HashKind, facts: Facts, stack: ExitStack) -> None:
        self._dataset = dataset
        self._kind = kind
        self._doors = Doors(client, dataset)
        self._meter = client.meter
        self._pace = SpanPace(client.store, facts.statement_timeout_s, facts.estimated_rows)
        self._at_once = ROWS_AT_ONCE
        self._stack = stack
        self._by_rows = RestRowsSnapshot(client, dataset, self._keep)

    @cached_property
    def _sums(self) -> Sums:
        """Counts and digests, of each range as it was read last."""
        sums = Sums({}, {})
        for answer in self._pace.ask(range(RANGES), self._sums_of):
            sums.counts.update(answer.counts)
            sums.digests.update(answer.digests)
        return sums

    def count(self) -> dict[int, RangeCount]:
        """Count all rows by range, in the statement that digests them."""
        return self._sums.counts

    def digests(self) -> dict[int, Digest]:
        """Digest all rows by range."""
        return self._sums.digests

    def excluded(self, limit: int) -> list[str]:
        """Return keys that cannot be replicated."""
        if not any(count.excluded for count in self._sums.counts.values()):
            return []
        return self._doors.answers.keys(self._doors.call("excluded", at_most=limit))

    def pairs(self, ranges: Collection[int]) -> Iterator[KeyHash]:
        """Yield key and hash of every row in these ranges; from then on, counts and digests are of that moment."""
        known = self._sums.digests
        answers = self._pace.ask(
            sorted(ranges), self._pairs_of, rows=lambda n: known.get(n, Digest()).count, most_rows=PAIRS_AT_ONCE
        )
        for span, pairs, sums in answers:
            for number in span:
                self._sums.counts.pop(number, None)
                self._sums.digests.pop(number, None)
            self._sums.counts.update(sums.counts)
            self._sums.digests.update(sums.digests)
            self._meter.rows += len(pairs)
            yield from pairs

    def sketch(self, ranges: Collection[int], cells: int) -> dict[int, Cell]:
        """Sum the rows of these ranges into cells."""
        table: dict[int, Cell] = {}
        for answer in self._pace.ask(sorted(ranges), partial(self._sketch_of, cells)):
            for number, cell in answer.items():
                before = table.get(number)
                table[number] = Cell(*map(int.__add__, before, cell)) if before else cell
        return table

    def find(self, key_hashes: Collection[int]) -> list[KeyHash]:
        """Look rows up by the hash of their key."""
        found: list[KeyHash] = []
        for wanted in chunks(map(str, sorted(key_hashes)), HASHES_AT_ONCE):
            for answer in self._pace.ask(range(RANGES), partial(self._find_of, wanted)):
                found += answer
        self._meter.rows += len(found)
        return found

    def rows(self, keys: Collection[str]) -> dict[str, FullRow]:
        """Read whole rows by key as they are now."""
        waiting = sorted(keys)
        found: dict[str, FullRow] = {}
        while waiting:
            some = waiting[: self._at_once]
            parts = [split_key(self._dataset, key) for key in some]
            try:
                answer = self._doors.call("rows", kind=self._kind, keys=parts)
            except TooMuch:
                if len(some) == 1:
                    raise
                self._at_once = len(some) // 2
                continue
            found |= self._doors.answers.rows(answer, some)
            del waiting[: len(some)]
        self._meter.rows += len(found)
        return found

    def sample(self, number: int, *, of: int) -> list[str]:
        """Choose keys at random; of a large table only some pages are read."""
        return self._doors.answers.keys(self._doors.call("sample", percent=sampled_percent(number, of), at_most=number))

    def rehearse(self, keys: Collection[str], plants: Collection[Plant], cells: int) -> tuple[Rehearsal, Rehearsal]:
        """Answer over some rows, as they are and with faults planted below the queries of the doors."""
        parts = [split_key(self._dataset, key) for key in keys]
        planted = plants_as_data(self._dataset, plants)
        answer = self._doors.call("rehearse", kind=self._kind, keys=parts, plants=planted, cells=cells)
        return self._doors.answers.rehearsals(answer)

    def echo(self, rows: Sequence[Row]) -> list[FullRow]:
        """Have the server read, hash and write rows of ours."""
        answer = self._doors.call("echo", kind=self._kind, given=rows_as_data(self._dataset, rows))
        return self._doors.answers.echoed(answer, len(rows))

    def created_between(self, low_ms: int, high_ms: int) -> int:
        """Count rows by their creation time."""
        return self._doors.answers.created(self._doors.call("created", low_ms=low_ms, high_ms=high_ms))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows, pulled page by page."""
        return self._by_rows.batches()

    def spool(self, columns: Sequence[str]) -> AbstractContextManager[Path]:
        """Write these columns of all rows to a SQLite file with a table named as the dataset."""
        return self._by_rows.spool(columns)

    def _keep(self, _: Spool, pulled: ExitStack) -> None:
        """Keep pulled rows for as long as this snapshot."""
        self._stack.push(pulled.pop_all())

    def _sums_of(self, span: Sequence[int]) -> Sums:
        answer = self._doors.call("sums", kind=self._kind, low=span[0], high=span[-1])
        return self._doors.answers.sums(answer, span)

    def _pairs_of(self, span: Sequence[int]) -> tuple[Sequence[int], list[KeyHash], Sums]:
        answer = self._doors.call("pairs", kind=self._kind, low=span[0], high=span[-1], ranges=list(span))
        return span, *self._doors.answers.pairs(answer, span)

    def _sketch_of(self, cells: int, span: Sequence[int]) -> dict[int, Cell]:
        answer = self._doors.call("sketch", kind=self._kind, low=span[0], high=span[-1], ranges=list(span), cells=cells)
        return self._doors.answers.cells(answer)

    def _find_of(self, key_hashes: list[str], span: Sequence[int]) -> list[KeyHash]:
        answer = self._doors.call("find", kind=self._kind, low=span[0], high=span[-1], key_hashes=key_hashes)
        return self._doors.answers.found(answer)
