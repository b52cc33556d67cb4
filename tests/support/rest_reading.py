"""Readers over REST for tests: impatient, so that what fails fails soon."""

from __future__ import annotations

from contextlib import ExitStack

from contracts.dataset import Dataset
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.meter import Meter
from storage.parity.ranges import RANGES
from storage.ports import Digest, HashKind, Reader
from storage.postgres import PostgresReader
from storage.rest.client import RestAccess, RestLimits
from storage.rest.patience import Patience
from storage.rest.rows_reader import RestRowsReader
from tests.support.faulty_proxy import Fault
from tests.support.servers import Pair

IMPATIENT = Patience(attempts=3, limit_s=30.0, first_wait_s=0.01, longest_wait_s=0.05)
SHORT = RestLimits(connect_s=0.5, read_s=0.5, write_s=0.5, answer_s=1.0)
"""For what never answers; what answers gets the time of a busy machine."""
HANGING = frozenset({Fault.SILENT, Fault.STUCK, Fault.DRIPPING})
EVERY = range(RANGES)


def rows_reader(
    url: str, key: str, dataset: Dataset = PLANNING, *, meter: Meter | None = None, limits: RestLimits | None = None
) -> RestRowsReader:
    """Return a reader of whole rows that gives up soon; with other limits only where they are given."""
    access = RestAccess(url=url, key=key)
    return RestRowsReader(access, dataset, limits=limits, meter=meter, patience=IMPATIENT)


def sql_reader(pair: Pair, dataset: Dataset = PLANNING) -> PostgresReader:
    """Return a reader of the same secondary by SQL."""
    return PostgresReader(pair.secondary, StoreName.SUPABASE, dataset)


def digests(reader: Reader) -> dict[int, Digest]:
    """Return the digests of all rows, from a snapshot of their own; nothing that was pulled is kept."""
    with ExitStack() as stack:
        if isinstance(reader, RestRowsReader):
            stack.callback(reader.close)
        return stack.enter_context(reader.snapshot(HashKind.TEXT)).digests()
